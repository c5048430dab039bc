package soak

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/acceptance"
	"brokerconn/acceptance/relay"
	"brokerconn/application/broker"
)

// Options are what a soak needs.
type Options struct {
	// Broker is a broker of Config. It is killed, restarted and stopped, and its log is read.
	Broker *acceptance.Broker
	// For is how long the load lasts, after a warm-up.
	For time.Duration
	// Seed chooses what the callers do and which faults happen.
	Seed uint64
	// Print is called with each line, one a minute.
	Print func(line string)
}

// sessionLifetime is how long a session lasts on the listener with TLS; see
// [acceptance.SessionLifetime] for the other one.
const sessionLifetime = 4 * time.Second

// segment is how much of the log the broker writes to disk when it ends, and reads when it starts after a kill: the log
// of an hour has gigabytes.
const segment = 128 << 20

// Config is the configuration of the broker of a soak: its sessions are short.
func Config() acceptance.Config {
	properties := map[string]string{"message.max.bytes": strconv.Itoa(readAtOnce),
		"log.segment.bytes": strconv.Itoa(segment)}
	for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
		properties["listener.name.sasl_ssl."+mechanism+".connections.max.reauth.ms"] =
			strconv.FormatInt(sessionLifetime.Milliseconds(), 10)
	}
	return acceptance.Config{
		Listeners:  []acceptance.Listener{acceptance.SASLSSL, acceptance.Reauth},
		Properties: properties,
	}
}

// soak is the state of one run.
type soak struct {
	Options
	broker    *acceptance.Broker
	seed      uint64
	plaintext broker.Config // of the listener that no fault but those of the broker reaches
	relays    map[acceptance.Listener]*relay.Relay
	topicID   [16]byte
	ledger    *ledger
	logEnd    atomic.Int64 // of the log, as far as a Fetch has seen it
	members   []*member
	broken    []string

	mu       sync.Mutex
	expected func(n int) relay.Fault // that of the nth connection through a relay; nil: none
	struck   map[string]int          // faults that have happened
	begun    map[string]int          // those that have begun on one connection
}

// Run runs a soak. broken has a sentence for each thing that does not agree at the end; err is a
// failure to come that far.
func Run(ctx context.Context, o Options) (broken []string, err error) {
	s := &soak{Options: o, broker: o.Broker, seed: o.Seed, ledger: &ledger{}, struck: map[string]int{},
		begun: map[string]int{}, relays: map[acceptance.Listener]*relay.Relay{}}
	if s.plaintext.Host, s.plaintext.Port, err = broker.ParseAddress(o.Broker.Addr()); err != nil {
		return nil, err
	}
	disconnect, err := s.connect()
	if err != nil {
		return nil, err
	}
	defer disconnect()
	err = s.over(ctx, func(ctx context.Context, conn *broker.Conn) error {
		return errors.Join(s.makeTopic(ctx, conn), limit(ctx, conn, limited, 16<<10, 128<<10))
	})
	if err != nil {
		return nil, err
	}
	err = s.run(ctx)
	return s.broken, err
}

// run is a warm-up, after which the levels are measured, the load, and the balance.
func (s *soak) run(ctx context.Context) error {
	var first, last levels
	if err := s.period(ctx, 0, &first, nil); err != nil {
		return fmt.Errorf("warm-up: %w", err)
	}
	s.Print(fmt.Sprintf("after the warm-up: connected, %v; closed, %v", first.connected, first.closed))
	if err := s.period(ctx, s.For, &last, &first); err != nil {
		return err
	}
	s.Print(fmt.Sprintf("at the end: connected, %v; closed, %v", last.connected, last.closed))
	s.broken = append(s.broken, first.connected.broken("with every connection open and no load", last.connected)...)
	s.broken = append(s.broken, first.closed.broken("with every connection closed", last.closed)...)
	if err := s.over(ctx, s.readBack); err != nil {
		return fmt.Errorf("read the log back: %w", err)
	}
	s.Print("records: " + s.ledger.inLog())
	s.broken = append(s.broken, s.ledger.audit()...)
	return nil
}

// levels are what the process holds at the end of a period.
type levels struct{ connected, closed level }

// period opens the connections, puts load on them and lets faults happen for some time, and
// closes them. now gets the levels at the end, which are awaited to come down to those of want,
// unless that is nil: it is the warm-up.
func (s *soak) period(ctx context.Context, last time.Duration, now, want *levels) error {
	if err := s.open(); err != nil {
		return err
	}
	stop := s.start()
	began := time.Now()
	lines := s.eachMinute(began)
	warmUp, source := want == nil, -1
	if warmUp {
		source = -2
	}
	err := s.happen(ctx, choiceOf(s.seed, source), func() bool { return time.Since(began) >= last }, warmUp)
	lines()
	stopped := stop()
	s.Print(s.line(began))
	s.details(s.Print)
	if err = errors.Join(err, stopped); err == nil {
		err = s.rest(ctx)
	}
	if err == nil {
		now.connected = s.measureAt(want, func(l *levels) level { return l.connected })
		for _, m := range s.members {
			now.connected.growth += maxKept(m.inFlight)
		}
	}
	s.close()
	if stopped == nil { // otherwise their callers still count
		for _, m := range s.members {
			s.Print(m.tally.balance(m.name, m.final))
			s.broken = append(s.broken, m.tally.broken(m.name, m.final)...)
		}
	}
	if _, of := s.total(); !warmUp {
		s.broken = append(s.broken, of.missing()...)
	}
	s.members = nil
	now.closed = s.measureAt(want, func(l *levels) level { return l.closed })
	return err
}

// measureAt measures a level, which is awaited to come down to that of want. If that is nil, it is the
// first one. Where it does not come down, all goroutines are printed.
func (s *soak) measureAt(want *levels, which func(*levels) level) level {
	if want == nil {
		return lowest(s.ledger.size())
	}
	now := which(want).settle(s.ledger.size())
	if which(want).broken("", now) != nil {
		s.Print(goroutines())
	}
	return now
}

// start starts the callers of every connection. stop ends them, and returns when they are done.
func (s *soak) start() (stop func() error) {
	over := make(chan struct{})
	var callers sync.WaitGroup
	for _, m := range s.members {
		if m.loop != nil {
			callers.Go(func() { m.loop.run(over) })
		}
		for range m.callers {
			lane := s.ledger.newLane()
			c := &caller{soak: s, member: m, choice: choiceOf(s.seed, lane), lane: lane}
			callers.Go(func() { c.run(over) })
		}
	}
	return func() error {
		close(over)
		var done atomic.Bool
		go func() { callers.Wait(); done.Store(true) }()
		if !await(done.Load) {
			return fmt.Errorf("the callers did not return within %v after the load, without a fault", patience)
		}
		return nil
	}
}
