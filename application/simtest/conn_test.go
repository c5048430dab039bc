package simtest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// Five goroutines share a Conn for a minute of every fault.
func TestGoroutinesShareAConn(t *testing.T) {
	simtest.Run(t, simtest.Options{}, func(w *simtest.World) {
		cfg := w.Config(0)
		cfg.RequestTimeout = 5 * time.Second
		conn, err := broker.Dial(w.Context(), cfg)
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		for range 5 {
			draw := w.Rand()
			w.Go(func() {
				for w.Context().Err() == nil {
					_, err := kmsg.NewPtrMetadataRequest().RequestWith(w.Context(), conn)
					if e := new(broker.Error); err != nil && !errors.As(err, &e) {
						w.Errorf("got %v, want a *broker.Error", err)
					}
					time.Sleep(time.Duration(draw.IntN(2e9)))
				}
			})
		}
		w.Chaos(time.Minute)
		w.Eventually(30*time.Second, func() bool {
			_, err := kmsg.NewPtrMetadataRequest().RequestWith(w.Context(), conn)
			return err == nil
		})
	})
}
