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

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// at runs the steps of a login at once.
func at(work func()) { work() }

// always is a provider that has one token.
func always(t oauthbearer.Token) oauthbearer.Provider {
	return func(context.Context) (oauthbearer.Token, error) { return t, nil }
}

func bearer(text string) oauthbearer.Token {
	return oauthbearer.Token{AccessToken: ports.NewSecret(text)}
}

func create(t testing.TB, o oauthbearer.Options) *oauthbearer.Authenticator {
	t.Helper()
	a, err := oauthbearer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// says takes a step of a login and waits for its end. nil is the start.
func says(x ports.Exchange, challenge []byte) (response []byte, done bool, err error) {
	x.Next(challenge)
	for {
		response, done, err = x.Result()
		if err != ports.ErrWouldBlock {
			return response, done, err
		}
		woken := make(chan struct{})
		x.(ports.Watcher).Watch(func() { close(woken) })
		<-woken
	}
}

// sends logs in to a broker that takes any token, and returns the first message.
func sends(t *testing.T, a *oauthbearer.Authenticator) (message, error) {
	t.Helper()
	x := a.Begin(ports.Endpoint{})
	defer x.Close()
	m, err := started(t, x)
	if err != nil {
		return m, err
	}
	if response, done, err := says(x, []byte{}); response != nil || !done || err != nil {
		t.Errorf("the end is %q, done: %v, %v", response, done, err)
	}
	return m, nil
}

// started is the first message of a login.
func started(t testing.TB, x ports.Exchange) (message, error) {
	t.Helper()
	response, done, err := says(x, nil)
	if err != nil {
		return message{}, err
	}
	m, err := read(response)
	if err != nil || done {
		t.Fatalf("%q, done: %v; %v", response, done, err)
	}
	return m, nil
}

// message is what a broker reads out of the first message.
type message struct {
	authzid, token string
	extensions     map[string]string
}

// These are the expressions of Kafka 4.4's OAuthBearerClientInitialResponse.
var (
	wholeMessage = regexp.MustCompile(`^n,(?:a=((?:[\x01-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+))?,\x01((?:[A-Za-z]+=[\x21-\x7E \t\r\n]+\x01)*)\x01$`)
	authValue    = regexp.MustCompile(`^(\w+) +([-_~+/.a-zA-Z0-9]+=*)$`)

	extensionKey   = regexp.MustCompile(`^[A-Za-z]+$`)
	extensionValue = regexp.MustCompile(`^[\x21-\x7E \t\r\n]+$`)
)

// read is strict where Kafka is not: "Bearer " as it stands, nothing twice.
func read(response []byte) (m message, err error) {
	parts := wholeMessage.FindSubmatch(response)
	if parts == nil {
		return m, errors.New("invalid OAUTHBEARER client first message")
	}
	m.authzid = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(string(parts[1]))
	m.extensions = map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(string(parts[2]), "\x01"), "\x01") {
		key, value, _ := strings.Cut(pair, "=")
		if _, twice := m.extensions[key]; twice {
			return m, fmt.Errorf("%q twice", key)
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

// rig is an Authenticator whose time, chance and provider are in hand.
type rig struct {
	*oauthbearer.Authenticator
	clock  *fake.Clock
	chance uint64
	calls  int
	next   func(context.Context) (oauthbearer.Token, error)
}

func newRig(t *testing.T) *rig {
	r := &rig{clock: fake.New(noon)}
	r.Authenticator = create(t, oauthbearer.Options{
		Tokens: func(ctx context.Context) (oauthbearer.Token, error) {
			r.calls++
			return r.next(ctx)
		},
		Clock:  r.clock,
		Rand:   func() uint64 { return r.chance },
		Runner: at,
	})
	return r
}

// gives has the provider give this token from now on.
func (r *rig) gives(text string, life time.Duration) {
	t := bearer(text)
	t.Expiry = r.clock.Now().Add(life)
	r.next = always(t)
}

func (r *rig) fails(err error) {
	r.next = func(context.Context) (oauthbearer.Token, error) { return oauthbearer.Token{}, err }
}

// wants logs in, and expects a token and so many calls of the provider in all.
func (r *rig) wants(t *testing.T, token string, calls int) {
	t.Helper()
	m, err := sends(t, r.Authenticator)
	if err != nil || m.token != token || r.calls != calls {
		t.Errorf("%q after %d calls, %v; want %q after %d", m.token, r.calls, err, token, calls)
	}
}
