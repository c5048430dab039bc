package broker_test

import (
	"errors"
	"slices"
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
	r.reach()
	r.turn()
	if r.state() != broker.Connected {
		r.t.Fatalf("state %v", r.state())
	}
}

// TestLastFailedAddressIsTriedLast, whatever the resolver's order (KAFKA-12193).
func TestLastFailedAddressIsTriedLast(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.network.SetAddresses("broker", at("a"), at("b"), at("c"))
		r.ready()
		r.lose()
		r.lose()
		r.lose()
		if want := []string{"a", "b", "a", "b"}; !slices.Equal(r.broker.dials, want) {
			t.Errorf("dialled %v, want %v", r.broker.dials, want)
		}
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
		if want := []string{"a", "a", "a"}; !slices.Equal(r.broker.dials, want) {
			t.Errorf("dialled %v, want %v", r.broker.dials, want)
		}
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
		if want := []string{"a", "c", "d"}; !slices.Equal(r.broker.dials, want) {
			t.Errorf("dialled %v, want %v", r.broker.dials, want)
		}
	})
}

// TestOneAddressIsTriedThoughItFailed: there is no other.
func TestOneAddressIsTriedThoughItFailed(t *testing.T) {
	onBoth(t, nil, func(t *testing.T, r *harness) {
		r.ready()
		r.lose()
		r.lose()
		if len(r.broker.dials) != 3 {
			t.Errorf("dialled %v", r.broker.dials)
		}
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
			r.reach()
			r.turn()
		}
		if s := r.stats(); s.State != broker.Connected || s.FailuresInARow != 0 || s.Attempts != 3 || s.Closed != 2 ||
			s.Address != "c" {
			t.Errorf("%+v", s)
		}
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
		if s := r.stats(); s.Address != "[fe80::1%eth0]:9092" {
			t.Errorf("address %q", s.Address)
		}
		if want := []string{"[fe80::1%eth0]:9092"}; !slices.Equal(r.broker.dials, want) {
			t.Errorf("dialled %v", r.broker.dials)
		}
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
		r.reach()
		r.turn()
		r.network.FailLookup("broker", nil)
		r.pass(time.Second)
		r.reach()
		r.turn()
		if got := r.broker.dials; len(got) != 2 || got[1] != "b" {
			t.Errorf("dialled %v", got)
		}
	})
}
