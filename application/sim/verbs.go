package sim

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
)

// The verbs of a plan. Those of the owner act on the connection; the others are faults.

// verb is what a step does.
type verb struct {
	name string
	do   func(*run, Step)
}

var verbs = slices.Concat(ownerVerbs, askVerbs, faultVerbs, peerVerbs, loginVerbs, tlsVerbs, plainVerbs)

var ownerVerbs = []verb{
	{"send", func(r *run, s Step) { r.send(int(s.N), false) }}, // a request with a body of N bytes
	{"post", func(r *run, s Step) { r.send(int(s.N), true) }},  // one that expects no response
	{"cancel", func(r *run, s Step) { r.cancel(int(s.N)) }},    // the Nth oldest request
	// And connect again with the next request; drain: once nothing is in flight.
	{"close", func(r *run, _ Step) { r.close(false) }},
	{"drain", func(r *run, _ Step) { r.drain(false) }},
	{"renew", func(r *run, _ Step) { r.renew() }}, // the session
	// The question for the release, N: strictly; and a Polled that does not receive for a time.
	{"check", func(r *run, s Step) { r.conn.check(r.w.Now(), s.For, s.N > 0) }},
	{"doze", func(r *run, s Step) { r.doze(s.For) }},
	// And nothing follows, but another connection.
	{"close-for-good", func(r *run, _ Step) { r.close(true) }},
	{"drain-for-good", func(r *run, _ Step) { r.drain(true) }},
	{"dial", func(r *run, _ Step) { r.dial() }},
	{"swap", func(r *run, s Step) { r.swap(s.N) }}, // the authenticators: see swaps
}

var faultVerbs = []verb{
	{"reset", func(r *run, _ Step) { r.each((*simulation.Peer).Reset) }},
	{"fin", func(r *run, _ Step) { r.each(func(p *simulation.Peer) { _ = p.Close() }) }},
	{"half-close", func(r *run, _ Step) { r.each((*simulation.Peer).CloseWrite) }},
	{"silence", func(r *run, _ Step) { r.each((*simulation.Peer).Silence) }},
	{"forget", func(r *run, _ Step) { r.each(func(p *simulation.Peer) { p.Forget(false) }) }},
	{"forget-reset", func(r *run, _ Step) { r.each(func(p *simulation.Peer) { p.Forget(true) }) }},
	{"refuse", func(r *run, s Step) { r.site(s.For, simulation.Site{Refuse: simulation.ErrRefused}) }},
	{"deaf", func(r *run, s Step) { r.site(s.For, simulation.Site{Silent: true}) }},
	{"dead-end", func(r *run, s Step) { // something accepts for the broker, and has none behind it
		r.site(s.For, simulation.Site{Accept: func(p *simulation.Peer) { _ = p.Close() }})
	}},
	{"no-dns", func(r *run, s Step) { r.name(s.For, simulation.Name{Err: errNoName}) }},
	{"slow-dns", func(r *run, s Step) { r.name(s.For, simulation.Name{Delay: s.For}) }},
	{"restart", func(r *run, s Step) { r.restart(s.For, true) }}, // the broker is killed, and away for a time
	{"stop", func(r *run, s Step) { r.restart(s.For, false) }},   // it ends, and is away for a time
	{"slow", func(r *run, s Step) { r.slow(s.For) }},             // each answer of the next second takes so long

	// Changes of the next answer.
	{"drop", spoil(func(r *model.Reply, _ Step) { r.None = true })},
	{"late", spoil(func(r *model.Reply, s Step) { r.Delay += s.For })},
	{"wrong-id", spoil(func(r *model.Reply, s Step) {
		if r.Key != 0 { // a broker that answers these too would answer the request behind it, as it seems
			r.ID += int32(s.N)
		}
	})},
	{"twice", spoil(func(r *model.Reply, _ Step) { r.Copies = 1 })},
	{"overtake", spoil(func(r *model.Reply, s Step) { r.Overtakes = true })},
	{"cut", spoil(func(r *model.Reply, s Step) { r.Cut = int(s.N) })},
	{"size", spoil(func(r *model.Reply, s Step) {
		if numberIn(&r.Request) == 0 { // a message of the codec would be unreadable, as it is
			n := int32(s.N)
			r.Size = &n
		}
	})},
	{"negative-size", spoil(func(r *model.Reply, s Step) { n := -int32(s.N); r.Size = &n })},
	{"short", spoil(func(r *model.Reply, s Step) {
		if !ofOwner(r) {
			r.Body = r.Body[:max(len(r.Body)-int(s.N), 0)]
		}
	})},
	{"long", spoil(func(r *model.Reply, s Step) {
		if !ofOwner(r) {
			r.Body = append(r.Body, make([]byte, min(s.N, 1000))...)
		}
	})},
	{"answer-all", spoil(func(r *model.Reply, _ Step) { r.None = false })}, // also what expects no answer
	{"http", spoil(func(r *model.Reply, _ Step) { r.Frame = []byte("HTTP/1.1 400 Bad Request\r\n\r\n") })},
	{"alert", spoil(func(r *model.Reply, _ Step) { r.Frame = []byte{0x15, 3, 3, 0, 2, 2, 40} })},
	{"then-close", spoil(func(r *model.Reply, _ Step) { r.Close = true })},
	{"then-reset", spoil(func(r *model.Reply, _ Step) { r.Reset = true })},
	{"error", func(r *run, s Step) {
		spoil(func(reply *model.Reply, s Step) {
			if !ofOwner(reply) && len(reply.Body) >= 2 {
				r.check.misled = reply.Conn
				binary.BigEndian.PutUint16(reply.Body, uint16(s.N))
			}
		})(r, s)
	}},
}

