package broker_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	adapter "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// withTLS returns a transport over TLS with these options. Its dial function leaves TLS out,
// which the peers of these tests do not speak.
func withTLS(t *testing.T, under ports.Transport, o adapter.Options) ports.Transport {
	t.Helper()
	plain := under.(*netlink.Transport)
	secure, err := adapter.New(plain, o)
	noError(t, err)
	secure.Dial = plain.Dial
	return secure
}

// keeping declares that it does not show its secret.
type keeping struct{ ports.Authenticator }

func (keeping) Exposes() bool { return false }

// TestNoFallbackThatExposes: a peer between the client and its broker rejects the mechanism
// that keeps the secret and offers one that shows it (RFC 4422, section 6.1.2).
func TestNoFallbackThatExposes(t *testing.T) {
	type all = []ports.Authenticator
	keeps := fakebroker.NewToken("SCRAM-SHA-256", "one", 0)
	kerberos := fakebroker.NewToken("GSSAPI", "one", 0)
	shows := exposing{fakebroker.NewToken("PLAIN", "one", 0)}
	untold := fakebroker.NewToken("PLAIN", "one", 0) // its authenticator has no Exposes
	another := exposing{fakebroker.NewToken("OAUTHBEARER", "one", 0)}
	custom := fakebroker.NewToken("X-TOKEN", "one", 0)
	unchecked := &tls.Config{InsecureSkipVerify: true}
	checking := &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}
	for name, c := range map[string]struct {
		tls       *adapter.Options // nil: no TLS
		list      []ports.Authenticator
		offers    []string
		mechanism string // "": none
	}{
		"plaintext":            {nil, all{keeps, shows}, []string{"PLAIN"}, ""},
		"Kerberos, to a token": {nil, all{kerberos, another}, []string{"OAUTHBEARER"}, ""},
		"without a word of it": {nil, all{keeps, untold}, []string{"PLAIN"}, ""},
		"one of its own":       {nil, all{keeps, custom}, []string{"X-TOKEN"}, ""},
		"its own that keeps": {nil, all{keeps, keeping{custom}}, []string{"X-TOKEN"},
			"X-TOKEN"},
		"the one behind it": {nil, all{kerberos, shows, keeps}, []string{"PLAIN", "SCRAM-SHA-256"},
			"SCRAM-SHA-256"},
		"as configured": {nil, all{shows, keeps}, []string{"PLAIN"}, "PLAIN"},
		"both show":     {nil, all{another, shows}, []string{"PLAIN"}, "PLAIN"},
		"verified":      {&adapter.Options{}, all{keeps, shows}, []string{"PLAIN"}, "PLAIN"},
		"verified by owner": {&adapter.Options{Config: checking}, all{keeps, shows}, []string{"PLAIN"},
			"PLAIN"},
		"any host": {&adapter.Options{AnyHost: true}, all{keeps, shows}, []string{"PLAIN"}, ""},
		"any certificate": {&adapter.Options{AnyCertificate: true}, all{keeps, shows}, []string{"PLAIN"},
			""},
		"own configuration": {&adapter.Options{Config: unchecked}, all{keeps, shows}, []string{"PLAIN"},
			""},
	} {
		runBubble(t, name, func(t *testing.T) {
			w := &fakebroker.SessionBroker{Offers: c.offers}
			_, cfg := fakebroker.WithSession(w)
			if c.tls != nil {
				cfg.Transport = withTLS(t, cfg.Transport, *c.tls)
			}
			cfg.Authenticators = c.list
			mechanism := ""
			cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
				if err == nil {
					mechanism = l.Mechanism
				}
			}}
			conn := fakebroker.New(t, cfg)
			err := heartbeat(t.Context(), conn)
			if c.mechanism == "" {
				var e *broker.Error
				require(t, errors.Is(err, broker.ErrUnsupportedMechanism) && errors.As(err, &e) &&
					strings.Contains(e.Hint, "TLS with verification"),
					"got %v, want ErrUnsupportedMechanism and what to do", err)
			} else {
				noError(t, err)
			}
			assert(t, mechanism == c.mechanism && (mechanism != "" || w.Logins == 0),
				"got %d logins, the last by %q, want it by %q",
				w.Logins, mechanism, c.mechanism)
		})
	}
}

