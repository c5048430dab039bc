package system_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"brokerconn/adapters/clock/system"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	porttest.Clock(t, func(*testing.T) (ports.Clock, func(time.Duration)) {
		return system.Clock{}, func(d time.Duration) {
			time.Sleep(d) // the bubble's time, in which the suite runs
			synctest.Wait()
		}
	})
}

func TestReadingsAreMonotonic(t *testing.T) {
	now := system.Clock{}.Now()
	if now == now.Round(0) {
		t.Error("the monotonic reading is gone")
	}
}