// maxVerbs is more than there are verbs.
const maxVerbs = 128

// owners is how many of the verbs, the first ones, are operations of the owner.
var owners = len(ownerVerbs) + len(askVerbs)

// ofOwner reports whether an answer is to the owner, whose affair its body is.
func ofOwner(r *model.Reply) bool { return r.Key == keyEcho || numberIn(&r.Request) > 0 }

var errNoName = errors.New("no such host")

// spoil changes the next answer that the broker sends.
func spoil(change func(*model.Reply, Step)) func(*run, Step) {
	return func(r *run, s Step) {
		verb := r.verb
		r.spoils = append(r.spoils, func(reply *model.Reply) {
			r.cover.fault(verb)
			change(reply, s)
		})
	}
}

// sortSteps sorts by time, and leaves the order of those of one time. Most are in their places: each of the others
// is moved to its own.
func sortSteps(steps []Step) {
	for i := 1; i < len(steps); i++ {
		s := steps[i]
		if s.At >= steps[i-1].At {
			continue
		}
		to, _ := slices.BinarySearchFunc(steps[:i], s.At+1, func(t Step, at time.Duration) int {
			return cmp.Compare(t.At, at)
		})
		copy(steps[to+1:i+1], steps[to:i])
		steps[to] = s
	}
}

func byTime(a, b Step) int { return cmp.Compare(a.At, b.At) }

// Verbs returns the verbs of a plan.
func Verbs() (names []string) {
	for _, v := range verbs {
		names = append(names, v.name)
	}
	return names
}

func verbIndex(name string) int {
	for i := range verbs { // the most frequent ones are the first
		if verbs[i].name == name {
			return i
		}
	}
	return -1
}

func (r *run) each(do func(*simulation.Peer)) {
	for _, p := range r.net.Live() {
		do(p)
	}
}

// site replaces all addresses for a time.
func (r *run) site(d time.Duration, s simulation.Site) {
	s.Path = r.path
	for _, address := range r.addresses {
		r.net.SetSite(address, s)
	}
	r.later(&r.siteUntil, d, r.healSites)
}

func (r *run) healSites() {
	to := simulation.Site{Path: r.path, Accept: r.accept, Handshake: r.plan.Setup.Handshake}
	for _, address := range r.addresses {
		r.net.SetSite(address, to)
	}
}

func (r *run) name(d time.Duration, n simulation.Name) {
	n.Addresses = r.addresses
	n.Secure = r.plan.Setup.TLS
	r.net.SetName(host, n)
	r.later(&r.nameUntil, d, r.healName)
}

func (r *run) healName() {
	s := r.plan.Setup
	r.net.SetName(host, simulation.Name{Addresses: r.addresses, Rotate: true, Secure: s.TLS,
		Verified: s.TLS && !s.Unverified})
}

func (r *run) restart(d time.Duration, killed bool) {
	r.broker.Stop(killed)
	r.site(d, simulation.Site{Refuse: simulation.ErrRefused})
}

func (r *run) slow(d time.Duration) {
	r.broker.Think = func(*model.Request) time.Duration { return d }
	r.later(&r.slowUntil, time.Second, r.healSlow)
}

func (r *run) healSlow() { r.broker.Think = nil }

// later ends a fault after a time, unless one of its kind has begun since.
func (r *run) later(until *time.Time, d time.Duration, heal func()) {
	at := r.w.Now().Add(d)
	*until = at
	r.w.At(at, func() {
		if *until == at {
			heal()
		}
	})
}

// heal ends all faults.
func (r *run) heal() {
	r.spoils, r.faults, r.delay = nil, loginFaults{}, 0
	r.healPeers()
	r.healBreak()
	if r.broker.Login != nil {
		r.broker.Login.Unheeded, r.broker.Login.TooSoon = false, false
		r.healMechanisms()
	}
	r.siteUntil, r.nameUntil, r.slowUntil = time.Time{}, time.Time{}, time.Time{}
	r.healSites()
	r.healName()
	r.healSlow()
}

// requests reports whether a step puts a request into the owner's queue, and does nothing to the
// connection. Those of one instant are admitted together.
func (s Step) requests() bool { return s.Verb == "send" || s.Verb == "post" }
