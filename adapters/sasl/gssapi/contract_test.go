package gssapi

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"brokerconn/ports"
	"brokerconn/ports/porttest"

	"github.com/jcmturner/gokrb5/v8/keytab"
)

var contractEndpoint = ports.Endpoint{Host: "broker.example.org", Network: "tcp", Address: "192.0.2.1:9092"}

func TestContract(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		name   string
		change func(*Options)
	}{
		{"password", func(o *Options) { o.Principal, o.Password = "alice", secretOf("opensesame") }},
		{"keytab", func(o *Options) { o.Principal, o.Keytab = "alice", w.keytabFile(t) }},
		{"keytab in memory", func(o *Options) {
			o.Principal, o.KeytabData = "alice@EXAMPLE.ORG", secretOf(string(w.keytab(t)))
		}},
		{"ticket cache", func(o *Options) { o.TicketCache = w.cacheFile(t, w.ticket("krbtgt", worldRealm)) }},
		{"steps inline", func(o *Options) {
			o.Principal, o.Password = "alice", secretOf("opensesame")
			o.Run = inline
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := w.options()
			o.Run = nil
			c.change(&o)
			porttest.Authenticator(t, porttest.AuthenticatorCase{
				Authenticator: mustNew(t, o),
				Endpoint:      contractEndpoint,
				NewServer: func() func([]byte) ([]byte, error) {
					b := w.broker()
					b.subkey = 18
					return b.login
				},
				Refused: &ports.Endpoint{Network: "unix", Address: "/run/kafka.sock"},
				Secrets: []string{"opensesame", string(w.clientKey("alice").KeyValue)},
			})
		})
	}
}

// keytab has alice's key.
func (w *world) keytab(t testing.TB) []byte {
	table := keytab.New()
	if err := table.AddEntry("alice", worldRealm, w.clients["alice"], time.Unix(1, 0), 1, w.etype); err != nil {
		t.Fatal(err)
	}
	data, err := table.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (w *world) keytabFile(t testing.TB) string { return writeFile(t, "alice.keytab", w.keytab(t)) }

// ticket is one of alice's, made now.
func (w *world) ticket(service, host string) *ticket {
	w.mu.Lock()
	defer w.mu.Unlock()
	alice := principal{nameOf("alice"), worldRealm}
	server := principal{nameOf(service, host), worldRealm}
	now := w.clock.Now().Truncate(time.Second)
	raw, key := w.newTicket(alice, server)
	return &ticket{client: alice, server: server, raw: raw, key: key, start: now, end: now.Add(w.life)}
}

func (w *world) cacheFile(t testing.TB, tickets ...*ticket) string {
	return writeFile(t, "ccache", cacheBytes(4, principal{nameOf("alice"), worldRealm}, tickets...))
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
