package oauthbearer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/ports"
)

// The keeper has the token in use. What makes it ask for another is a login that
// comes when there is none, or the one there is was refused, or is due: four fifths of
// its life are over, and up to a twentieth more by chance. As Kafka's Java client has
// it (sasl.login.refresh.window.factor and .jitter), but that asks on a thread of its
// own; here connections log in anew after 85 % of a session at the earliest, and a
// session is no longer than its token.
//
// Logins that ask at the same time share one call of the Provider. It runs in the
// step of the first one, under a context of its own, which ends with the timeout or
// when the last of them gave up, be the first among those or not.

type keeper struct {
	tokens  Provider
	clock   ports.Clock
	chance  func() uint64
	timeout time.Duration // not above 0: none

	mu   sync.Mutex
	held *held // nil: none
	call *call // under way; nil: none
}

// held is a token with what is known of it here.
type held struct {
	Token
	since   time.Time
	due     time.Time // from then on a login asks for another; guarded by the keeper's lock
	refused bool      // guarded likewise
}

// call is one call of the Provider.
type call struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	waiting int           // logins; guarded by the keeper's lock
	ended   chan struct{} // closed when what follows is there
	got     *held
	err     error
}

var (
	errNobodyWaits = errors.New("oauthbearer: no login waits for a token any more")
	errNoReturn    = errors.New("oauthbearer: the provider of tokens ended its goroutine")
)

// token returns one that has not expired.
func (k *keeper) token(ctx context.Context) (*held, error) {
	k.mu.Lock()
	now := k.clock.Now()
	if h := k.usable(now); h != nil && now.Before(h.due) {
		k.mu.Unlock()
		return h, nil
	}
	c, first := k.call, false
	if c == nil {
		c, first = k.newCall(), true
	}
	c.waiting++
	k.mu.Unlock()

	if first {
		defer context.AfterFunc(ctx, func() { k.leave(c) })()
		k.run(c)
	} else {
		select {
		case <-c.ended:
		case <-c.ctx.Done(): // a Provider may not heed it
		case <-ctx.Done():
			k.leave(c)
			return nil, ctx.Err()
		}
	}
	got, err := c.result()
	if err == nil {
		return got, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if h := k.usable(k.clock.Now()); h != nil {
		return h, nil
	}
	return nil, err
}

// usable is the token held, if a broker may take it.
func (k *keeper) usable(now time.Time) *held {
	if h := k.held; h != nil && !h.refused && !h.expired(now) {
		return h
	}
	return nil
}

func (k *keeper) newCall() *call {
	c := &call{ended: make(chan struct{}), err: errNoReturn}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	k.call = c
	return c
}

// leave is a login that waits no more.
func (k *keeper) leave(c *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.waiting--; c.waiting == 0 {
		k.drop(c, errNobodyWaits)
	}
}

// drop ends a call that is no longer one to join, under the lock.
func (k *keeper) drop(c *call, cause error) {
	c.cancel(cause)
	if k.call == c {
		k.call = nil
	}
}

// run calls the Provider, and ends the call whatever becomes of that.
func (k *keeper) run(c *call) {
	defer k.end(c)
	if k.timeout > 0 {
		late := fmt.Errorf("none came within %v: %w", k.timeout, context.DeadlineExceeded)
		alarm := k.clock.NewAlarm(func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.drop(c, late)
		})
		alarm.Set(k.clock.Now().Add(k.timeout))
		defer alarm.Stop()
	}
	t, err := k.ask(c.ctx)
	if err == nil {
		err = t.check()
	}
	if now := k.clock.Now(); err == nil && t.expired(now) {
		err = fmt.Errorf("%w: it ended at %v, and it is %v", ErrExpired, t.Expiry.Round(0), now.Round(0))
	}
	if err != nil {
		c.err = noToken(err)
		return
	}
	c.got, c.err = k.hold(c, t), nil
}

func noToken(err error) error { return fmt.Errorf("oauthbearer: no token to log in with: %w", err) }

// ask contains a panic. What it says may hold the token.
func (k *keeper) ask(ctx context.Context) (t Token, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of a %T in the provider of tokens", p)
		}
	}()
	t, err = k.tokens(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return t, cause
	}
	return t, withoutBody(err)
}

// hold keeps a token for later logins, if it is known how long it lives. What a call
// brings that was dropped may be older than what came since.
func (k *keeper) hold(c *call, t Token) *held {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	h := &held{Token: t, since: now, due: now}
	life := t.Expiry.Round(0).Sub(now)
	if life > 0 {
		h.due = now.Add(life/5*4 + time.Duration(k.chance()%uint64(life/20+1)))
	}
	if k.call == c || k.usable(now) == nil {
		if k.held = h; t.Expiry.IsZero() {
			k.held = nil
		}
	}
	return h
}

func (k *keeper) end(c *call) {
	close(c.ended)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(c, nil)
}

// result is asked when the call has ended, or its time has.
func (c *call) result() (*held, error) {
	select {
	case <-c.ended:
		return c.got, c.err
	default:
		return nil, noToken(context.Cause(c.ctx))
	}
}

// reject is told of a token that a broker refuses.
func (k *keeper) reject(h *held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h.refused = true
}

// doubt is told of a token that a broker may have refused. While brokers are down,
// that is said at every attempt: it counts once in a twentieth of a token's life.
func (k *keeper) doubt(h *held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.clock.Now(); now.Sub(h.since) >= h.Expiry.Round(0).Sub(h.since)/20 {
		h.due = now
	}
}
