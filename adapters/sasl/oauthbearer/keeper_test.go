package oauthbearer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

var errDown = errors.New("the issuer is down")

func TestOneTokenForManyLogins(t *testing.T) {
	r := newRig(t)
	r.gives("first", time.Hour)
	r.wants(t, "first", 1)
	r.clock.Advance(48*time.Minute - 1)
	r.wants(t, "first", 1)
	r.clock.Advance(1)
	r.gives("second", time.Hour)
	r.wants(t, "second", 2)
	r.clock.Advance(48*time.Minute - 1)
	r.wants(t, "second", 2)
}

// The next token is asked for from 80 % of the life on, and at 85 % at the latest.
func TestJitter(t *testing.T) {
	for _, c := range []struct {
		chance uint64
		due    time.Duration
	}{
		{0, 80 * time.Second},
		{2500 * uint64(time.Millisecond), 82500 * time.Millisecond},
		{5 * uint64(time.Second), 85 * time.Second},
		{5*uint64(time.Second) + 1, 80 * time.Second}, // it goes round
	} {
		r := newRig(t)
		r.chance = c.chance
		r.gives("first", 100*time.Second)
		r.wants(t, "first", 1)
		r.gives("second", time.Hour)
		r.clock.Advance(c.due - 1)
		r.wants(t, "first", 1)
		r.clock.Advance(1)
		r.wants(t, "second", 2)
	}
}

func TestPresentTokenServesWhereThereIsNoOther(t *testing.T) {
	r := newRig(t)
	r.gives("first", 100*time.Second)
	r.wants(t, "first", 1)
	r.fails(errDown)
	r.clock.Advance(80 * time.Second)
	r.wants(t, "first", 2)
	r.clock.Advance(20*time.Second - 1)
	r.wants(t, "first", 3)
	r.clock.Advance(1)
	if _, err := sends(t, r.Authenticator); !errors.Is(err, errDown) || !strings.HasPrefix(err.Error(), "oauthbearer: no token to log in with: ") {
		t.Errorf("%v; want %v", err, errDown)
	}
	r.gives("second", time.Hour)
	r.wants(t, "second", 5)
}

