package broker

import (
	"context"
	"errors"
	"strings"
	"time"

	"brokerconn/domain"
)

// Release is a minor release of Kafka.
type Release = domain.Release

// Verdict is which release a broker is, as far as it can be told, how much that says,
// and what it is from.
type Verdict = domain.Verdict

// VerdictKind is how much a Verdict says.
type VerdictKind = domain.VerdictKind

// The kinds of verdict. Only Exact names one release.
const (
	Exact   = domain.Exact
	AtLeast = domain.AtLeast
	Between = domain.Between
	Custom  = domain.Custom
	Older   = domain.Older
)

// Lineage is what kind of server answered.
type Lineage = domain.Lineage

// The lineages. 0 is not told. Who wants to produce or to fetch has dialled the wrong
// port where it is KRaftController.
const (
	ZooKeeperBroker = domain.ZooKeeperBroker
	KRaftBroker     = domain.KRaftBroker
	KRaftController = domain.KRaftController
)

// The questions of a Conn; each takes its lock for a moment.

// State is where the connection stands.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.State()
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
	return c.core.CanSendMore() && c.line.len() == 0
}

// BlackedOut reports whether the pause after a failure lasts.
func (c *Conn) BlackedOut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.BlackedOut(c.cfg.Clock.Now())
}

// ConnectionDelay is how long to wait before it is worth trying to connect.
// forever: an event will tell, not the time.
func (c *Conn) ConnectionDelay() (d time.Duration, forever bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.ConnectionDelay(c.cfg.Clock.Now())
}

// InFlight is the number of requests that wait for an answer.
func (c *Conn) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.InFlight()
}

// LastError is why the connection was last lost or not to be had; nil since it
// was ready.
func (c *Conn) LastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.LastError()
}

// Endpoint is the address in use, or used last.
func (c *Conn) Endpoint() Endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.core.Endpoint()
}

// APIVersions is the broker's table, asked for anew on every connection. It waits
// for a connection as Connect does.
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

// CheckVersion says which release the broker is, by all of its API versions and
// features; where Config.APIVersion is set it is that, and the broker is not asked.
// ErrNoRelease if its table reaches not even the oldest release: the verdict is
// there all the same. It waits for a connection as Connect does.
//
// Where there is none yet it is made as by kafka-python's check_version: a broker
// before 0.10, which cannot be asked, is probed without a wait. strict: only a connection
// that is closed when the question was read, and no answer begun, means that it does
// not know a request; otherwise any loss does. Silence never does. topics are those that
// the probes ask about; nil: all. (Brokers of 0.8 create one that is not there.)
func (c *Conn) CheckVersion(ctx context.Context, strict bool, topics []string) (Verdict, error) {
	c.mu.Lock()
	if !c.closing {
		c.core.Connect(c.cfg.Clock.Now(), domain.ConnectOptions{Until: c.dialBy, Check: c.cfg.check(strict, topics)})
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

// check is how the probes of a CheckVersion ask; nil: it may not probe.
func (c *Config) check(strict bool, topics []string) *domain.Check {
	if c.ProbeOldReleases != nil && !*c.ProbeOldReleases {
		return nil
	}
	return &domain.Check{Strict: strict, Topics: topics}
}

// verdict says which release a broker with the table v is.
func (c *Config) verdict(m *domain.Connection, v *Versions) (Verdict, error) {
	if r := c.APIVersion; r != (Release{}) {
		return Verdict{Kind: Exact, Low: r, High: r, Evidence: []string{"the release was configured, and the broker was not asked"}}, nil
	}
	verdict := domain.Identify(v)
	if verdict.Kind == Older {
		return verdict, m.Failure(ErrNoRelease, errors.New(strings.Join(verdict.Evidence, "; ")))
	}
	return verdict, nil
}
