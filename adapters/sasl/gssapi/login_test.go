package gssapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports"
	"brokerconn/ports/porttest"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

var testEndpoint = ports.Endpoint{Host: "broker.example.org", Network: "tcp", Address: "192.0.2.1:9092"}

func TestContract(t *testing.T) {
	for name, run := range map[string]func(func()){"goroutine": nil, "inline": saslpeer.Inline} {
		t.Run(name, func(t *testing.T) {
			a, c := newTestAuthenticator()
			a.run = run
			c.ticket, _ = c.Ticket(context.Background(), a.client.Service("kafka", testEndpoint.Host))
			porttest.Authenticator(t, porttest.AuthenticatorCase{
				Authenticator: a,
				Endpoint:      testEndpoint,
				NewServer: func() func([]byte) ([]byte, error) {
					b := newBroker(c)
					b.subkey = 18
					return b.login
				},
				Refused: &ports.Endpoint{Network: "unix", Address: "/run/kafka.sock"},
				Secrets: []string{string(c.ticket.Key.KeyValue)},
			})
		})
	}
}

// A broker whose key has changed rejects the old tickets. Some say so, Kafka hangs up.
func TestRejectedTicketIsDropped(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fakeBroker)
		want   Reason
		drops  int
	}{
		{"accepted", func(*fakeBroker) {}, Other, 0},
		{"an error", func(b *fakeBroker) { b.first = krbError(errorcode.KRB_AP_ERR_MODIFIED, "") }, Refused, 1},
		{"no proof", func(b *fakeBroker) { b.part = func(p *messages.EncAPRepPart) { p.Cusec++ } }, NotMutual, 1},
		{"a failure after the proof", func(b *fakeBroker) { b.offer = []byte{2, 0, 0, 0} }, LayerNotOffered, 0},
	} {
		a, client := newTestAuthenticator()
		b := newBroker(client)
		c.change(b)
		if err := logIn(a, testEndpoint.Host, b.login); err != nil || c.want != Other {
			mustFail(t, err, c.want)
		}
		if len(client.drops) != c.drops || c.drops > 0 && client.drops[0] != client.last {
			t.Errorf("%s: got %d tickets dropped, want %d", c.name, len(client.drops), c.drops)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		a, client := newTestAuthenticator()
		hangUp := func([]byte) ([]byte, error) { return nil, os.ErrClosed }
		saslpeer.ErrorIs(t, "the broker hangs up", logIn(a, testEndpoint.Host, hangUp), os.ErrClosed)
		synctest.Wait()
		saslpeer.Equal(t, "the broker hangs up: tickets dropped", len(client.drops), 1)
	})
}

// Nothing is sent with a ticket of another client.
func TestContextIsOfTheClient(t *testing.T) {
	a, client := newTestAuthenticator()
	client.ticket, _ = client.Ticket(context.Background(), a.client.Service("kafka", testEndpoint.Host))
	client.ticket.Client.Name = nameOf("bob")
	b := newBroker(client)
	e := mustFail(t, logIn(a, testEndpoint.Host, b.login), NoTicket)
	saslpeer.ErrorSays(t, "a ticket of bob", e, "is of bob@EXAMPLE.ORG")
	saslpeer.Equal(t, "tokens sent", b.turns, 0)
}

func TestServiceOfEndpoint(t *testing.T) {
	for _, c := range []struct{ service, domain, host, want string }{
		{"", "", "Broker.Example.ORG.", "kafka/broker.example.org@EXAMPLE.ORG"},
		{"", "", "localhost", "kafka/localhost"},
		{"kafka-test", "broker.example.org", "127.0.0.1", "kafka-test/broker.example.org@EXAMPLE.ORG"},
	} {
		a := mustNew(Options{Config: testConfig, Principal: "alice", TicketCache: "unused", ServiceName: c.service,
			DomainName: c.domain})
		client := &fakeClient{client: a.client, etype: 18}
		a.client = client
		saslpeer.Succeed(t, logIn(a, c.host, newBroker(client).login))
		saslpeer.Equal(t, fmt.Sprint(c), client.last.Server.String(), c.want)
	}
}