// No use is made of what cannot be sent either: the present token serves.
func TestTokensThatCannotBeSent(t *testing.T) {
	expired := bearer("other")
	expired.Expiry = noon.Add(80 * time.Second)
	strange := bearer("other")
	strange.Extensions = map[string]string{"auth": "x"}
	for name, bad := range map[string]oauthbearer.Token{
		"empty": {}, "no token": bearer("a\x01b"), "expired": expired, "an extension that is none": strange,
	} {
		r := newRig(t)
		r.gives("first", 100*time.Second)
		r.wants(t, "first", 1)
		r.next = always(bad)
		r.clock.Advance(80 * time.Second)
		r.wants(t, "first", 2)
		r.clock.Advance(20 * time.Second)
		if _, err := sends(t, r.Authenticator); err == nil || errors.Is(err, oauthbearer.ErrExpired) != (name == "expired") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExpiredAtOnce(t *testing.T) {
	for _, life := range []time.Duration{0, -1, -time.Hour} {
		r := newRig(t)
		r.gives("first", life)
		_, err := sends(t, r.Authenticator)
		if !errors.Is(err, oauthbearer.ErrExpired) || !strings.Contains(err.Error(), "and it is 2026-11-22 12:00:00") {
			t.Errorf("%v: %v", life, err)
		}
	}
}

// A token lives by the wall clock, whatever reading came with its Expiry.
func TestExpiryIsWallTime(t *testing.T) {
	token := bearer("first")
	token.Expiry = time.Now().Add(time.Hour) // has a monotonic reading
	a := create(t, oauthbearer.Options{Tokens: always(token), Clock: fake.New(token.Expiry.Round(0).Add(-1)), Runner: at})
	if _, err := sends(t, a); err != nil {
		t.Error(err)
	}
	a = create(t, oauthbearer.Options{Tokens: always(token), Clock: fake.New(token.Expiry.Round(0)), Runner: at})
	if _, err := sends(t, a); !errors.Is(err, oauthbearer.ErrExpired) {
		t.Error(err)
	}
}

// As with kafka-python's providers, which give no more than the token.
func TestUnknownExpiry(t *testing.T) {
	r := newRig(t)
	r.gives("known", 100*time.Second)
	r.wants(t, "known", 1)
	r.clock.Advance(80 * time.Second)
	for i := range 3 {
		r.next = always(bearer(fmt.Sprint("token", i)))
		r.wants(t, fmt.Sprint("token", i), 2+i)
	}
	r.fails(errDown)
	if m, err := sends(t, r.Authenticator); !errors.Is(err, errDown) {
		t.Errorf("%q is used again: %v", m.token, err)
	}
}

// refuse begins a login and has the broker refuse it, in words or, with nil, in none.
func (r *rig) refuse(t *testing.T, token string, answer []byte) {
	t.Helper()
	x := r.Begin(ports.Endpoint{})
	defer x.Close()
	m, err := started(t, x)
	if err != nil || m.token != token {
		t.Fatalf("%q, %v; want %q", m.token, err, token)
	}
	if answer != nil {
		if response, _, err := says(x, answer); string(response) != "\x01" {
			t.Fatalf("%q, %v", response, err)
		}
	}
}

func TestRefusedTokenIsReplaced(t *testing.T) {
	r := newRig(t)
	because := []byte(`{"status":"invalid_token"}`)
	r.gives("first", time.Hour)
	r.wants(t, "first", 1)
	r.refuse(t, "first", because)
	r.gives("second", time.Hour)
	r.wants(t, "second", 2)
	r.wants(t, "second", 2)

	r.refuse(t, "second", because)
	r.fails(errDown)
	for range 2 { // it has not expired, and is of no use
		if m, err := sends(t, r.Authenticator); !errors.Is(err, errDown) {
			t.Errorf("%q is used again: %v", m.token, err)
		}
	}
	r.gives("second", time.Hour) // there is no other
	r.wants(t, "second", 5)
	r.wants(t, "second", 5)
}

// Whether a token was refused in no words or the connection was lost cannot be told:
// another one is asked for, not too often, and the present one serves meanwhile.
func TestDoubtedToken(t *testing.T) {
	r := newRig(t)
	r.gives("first", 100*time.Second)
	r.refuse(t, "first", nil)
	r.clock.Advance(5*time.Second - 1)
	r.refuse(t, "first", nil)
	r.wants(t, "first", 1)
	r.clock.Advance(1)
	r.wants(t, "first", 1)
	r.refuse(t, "first", nil)

	r.fails(errDown)
	r.wants(t, "first", 2)
	r.gives("second", 100*time.Second)
	r.wants(t, "second", 3)
	r.refuse(t, "second", nil)
	r.wants(t, "second", 3)
	r.clock.Advance(5 * time.Second)
	r.wants(t, "second", 3)

	never := r.Begin(ports.Endpoint{}) // it is given up before its token was sent
	never.Close()
	r.wants(t, "second", 3)
}

// A login that comes late with its refusal does not spoil the token after.
func TestLateRefusal(t *testing.T) {
	r := newRig(t)
	r.gives("first", time.Hour)
	late := r.Begin(ports.Endpoint{})
	defer late.Close()
	if _, err := started(t, late); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(50 * time.Minute)
	r.gives("second", time.Hour)
	r.wants(t, "second", 2)
	if _, _, err := says(late, []byte(`{"status":"invalid_token"}`)); err == nil {
		t.Fatal("no error")
	}
	r.wants(t, "second", 2)
}

func TestPanicInTheProvider(t *testing.T) {
	r := newRig(t)
	for _, p := range []any{"panic with " + canary, errors.New(canary), 7} {
		r.next = func(context.Context) (oauthbearer.Token, error) { panic(p) }
		_, err := sends(t, r.Authenticator)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("panic of a %T", p)) || strings.Contains(err.Error(), canary) {
			t.Errorf("%v", err)
		}
	}
	r.gives("first", time.Hour)
	r.wants(t, "first", 4)
}

// slow is a provider whose calls end when they are told to, or after the 5 s that are
// the default.
type slow struct {
	*oauthbearer.Authenticator
	clock *fake.Clock
	calls chan *slowCall
	deaf  bool // it does not heed its context
}

type slowCall struct {
	ctx    context.Context
	answer chan string // "": errDown
}

func newSlow(t *testing.T) *slow {
	s := &slow{clock: fake.New(noon), calls: make(chan *slowCall, 100)}
	tokens := func(ctx context.Context) (oauthbearer.Token, error) {
		c := &slowCall{ctx, make(chan string, 1)}
		s.calls <- c
		gone := ctx.Done()
		if s.deaf {
			gone = nil
		}
		select {
		case text := <-c.answer:
			if text == "" {
				return oauthbearer.Token{}, errDown
			}
			token := bearer(text)
			token.Expiry = s.clock.Now().Add(100 * time.Second)
			return token, nil
		case <-gone:
			return oauthbearer.Token{}, ctx.Err()
		}
	}
	s.Authenticator = create(t, oauthbearer.Options{Tokens: tokens, Clock: s.clock, Rand: func() uint64 { return 0 }})
	return s
}

// called is the next call, which has begun.
func (s *slow) called(t *testing.T) *slowCall {
	t.Helper()
	synctest.Wait()
	select {
	case c := <-s.calls:
		return c
	default:
		t.Fatal("the provider was not called")
		return nil
	}
}

// login is one that was begun.
func (s *slow) login() ports.Exchange {
	x := s.Begin(ports.Endpoint{})
	x.Next(nil)
	return x
}

// result is the token that a login sends by now.
func result(t *testing.T, x ports.Exchange) (string, error) {
	t.Helper()
	synctest.Wait()
	response, _, err := x.Result()
	if err != nil {
		return "", err
	}
	m, err := read(response)
	return m.token, err
}

func TestOneCallForManyLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		for round, answer := range []string{"first", "", "second"} {
			var logins []ports.Exchange
			for range 20 {
				logins = append(logins, s.login())
			}
			c := s.called(t)
			if len(s.calls) > 0 {
				t.Errorf("%d calls more", len(s.calls))
			}
			for _, x := range logins {
				if _, err := result(t, x); err != ports.ErrWouldBlock {
					t.Errorf("before the provider has answered: %v", err)
				}
			}
			c.answer <- answer
			for _, x := range logins {
				switch got, err := result(t, x); {
				case round == 1 && got != "first": // it has not expired
					t.Errorf("%q, %v; want the present token", got, err)
				case round != 1 && got != answer:
					t.Errorf("%q, %v; want %q", got, err, answer)
				}
				x.Close()
			}
			if c.ctx.Err() == nil {
				t.Error("the context of a call that has ended goes on")
			}
			s.clock.Advance(80 * time.Second)
		}
	})
}