// TestFallbackIsForgottenElsewhere: the fallback that a verified address led to is not taken
// to the next address, which is not verified.
func TestFallbackIsForgottenElsewhere(t *testing.T) {
	runBubble(t, "", func(t *testing.T) {
		w := &fakebroker.SessionBroker{Offers: []string{"PLAIN"}}
		hosts, cfg := fakebroker.WithSession(w)
		transport := cfg.Transport.(*netlink.Transport)
		find, verified := transport.Lookup, true
		transport.Lookup = func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
			eps, err := find(ctx, host, port)
			for i := range eps {
				eps[i].Verified = verified
			}
			return eps, err
		}
		cfg.Authenticators = []ports.Authenticator{
			fakebroker.NewToken("SCRAM-SHA-256", "one", 0), exposing{fakebroker.NewToken("PLAIN", "one", 0)},
		}
		conn := fakebroker.New(t, cfg)
		noError(t, heartbeat(t.Context(), conn))
		verified = false
		hosts.Cut()
		_ = heartbeat(t.Context(), conn)
		err := heartbeat(t.Context(), conn)
		require(t, errors.Is(err, broker.ErrUnsupportedMechanism), "got %v, want ErrUnsupportedMechanism", err)
		conn.SetAuthenticators(cfg.Authenticators...)
		err = heartbeat(t.Context(), conn)
		require(t, errors.Is(err, broker.ErrUnsupportedMechanism), "got %v, want ErrUnsupportedMechanism", err)
		assert(t, w.Logins == 1, "got %d logins, want 1", w.Logins)
	})
}

// TestUnverifiedBrokerIsReported: once when the connection is made, in every way to configure it.
func TestUnverifiedBrokerIsReported(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
	for name, c := range map[string]struct {
		options adapter.Options
		want    string
	}{
		"verified":         {adapter.Options{}, ""},
		"any certificate":  {adapter.Options{AnyCertificate: true}, "AnyCertificate"},
		"any host":         {adapter.Options{AnyHost: true}, "the system's authorities are trusted"},
		"own":              {adapter.Options{Config: &tls.Config{InsecureSkipVerify: true}}, "InsecureSkipVerify"},
		"own and verified": {adapter.Options{Config: &tls.Config{}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			transport, err := adapter.New(&netlink.Transport{Dial: dial}, c.options)
			noError(t, err)
			var warned []string
			hooks := &broker.Hooks{Warning: func(text string) { warned = append(warned, text) }}
			conn, err := broker.NewConn(broker.Config{Transport: transport, Hooks: hooks})
			noError(t, err)
			conn.Close()
			got := strings.Join(warned, "\n")
			assert(t, strings.Contains(got, c.want) && (len(warned) == 1) == (c.want != ""),
				"got the warnings %q, want %q", warned, c.want)
		})
	}
}

// TestUnverifiedLinkIsReported: a transport of one's own over tls.Dial, to the broker or to a
// proxy before it.
func TestUnverifiedLinkIsReported(t *testing.T) {
	certificate := selfSigned(t)
	for name, c := range map[string]struct {
		broker, proxy *adapter.Options // nil: no TLS
		want          []string
	}{
		"to the broker": {&adapter.Options{AnyCertificate: true}, nil, []string{"AnyCertificate"}},
		"to a proxy":    {nil, &adapter.Options{AnyCertificate: true}, []string{"AnyCertificate"}},
		"to both": {&adapter.Options{AnyCertificate: true}, &adapter.Options{Config: &tls.Config{
			InsecureSkipVerify: true}}, []string{"AnyCertificate", "InsecureSkipVerify"}},
	} {
		t.Run(name, func(t *testing.T) {
			address := fakebroker.Listen(t, func(theirs net.Conn) {
				for _, o := range []*adapter.Options{c.proxy, c.broker} {
					if o != nil {
						theirs = tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{certificate}})
					}
				}
				(&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Serve(theirs)
			})
			dial := new(net.Dialer).DialContext
			for _, o := range []*adapter.Options{c.proxy, c.broker} {
				if o != nil {
					secure, err := adapter.Dial(dial, *o)
					must(t, err)
					dial = secure
				}
			}
			var warned []string
			cfg := configFor(t, address)
			cfg.Transport = &netlink.Transport{Dial: dial}
			cfg.Hooks = &broker.Hooks{Warning: func(text string) { warned = append(warned, text) }}
			conn := fakebroker.New(t, cfg)
			for range 2 {
				must(t, heartbeat(t.Context(), conn))
			}
			got := strings.Join(warned, "\n")
			assert(t, len(warned) == len(c.want), "got the warnings %q, want %q", warned, c.want)
			for _, want := range c.want {
				assert(t, strings.Contains(got, want), "got the warnings %q, want %q", warned, c.want)
			}
		})
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, public, key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
