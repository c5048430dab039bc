package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// loggedIn is a bench whose session lasts for so many ms.
func loggedIn(t *testing.T, lifetime string) *bench {
	t.Helper()
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.connected()
	b.logIn(lifetime)
	b.wantState(domain.Connected)
	b.tr.journal = nil
	return b
}

// logIn answers the login under way.
func (b *bench) logIn(lifetime string) {
	b.t.Helper()
	b.say(frame(b.tr.lastID(), []byte("0 PLAIN")))
	b.steps()
	b.auth.exchange.token, b.auth.exchange.done, b.auth.exchange.err = []byte("secret"), true, nil
	b.steps()
	b.say(frame(b.tr.lastID(), []byte("0|||"+lifetime)))
	b.steps()
}

// A session is renewed by an exchange of its own, which is forgotten when it is over.
func TestStepRenewsTheSession(t *testing.T) {
	b := loggedIn(t, "20000")
	b.send("hello!")
	b.steps()
	b.say(frame(b.tr.lastID(), []byte("hi")))
	_, idle := b.steps()
	if want := b.now.Add(18 * time.Second); !idle.Deadline.Equal(want) {
		t.Fatalf("the deadline is %v, want %v", idle.Deadline, want)
	}
	first := b.auth.exchange
	b.now = b.now.Add(18 * time.Second)
	b.steps()
	b.tr.journal = nil
	b.logIn("20000")
	b.wantJournal("begin a", "next", "close exchange")
	if b.auth.exchange == first {
		t.Error("the exchange of the first login was used again")
	}
	if s := b.Stats(); s.Reauthenticating || s.Logins != 1 || s.Relogins != 1 ||
		!s.SessionEnds.Equal(b.now.Add(20*time.Second)) {
		t.Errorf("%d logins, %d renewals, the session ends %v", s.Logins, s.Relogins, s.SessionEnds)
	}
}

// A login takes from its own begin, also the first, before which the connection is set up.
func TestStepTimesLogin(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.established()
	b.now = b.now.Add(time.Second)
	b.say(frame(b.tr.lastID(), tableBody(0, 4, standardTable)))
	b.steps()
	for renewals, took := range []time.Duration{300 * time.Millisecond, 200 * time.Millisecond} {
		b.now = b.now.Add(took)
		b.logIn("0")
		if s := b.Stats(); s.Relogins != int64(renewals) || b.sink.loginTook != took {
			t.Errorf("got %d renewals, the last login of %v, want %d and %v", s.Relogins, b.sink.loginTook,
				renewals, took)
		}
		b.now = b.now.Add(time.Minute)
		b.Reauthenticate(b.now)
		b.steps()
	}
}

// Authenticators that are replaced between the Machine's request for a token and its being
// carried out: no authenticator is asked who is not there any more.
func TestStepAuthenticatorReplacedBeforeItIsAsked(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.connected()
	id := b.tr.lastID()
	n := copy(b.Machine().Space(), frame(id, []byte("0 PLAIN")))
	b.Machine().HandleRead(b.now, b.Epoch(), n) // the challenge waits in the outbox
	other := &fakeAuth{t: b.tr, name: "SCRAM-SHA-256"}
	if b.SetAuthenticators(b.now, []ports.Authenticator{other}) {
		t.Error("a connection that is being made is said to close")
	}
	b.steps()
	if b.auth.exchange != nil {
		t.Error("an authenticator was asked that had been replaced")
	}
	// The next attempt is made at once, with the other.
	b.wantState(domain.Disconnected)
	if err := b.LastError(); !errors.Is(err, domain.ErrConnection) || errors.Is(err, domain.ErrAuthentication) {
		t.Errorf("got %v, want %v and no failed login", err, domain.ErrConnection)
	}
	if d, forever := b.ConnectionDelay(b.now); d != 0 || forever {
		t.Errorf("got a pause of %v (%v), want none", d, forever)
	}
}

// A login under way goes on with the authenticator of its mechanism in a new list, unless that would
// show a peer that is not verified a secret which the list in force keeps.
func TestStepNewListKeepsTheSecret(t *testing.T) {
	for _, c := range []struct {
		name      string
		list      func(auth *fakeAuth) []ports.Authenticator
		wantAsked bool
	}{
		{"the same list",
			func(auth *fakeAuth) []ports.Authenticator { return []ports.Authenticator{exposingAuth{auth}} }, true},
		{"one that keeps it is before it", func(auth *fakeAuth) []ports.Authenticator {
			return []ports.Authenticator{&fakeAuth{t: auth.t, name: "SCRAM-SHA-256"}, exposingAuth{auth}}
		}, false},
		{"the same mechanism exposes otherwise",
			func(auth *fakeAuth) []ports.Authenticator { return []ports.Authenticator{keepingAuth{auth}} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
			b.SetAuthenticators(b.now, []ports.Authenticator{exposingAuth{b.auth}})
			b.connected()
			b.SetAuthenticators(b.now, c.list(b.auth)) // between SaslHandshake and its answer
			b.say(frame(b.tr.lastID(), []byte("0 PLAIN")))
			b.steps()
			if asked := b.auth.exchange != nil; asked != c.wantAsked {
				t.Errorf("the authenticator was asked: got %v, want %v", asked, c.wantAsked)
			}
		})
	}
}

// keepingAuth does not show its secret in its tokens.
type keepingAuth struct{ *fakeAuth }

func (keepingAuth) Exposes() bool { return false }

// A panic of an exchange that is forgotten drops the connection, as any.
func TestStepForgettingPanics(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.connected()
	b.tr.panicsOn = "close exchange"
	b.logIn("0")
	b.wantState(domain.Disconnected)
	if err := b.LastError(); !errors.Is(err, domain.ErrPortPanic) {
		t.Errorf("got %v, want %v", err, domain.ErrPortPanic)
	}
}

// exposingAuth shows its secret in its tokens.
type exposingAuth struct{ *fakeAuth }

func (exposingAuth) Exposes() bool { return true }

// An exchange may clear its response once it is sent. A broker that repeats it is still
// redacted.
func TestRedactionOfAClearedToken(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.SetAuthenticators(b.now, []ports.Authenticator{exposingAuth{b.auth}})
	b.connected()
	b.say(frame(b.tr.lastID(), []byte("0 PLAIN")))
	b.steps()
	token := []byte("\x00user\x00canary-password")
	b.auth.exchange.token, b.auth.exchange.done, b.auth.exchange.err = token, true, nil
	b.steps()
	clear(token)
	b.say(frame(b.tr.lastID(), []byte("58|no canary-password here||0")))
	b.steps()
	if got, want := b.LastError().Error(), "no [redacted] here"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
