package broker_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// A table without Produce, and with what only controllers have, is a controller's. One that
// lists Produce in rows that cannot be used is a broker's.
func TestControllerHintOfUnusableRows(t *testing.T) {
	for _, c := range []struct {
		name    string
		produce []int16 // the highest versions of its rows
		hint    bool
	}{
		{"no row", nil, true},
		{"two rows", []int16{12, 13}, false},
		{"upside down", []int16{-1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				table := kmsg.NewPtrApiVersionsResponse()
				add := func(key, highest int16) {
					row := kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: highest}
					table.ApiKeys = append(table.ApiKeys, row)
				}
				add(18, 4)
				add(62, 4)
				for _, highest := range c.produce {
					add(0, highest)
				}
				cfg := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"10.0.0.1:9092": func(conn net.Conn) {
					fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
						table.Version = r.Version
						return table.AppendTo(nil)
					})
				}}}).At("10.0.0.1:9092").Config()
				_, err := kmsg.NewPtrProduceRequest().RequestWith(t.Context(), newConn(t, cfg))
				var e *broker.Error
				wantError(t, err, broker.ErrUnsupportedVersion)
				errors.As(err, &e)
				if got := strings.Contains(e.Hint, "controller"); got != c.hint {
					t.Errorf("got hint %q, want a controller named: %v", e.Hint, c.hint)
				}
			})
		})
	}
}
