package lessons

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// Lessons about addresses: those that have changed, and those that this machine
// cannot reach.

// kill closes the connections, and waits until the Conn has noticed.
func kill(t *testing.T, hosts *fakebroker.Hosts, conn *broker.Conn) {
	t.Helper()
	hosts.Cut()
	time.Sleep(4 * time.Second) // in a bubble
	require(t, conn.State() == broker.Disconnected, "state %v after the loss", conn.State())
}

// lookedUpAgain: the broker moves while it is connected. After the loss the
// name is looked up, and the address of old is not dialed again.
func lookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{}).At("old", "spare")
		conn := dial(t, hosts.Config())
		for _, move := range [][]string{{"new"}, {"old", "spare"}, {"new", "spare"}} {
			fakebroker.Must(t, heartbeat(t.Context(), conn))
			before, looked := len(hosts.Order()), hosts.Lookups
			hosts.At(move...)
			kill(t, hosts, conn)
			fakebroker.Must(t, heartbeat(t.Context(), conn))
			got, more := hosts.Order()[before:], hosts.Lookups-looked
			assert(t, more == 1 && slices.Equal(got, move[:1]), "moved to %v: %d lookups, dialed %v", move, more, got)
		}
	})
}

// failedAddressLast: the name has still the addresses it had. The one on
// which the connection was lost comes last, whatever the resolver says.
func failedAddressLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Refuse: map[string]error{}}).At("a", "b", "c")
		conn := dial(t, hosts.Config())
		kill(t, hosts, conn)
		hosts.Refuse["b"], hosts.Refuse["c"] = errors.New("refused"), errors.New("refused")
		fakebroker.Must(t, heartbeat(t.Context(), conn))
		got := strings.Join(hosts.Order(), " ")
		assert(t, got == "a b c a", "dialed %s", got)
	})
}

// nextAddressAtOnce: IPv6 addresses that fail in each possible way precede one that works.
// All are tried without a pause, once each.
func nextAddressAtOnce(t *testing.T) {
	failed := func(op string, code syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(op, code)}
	}
	refuse := map[string]error{
		"no family":   failed("socket", syscall.EAFNOSUPPORT),
		"no sockets":  failed("socket", syscall.EMFILE),
		"no route":    failed("connect", syscall.ENETUNREACH),
		"no host":     failed("connect", syscall.EHOSTUNREACH),
		"no listener": failed("connect", syscall.ECONNREFUSED),
		"no address":  failed("bind", syscall.EADDRNOTAVAIL),
	}
	addresses := []string{"no family", "no sockets", "no route", "no host", "no listener", "no address", "good"}
	runBubble(t, "the last is good", func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Refuse: refuse}).At(addresses...)
		began := time.Now()
		dial(t, hosts.Config())
		took := time.Since(began)
		assert(t, took == 0 && slices.Equal(hosts.Order(), addresses), "dialed %q in %v", hosts.Order(), took)
	})
	runBubble(t, "none is good", func(t *testing.T) {
		bad := addresses[:len(addresses)-1]
		hosts := (&fakebroker.Hosts{Refuse: refuse}).At(bad...)
		failForAMinute(t, hosts, hosts.Config(), len(bad)) // one failure for all addresses together
		order, times := hosts.Order(), hosts.DialedHosts()
		for n := 0; n+len(bad) <= len(order); n += len(bad) {
			round := slices.Sorted(slices.Values(order[n : n+len(bad)]))
			require(t, slices.Equal(round, slices.Sorted(slices.Values(bad))), "round of addresses %q", round)
			assert(t, times[n].At.Equal(times[n+len(bad)-1].At), "a pause within a round")
		}
	})
}

// zoneIsKept: the zone of a link-local address goes the whole way, from the
// address as people write it to the dial function, and is named in the error.
func zoneIsKept(t *testing.T) {
	for written, want := range map[string]string{
		"[fe80::1%lo]:9093": "[fe80::1%lo]:9093",
		"fe80::1%lo":        "[fe80::1%lo]:9092",
		"[fe80::2%eth0.7]":  "[fe80::2%eth0.7]:9092",
		"::1":               "[::1]:9092",
	} {
		host, port, err := broker.ParseAddress(written)
		fakebroker.Must(t, err)
		var dials, hosts []string
		_, err = broker.Dial(t.Context(), broker.Config{Host: host, Port: port, Transport: &netlink.Transport{
			Lookup: tcp.Lookup(tcp.Options{}),
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				ep, _ := netlink.EndpointFrom(ctx)
				dials, hosts = append(dials, network+" "+address), append(hosts, ep.Host)
				return nil, errors.New("not today")
			},
		}})
		assert(t, slices.Equal(dials, []string{"tcp " + want}) && slices.Equal(hosts, []string{host}),
			"%s: dialed %q for %q", written, dials, hosts)
		assert(t, errors.Is(err, broker.ErrDial) && strings.Contains(err.Error(), host), "%s: %v", written, err)
	}
}

// hostOfEachConnection: connections that share a transport and an
// authenticator, and are made from one Config with another host each time. Each
// dial and each login gets its own, the second connection's too.
func hostOfEachConnection(t *testing.T) {
	var wanted, dials []string
	hosts, cfg, login := fakebroker.WithLogin(acceptLogin)
	for _, host := range []string{"one.test", "two.test", "three.test"} {
		cfg.Host = host
		conn := dial(t, cfg)
		conn.Close()
		repeated := fakebroker.New(t, cfg)
		for range 2 {
			noError(t, heartbeat(t.Context(), repeated))
		}
		wanted = append(wanted, host, host)
	}
	for _, d := range hosts.DialedHosts() {
		dials = append(dials, d.Host)
	}
	assert(t, slices.Equal(dials, wanted) && slices.Equal(login.Hosts, wanted),
		"dialed for %v, logged in to %v; want %v", dials, login.Hosts, wanted)
}
