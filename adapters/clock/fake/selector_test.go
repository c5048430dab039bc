package fake_test

import (
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestSelectorContract(t *testing.T) {
	porttest.Selector(t, func(*testing.T) (ports.Selector, ports.Clock) {
		c := fake.New(time.Time{})
		return fake.Selector{Clock: c}, c
	})
}
