package broker_test

import (
	"net"
	"strconv"
	"testing"

	"brokerconn/application/broker"
)

// FuzzParseAddress: what is accepted has a host that a Config takes, and means
// the same when written out and read again.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"kafka:9093", "[::1]:9094", "::1", "fe80::1%lo", "SSL://h:1/", "a,b", "h:", "[", "\x00",
		"[x]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := broker.ParseAddress(s)
		if err != nil {
			return
		}
		require(t, port != 0, "%q: port 0", s)
		if _, err := broker.NewPolled(broker.Config{Host: host, Port: port}); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		repeated, samePort, err := broker.ParseAddress(net.JoinHostPort(host, strconv.Itoa(int(port))))
		require(t, err == nil && repeated == host && samePort == port, "%q: %q %d, and again %q %d, %v", s, host, port,
			repeated, samePort, err)
	})
}
