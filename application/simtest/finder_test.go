package simtest_test

import (
	"testing"
	"time"

	"brokerconn/application/simtest"
)

func TestFinderFindsTheLeader(t *testing.T) {
	simtest.Run(t, simtest.Options{Brokers: 3}, func(w *simtest.World) {
		f, _ := newFinder("orders", time.Second, w.Now(), w.Config(0), w.Config(1), w.Config(2))
		w.Drive(f.Step)
		w.Chaos(time.Minute)
		w.Eventually(30*time.Second, func() bool { return f.Leader() == w.Leader("orders", 0) })
	})
}
