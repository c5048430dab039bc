package gssapi

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Kafka 4.4.0 answers a ticket for another host, one whose key it lacks, one of RC4 and a
// replay with error 58 and one text. What was sent is known only here.
func TestRefusalNamesTheTicket(t *testing.T) {
	for name, c := range map[string]struct {
		hangsUp bool
		session int32
		says    []string
	}{
		"error 58": {false, 18, []string{"alice@EXAMPLE.ORG", "for kafka/a.example.org@EXAMPLE.ORG",
			"aes256-cts-hmac-sha1-96 (18), version 1"}},
		"another session key": {false, 17, []string{"key of type aes256-cts-hmac-sha1-96 (18), version 1",
			"the session key's type, aes128-cts-hmac-sha1-96 (17)"}},
		"hung up": {true, 18, []string{"close the connection in place of refusing",
			"for kafka/a.example.org@EXAMPLE.ORG", "aes256-cts-hmac-sha1-96 (18)"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, client := newTestAuthenticator()
				client.ticket, _ = client.Ticket(context.Background(), a.client.Service("kafka", "a.example.org"))
				client.ticket.Key = newKey(c.session)
				hosts, cfg, _ := fakebroker.WithLogin(fakebroker.Refuse)
				if c.hangsUp {
					hosts.Peer["a"] = func(conn net.Conn) {
						fakebroker.Keeper(func([]byte) *kmsg.SASLAuthenticateResponse {
							_ = conn.Close()
							return nil
						})(conn)
					}
				}
				cfg.Authenticators = []ports.Authenticator{a}
				_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(t.Context(), fakebroker.New(t, cfg))
				e := new(broker.Error)
				if !errors.As(err, &e) {
					t.Fatalf("got %v, want a *broker.Error", err)
				}
				for _, word := range c.says {
					if !strings.Contains(e.Hint, word) {
						t.Errorf("got the hint %q, want %q in it", e.Hint, word)
					}
				}
			})
		})
	}
}
