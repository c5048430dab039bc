package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"brokerconn/acceptance"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A member is one connection of a soak, with what was counted of it.
type member struct {
	name  string
	conn  *broker.Conn // nil: it is a Polled
	loop  *loop        // the Polled and its state; nil: it is a Conn
	tally *tally       // of it and its callers
	final broker.Stats // the last ones, once it is closed
	berth
}

// A berth is how a member differs from the others.
type berth struct {
	listener acceptance.Listener
	hash     scram.Hash
	callers  int           // 0: it is a Polled, whose owner is its only caller
	largest  int           // record
	idle     time.Duration // the longest pause of a caller between two calls
	set      func(*broker.Config)
	closes   bool // while its callers pause
	inFlight int  // broker.Config.MaxInFlight
}

// limited is the client id with quotas.
const limited = "limited"

var berths = map[string]berth{
	"plain": {inFlight: 5, listener: acceptance.SASLSSL, hash: scram.SHA512, callers: 4, largest: 2 << 20,
		idle: 60 * time.Millisecond},
	// Requests time out while the broker is paused, and the connection is kept by pings.
	"hurried": {inFlight: 12, listener: acceptance.SASLSSL, hash: scram.SHA256, callers: 4, largest: 300 << 10,
		idle: 60 * time.Millisecond, set: func(c *broker.Config) {
			c.RequestTimeout, c.SetupTimeout = 1500*time.Millisecond, 2*time.Second
			c.PingInterval, c.StallAfter = 300*time.Millisecond, 500*time.Millisecond
		}},
	limited: {inFlight: 5, listener: acceptance.Reauth, hash: scram.SHA256, callers: 3, largest: 64 << 10,
		idle: 100 * time.Millisecond, set: func(c *broker.Config) { c.ClientID = limited }},
	// Its callers pause for longer than it stays open.
	"idle": {inFlight: 5, listener: acceptance.SASLSSL, hash: scram.SHA256, callers: 1, largest: 64 << 10,
		idle: 600 * time.Millisecond, closes: true,
		set: func(c *broker.Config) { c.IdleTimeout = 200 * time.Millisecond }},
	"polled": {inFlight: 5, listener: acceptance.Reauth, hash: scram.SHA512, largest: 1 << 20,
		idle: 60 * time.Millisecond},
}

// configOf is the configuration of a member.
func (s *soak) configOf(b berth, t *tally) (cfg broker.Config, err error) {
	cfg.Host, cfg.Port, err = broker.ParseAddress(s.relays[b.listener].Addr())
	if err != nil {
		return cfg, err
	}
	if b.listener == acceptance.SASLSSL {
		cfg.Transport, err = tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: s.broker.ClientFiles().CA})
		if err != nil {
			return cfg, err
		}
	}
	login, err := newLogin(b.hash)
	if err != nil {
		return cfg, err
	}
	cfg.Authenticators = []ports.Authenticator{login}
	cfg.RequestTimeout, cfg.MaxInFlight = 20*time.Second, b.inFlight
	cfg.Metrics, cfg.Hooks = &t.metrics, t.hooks()
	if b.set != nil {
		b.set(&cfg)
	}
	return cfg, nil
}

func newLogin(hash scram.Hash) (ports.Authenticator, error) {
	return scram.New(hash, scram.Options{Username: acceptance.ScramUser,
		Password: ports.NewSecret(acceptance.ScramPassword)})
}

// open makes the members.
func (s *soak) open() error {
	s.members = nil
	for _, name := range slices.Sorted(maps.Keys(berths)) {
		m := &member{name: name, berth: berths[name], tally: newTally()}
		cfg, err := s.configOf(m.berth, m.tally)
		switch {
		case err != nil:
		case m.callers == 0:
			m.loop, err = s.newLoop(m, cfg)
		default:
			m.conn, err = broker.NewConn(cfg)
		}
		if err != nil {
			return fmt.Errorf("connection %s: %w", name, err)
		}
		s.members = append(s.members, m)
	}
	return nil
}

// quiet is more than the time without a read after which a Conn starts its reader, to notice the end of the
// connection. Before that it has a goroutine less.
const quiet = 4 * time.Second

// rest brings each member into the state in which it is between two loads: connected for a while,
// or, where that takes a request, closed while idle.
func (s *soak) rest(ctx context.Context) error {
	for _, m := range s.members {
		var err error
		switch {
		case m.loop != nil:
			err = m.loop.until(m.loop.connected)
		case m.closes:
			if !await(func() bool { return m.conn.State() == broker.Disconnected }) {
				err = errors.New("it is not closed while idle")
			}
		default:
			m.tally.begin()
			_, err = broker.Ping(ctx, m.conn)
			m.tally.end(err)
		}
		if err != nil {
			return fmt.Errorf("connection %s, without load and without a fault: %w", m.name, err)
		}
	}
	return pause(ctx, quiet)
}

// close closes the members, and keeps their last Stats.
func (s *soak) close() {
	for _, m := range s.members {
		if m.loop != nil {
			m.loop.Close(nil)
			m.final = m.loop.Stats()
			continue
		}
		_ = m.conn.Close() // Close returns nil
		<-m.conn.Done()
		m.final = m.conn.Stats()
	}
}
