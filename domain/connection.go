package domain

import (
	"errors"
	"fmt"
	"time"

	"brokerconn/ports"
)

// Ports is what a [Connection] reaches the world through.
type Ports struct {
	Transport      ports.Transport       // never nil
	Codec          ports.Codec           // never nil
	Authenticators []ports.Authenticator // the first that the broker offers is used; none: no login
	Metrics        ports.MetricsSink     // nil: none
}

// A Connection is a Machine bound to its ports. Like the Machine it has no lock
// and no goroutine, and none of its calls blocks.
//
// The Connection owns its Machine: commands and questions (connection_commands.go)
// go through it, and the Machine's outputs are carried out by Step.
type Connection struct {
	m     *Machine
	ports Ports
	park  bool

	epoch    uint64 // of what follows
	lookup   ports.Lookup
	link     ports.Link
	watches  ports.Watcher    // the link, if it is one
	parker   ports.Parker     // the link, if its owner parks in it
	drives   bool             // the owner asks TakeDial
	undialed ports.DrivenLink // the link, until the owner drives or watches it
	stage    ports.Stage
	exchange ports.Exchange
	asked    bool      // the exchange was given a challenge that it has not answered
	choked   bool      // the link did not take all of the last Transmit
	drained  bool      // the link said that nothing more has arrived
	sendErr  error     // writing failed; what has arrived is read first
	reading  bool      // the read lease is out
	putOff   time.Time // the last deadline at which something lay to be read
	readBy   time.Time // when that ends timers
}

// pollEvery bounds the wait for what cannot tell when it is ready.
const pollEvery = 10 * time.Millisecond

// NewConnection binds a new Machine to ports; see [NewMachine] for cfg, whose
// Codec, Metrics, Mechanisms and Race come from the ports. With park, links over blocking
// I/O are left to the owner once established: see TakeRead.
func NewConnection(cfg Config, p Ports, park bool) *Connection {
	if p.Transport == nil {
		panic("domain: Ports.Transport is nil")
	}
	cfg.Codec, cfg.Metrics = p.Codec, p.Metrics
	cfg.Mechanisms = mechanismsOf(p.Authenticators)
	_, races := p.Transport.(ports.Racer)
	cfg.Race = races && park
	m := NewMachine(cfg)
	return &Connection{m: m, ports: p, park: park}
}

// Step carries out what the Machine wants done, and listens to the ports, until
// there is something for the owner: Changed, Completed and Noted, to be handled
// before Step is called again, or Idle. Only after Idle may the owner wait, until
// the output's Deadline or until the function of Watch is called. The output and its
// Event belong to the Connection, and are valid until Step is called again.
//
// waiting reports whether the owner has requests that are not admitted yet: then the
// connection is not idle, see [Machine.Hold].
func (c *Connection) Step(now time.Time, waiting bool) *Output {
	c.m.Hold(now, waiting)
	if c.choked {
		if c.choked = false; c.m.up(c.epoch) { // it may have been lost since
			c.m.HandleWritable(now, c.epoch)
		}
	}
	for {
		out := c.m.next(c.parker == nil)
		switch out.Kind {
		case Resolve:
			c.resolve(out)
		case Open:
			c.open(out)
		case Transmit:
			c.send(now, out.Epoch, out.Data)
		case Challenge:
			c.challenge(now, out)
		case Hangup:
			c.hangup()
		case Completed, Changed, Noted:
			return out
		case Idle:
			if c.exchange != nil && c.dismiss() || c.listen(now) {
				continue
			}
			d := c.m.NextDeadline()
			if !d.IsZero() && !now.Before(d) {
				if c.drained { // when it was last asked: the owner may have called a slow hook since
					c.drained = false
					continue
				}
				if until := c.readsFirst(now, d); now.Before(until) {
					out.Deadline = until
					return out
				}
				c.m.handleTimeout(now, c.Waiting())
				continue
			}
			c.drained = false // the owner waits now
			if out.Deadline = d; c.mustPoll() {
				out.Deadline = soonest(d, now.Add(pollEvery))
			}
			return out
		}
	}
}

