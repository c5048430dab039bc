package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
	"brokerconn/domain"
	"brokerconn/domain/release"
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
		r.site(s.For, simulation.Site{Accept: r.after(min(s.For, 12*time.Second), r.accept)})
	}},
	// A request of more than N bytes, or 500, ends the connection for a time.
	{"limit-size", func(r *run, s Step) {
		r.broker.MaxRequest = int32(or(int(min(s.N, math.MaxInt32)), 500))
		r.later(&r.sizeUntil, lasting(s), r.healSize)
	}},
	// The broker behind a proxy is down: the proxy answers ApiVersions with error -1, and closes.
	{"proxy-alone", func(r *run, s Step) { r.alone = r.during(lasting(s)) }},
	{"dead-reset", func(r *run, s Step) { // nothing is behind what accepts
		r.site(s.For, simulation.Site{Accept: (*simulation.Peer).Reset})
	}},
}

// limits are faults of this file that last.
type limits struct {
	sizeUntil time.Time
	alone     period // the proxy, without a broker
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

// isStopped reports whether the owner is stopped. It is short enough to be inlined: most owners never are.
func (r *run) isStopped() bool { return !r.stopped.IsZero() && r.stillStopped() }

func (r *run) stillStopped() bool { return r.w.Now().Before(r.stopped) }

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
	r.watcher.completed(r.w.Elapsed(), q.number, domain.ErrCanceled)
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

func (r *run) healSize() { r.broker.MaxRequest = 0 }

// spoilAlone is the answer of a proxy without a broker.
func (r *run) spoilAlone(reply *model.Reply) {
	if reply.Key == ports.KeyAPIVersions && r.alone.lasts(r.w.Now()) && len(reply.Body) >= 2 {
		reply.Body[0], reply.Body[1], reply.Close = 0xff, 0xff, true
	}
}

// spoilThrottle puts a throttle time into an answer that has the field. A broker that throttles
// does not read meanwhile.
func (r *run) spoilThrottle(reply *model.Reply) {
	r.spoilAlone(reply)
	at := throttleField(reply)
	if r.throttle == nil || at < 0 || at+4 > len(reply.Body) {
		return
	}
	d := r.throttle.For.Truncate(time.Millisecond) // which is what the field has
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

// compares reports whether the broker compares the names of the one that is meant. Where a login is wanted
// it does not before one.
func (r *run) compares() bool {
	if s := r.plan.Setup; s.Peer == saslListener && !s.Login {
		return false
	}
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
	r.throttle, r.alone = nil, period{}
	r.healSize()
	if r.isStopped() {
		r.stopped = r.w.Now()
		r.turn()
	}
	if !r.impostorUntil.IsZero() {
		r.impostorUntil = time.Time{}
		r.broker.Stop(true)
		r.broker.NodeID = nodeID
	}
}

// Which broker it is: of a release, another server, and the names that it has.

// ReleaseName is a release of Kafka that has a table: "0.8.2", "4.4".
type ReleaseName string

func (n *ReleaseName) set(value string) error {
	if *n = ReleaseName(value); servers.PlaceOf(value) < 0 {
		return fmt.Errorf("no table of Kafka %s", value)
	}
	return nil
}

// Peer is one of [servers.Peers].
type Peer string

func (p *Peer) set(value string) error {
	if *p = Peer(value); !slices.Contains(servers.Peers(), value) {
		return fmt.Errorf("%q is not one of %s", value, strings.Join(servers.Peers(), ", "))
	}
	return nil
}

// open reports whether the broker has no logins, whatever it answers to a SaslHandshake.
func (s Setup) open() bool { return s.Peer != "" && servers.Open(string(s.Peer)) }

// The first releases that have a table of API versions, and sessions that end, and the last one that knows
// logins by raw tokens only.
const (
	firstAsked    = "0.10.0"
	firstSessions = "2.2"
	lastRaw       = "0.11.0"
)

// old reports whether the broker is one before 0.10, which has no table of API versions.
func (s Setup) old() bool {
	return s.Old > 0 || s.Release != "" && servers.PlaceOf(string(s.Release)) < servers.PlaceOf(firstAsked)
}

// shift makes the broker one of another release, some places away, and restarts it. It stays one
// that can do what the run needs.
func (r *run) shift(by int, away time.Duration) {
	if r.plan.Setup.Release == "" || r.plan.Setup.Peer != "" {
		return
	}
	least := r.release
	switch {
	case r.plan.Setup.Raw && r.release+by <= servers.PlaceOf(lastRaw):
		least = servers.PlaceOf(firstAsked)
	case r.plan.Setup.Login:
		least = servers.PlaceOf(firstSessions)
	case by < 0:
		least = min(r.release, servers.PlaceOf(firstAsked))
	}
	r.release = min(max(r.release+by, least), servers.Count()-1)
	r.broker.APIs, r.broker.LeavesUnknown = servers.APIs(r.release), r.leavesUnknown()
	r.trace.release(r.w.Now(), servers.Release(r.release).String())
	r.restart(away, true)
}

// leavesUnknown reports whether the broker is one of 0.9.
func (r *run) leavesUnknown() bool { return servers.Release(r.release).String() == "0.9.0" }

// identified checks what CheckVersion returned.
func (c *checker) identified(v release.Verdict) {
	if v.Kind == release.Custom && c.r.plan.Setup.Release != "" {
		c.fail("the release", "a broker of %v is said to be %v", servers.Release(c.asked), v)
	}
	if place := servers.PlaceOf(c.taken); place >= 0 { // which older has judged
		c.includes(servers.Release(place), v.Low, v.High)
		return
	}
	c.takenFor(v.Low, v.High)
}

// takenFor checks for which releases a broker was taken.
func (c *checker) takenFor(low, high release.Release) {
	if c.r.plan.Setup.Release == "" {
		return
	}
	is := servers.Release(c.asked)
	if c.r.Faults > 0 && c.askedOld() && low.Compare(release.Release{Minor: 8}) >= 0 && high.Compare(is) < 0 {
		return // a fault before the broker has hidden that it knows a probe, and it knows the older ones too
	}
	c.includes(is, low, high)
}

func (c *checker) includes(is, low, high release.Release) {
	if high.Compare(is) < 0 || low.Compare(is) > 0 {
		c.fail("the release", "a broker of %v is taken for %v to %v", is, low, high)
	}
}

// askedOld reports whether the broker was one before 0.10 when it received the last question.
func (c *checker) askedOld() bool {
	s := c.r.plan.Setup
	return s.Old > 0 || s.Release != "" && c.asked < servers.PlaceOf(firstAsked)
}
