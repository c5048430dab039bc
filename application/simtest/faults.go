package simtest

import (
	"crypto/tls"
	"errors"
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
)

// The faults of connections. Those of a broker are hit that exist at the time.
var (
	// Cut ends the connections of a broker cleanly, as a broker does that stops, or closes idle
	// ones: over TLS with a close_notify.
	Cut = Fault{Name: "cut", Begin: cut}
	// Reset ends them with a reset: what is on the way is lost.
	Reset = Fault{Name: "reset", Begin: eachPeer((*simulation.Peer).Reset)}
	// HalfClose ends the stream from the broker. It still receives, and what it answers is lost.
	HalfClose = Fault{Name: "half-close", Begin: eachPeer((*simulation.Peer).CloseWrite)}
	// Silent loses everything that is sent on the connections of a broker, in both directions,
	// from now on. Neither end learns of it.
	Silent = Fault{Name: "silent", Begin: eachPeer((*simulation.Peer).Silence)}
	// Forget makes a middlebox forget the connections of a broker: what is sent from now on is
	// answered with a reset.
	Forget = Fault{Name: "forget", Begin: eachPeer(func(p *simulation.Peer) { p.Forget(true) })}
)

// The faults of new connections.
var (
	// Refuse makes a broker refuse new connections.
	Refuse = Fault{Name: "refuse", Least: 100 * time.Millisecond, Most: 30 * time.Second,
		Begin: atSite(simulation.Site{Refuse: simulation.ErrRefused})}
	// Deaf makes new connections to a broker have no answer.
	Deaf = Fault{Name: "deaf", Least: 100 * time.Millisecond, Most: 30 * time.Second,
		Begin: atSite(simulation.Site{Silent: true})}
	// DeadEnd makes new connections be accepted and closed at once, as by a proxy that has lost its
	// broker.
	DeadEnd = Fault{Name: "dead-end", Least: 100 * time.Millisecond, Most: 30 * time.Second,
		Begin: atSite(simulation.Site{Accept: func(p *simulation.Peer) { _ = p.Close() }})}
	// NoDNS makes lookups of a broker's host fail.
	NoDNS = Fault{Name: "no-dns", Least: 100 * time.Millisecond, Most: 30 * time.Second, Begin: noDNS}
)

// The faults of brokers.
var (
	// Restart kills a broker: its connections are reset, and new ones refused until it is back. It
	// stays the leader of its partitions.
	Restart = Fault{Name: "restart", Least: 100 * time.Millisecond, Most: 30 * time.Second, Begin: restart}
	// MoveLeaders moves the leadership of every partition to another broker, if there is one. The number in a plan is
	// how many brokers further.
	MoveLeaders = Fault{Name: "move-leaders", argument: true, Begin: moveLeaders}
	// WrongID makes the next answer of a broker have the correlation id of another request.
	WrongID = Fault{Name: "wrong-id", Begin: spoil(func(r *model.Reply) { r.ID++ })}
	// Truncate cuts the next answer of a broker in the middle, and its connection with it.
	Truncate = Fault{Name: "truncate", Begin: spoil(func(r *model.Reply) { r.Cut = 6 })}
	// Garbage makes the next answer of a broker one of a web server.
	Garbage = Fault{Name: "garbage",
		Begin: spoil(func(r *model.Reply) { r.Frame = []byte("HTTP/1.1 400 Bad Request\r\n\r\n") })}
	// Drop makes the next answer of a broker never come.
	Drop = Fault{Name: "drop", Begin: spoil(func(r *model.Reply) { r.None = true })}
)

// Slow makes each answer of a broker take a time between least and most, for ten seconds.
func Slow(least, most time.Duration) Fault {
	return Fault{Name: "slow", Least: least, Most: most, lasts: 10 * time.Second, Begin: slow}
}

// Faults returns the faults that World.Chaos has by itself, with Slow up to four seconds: all of the
// package but those of logins, ExpireSessions and RefuseLogins.
func Faults() []Fault {
	return []Fault{Cut, Reset, HalfClose, Silent, Forget, Refuse, Deaf, DeadEnd, NoDNS, Restart, MoveLeaders,
		WrongID, Truncate, Garbage, Drop, Slow(0, 4*time.Second)}
}

func eachPeer(do func(*simulation.Peer)) func(*World, int, time.Duration) func() {
	return func(w *World, i int, _ time.Duration) func() {
		for _, p := range w.net.Live() {
			if p.Endpoint().Address == w.nodes[i].address {
				do(p)
			}
		}
		return nil
	}
}

func cut(w *World, i int, _ time.Duration) func() {
	var secure []*tls.Conn
	eachPeer(func(p *simulation.Peer) {
		if front, ok := w.fronts.Load(p); ok {
			secure = append(secure, front.(*tls.Conn))
		} else {
			_ = p.Close()
		}
	})(w, i, 0)
	w.servers.Go(func() { // one by one
		for _, c := range secure {
			_ = c.Close()
		}
	})
	return nil
}

// atSite replaces what dials of a broker meet. If several such faults are active, the last counts.
func atSite(s simulation.Site) func(*World, int, time.Duration) func() {
	return func(w *World, i int, _ time.Duration) func() { return override(w, w.nodes[i], &w.nodes[i].sites, s) }
}

var errNoName = errors.New("no such host")

func noDNS(w *World, i int, _ time.Duration) func() {
	return override(w, w.nodes[i], &w.nodes[i].names, simulation.Name{Err: errNoName})
}

func slow(w *World, i int, d time.Duration) func() {
	return override(w, w.nodes[i], &w.nodes[i].delays, d)
}

func restart(w *World, i int, _ time.Duration) func() {
	w.nodes[i].model.Stop(true)
	eachPeer((*simulation.Peer).Reset)(w, i, 0)
	return override(w, w.nodes[i], &w.nodes[i].sites, simulation.Site{Refuse: simulation.ErrRefused})
}

func spoil(change func(*model.Reply)) func(*World, int, time.Duration) func() {
	return func(w *World, i int, _ time.Duration) func() {
		return override(w, w.nodes[i], &w.nodes[i].spoils, change)
	}
}

func moveLeaders(w *World, by int, _ time.Duration) func() {
	w.names.moveLeaders(by)
	return nil
}

// override adds a value to a list of a broker's, of which the last one counts, until the function
// that it returns is called.
func override[T any](w *World, n *node, list *[]*T, value T) (end func()) {
	own := &value
	n.mu.Lock()
	*list = append(*list, own)
	n.mu.Unlock()
	n.apply(w)
	return func() {
		n.mu.Lock()
		*list = slices.DeleteFunc(*list, func(other *T) bool { return other == own })
		n.mu.Unlock()
		n.apply(w)
	}
}
