package broker

import (
	"testing"

	"brokerconn/adapters/clock/system"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestSelectorContract(t *testing.T) {
	porttest.Selector(t, func(*testing.T) (ports.Selector, ports.Clock) {
		return clockSelector{system.Clock{}}, system.Clock{}
	})
}
