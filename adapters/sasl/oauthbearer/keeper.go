package oauthbearer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/ports"
)

// The keeper holds the token in use. A login makes it request another one if there is no
// token, if the broker rejected it, or if it is due: after four fifths of its life, and
// up to a twentieth more at random. Kafka's Java client does the same on a thread of its
// own (sasl.login.refresh.window.factor and .jitter). Here connections reauthenticate
// after 85 % of a session at the earliest, and a session does not outlive its token.
//
// Logins that need a token at the same time share one call of the Provider. The call
// runs in the step of the first one, with a context that ends at the timeout or when
// the last of these logins is closed.

// keeper requests tokens and holds the last one.
type keeper struct {
	tokens  Provider
	clock   ports.Clock
	rand    func() uint64
	timeout time.Duration // no timeout unless positive

	mu   sync.Mutex
	held *held // may be nil
	call *call // the running call; may be nil
}

// held is a token with its state.
type held struct {
	Token
	since   time.Time
	due     time.Time // a login after it requests another token; guarded by keeper.mu
	refused bool      // guarded by keeper.mu
}

// call is one call of the Provider.
type call struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	waiting int           // number of logins; guarded by keeper.mu
	ended   chan struct{} // closed when got and err are set
	got     *held
	err     error
}

var (
	errNoWaiter = errors.New("oauthbearer: no login waits for a token any more")
	errNoReturn = errors.New("oauthbearer: the token provider exited its goroutine")
)

// token returns a token that has not expired. cached reports that it is the held one, which
// was requested for an earlier login.
func (k *keeper) token(ctx context.Context) (h *held, cached bool, err error) {
	k.mu.Lock()
	now := k.clock.Now()
	if h := k.usable(now); h != nil && now.Before(h.due) {
		k.mu.Unlock()
		return h, true, nil
	}
	first := k.call == nil
	if first {
		k.call = &call{ended: make(chan struct{}), err: errNoReturn}
		k.call.ctx, k.call.cancel = context.WithCancelCause(context.Background())
	}
	c := k.call
	c.waiting++
	k.mu.Unlock()

	if first {
		defer context.AfterFunc(ctx, func() { k.leave(c) })()
		k.run(c)
	} else {
		select {
		case <-c.ended:
		case <-c.ctx.Done(): // a Provider may ignore it
		case <-ctx.Done():
			k.leave(c)
			return nil, false, ctx.Err()
		}
	}
	if h, err = c.result(); err == nil {
		return h, false, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if h := k.usable(k.clock.Now()); h != nil {
		return h, true, nil
	}
	return nil, false, err
}

// usable returns the held token unless it is refused or expired.
func (k *keeper) usable(now time.Time) *held {
	if h := k.held; h != nil && !h.refused && !h.expired(now) {
		return h
	}
	return nil
}

// leave removes a login from those that wait for a call.
func (k *keeper) leave(c *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.waiting--; c.waiting == 0 {
		k.drop(c, errNoWaiter)
	}
}

// drop cancels a call, which no login can join any more, under the lock.
func (k *keeper) drop(c *call, cause error) {
	c.cancel(cause)
	if k.call == c {
		k.call = nil
	}
}

// run calls the Provider and ends the call.
func (k *keeper) run(c *call) {
	defer k.end(c)
	if k.timeout > 0 {
		late := fmt.Errorf("none within %v: %w", k.timeout, context.DeadlineExceeded)
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
		err = fmt.Errorf("%w at %v, and the time is %v", ErrExpired, t.Expiry.Round(0), now.Round(0))
	}
	if err != nil {
		c.err = noToken(err)
		return
	}
	c.got, c.err = k.hold(c, t), nil
}

// noToken wraps the error of a request for a token.
func noToken(err error) error { return fmt.Errorf("oauthbearer: no token to log in with: %w", err) }

// ask calls the Provider.
func (k *keeper) ask(ctx context.Context) (t Token, err error) {
	defer recovered("provider", &err)
	t, err = k.tokens(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return t, cause
	}
	return t, withoutBody(err)
}

// hold keeps a token for later logins if its expiry is known. A dropped call may return
// an older token than the held one, which then stays.
func (k *keeper) hold(c *call, t Token) *held {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	h := &held{Token: t, since: now, due: now}
	life := t.Expiry.Round(0).Sub(now)
	if life > 0 {
		h.due = now.Add(life/5*4 + time.Duration(k.rand()%uint64(life/20+1)))
	}
	if k.call == c || k.usable(now) == nil {
		if k.held = h; t.Expiry.IsZero() {
			k.held = nil
		}
	}
	return h
}

// end wakes the waiting logins.
func (k *keeper) end(c *call) {
	close(c.ended)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(c, nil)
}

// result returns the result of a call that has ended or was dropped.
func (c *call) result() (*held, error) {
	select {
	case <-c.ended:
		return c.got, c.err
	default:
		return nil, noToken(context.Cause(c.ctx))
	}
}

// reject marks a token that the broker rejected.
func (k *keeper) reject(h *held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	h.refused = true
}

// suspect makes a token due that the broker may have rejected, once in a twentieth of its
// life: while brokers are down, each attempt ends like that.
func (k *keeper) suspect(h *held) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.clock.Now(); now.Sub(h.since) >= h.Expiry.Round(0).Sub(h.since)/20 {
		h.due = now
	}
}