// Each login has its own patience. Who comes first is not the one who decides.
func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		a, b, c := s.login(), s.login(), s.login()
		call := s.called(t)
		a.Close()
		b.Close()
		synctest.Wait()
		if call.ctx.Err() != nil {
			t.Fatal("the call is given up, and a login waits")
		}
		d := s.login()
		call.answer <- "first"
		for _, x := range []ports.Exchange{c, d} {
			if got, err := result(t, x); got != "first" {
				t.Errorf("%q, %v", got, err)
			}
			x.Close()
		}
		if len(s.calls) > 0 {
			t.Error("it was called again")
		}
	})
}

func TestAllGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		a, b := s.login(), s.login()
		call := s.called(t)
		a.Close()
		b.Close()
		synctest.Wait()
		if call.ctx.Err() == nil {
			t.Error("the provider is kept at work for nobody")
		}
		c := s.login()
		s.called(t).answer <- "second"
		if got, err := result(t, c); got != "second" {
			t.Errorf("%q, %v", got, err)
		}
		c.Close()
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		a, b := s.login(), s.login()
		s.called(t)
		s.clock.Advance(5*time.Second - 1)
		if _, err := result(t, a); err != ports.ErrWouldBlock {
			t.Errorf("too early: %v", err)
		}
		s.clock.Advance(1)
		for _, x := range []ports.Exchange{a, b} {
			if _, err := result(t, x); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "none came within 5s") {
				t.Errorf("%v", err)
			}
			x.Close()
		}

		c := s.login()
		s.called(t).answer <- "first"
		if got, err := result(t, c); got != "first" {
			t.Errorf("%q, %v", got, err)
		}
		c.Close()
		s.clock.Advance(80 * time.Second)
		d := s.login() // the timeout is a failure like others
		s.called(t)
		s.clock.Advance(5 * time.Second)
		if got, err := result(t, d); got != "first" {
			t.Errorf("%q, %v", got, err)
		}
		d.Close()
	})
}