// The options reach the Kerberos client: seen by what a KDC is asked, and when.
func TestOptionsReachClient(t *testing.T) {
	clock := fake.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var timeout time.Duration
	var asked messages.ASReq
	a := mustNew(Options{
		Config:    "[libdefaults]\n ticket_lifetime = 1h\n[realms]\n EXAMPLE.ORG = {\n  kdc = kdc.example.org\n }\n",
		Principal: "alice@EXAMPLE.ORG", Password: ports.NewSecret("opensesame"), KDCTimeout: time.Hour, Clock: clock,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			deadline, _ := ctx.Deadline()
			timeout = time.Until(deadline)
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				request := make([]byte, 4096)
				n, _ := io.ReadAtLeast(there, request, 5) // the size is before it
				asked.Unmarshal(request[4:n])
			}()
			return here, nil
		},
	})
	mustFail(t, logIn(a, testEndpoint.Host, nil), KDCUnreachable)
	who := krb5.Principal{Name: asked.ReqBody.CName, Realm: asked.ReqBody.Realm}
	saslpeer.Equal(t, "the client", who.String(), "alice@EXAMPLE.ORG")
	saslpeer.Equal(t, "the end of the ticket", asked.ReqBody.Till.UTC(), clock.Now().Add(time.Hour))
	if timeout < 59*time.Minute || timeout > time.Hour {
		t.Errorf("got a timeout of %v, want 1h", timeout)
	}
}

func TestAuthenticatorShowsNoSecret(t *testing.T) {
	a, c := newTestAuthenticator()
	ex := a.Begin(testEndpoint)
	defer ex.Close()
	ex.Next(nil)
	o := Options{Password: ports.NewSecret("opensesame"), KeytabData: ports.NewSecret("a canary keytab")}
	for _, kept := range []any{a, *a, ex, o, &o} {
		porttest.NoSecrets(t, "what is kept", kept, "opensesame", "a canary keytab", string(c.last.Key.KeyValue))
	}
	saslpeer.Equal(t, "the authenticator", fmt.Sprint(a), "gssapi(alice@EXAMPLE.ORG)")
}

// recordingClient keeps the subkey of the last authenticator.
type recordingClient struct {
	*fakeClient
	subkey []byte
}

func (c *recordingClient) Authenticator(t *krb5.Ticket) (types.Authenticator, error) {
	a, err := c.fakeClient.Authenticator(t)
	c.subkey = a.SubKey.KeyValue
	return a, err
}

// TestKeysOfLoginsAreCleared: when a login is over, whatever its end.
func TestKeysOfLoginsAreCleared(t *testing.T) {
	for name, c := range map[string]struct {
		turns  int // of the broker, before the login is abandoned
		change func(*fakeBroker)
	}{
		"accepted":             {3, func(*fakeBroker) {}},
		"a token of no kind":   {3, func(b *fakeBroker) { b.first = constant("x") }},
		"no proof":             {3, func(b *fakeBroker) { b.part = func(p *messages.EncAPRepPart) { p.Cusec++ } }},
		"no layer":             {3, func(b *fakeBroker) { b.offer = []byte{2, 0, 0, 0} }},
		"abandoned at once":    {0, func(*fakeBroker) {}},
		"abandoned with proof": {1, func(*fakeBroker) {}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, fake := newTestAuthenticator()
				client := &recordingClient{fakeClient: fake}
				a.client = client
				b := newBroker(fake)
				c.change(b)
				x := a.Begin(testEndpoint)
				response, done, err := saslpeer.Step(x, nil)
				for range c.turns {
					if done || err != nil {
						break
					}
					response, done, err = saslpeer.Step(x, saslpeer.Must(b.login(response)))
				}
				if zero := make([]byte, len(client.subkey)); done != bytes.Equal(client.subkey, zero) && err == nil {
					t.Errorf("got the key cleared %v in the course of the login, want %v", !done, done)
				}
				x.Close()
				synctest.Wait()
				if !bytes.Equal(client.subkey, make([]byte, 32)) {
					t.Errorf("got the key %x after the login, want it cleared", client.subkey)
				}
			})
		})
	}
}
