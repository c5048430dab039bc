package soak

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brokerconn/acceptance/relay"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
)

// A fault is something that happens to the broker, to the network or to a login.
type fault struct {
	name string
	// weight is how often it happens in one round of all faults.
	weight int
	// do makes it happen and ends it. Afterwards all connections work again.
	do func(*soak, context.Context, choice) error
	// lasts reports that it is left out of the warm-up, for the time that it takes.
	lasts bool
}

var faults = []fault{
	{name: "kill -9", weight: 1, lasts: true, do: func(s *soak, ctx context.Context, _ choice) error {
		if err := s.broker.Kill(); err != nil {
			return err
		}
		return s.broker.Restart(ctx)
	}},
	{name: "restart", weight: 1, lasts: true, do: func(s *soak, ctx context.Context, _ choice) error {
		return s.broker.Restart(ctx)
	}},
	{name: "short pause", weight: 2, do: func(s *soak, ctx context.Context, c choice) error {
		return s.stopped(ctx, c.upTo(time.Second))
	}},
	{name: "long pause", weight: 1, do: func(s *soak, ctx context.Context, c choice) error {
		return s.stopped(ctx, 2*time.Second+c.upTo(2*time.Second)) // past the timeout of one connection
	}},
	{name: "cut", weight: 2, do: func(s *soak, _ context.Context, _ choice) error {
		s.strike(relay.Fault{Kind: relay.FIN})
		return nil
	}},
	{name: "reset", weight: 2, do: func(s *soak, _ context.Context, _ choice) error {
		s.strike(relay.Fault{Kind: relay.RST})
		return nil
	}},
	{name: "cut within", weight: 6, do: func(s *soak, _ context.Context, c choice) error {
		// Small numbers cut within the next frame, large ones within a large request.
		s.strike(relay.Fault{Kind: [...]relay.Kind{relay.FIN, relay.RST}[c.IntN(2)],
			After: 1 + c.IntN(1<<uint(1+c.IntN(18))), FromClient: c.in(2)})
		return nil
	}},
	{name: "silence", weight: 2, do: func(s *soak, ctx context.Context, c choice) error {
		return s.suffer(ctx, relay.Fault{Kind: relay.Stall}, c.upTo(4*time.Second))
	}},
	{name: "slow", weight: 2, do: func(s *soak, ctx context.Context, c choice) error {
		return s.suffer(ctx, relay.Fault{Kind: relay.Slow, Pause: time.Millisecond + c.upTo(20*time.Millisecond)},
			time.Second+c.upTo(2*time.Second))
	}},
	{name: "bad network", weight: 2, do: func(s *soak, ctx context.Context, c choice) error {
		return s.sufferAny(ctx, c.Uint64(), time.Second+c.upTo(3*time.Second))
	}},
	{name: "other login", weight: 2, do: func(s *soak, _ context.Context, c choice) error {
		login, err := newLogin([...]scram.Hash{scram.SHA256, scram.SHA512}[c.IntN(2)])
		if err != nil {
			return err
		}
		s.eachConn(func(conn *broker.Conn) { conn.SetAuthenticators(login) })
		return nil
	}},
	{name: "reauthentication", weight: 2, do: func(s *soak, ctx context.Context, _ choice) error {
		// It fails where another fault has the connection: the callers report how it goes on.
		s.eachConn(func(conn *broker.Conn) { _ = conn.Reauthenticate(ctx) })
		return nil
	}},
	{name: "quota", weight: 1, do: func(s *soak, ctx context.Context, c choice) error {
		return s.over(ctx, func(ctx context.Context, conn *broker.Conn) error {
			return limit(ctx, conn, limited, float64(8<<10+c.IntN(32<<10)), float64(64<<10+c.IntN(256<<10)))
		})
	}},
}

// stopped stops the broker's process for some time.
func (s *soak) stopped(ctx context.Context, d time.Duration) error {
	if err := s.broker.Pause(); err != nil {
		return err
	}
	err := pause(ctx, d)
	if resumed := s.broker.Resume(); resumed != nil {
		return resumed
	}
	return err
}

func (s *soak) eachConn(do func(*broker.Conn)) {
	for _, m := range s.members {
		if m.conn != nil {
			do(m.conn)
		}
	}
}

// round is every fault, as often as its weight says, in an order of its own. A warm-up has each
// once.
func round(c choice, warmUp bool) (all []fault) {
	for _, f := range faults {
		switch {
		case !warmUp:
			all = append(all, slices.Repeat([]fault{f}, f.weight)...)
		case !f.lasts:
			all = append(all, f)
		}
	}
	c.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// happen lets faults happen, each once the load has made progress on every connection, until
// the load is over, and for one round of faults at least.
func (s *soak) happen(ctx context.Context, c choice, over func() bool, warmUp bool) error {
	for n := 0; ; n++ {
		for _, f := range round(c, warmUp) {
			if n > 0 && over() {
				s.strike(relay.Fault{}) // a cut that no byte has reached
				return s.progress("the last fault")
			}
			if err := f.do(s, ctx, c); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			s.count(s.struck, f.name)
			if err := s.progress(f.name); err != nil {
				return err
			}
		}
	}
}

// enough is how many requests are answered on each connection between two faults.
const enough = 5

// progress waits until requests are answered on each connection.
func (s *soak) progress(after string) error {
	reach := map[*member]int64{}
	for _, m := range s.members {
		reach[m] = m.tally.answered() + enough
	}
	for _, m := range s.members {
		if !await(func() bool { return m.tally.answered() >= reach[m] }) {
			return fmt.Errorf("connection %s: %d requests were not answered within %v after %s, without another fault",
				m.name, enough, patience, after)
		}
	}
	return nil
}

// count counts a fault.
func (s *soak) count(in map[string]int, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in[name]++
}