// A provider that does not heed its context holds up the login that called it, and no
// other; a token that it brings in the end is older than what came since.
func TestDeafProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		s.deaf = true
		a := s.login()
		first := s.called(t)
		b := s.login()
		synctest.Wait()
		s.clock.Advance(5 * time.Second)
		if _, err := result(t, b); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if _, err := result(t, a); err != ports.ErrWouldBlock {
			t.Errorf("%v", err)
		}
		c := s.login()
		s.called(t).answer <- "second"
		if got, err := result(t, c); got != "second" {
			t.Errorf("%q, %v", got, err)
		}
		first.answer <- "first"
		if got, err := result(t, a); got != "first" {
			t.Errorf("%q, %v", got, err)
		}
		d := s.login()
		if got, err := result(t, d); got != "second" {
			t.Errorf("%q, %v", got, err)
		}
		for _, x := range []ports.Exchange{a, b, c, d} {
			x.Close()
		}
	})
}

// With a Timeout below 0 only the logins' patience counts.
func TestNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := make(chan context.Context, 1)
		clock := fake.New(noon)
		a := create(t, oauthbearer.Options{Clock: clock, Timeout: -1, Tokens: func(ctx context.Context) (oauthbearer.Token, error) {
			called <- ctx
			<-ctx.Done()
			return oauthbearer.Token{}, ctx.Err()
		}})
		x := a.Begin(ports.Endpoint{})
		x.Next(nil)
		ctx := <-called
		clock.Advance(1000 * time.Hour)
		if ctx.Err() != nil {
			t.Error("there is a limit")
		}
		x.Close()
		<-ctx.Done()
	})
}

// The system's clock and chance, and logins from all sides.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := 0
		a := create(t, oauthbearer.Options{Tokens: func(context.Context) (oauthbearer.Token, error) {
			time.Sleep(time.Second) // of the bubble
			mu.Lock()
			defer mu.Unlock()
			calls++
			token := bearer(fmt.Sprint("token", calls))
			token.Expiry = time.Now().Add(100 * time.Second)
			return token, nil
		}})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				for range 10 {
					x := a.Begin(ports.Endpoint{})
					if _, err := started(t, x); err != nil {
						t.Error(err)
					}
					answer := ""
					if i == 0 {
						answer = `{"status":"invalid_token"}`
					}
					if _, done, _ := says(x, []byte(answer)); done != (i > 0) {
						t.Errorf("done: %v", done)
					}
					x.Close()
					time.Sleep(3 * time.Second)
				}
			})
		}
		wg.Wait()
		// Ten refusals, each of which costs at most one call, after a first one.
		if calls < 2 || calls > 11 {
			t.Errorf("%d calls", calls)
		}
	})
}
