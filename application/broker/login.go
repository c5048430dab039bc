package broker

import (
	"context"
	"slices"

	"brokerconn/ports"
)

// A login may expire (KIP-368): the connection authenticates again by itself, in time, on
// the same connection and between two requests. Here is what its owner can request.

// checked returns the authenticators that a program passed.
func checked(list []ports.Authenticator) []ports.Authenticator {
	if len(list) == 0 || slices.Contains(list, nil) {
		panic("broker: SetAuthenticators needs authenticators that are not nil")
	}
	return slices.Clone(list)
}

// Reauthenticate authenticates again now: requests in flight are answered first, others
// wait. It returns nil once requests are admitted again. If the broker refuses that on this
// connection, or its release does not support it, the connection is made again and no
// request is lost; a NoReconnect Conn is closed instead. If there is no connection it does
// what Connect does. It panics if the Conn has no authenticator.
func (c *Conn) Reauthenticate(ctx context.Context) error {
	c.mu.Lock()
	if !c.core.LogsIn() {
		c.mu.Unlock()
		panic("broker: Reauthenticate of a Conn without Authenticators")
	}
	now := c.cfg.Clock.Now()
	c.core.Reauthenticate(now)
	c.drain(now)
	c.mu.Unlock()
	return c.Connect(ctx)
}

// SetAuthenticators replaces the authenticators, for credentials that have changed. The
// first whose mechanism the broker offers is used. A session of the same mechanism is
// authenticated again on its connection. For another mechanism, or if the broker refuses
// that, the connection is made again once the requests in flight are answered; a
// NoReconnect Conn is closed instead. Requests wait meanwhile, and none is lost. If the
// last login failed, also by the end of its connection, then or on the first request, the
// next one does not wait for the backoff. It panics if the list is empty or one of them is
// nil.
func (c *Conn) SetAuthenticators(list ...ports.Authenticator) {
	list = checked(list)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Clock.Now()
	if c.core.SetAuthenticators(now, list) {
		c.wanted = true
	}
	c.drain(now)
}

// Reauthenticate authenticates again once no request is in flight; until that is done,
// requests are refused with ErrReauthenticating. If the broker's release does not support it
// on this connection, the connection is closed, without backoff. If there is no connection
// it has no effect.
func (p *Polled) Reauthenticate() {
	p.core.Reauthenticate(p.cfg.Clock.Now())
	p.pump()
}

// SetAuthenticators replaces the authenticators. A session of the same mechanism is
// authenticated again as by Reauthenticate; for another mechanism the connection is closed
// once no request is in flight, without backoff. If the last login failed, the next one does
// not wait for the backoff. It panics if the list is empty or one of them is nil.
func (p *Polled) SetAuthenticators(list ...ports.Authenticator) {
	p.core.SetAuthenticators(p.cfg.Clock.Now(), checked(list))
	p.pump()
}
