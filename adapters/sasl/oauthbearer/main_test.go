package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// These are for the tables of the tests.
type (
	config      = oauthbearer.Options
	credentials = oauthbearer.ClientCredentials
	rejection   = oauthbearer.Error
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// always returns a provider of one token.
func always(t oauthbearer.Token) oauthbearer.Provider {
	return func(context.Context) (oauthbearer.Token, error) { return t, nil }
}

func bearer(text string) oauthbearer.Token {
	return oauthbearer.Token{AccessToken: ports.NewSecret(text)}
}

func create(o config) *oauthbearer.Authenticator { return saslpeer.Must(oauthbearer.New(o)) }

// sends logs in to a broker that accepts any token, and returns the first message.
func sends(t testing.TB, a *oauthbearer.Authenticator) (message, error) {
	t.Helper()
	x := a.Begin(ports.Endpoint{})
	defer x.Close()
	m, err := started(t, x)
	if err != nil {
		return m, err
	}
	if response, done, err := saslpeer.Step(x, []byte{}); response != nil || !done || err != nil {
		t.Errorf("got %q, %v, %v, want a login", response, done, err)
	}
	return m, nil
}

// started returns the first message of a login.
func started(t testing.TB, x ports.Exchange) (message, error) {
	t.Helper()
	response, done, err := saslpeer.Step(x, nil)
	if err != nil {
		return message{}, err
	}
	m, err := read(response)
	if err != nil || done {
		t.Fatalf("got %q, %v, %v, want a first message", response, done, err)
	}
	return m, nil
}

// message is a first message as a broker reads it.
type message struct {
	authzid, token string
	extensions     map[string]string
}

// The expressions are those of Kafka 4.4's OAuthBearerClientInitialResponse.
var (
	wholeMessage = regexp.MustCompile(`^n,(?:a=((?:[\x01-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+))?,\x01` +
		`((?:[A-Za-z]+=[\x21-\x7E \t\r\n]+\x01)*)\x01$`)
	authValue = regexp.MustCompile(`^(\w+) +([-_~+/.a-zA-Z0-9]+=*)$`)

	extensionKey   = regexp.MustCompile(`^[A-Za-z]+$`)
	extensionValue = regexp.MustCompile(`^[\x21-\x7E \t\r\n]+$`)
)

// read is stricter than Kafka: it requires "Bearer " in this spelling and no repeated key.
func read(response []byte) (m message, err error) {
	parts := wholeMessage.FindSubmatch(response)
	if parts == nil {
		return m, errors.New("invalid OAUTHBEARER client first message")
	}
	m.authzid = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(string(parts[1]))
	m.extensions = map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(string(parts[2]), "\x01"), "\x01") {
		key, value, _ := strings.Cut(pair, "=")
		if _, repeated := m.extensions[key]; repeated {
			return m, fmt.Errorf("repeated key %q", key)
		}
		m.extensions[key] = value
	}
	auth := authValue.FindStringSubmatch(m.extensions["auth"])
	if auth == nil || auth[1] != "Bearer" {
		return m, errors.New("invalid 'auth' format")
	}
	m.token = auth[2]
	delete(m.extensions, "auth")
	return m, nil
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// harness is an Authenticator whose clock, randomness and provider a test controls.
type harness struct {
	*oauthbearer.Authenticator
	clock *fake.Clock
	rand  uint64
	calls int
	next  func(context.Context) (oauthbearer.Token, error)
}

func newHarness() *harness {
	r := &harness{clock: fake.New(noon)}
	r.Authenticator = create(config{Clock: r.clock, Rand: func() uint64 { return r.rand }, Runner: saslpeer.Inline,
		Tokens: func(ctx context.Context) (oauthbearer.Token, error) {
			r.calls++
			return r.next(ctx)
		}})
	return r
}

// gives makes the provider return this token.
func (r *harness) gives(text string, life time.Duration) {
	t := bearer(text)
	t.Expiry = r.clock.Now().Add(life)
	r.next = always(t)
}

func (r *harness) fails(err error) {
	r.next = func(context.Context) (oauthbearer.Token, error) { return oauthbearer.Token{}, err }
}

// wants logs in and compares the token and the number of calls of the provider so far.
func (r *harness) wants(t *testing.T, token string, calls int) {
	t.Helper()
	m, err := sends(t, r.Authenticator)
	if err != nil || m.token != token || r.calls != calls {
		t.Errorf("got %q after %d calls, %v, want %q after %d", m.token, r.calls, err, token, calls)
	}
}
