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

	"github.com/golang/mock/gomock"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/mocks"
	"brokerconn/ports"
)

var errDown = errors.New("the issuer is down")

func TestOneTokenForManyLogins(t *testing.T) {
	r := newHarness()
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

// The next token is requested after 80 to 85 % of the life.
func TestJitter(t *testing.T) {
	for _, c := range []struct {
		rand uint64
		due  time.Duration
	}{
		{0, 80 * time.Second},
		{2500 * uint64(time.Millisecond), 82500 * time.Millisecond},
		{5 * uint64(time.Second), 85 * time.Second},
		{5*uint64(time.Second) + 1, 80 * time.Second}, // it wraps around
	} {
		r := newHarness()
		r.rand = c.rand
		r.gives("first", 100*time.Second)
		r.wants(t, "first", 1)
		r.gives("second", time.Hour)
		r.clock.Advance(c.due - 1)
		r.wants(t, "first", 1)
		r.clock.Advance(1)
		r.wants(t, "second", 2)
	}
}

func TestPresentTokenServesWithoutNext(t *testing.T) {
	r := newHarness()
	r.gives("first", 100*time.Second)
	r.wants(t, "first", 1)
	r.fails(errDown)
	r.clock.Advance(80 * time.Second)
	r.wants(t, "first", 2)
	r.clock.Advance(20*time.Second - 1)
	r.wants(t, "first", 3)
	r.clock.Advance(1)
	if _, err := sends(t, r.Authenticator); !errors.Is(err, errDown) ||
		!strings.HasPrefix(err.Error(), "oauthbearer: no token to log in with: ") {
		t.Errorf("got %v, want %v", err, errDown)
	}
	r.gives("second", time.Hour)
	r.wants(t, "second", 5)
}

// The present token serves as well if the next one is not valid.
func TestInvalidTokensAreNotSent(t *testing.T) {
	expired := bearer("other")
	expired.Expiry = noon.Add(80 * time.Second)
	strange := bearer("other")
	strange.Extensions = map[string]string{"auth": "x"}
	for name, bad := range map[string]oauthbearer.Token{
		"empty": {}, "no token": bearer("a\x01b"), "expired": expired, "a bad extension": strange,
	} {
		r := newHarness()
		r.gives("first", 100*time.Second)
		r.wants(t, "first", 1)
		r.next = always(bad)
		r.clock.Advance(80 * time.Second)
		r.wants(t, "first", 2)
		r.clock.Advance(20 * time.Second)
		if _, err := sends(t, r.Authenticator); err == nil ||
			errors.Is(err, oauthbearer.ErrExpired) != (name == "expired") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestExpiredAtOnce(t *testing.T) {
	for _, life := range []time.Duration{0, -1, -time.Hour} {
		r := newHarness()
		r.gives("first", life)
		_, err := sends(t, r.Authenticator)
		saslpeer.ErrorIs(t, life.String(), err, oauthbearer.ErrExpired)
		saslpeer.ErrorSays(t, life.String(), err, "and the time is 2026-11-22 12:00:00")
	}
}

// The wall clock decides, also for an Expiry with a monotonic reading.
func TestExpiryIsWallTime(t *testing.T) {
	token := bearer("first")
	token.Expiry = time.Now().Add(time.Hour) // has a monotonic reading
	a := create(config{Tokens: always(token), Clock: fake.New(token.Expiry.Round(0).Add(-1)), Runner: saslpeer.Inline})
	saslpeer.ErrorIs(t, "1 ns before the expiry", saslpeer.Err(sends(t, a)), nil)
	a = create(config{Tokens: always(token), Clock: fake.New(token.Expiry.Round(0)), Runner: saslpeer.Inline})
	saslpeer.ErrorIs(t, "at the expiry", saslpeer.Err(sends(t, a)), oauthbearer.ErrExpired)
}

// kafka-python's providers return no expiry.
func TestUnknownExpiry(t *testing.T) {
	r := newHarness()
	r.gives("known", 100*time.Second)
	r.wants(t, "known", 1)
	r.clock.Advance(80 * time.Second)
	for i := range 3 {
		r.next = always(bearer(fmt.Sprint("token", i)))
		r.wants(t, fmt.Sprint("token", i), 2+i)
	}
	r.fails(errDown)
	saslpeer.ErrorIs(t, "the unknown expiry", saslpeer.Err(sends(t, r.Authenticator)), errDown)
}

// refuse begins a login that the broker rejects, with an answer or, if it is nil, without.
func (r *harness) refuse(t *testing.T, token string, answer []byte) {
	t.Helper()
	x := r.Begin(ports.Endpoint{})
	defer x.Close()
	m, err := started(t, x)
	if err != nil || m.token != token {
		t.Fatalf("got %q, %v, want %q", m.token, err, token)
	}
	if answer != nil {
		if response, _, err := saslpeer.Step(x, answer); string(response) != "\x01" {
			t.Fatalf("got %q, %v, want 0x01", response, err)
		}
	}
}

func TestRejectedTokenIsReplaced(t *testing.T) {
	r := newHarness()
	rejection := []byte(`{"status":"invalid_token"}`)
	r.gives("first", time.Hour)
	r.wants(t, "first", 1)
	r.refuse(t, "first", rejection)
	r.gives("second", time.Hour)
	r.wants(t, "second", 3) // the second call was for the rejected login, and returned the same token
	r.wants(t, "second", 3)

	r.refuse(t, "second", rejection)
	r.fails(errDown)
	for range 2 { // it has not expired, but is rejected
		saslpeer.ErrorIs(t, "a rejected token", saslpeer.Err(sends(t, r.Authenticator)), errDown)
	}
	r.gives("second", time.Hour) // the provider has no other
	r.wants(t, "second", 7)
	r.wants(t, "second", 7)
}

// If a connection closes without an answer, the token may have been rejected: another
// one is requested, not too often, and the present one serves meanwhile.
func TestSuspectTokenIsReplaced(t *testing.T) {
	r := newHarness()
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

	r.Begin(ports.Endpoint{}).Close() // it is closed before its token is sent
	r.wants(t, "second", 3)
}

// A late rejection of one token does not affect the next.
func TestLateRejection(t *testing.T) {
	r := newHarness()
	r.gives("first", time.Hour)
	late := saslpeer.Begin(t, r.Authenticator)
	saslpeer.Must(started(t, late))
	r.clock.Advance(50 * time.Minute)
	r.gives("second", time.Hour)
	r.wants(t, "second", 2)
	if _, _, err := saslpeer.Step(late, []byte(`{"status":"invalid_token"}`)); err == nil {
		t.Fatal("got no error, want a rejection")
	}
	r.wants(t, "second", 2)
}

func TestProviderPanics(t *testing.T) {
	r := newHarness()
	for _, p := range []any{"panic with " + canary, errors.New(canary), 7} {
		r.next = func(context.Context) (oauthbearer.Token, error) { panic(p) }
		text := fmt.Sprintf("panic of a %T", p)
		saslpeer.ErrorSays(t, text, saslpeer.Err(sends(t, r.Authenticator)), text, canary)
	}
	r.gives("first", time.Hour)
	r.wants(t, "first", 4)
}

// slow is an authenticator whose provider returns when the test answers its call, or
// after the default timeout of 5 s.
type slow struct {
	*oauthbearer.Authenticator
	clock *fake.Clock
	calls chan *slowCall
	deaf  bool // the provider ignores its context
}

type slowCall struct {
	ctx    context.Context
	answer chan string // "" is errDown
}

func newSlow() *slow {
	s := &slow{clock: fake.New(noon), calls: make(chan *slowCall, 100)}
	tokens := func(ctx context.Context) (oauthbearer.Token, error) {
		c := &slowCall{ctx, make(chan string, 1)}
		s.calls <- c
		ended := ctx.Done()
		if s.deaf {
			ended = nil
		}
		select {
		case text := <-c.answer:
			if text == "" {
				return oauthbearer.Token{}, errDown
			}
			token := bearer(text)
			token.Expiry = s.clock.Now().Add(100 * time.Second)
			return token, nil
		case <-ended:
			return oauthbearer.Token{}, ctx.Err()
		}
	}
	s.Authenticator = create(config{Tokens: tokens, Clock: s.clock, Rand: func() uint64 { return 0 }})
	return s
}

// called returns the next call.
func (s *slow) called(t *testing.T) *slowCall {
	t.Helper()
	synctest.Wait()
	select {
	case c := <-s.calls:
		return c
	default:
		t.Fatal("got no call of the provider, want one")
		return nil
	}
}

// login begins a login, which is closed when the test ends.
func (s *slow) login(t *testing.T) ports.Exchange {
	x := saslpeer.Begin(t, s.Authenticator)
	x.Next(nil)
	return x
}

// result returns the token that a login has sent.
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

// mustSend requires that a login has sent a token.
func mustSend(t *testing.T, x ports.Exchange, want string) {
	t.Helper()
	if got, err := result(t, x); got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestOneCallForManyLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		for round, answer := range []string{"first", "", "second"} {
			var logins []ports.Exchange
			for range 20 {
				logins = append(logins, s.login(t))
			}
			c := s.called(t)
			saslpeer.Equal(t, "more calls", len(s.calls), 0)
			for _, x := range logins {
				saslpeer.Equal(t, "before the provider returns", saslpeer.Err(result(t, x)), ports.ErrWouldBlock)
			}
			c.answer <- answer
			for _, x := range logins {
				switch got, err := result(t, x); {
				case round == 1 && got != "first": // it has not expired
					t.Errorf("got %q, %v, want the present token", got, err)
				case round != 1 && got != answer:
					t.Errorf("got %q, %v, want %q", got, err, answer)
				}
			}
			saslpeer.ErrorIs(t, "the context after the call", c.ctx.Err(), context.Canceled)
			s.clock.Advance(80 * time.Second)
		}
	})
}

// A call lasts until the last of its logins is closed.
func TestSomeLoginsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		a, b, c := s.login(t), s.login(t), s.login(t)
		call := s.called(t)
		a.Close()
		b.Close()
		synctest.Wait()
		saslpeer.ErrorIs(t, "a call with a waiting login", call.ctx.Err(), nil)
		d := s.login(t)
		call.answer <- "first"
		mustSend(t, c, "first")
		mustSend(t, d, "first")
		saslpeer.Equal(t, "more calls", len(s.calls), 0)
	})
}

func TestAllLoginsClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		a, b := s.login(t), s.login(t)
		call := s.called(t)
		a.Close()
		b.Close()
		synctest.Wait()
		saslpeer.ErrorIs(t, "a call without a login", call.ctx.Err(), context.Canceled)
		c := s.login(t)
		s.called(t).answer <- "second"
		mustSend(t, c, "second")
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		a, b := s.login(t), s.login(t)
		s.called(t)
		s.clock.Advance(5*time.Second - 1)
		_, err := result(t, a)
		saslpeer.Equal(t, "before the timeout", err, ports.ErrWouldBlock)
		s.clock.Advance(1)
		for _, x := range []ports.Exchange{a, b} {
			_, err := result(t, x)
			saslpeer.ErrorIs(t, "a timeout", err, context.DeadlineExceeded)
			saslpeer.ErrorSays(t, "a timeout", err, "none within 5s")
		}

		c := s.login(t)
		s.called(t).answer <- "first"
		mustSend(t, c, "first")
		s.clock.Advance(80 * time.Second)
		d := s.login(t) // a timeout is a failure like any other
		s.called(t)
		s.clock.Advance(5 * time.Second)
		mustSend(t, d, "first")
	})
}

// A provider that ignores its context blocks the login that called it and no other. Its
// token is older than the held one, which stays.
func TestDeafProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		s.deaf = true
		a := s.login(t)
		first := s.called(t)
		b := s.login(t)
		synctest.Wait()
		s.clock.Advance(5 * time.Second)
		saslpeer.ErrorIs(t, "the waiting login", saslpeer.Err(result(t, b)), context.DeadlineExceeded)
		saslpeer.Equal(t, "the calling login", saslpeer.Err(result(t, a)), ports.ErrWouldBlock)
		c := s.login(t)
		s.called(t).answer <- "second"
		mustSend(t, c, "second")
		first.answer <- "first"
		mustSend(t, a, "first")
		d := s.login(t)
		mustSend(t, d, "second")
	})
}

