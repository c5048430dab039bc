package broker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// lose drops the connection and waits until there is another.
func (r *harness) lose() {
	r.t.Helper()
	r.broker.peer.Reset(nil)
	r.repeated()
}

func (r *harness) repeated() {
	r.t.Helper()
	r.turn()
	r.pass(2 * time.Second)
	r.connect()
	require(r.t, r.State() == broker.Connected, "state %v", r.State())
}

// TestLastFailedAddressIsTriedLast, whatever the resolver's order (KAFKA-12193).
func TestLastFailedAddressIsTriedLast(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"), at("c"))
		r.ready()
		r.lose()
		r.lose()
		r.lose()
		r.wantDials("a", "b", "a", "b")
	})
}

// TestAddressOfACleanCloseIsTriedFirst: nothing is wrong with it.
func TestAddressOfACleanCloseIsTriedFirst(t *testing.T) {
	onBoth(t, idleAfter(time.Minute), func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"))
		r.ready()
		r.pass(time.Minute)
		r.repeated()
		r.pass(time.Minute)
		r.repeated()
		r.wantDials("a", "a", "a")
	})
}

// TestNameIsLookedUpAgain after an established connection has dropped, so that an
// address that is new is found.
func TestNameIsLookedUpAgain(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"))
		r.ready()
		r.network.SetAddresses("broker", at("c"), at("a"))
		r.lose()
		r.network.SetAddresses("broker", at("d"))
		r.lose()
		r.wantDials("a", "c", "d")
	})
}

// TestPolledCheckVersionNamesEachAddress: the error has what each of the addresses failed of.
func TestPolledCheckVersionNamesEachAddress(t *testing.T) {
	r := newHarness(t, "Polled", nil)
	r.network.SetAddresses("broker", at("a"), at("b"))
	for _, a := range []string{"a", "b"} {
		r.network.RefuseDial(a, errors.New("refused by "+a))
	}
	_, err := r.polled.CheckVersion(time.Second, false, nil)
	assert(t, err != nil && strings.Contains(err.Error(), "refused by b") &&
		strings.Contains(err.Error(), "before that: a: memory: dial a: refused by a"),
		"got %v, want both failures", err)
}

// TestOneAddressIsTriedThoughItFailed: there is no other.
func TestOneAddressIsTriedThoughItFailed(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		r.lose()
		r.lose()
		assert(t, len(r.broker.dials) == 3, "dialled %v", r.broker.dials)
	})
}

// TestEveryAddressIsTriedBeforeAFailureCounts.
func TestEveryAddressIsTriedBeforeAFailureCounts(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"), at("c"))
		for _, a := range []string{"a", "b"} {
			r.network.RefuseDial(a, errors.New("refused"))
		}
		for range 3 {
			r.connect()
		}
		s := r.Stats()
		assert(t, s.State == broker.Connected && s.FailuresInARow == 0 && s.Attempts == 3 && s.Closed == 2 &&
			s.Address == "c", "%+v", s)
		r.sums()
	})
}

// TestZoneOfAnIPv6AddressIsKept on the way from the lookup to the dial, and in what
// is reported.
func TestZoneOfAnIPv6AddressIsKept(t *testing.T) {
	onBoth(t, func(cfg *broker.Config) { cfg.Host = "fe80::1%eth0" }, func(t *testing.T, r *harness) {
		r.network.SetAddresses("fe80::1%eth0", ports.Endpoint{Host: "fe80::1%eth0", Network: "memory",
			Address: "[fe80::1%eth0]:9092"})
		r.ready()
		s := r.Stats()
		assert(t, s.Address == "[fe80::1%eth0]:9092", "address %q", s.Address)
		r.wantDials("[fe80::1%eth0]:9092")
	})
}

// TestLastFailedAddressIsRememberedOverALookUp that fails.
func TestLastFailedAddressIsRememberedOverALookUp(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"))
		r.ready()
		r.broker.peer.Reset(nil)
		r.turn()
		r.network.FailLookup("broker", errors.New("no resolver"))
		r.pass(time.Second)
		r.connect()
		r.network.FailLookup("broker", nil)
		r.pass(time.Second)
		r.connect()
		got := r.broker.dials
		assert(t, len(got) == 2 && got[1] == "b", "dialled %v", got)
	})
}
