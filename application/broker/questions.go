package broker

import (
	"context"
	"errors"
	"strings"

	"brokerconn/domain"
)

// Check is how CheckVersion identifies a broker that does not know ApiVersions, which is one
// before 0.10. The zero Check is what most programs need.
//
//	Strict bool       only a connection that the broker closes after it has read a request, and before it
//	                  begins a response, shows that it does not know the request; otherwise any loss does
//	Topics []string   the topics that Metadata requests ask for; empty means all. Brokers of 0.8 create a
//	                  topic that does not exist
type Check = domain.Check

// State returns the state of the connection.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.State()
}

// LastError returns why the connection was last lost or could not be made; nil if it has
// been ready since. It is an *Error.
func (c *Conn) LastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.LastError()
}

// APIVersions returns the API versions of the broker, which are requested again on every
// connection. It waits for a connection as Connect does.
func (c *Conn) APIVersions(ctx context.Context) (*Versions, error) {
	for {
		c.mu.Lock()
		v := c.core.Versions()
		c.mu.Unlock()
		if v != nil {
			return v, nil
		}
		if err := c.Connect(ctx); err != nil {
			return nil, err
		}
	}
}

// CheckVersion returns which release the broker is, according to all of its API versions
// and features. If Config.APIVersion is set it is that, and the broker is not asked. The
// error is ErrNoRelease if the broker's API versions are below those of the oldest release;
// the verdict is returned as well. CheckVersion waits for a connection as Connect does.
//
// If there is no connection yet, check applies to how it is made: a broker before 0.10 does
// not know ApiVersions and is probed with other requests, at once.
func (c *Conn) CheckVersion(ctx context.Context, check Check) (Verdict, error) {
	c.mu.Lock()
	if !c.closing {
		c.core.Connect(c.cfg.Clock.Now(), domain.ConnectOptions{Until: c.dialBy, Check: c.cfg.check(check)})
	}
	c.mu.Unlock()
	v, err := c.APIVersions(ctx)
	if err != nil {
		return Verdict{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.verdict(c.core, v)
}

// check returns how the probes of a CheckVersion ask, nil if there are none.
func (c *Config) check(check Check) *domain.Check {
	if c.ProbeOldReleases != nil && !*c.ProbeOldReleases {
		return nil
	}
	return &check
}

// verdict returns which release a broker with the API versions v is.
func (c *Config) verdict(m *domain.Connection, v *Versions) (Verdict, error) {
	if r := c.APIVersion; r != (Release{}) {
		return Verdict{Kind: Exact, Low: r, High: r,
			Evidence: []string{"the release was configured, and the broker was not asked"}}, nil
	}
	verdict := domain.Identify(v)
	if verdict.Kind == Older {
		return verdict, m.Failure(c.Clock.Now(), nil, ErrNoRelease, errors.New(strings.Join(verdict.Evidence, "; ")))
	}
	return verdict, nil
}