// A call of the provider sets one alarm and stops it, and none with a negative Timeout.
func TestTimeoutAlarm(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Minute: time.Minute, -1: 0} {
		ctrl := gomock.NewController(t)
		clock, alarm := mocks.NewMockClock(ctrl), mocks.NewMockAlarm(ctrl)
		clock.EXPECT().Now().Return(noon).AnyTimes()
		called := false
		if want > 0 {
			gomock.InOrder(
				clock.EXPECT().NewAlarm(gomock.Any()).Return(alarm),
				alarm.EXPECT().Set(noon.Add(want)),
				alarm.EXPECT().Stop().Do(func() {
					saslpeer.Equal(t, fmt.Sprint("called before Stop, Timeout ", timeout), called, true)
				}),
			)
		}
		a := create(config{Clock: clock, Timeout: timeout, Runner: saslpeer.Inline,
			Tokens: func(context.Context) (oauthbearer.Token, error) { called = true; return bearer("a"), nil }})
		saslpeer.ErrorIs(t, timeout.String(), saslpeer.Err(sends(t, a)), nil)
	}
}

// The system's clock and randomness, and concurrent logins.
func TestConcurrentLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := 0
		a := create(config{Tokens: func(context.Context) (oauthbearer.Token, error) {
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
					saslpeer.ErrorIs(t, "the first message", saslpeer.Err(started(t, x)), nil)
					answer := ""
					if i == 0 {
						answer = `{"status":"invalid_token"}`
					}
					_, done, _ := saslpeer.Step(x, []byte(answer))
					saslpeer.Equal(t, "done", done, i > 0)
					x.Close()
					time.Sleep(3 * time.Second)
				}
			})
		}
		wg.Wait()
		// One call at first, and at most one for each of ten rejections.
		if calls < 2 || calls > 11 {
			t.Errorf("got %d calls, want 2 to 11", calls)
		}
	})
}
