package broker

import (
	"context"

	"brokerconn/ports"
)

// A login may end (KIP-368): the connection logs in again on its own, in time, on the
// same connection and between two requests. Here is what its owner can ask for.

// logins checks a list of authenticators, which a program has made.
func logins(first ports.Authenticator, others []ports.Authenticator) []ports.Authenticator {
	all := append([]ports.Authenticator{first}, others...)
	for _, a := range all {
		if a == nil {
			panic("broker: SetAuthenticator of nil")
		}
	}
	return all
}

// Reauthenticate logs in again now: requests in flight are answered first, others wait.
// It returns nil once requests are admitted again. Where the broker refuses to do that
// on this connection, or its release cannot, the connection is made anew, with no
// request lost; a NoReconnect Conn is closed instead. Without a connection it is
// Connect. It panics if the Conn has no authenticator.
func (c *Conn) Reauthenticate(ctx context.Context) error {
	c.mu.Lock()
	if !c.core.LogsIn() {
		c.mu.Unlock()
		panic("broker: Reauthenticate of a Conn without Authenticators")
	}
	c.core.Reauthenticate(c.cfg.Clock.Now())
	c.drain()
	c.mu.Unlock()
	return c.Connect(ctx)
}

// SetAuthenticator replaces the authenticator, or all of them, from now on: for
// credentials that have changed. A session of the same mechanism is renewed on its
// connection. For another mechanism, or where the broker refuses, the connection is made
// anew once what is in flight has been answered; a NoReconnect Conn is closed instead.
// Requests wait meanwhile, and none is lost. If the last login had failed, there is no
// pause before the next.
func (c *Conn) SetAuthenticator(a ports.Authenticator, others ...ports.Authenticator) {
	list := logins(a, others)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.core.SetAuthenticators(c.cfg.Clock.Now(), list) {
		c.wanted = true
	}
	c.drain()
}

// Reauthenticate logs in again, once nothing is in flight: until that is over requests
// are refused with ErrReauthenticating. Where the broker's release cannot do that on
// this connection, it is closed, without backoff. Without a connection it does nothing.
func (p *Polled) Reauthenticate() {
	p.core.Reauthenticate(p.cfg.Clock.Now())
	p.pump()
}

// SetAuthenticator replaces the authenticator, or all of them. A session of the same
// mechanism is renewed as by Reauthenticate; for another mechanism the connection is
// closed once nothing is in flight, without backoff. If the last login had failed, there
// is no pause before the next.
func (p *Polled) SetAuthenticator(a ports.Authenticator, others ...ports.Authenticator) {
	p.core.SetAuthenticators(p.cfg.Clock.Now(), logins(a, others))
	p.pump()
}

// Reauthenticating reports whether requests wait for a login that renews the session.
func (c *Conn) Reauthenticating() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Reauthenticating()
}

// Reauthenticating reports whether requests are refused because the session is being
// renewed.
func (p *Polled) Reauthenticating() bool { return p.core.Reauthenticating() }
