package soak

import (
	"context"
	"time"

	"brokerconn/acceptance"
	"brokerconn/acceptance/relay"
)

// connect starts a relay before each listener. disconnect closes them.
func (s *soak) connect() (disconnect func(), err error) {
	disconnect = func() {
		for _, r := range s.relays {
			_ = r.Close() // the port is no longer needed
		}
	}
	for _, listener := range []acceptance.Listener{acceptance.SASLSSL, acceptance.Reauth} {
		r, err := relay.Start(s.broker.AddrOf(listener), relay.Options{
			Fault: s.faultOf,
			Began: func(k relay.Kind) { s.count(s.begun, string(k)) },
		})
		if err != nil {
			disconnect()
			return nil, err
		}
		s.relays[listener] = r
	}
	return disconnect, nil
}

// faultOf is the fault of a new connection.
func (s *soak) faultOf(n int) relay.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expected == nil {
		return relay.Fault{}
	}
	return s.expected(n)
}

// expect sets the fault of each new connection; nil: none.
func (s *soak) expect(faultOf func(n int) relay.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = faultOf
}

// strike puts a fault on every connection that exists.
func (s *soak) strike(f relay.Fault) {
	for _, r := range s.relays {
		r.Strike(f)
	}
}

// suffer gives every connection a fault, those that exist and new ones, and takes it back after some time.
func (s *soak) suffer(ctx context.Context, f relay.Fault, d time.Duration) error {
	f.FromClient = true // it begins with the first byte
	s.expect(func(int) relay.Fault { return f })
	s.strike(f)
	err := pause(ctx, d)
	s.expect(nil)
	s.strike(relay.Fault{})
	return err
}

// badKinds are those that a bad network has. None changes bytes: a listener without TLS would not notice.
var badKinds = []relay.Kind{relay.FIN, relay.RST, relay.HalfClose, relay.Silence, relay.Stall, relay.CloseNow,
	relay.ResetNow}

// sufferAny ends every connection, and gives each new one a fault of its own for some time. It leaves none that has
// one.
func (s *soak) sufferAny(ctx context.Context, seed uint64, d time.Duration) error {
	s.expect(func(n int) relay.Fault { return relay.Random(choiceOf(seed, n).Rand, badKinds...) })
	s.strike(relay.Fault{Kind: relay.FIN})
	err := pause(ctx, d)
	s.expect(nil)
	s.strike(relay.Fault{Kind: relay.RST})
	return err
}
