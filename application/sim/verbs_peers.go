package sim

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// Verbs of what brokers do that limit their clients, that are others than before, or are not the one
// that is meant, and of an owner that is stopped.

// askVerbs are operations of the owner.
var askVerbs = []verb{
	{"ask", func(r *run, _ Step) { r.ask() }},                   // Metadata, as a message of the codec
	{"withdraw", func(r *run, s Step) { r.withdraw(int(s.N)) }}, // the Nth request that was not admitted yet
	// Close, with a cause.
	{"lose", func(r *run, _ Step) { r.conn.close(r.w.Now(), errGivenUp, false) }},
}

var errGivenUp = errors.New("given up by its owner")

var peerVerbs = []verb{
	// The next answer that can says that the client is throttled, for a time; N 1: a negative one.
	{"throttle", func(r *run, s Step) { r.throttle = &s }},
	{"gap", func(r *run, s Step) { r.gap(s.For) }}, // the process is stopped for a time
	// The broker is restarted as one of a release N places on, or back.
	{"upgrade", func(r *run, s Step) { r.shift(int(s.N), s.For) }},
	{"downgrade", func(r *run, s Step) { r.shift(-int(s.N), s.For) }},
	{"impostor", func(r *run, s Step) { r.impostor(s.For) }}, // another broker has the address
	// Limits of connections, as brokers have them: closed without a byte, held for a second and
	// reset, or served late.
	{"limit-ip", func(r *run, s Step) {
		r.site(s.For, simulation.Site{Accept: r.after(2*time.Millisecond, func(p *simulation.Peer) { _ = p.Close() })})
	}},
	{"limit-rate", func(r *run, s Step) {
		r.site(s.For, simulation.Site{Accept: r.after(time.Second, (*simulation.Peer).Reset)})
	}},
	{"limit-late", func(r *run, s Step) {
		r.site(s.For, simulation.Site{Accept: r.after(min(s.For, 12*time.Second), r.broker.Accept)})
	}},
	{"dead-reset", func(r *run, s Step) { // nothing is behind what accepts
		r.site(s.For, simulation.Site{Accept: (*simulation.Peer).Reset})
	}},
}

// after lets something happen to a link some time after it was accepted.
func (r *run) after(d time.Duration, do func(*simulation.Peer)) func(*simulation.Peer) {
	return func(p *simulation.Peer) { r.w.At(r.w.Now().Add(d), func() { do(p) }) }
}

// gap stops the owner, whose timers run on.
func (r *run) gap(d time.Duration) {
	r.stopped = r.w.Now().Add(d)
	r.w.At(r.stopped, r.wake)
}

// isStopped reports whether the owner is stopped.
func (r *run) isStopped() bool { return r.w.Now().Before(r.stopped) }

// impostor restarts the broker as another one of another cluster, for a time.
func (r *run) impostor(d time.Duration) {
	r.broker.Stop(true)
	r.broker.NodeID++
	r.later(&r.impostorUntil, d, func() {
		r.broker.Stop(true)
		r.broker.NodeID = nodeID
	})
}

// withdraw gives up a request that was not admitted yet.
func (r *run) withdraw(n int) {
	if len(r.queue) == 0 {
		return
	}
	n = min(n, len(r.queue)-1)
	q := r.queue[n]
	r.queue = append(r.queue[:n], r.queue[n+1:]...)
	r.trace.gaveUp(r.w.Now(), q.number)
	r.conn.withdraw(r.w.Now(), q)
}

// The first versions of which a client has to respect the throttle time (KIP-219).
const (
	throttledVersions = 2
	throttledMetadata = 6
)

// throttleField returns where the throttle time of an answer is; -1: it has none.
func throttleField(reply *model.Reply) int {
	switch body := reply.Body; {
	case reply.Refused, reply.None, len(body) < 8:
	case reply.Key == ports.KeyMetadata && reply.Version >= 3:
		return 0
	case reply.Key != ports.KeyAPIVersions || reply.Version == 0 || reply.Version > 5 || body[0]|body[1] != 0:
	case reply.Version < 3:
		return len(body) - 4
	default:
		rows, size := binary.Uvarint(body[2:])
		return 2 + size + 7*int(rows-1)
	}
	return -1
}

// spoilThrottle puts a throttle time into an answer that has the field. A broker that throttles
// does not read meanwhile.
func (r *run) spoilThrottle(reply *model.Reply) {
	at := throttleField(reply)
	if r.throttle == nil || at < 0 || at+4 > len(reply.Body) {
		return
	}
	d := r.throttle.For
	ms := int32(min(d.Milliseconds(), math.MaxInt32))
	if r.throttle.N > 0 {
		ms = -ms
	}
	r.throttle = nil
	binary.BigEndian.PutUint32(reply.Body[at:], uint32(ms))
	bound := min(d, or(r.plan.Setup.MaxThrottle, maxThrottle))
	since := int16(throttledVersions)
	if reply.Key == ports.KeyMetadata {
		since = throttledMetadata
	}
	if ms > 0 && reply.Version >= since {
		reply.Mute = bound
		if number := numberIn(&reply.Request); number > 0 {
			r.check.of(number).throttle = bound
		}
	}
}

// compares reports whether the broker compares the names of the one that is meant.
func (r *run) compares() bool {
	named := false
	for _, a := range r.broker.APIs {
		if a.Key == ports.KeyAPIVersions && a.Max < namingVersions {
			return false
		}
		named = named || a.Key == ports.KeyMetadata && !a.Unlisted
	}
	return named
}

// namingVersions is the first version of ApiVersions that names a broker (KIP-1242).
const namingVersions = 5

// healPeers ends the faults of this file.
func (r *run) healPeers() {
	r.throttle = nil
	if r.isStopped() {
		r.stopped = time.Time{}
		r.turn()
	}
	if !r.impostorUntil.IsZero() {
		r.impostorUntil = time.Time{}
		r.broker.Stop(true)
		r.broker.NodeID = nodeID
	}
}
