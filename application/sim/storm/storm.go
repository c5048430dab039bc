// Package storm simulates what a broker meets when it comes back: every client that it lost
// connects again. The clients are connections of this library, in virtual time, so that the same
// numbers come out on every machine.
//
// What is modeled: the broker is killed and the clients, which are as far away as [Latency], learn
// of it at once; for [Away] its port refuses connections; then each new connection costs the broker
// [Handshake] of processor time for its handshake, one after the other in the order of their arrival,
// unless its client has given up by then. What is not: lost packets, a limit of the queue of
// connections that are not accepted yet, and all that the clients do when they are back.
package storm

import (
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
)

// What happens to the broker.
const (
	// Latency is the time of a packet between a client and the broker.
	Latency = 500 * time.Microsecond
	// Away is how long the broker is away.
	Away = 5 * time.Second
	// Handshake is the broker's processor time for a new connection: 2,000 connections a second.
	Handshake = 500 * time.Microsecond
	// Bin is the time in which attempts are counted together.
	Bin = 10 * time.Millisecond
)

// The settings of the clients are the defaults of broker.Config.
const (
	setupTimeout = 10 * time.Second
	backoffBase  = 50 * time.Millisecond
	backoffMax   = time.Second
)

// Result is a storm.
type Result struct {
	Clients int
	// Jitter reports whether the pauses of the clients are varied by a fifth at random.
	Jitter bool
	// Attempts counts the dials of all clients since the loss, in each Bin, up to the one in which
	// the last client is back.
	Attempts []int
	// Back is when the last client is back, since the broker is.
	Back time.Duration
	// Waited is the longest time from a dial to a connection that is ready.
	Waited time.Duration
}

// Total is how many attempts there were.
func (r Result) Total() (total int) {
	for _, n := range r.Attempts {
		total += n
	}
	return total
}

// Peak is the largest number of attempts in a Bin.
func (r Result) Peak() int { return slices.Max(r.Attempts) }

// PeakOfReturn is the largest number of attempts in a Bin once the broker is back.
func (r Result) PeakOfReturn() int { return slices.Max(r.Attempts[int(Away/Bin):]) }

// Median is the number of attempts in a Bin that as many Bins exceed as fall short of it.
func (r Result) Median() int {
	sorted := slices.Sorted(slices.Values(r.Attempts))
	return sorted[len(sorted)/2]
}

// storm is one in progress.
type storm struct {
	w         *simulation.World
	clients   []*client
	lost      time.Time // when the broker is lost; zero: not yet
	away      bool
	back      time.Time // when it is back
	connected int       // clients
	waiting   []*link   // connections whose handshakes the broker has not begun
	busy      bool      // with a handshake
	apis      []model.API
	result    Result
}

// Run lets clients lose their broker and come back, with or without jitter. It panics if there is
// no client.
func Run(clients int, jitter bool) Result {
	if clients < 1 {
		panic("storm: there must be a client")
	}
	s := &storm{w: simulation.NewUnsharedWorld(1), apis: model.Table(),
		result: Result{Clients: clients, Jitter: jitter}}
	for i := range clients {
		c := s.newClient(jitter)
		s.clients = append(s.clients, c)
		s.w.At(s.w.Now().Add(time.Duration(i)*time.Millisecond/10), c.drive)
	}
	s.until(clients)
	s.lose()
	s.w.At(s.back, s.recover)
	s.until(0)
	s.until(clients)
	end := s.w.Now()
	s.result.Back = end.Sub(s.back)
	for len(s.result.Attempts) <= int(end.Sub(s.lost)/Bin) {
		s.result.Attempts = append(s.result.Attempts, 0)
	}
	return s.result
}

// listen makes the broker's port accept or refuse the connections of a client.
func (s *storm) listen(c *client, refuse error) {
	c.net.SetSite("broker:9092", simulation.Site{Path: simulation.Path{Latency: Latency}, Refuse: refuse,
		Accept: func(p *simulation.Peer) {
			c.link.peer = p
			s.waiting = append(s.waiting, c.link)
			s.serve()
		}})
}

// until lets time pass until so many clients are connected.
func (s *storm) until(clients int) {
	for s.connected != clients {
		if !s.w.Step() {
			panic("storm: nothing is to happen, and not all clients are connected")
		}
	}
}

// lose kills the broker.
func (s *storm) lose() {
	s.lost, s.away = s.w.Now(), true
	s.back = s.lost.Add(Away)
	s.waiting = nil
	for _, c := range s.clients {
		s.listen(c, simulation.ErrRefused)
		c.link.peer.Reset()
	}
}

// recover lets the broker come back.
func (s *storm) recover() {
	s.away = false
	for _, c := range s.clients {
		s.listen(c, nil)
	}
}

// serve begins the next handshake, if the broker has time. Before the loss they cost nothing.
func (s *storm) serve() {
	for !s.busy && len(s.waiting) > 0 {
		l := s.waiting[0]
		if s.waiting = s.waiting[1:]; l.closed {
			continue
		}
		cost := Handshake
		if s.lost.IsZero() {
			cost = 0
		}
		s.busy = true
		s.w.At(s.w.Now().Add(cost), func() {
			s.busy = false
			if !l.closed {
				(&model.Broker{World: s.w, APIs: s.apis}).Accept(l.peer)
			}
			s.serve()
		})
	}
}