// Resting reports whether Step has nothing to do but to return Idle, with a Deadline that is not before alarm, when
// its owner asks next. It is the case between a request and its response.
func (c *Connection) Resting(now, alarm time.Time) bool {
	return c.parker != nil && c.exchange == nil && !c.choked && c.m.resting(now, alarm)
}

// readsFirst returns until when the owner of a parked link has to read before timers end, once for each deadline: what
// has arrived lies there if it was stopped, or has called a slow hook. Steps until then are of its other alarms and
// callers, while it reads.
func (c *Connection) readsFirst(now, deadline time.Time) (until time.Time) {
	link, ok := c.parker.(ports.Checker)
	if !ok || c.stage != ports.StageEstablished {
		return time.Time{}
	}
	if !deadline.Equal(c.putOff) {
		var err error
		c.guard("transport", func() { err = link.Check() })
		if !errors.Is(err, ports.ErrUnread) {
			return time.Time{}
		}
		c.putOff, c.readBy = deadline, now.Add(pollEvery)
	}
	return c.readBy
}

func (c *Connection) resolve(out *Output) {
	c.epoch = out.Epoch
	c.guard("transport", func() {
		if c.lookup = c.ports.Transport.Resolve(c.m.hostPort()); c.lookup == nil {
			panic("Resolve returned nil")
		}
	})
}

func (c *Connection) open(out *Output) {
	c.epoch = out.Epoch
	c.stage, c.sendErr, c.choked, c.drained, c.reading = ports.StageDialing, nil, false, false, false
	c.guard("transport", func() {
		if len(out.Endpoints) == 0 {
			c.link = c.ports.Transport.Open(out.Endpoint)
		} else if c.prepare(out) {
			c.link = c.undialed
		} else if link := c.ports.Transport.(ports.Racer).Race(out.Endpoints, out.Delay); link != nil {
			c.link = link
		}
		if c.link == nil {
			panic("Open returned nil")
		}
	})
	c.watches, _ = c.link.(ports.Watcher)
	c.parker = nil
	if c.park {
		c.parker, _ = c.link.(ports.Parker)
	}
}

func (c *Connection) send(now time.Time, epoch uint64, data []byte) {
	n, err := c.write(data)
	c.m.HandleWritten(now, epoch, n)
	if err != nil && !ports.WouldBlock(err) {
		c.sendErr = err
		return
	}
	c.choked = n < len(data)
}

func (c *Connection) write(data []byte) (n int, err error) {
	returned := false
	defer func() {
		if !returned {
			c.contain("transport", recover())
		}
	}()
	taken, failure := c.link.Send(data)
	mustFit(taken, data)
	returned = true
	return taken, failure
}

// hangup closes whatever leads to the peer.
func (c *Connection) hangup() {
	c.forget()
	lookup, link := c.lookup, c.link
	c.lookup, c.link, c.watches, c.parker, c.undialed = nil, nil, nil, nil, nil
	c.choked, c.sendErr = false, nil
	if lookup != nil {
		c.guard("transport", lookup.Close)
	}
	if link != nil {
		c.guard("transport", func() { _ = link.Close() }) // the error that matters was reported before
	}
}

func mustFit(n int, p []byte) {
	if n < 0 || n > len(p) {
		panic("it counts bytes that were not there")
	}
}

// guard calls a port. A panic in it is remembered, and Next drops the connection for it. What is called most
// does the same without a function to pass.
func (c *Connection) guard(which string, call func()) {
	returned := false
	defer func() {
		if !returned { // to ask for a panic takes longer than most calls
			c.contain(which, recover())
		}
	}()
	call()
	returned = true
}

func (c *Connection) contain(which string, p any) {
	switch {
	case p == nil:
	case which == "authenticator":
		// What it says may hold the secret that it was working on.
		c.m.breakWith(errors.New("panic in the authenticator"))
	default:
		c.m.breakWith(fmt.Errorf("panic in the %s: %v", which, p))
	}
}
