package broker

import (
	"context"
	"time"

	"brokerconn/domain"
)

// Release is a minor release of Kafka.
type Release = domain.Release

// ReleaseGuess is what a broker's API versions tell of its release.
type ReleaseGuess = domain.ReleaseGuess

// The questions of a Conn; each takes its lock for a moment.

// State is where the connection stands.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.State()
}

// Connected reports whether requests are admitted.
func (c *Conn) Connected() bool { return c.State() == Connected }

// Connecting reports whether the connection is on its way: dialling, TLS,
// negotiating versions or logging in.
func (c *Conn) Connecting() bool { return c.State().SettingUp() }

// Disconnected reports whether there is neither a connection nor an attempt.
func (c *Conn) Disconnected() bool { return c.State().Down() }

// CanSendMore reports whether the limits leave room for another request, and nobody
// waits in line. Whether there is a connection does not matter.
func (c *Conn) CanSendMore() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.CanSendMore() && c.line.len() == 0
}

// BlackedOut reports whether the pause after a failure lasts.
func (c *Conn) BlackedOut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.BlackedOut(c.cfg.Clock.Now())
}

// ConnectionDelay is how long to wait before it is worth trying to connect.
// forever: an event will tell, not the time.
func (c *Conn) ConnectionDelay() (d time.Duration, forever bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.ConnectionDelay(c.cfg.Clock.Now())
}

// InFlight is the number of requests that wait for an answer.
func (c *Conn) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.InFlight()
}

// LastError is why the connection was last lost or not to be had; nil since it
// was ready.
func (c *Conn) LastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.LastError()
}

// Endpoint is the address in use, or used last.
func (c *Conn) Endpoint() Endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Machine.Endpoint()
}

// APIVersions is the broker's table, asked for anew on every connection. It waits
// for a connection as Connect does.
func (c *Conn) APIVersions(ctx context.Context) (*Versions, error) {
	for {
		c.mu.Lock()
		v := c.core.Machine.Versions()
		c.mu.Unlock()
		if v != nil {
			return v, nil
		}
		if err := c.Connect(ctx); err != nil {
			return nil, err
		}
	}
}

// CheckVersion guesses the broker's release from its API versions; where
// Config.APIVersion is set it is that. ErrNoRelease if no release of Kafka has
// such versions. It waits for a connection as Connect does.
func (c *Conn) CheckVersion(ctx context.Context) (ReleaseGuess, error) {
	v, err := c.APIVersions(ctx)
	if err != nil {
		return ReleaseGuess{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.release(c.core.Machine, v)
}

// release says which one a broker with the table v is.
func (c *Config) release(m *domain.Machine, v *Versions) (ReleaseGuess, error) {
	if r := c.APIVersion; r != (Release{}) {
		return ReleaseGuess{Low: r, High: r, Key: -1}, nil
	}
	g, ok := domain.GuessRelease(v)
	if !ok {
		return ReleaseGuess{}, m.Failure(ErrNoRelease, nil)
	}
	return g, nil
}
