package broker

import (
	"testing"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// A wait that no event can end is a defect of the caller's.
func TestSelectorWithoutLimit(t *testing.T) {
	defer func() {
		if got, want := recover(), "broker: Wait for nothing, without limit"; got != want {
			t.Errorf("got panic %v, want %q", got, want)
		}
	}()
	_ = clockSelector{system.Clock{}}.Wait(nil, time.Time{})
}

func TestSelectorContract(t *testing.T) {
	porttest.Selector(t, func(*testing.T) (ports.Selector, ports.Clock) {
		return clockSelector{system.Clock{}}, system.Clock{}
	})
}
