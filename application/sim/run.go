package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Result is what a run came to.
type Result struct {
	// Trace is what happened, a line for each thing, with the time since the beginning.
	Trace string
	// Steps, Requests and Faults count the events given to the connection, the requests that
	// its owner sent, and the faults of the plan.
	Steps, Requests, Faults int
	// Failure is the first invariant that did not hold; nil if all did.
	Failure *Failure
}

// Failure is an invariant that did not hold.
type Failure struct {
	// Invariant is its name; see [Invariants].
	Invariant string
	// At is when, since the beginning.
	At time.Duration
	// Text says what was seen.
	Text string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("sim: %s does not hold after %v: %s", f.Invariant, f.At, f.Text)
}

const (
	host           = "broker"
	user, password = "alice", "a secret"

	// The API of the owner's requests. A broker answers with the bytes that came.
	keyEcho = 1000
)

// run is one run of a plan.
type run struct {
	plan  Plan
	start time.Time

	w         *simulation.World
	net       *simulation.Network
	path      simulation.Path
	addresses []string
	broker    *model.Broker
	spoils    []func(*model.Reply) // of the next answers
	siteUntil time.Time            // until when faults last
	nameUntil time.Time
	slowUntil time.Time

	conn    *domain.Connection
	alarm   ports.Alarm
	wake    func()
	awake   bool       // the connection has something to do
	wanted  bool       // the owner wants a connection
	queue   []*request // not admitted yet
	pending []*request // in flight
	serial  int64

	trace trace
	check checker
	Result
}

// request is a request of the owner's.
type request struct {
	number int64
	size   int // of its body, beyond the number
	post   bool
	until  time.Time // when its time in the queue is over
	future *domain.Future
}

// Run runs a plan.
func Run(p Plan) Result {
	r := newRun(p)
	for _, s := range p.Steps {
		r.w.At(r.start.Add(s.At), func() { r.do(s) })
	}
	end := r.start
	if n := len(p.Steps); n > 0 {
		end = r.start.Add(p.Steps[n-1].At)
	}
	for r.Failure == nil {
		next, ok := r.w.Next()
		if !ok || next.After(end) {
			break
		}
		r.step()
	}
	r.settle()
	r.Trace = string(r.trace.text)
	return r.Result
}

func newRun(p Plan) *run {
	r := &run{plan: p, w: simulation.NewWorld(p.Seed)}
	r.start = r.w.Now()
	r.trace.start = r.start
	r.check.init(r)
	r.net = simulation.NewNetwork(r.w)
	r.path = pathOf(p.Setup, r.w)
	for i := range max(p.Setup.Addresses, 1) {
		r.addresses = append(r.addresses, fmt.Sprintf("10.0.0.%d:9092", i+1))
	}
	r.broker = brokerOf(p.Setup, r)
	r.heal()
	r.conn = domain.NewConnection(configOf(p.Setup, r.w), portsOf(p.Setup, r), false)
	r.wake = func() { r.awake = true }
	r.alarm = r.w.NewAlarm(r.wake)
	return r
}

func (r *run) accept(p *simulation.Peer) { r.broker.Accept(p) }

func pathOf(s Setup, w *simulation.World) simulation.Path {
	path := simulation.Path{Latency: s.Latency, Jitter: s.Jitter, Bandwidth: s.Bandwidth, Window: s.Window}
	if s.Piece > 0 {
		draw := w.Stream("pieces")
		path.Piece = func(int) int { return int(draw.Below(int64(s.Piece))) + 1 }
	}
	if s.Take > 0 {
		draw := w.Stream("takes")
		path.Take = func(int) int { return int(draw.Below(int64(s.Take))) + 1 }
	}
	return path
}

func brokerOf(s Setup, r *run) *model.Broker {
	echo := model.API{Key: keyEcho, FlexibleFrom: -1, Handle: func(reply *model.Reply) {
		reply.Body = append([]byte(nil), reply.Request.Body...)
	}}
	b := &model.Broker{World: r.w, APIs: model.Table(append(oldAPIs(9), echo)...),
		Received: r.check.received, Change: r.spoil}
	if s.Old > 0 {
		b.APIs, b.LeavesUnknown = append(oldAPIs(s.Old), echo), s.Old == 9
		return b
	}
	if s.Login {
		b.Login = &model.Login{Lifetime: s.Lifetime,
			Mechanisms: []model.Mechanism{model.Plain(map[string]string{user: password})}}
		if s.Raw {
			for i := range b.APIs {
				if b.APIs[i].Key == ports.KeySASLHandshake {
					b.APIs[i].Max = 0
				}
			}
		}
	}
	return b
}

// oldAPIs are those of a broker of 0.8.2 or 0.9 that a client can tell it by.
func oldAPIs(minor int) []model.API {
	answer := func(key int16, size int) model.API {
		body := make([]byte, size) // no broker, no topic, no group, no error
		return model.API{Key: key, FlexibleFrom: -1, Handle: func(r *model.Reply) { r.Body = body }}
	}
	apis := []model.API{{Key: 0, Max: 2, FlexibleFrom: -1}, answer(ports.KeyMetadata, 8),
		answer(ports.KeyOffsetFetch, 4), answer(ports.KeyFindCoordinator, 12)}
	if minor >= 9 {
		apis = append(apis, answer(ports.KeyListGroups, 6))
	}
	return apis
}

func (r *run) spoil(reply *model.Reply) {
	if len(r.spoils) > 0 {
		change := r.spoils[0]
		r.spoils = r.spoils[1:]
		change(reply)
	}
}

// Defaults of settings that a plan leaves at 0: short, so that a run sees their ends.
const (
	inFlight       = 5
	requestTimeout = 3 * time.Second
	setupTimeout   = 8 * time.Second
	maxThrottle    = 5 * time.Second
	backoffBase    = 50 * time.Millisecond
	backoffMax     = time.Second
)

func configOf(s Setup, w *simulation.World) domain.Config {
	return domain.Config{
		Host: host, Port: 9092, SoftwareName: "sim", SoftwareVersion: "1",
		MaxInFlight:     or(s.InFlight, inFlight),
		MaxPendingBytes: 1 << 20, MaxFrameBytes: 1 << 20,
		RequestTimeout: or(s.RequestTimeout, requestTimeout),
		SetupTimeout:   or(s.SetupTimeout, setupTimeout),
		MaxThrottle:    or(s.MaxThrottle, maxThrottle),
		IdleTimeout:    s.IdleTimeout, PingInterval: s.PingInterval,
		BackoffBase: backoffBase, BackoffMax: backoffMax,
		ProbeOldReleases: s.Old > 0 || s.Probe,
		Rand:             w.Stream("backoff").Uint64,
		Trace:            true,
	}
}

func or[T int | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

func portsOf(s Setup, r *run) domain.Ports {
	p := domain.Ports{Transport: r.net, Codec: kafkacodec.Codec{}, Metrics: &r.check.sums}
	if s.Login {
		a, err := plain.New(plain.Options{Username: user, Password: ports.NewSecret(password)})
		if err != nil {
			panic(err)
		}
		p.Authenticators = []ports.Authenticator{a}
	}
	return p
}

// step lets the next event of the world happen, and the connection do what it makes possible.
func (r *run) step() bool {
	if !r.w.Step() {
		return false
	}
	if r.awake {
		r.awake = false
		r.Steps++
		r.drive()
		r.check.after()
	}
	return true
}

// do is a step of the plan.
func (r *run) do(s Step) {
	i := verbIndex(s.Verb)
	if i < 0 {
		panic("sim: a plan has the unknown verb " + s.Verb)
	}
	r.trace.step(r.w.Now(), s)
	if r.awake = true; i >= owners {
		r.Faults++
	}
	verbs[i].do(r, s)
}

// drive does what the owner of a connection does: it carries out everything, and connects again
// when it may.
func (r *run) drive() {
	for {
		now := r.w.Now()
		switch out := r.conn.Step(now, len(r.queue) > 0); out.Kind {
		case domain.Changed:
			r.trace.changed(now, out)
			r.check.changed(now, out)
		case domain.Noted:
			r.trace.noted(now, out.Event)
			r.check.noted(now, out.Event)
		case domain.Completed:
			r.completed(now, out.Future)
		case domain.Idle:
			if r.connects(now, &out.Deadline) || r.admit(now) {
				continue
			}
			if len(r.queue) > 0 && (out.Deadline.IsZero() || r.queue[0].until.Before(out.Deadline)) {
				out.Deadline = r.queue[0].until
			}
			if out.Deadline.IsZero() {
				r.alarm.Stop()
			} else {
				r.alarm.Set(out.Deadline)
			}
			if !r.conn.Watch(r.wake) {
				return
			}
		}
	}
}

// connects connects if the owner wants that and the backoff is over; otherwise it sees to being
// asked again in time.
func (r *run) connects(now time.Time, deadline *time.Time) bool {
	if !r.wanted || !r.conn.State().Down() {
		return false
	}
	wait, forever := r.conn.ConnectionDelay(now)
	if forever {
		return false
	}
	if wait > 0 {
		*deadline = now.Add(wait)
		return false
	}
	r.conn.Connect(now, domain.ConnectOptions{})
	return true
}

// send puts a request into the owner's queue.
func (r *run) send(size int, post bool) {
	r.wanted = true
	r.serial++
	r.queue = append(r.queue, &request{number: r.serial, size: size, post: post, until: r.w.Now().Add(queueTime)})
}

// queueTime is how long a request waits to be admitted.
const queueTime = 20 * time.Second

// admit sends what waits, as far as it is admitted.
func (r *run) admit(now time.Time) (sent bool) {
	for len(r.queue) > 0 {
		q := r.queue[0]
		if !now.Before(q.until) {
			r.trace.gaveUp(now, q.number)
			r.conn.NoteRefused(now, q.message())
		} else if r.conn.CanSend() != nil {
			return sent
		} else if f, err := r.conn.Send(now, q.message(), 0); err != nil {
			r.check.fail("admitted as said", "CanSend said yes, and Send: %v", err)
		} else {
			r.Requests++
			q.future, f.Tag, sent = f, q, true
			r.pending = append(r.pending, q)
			r.check.sent(q)
		}
		r.queue = r.queue[1:]
	}
	return sent
}

// message is the request as it is sent: its number, and zeros behind it.
func (q *request) message() *ports.RawRequest {
	if q.post {
		body := make([]byte, 10+q.size) // no acks
		binary.BigEndian.PutUint64(body[2:], uint64(q.number))
		return &ports.RawRequest{APIKey: 0, APIVersion: 2, Body: body, NoResponse: true}
	}
	body := make([]byte, 8+q.size)
	binary.BigEndian.PutUint64(body, uint64(q.number))
	return &ports.RawRequest{APIKey: keyEcho, Body: body}
}

func (r *run) completed(now time.Time, f *domain.Future) {
	q := f.Tag.(*request)
	r.trace.completed(now, q.number, f)
	r.check.completed(q, f)
	r.pending = slices.DeleteFunc(r.pending, func(p *request) bool { return p == q })
	q.future = nil
	r.conn.Recycle(f)
}

// cancel gives up the nth of the requests in flight, or the last one.
func (r *run) cancel(n int) {
	if len(r.pending) == 0 {
		return
	}
	n = min(n, len(r.pending)-1)
	q := r.pending[n]
	r.conn.NoteCanceled(r.w.Now(), q.future.Request, q.future)
	r.conn.Abandon(q.future)
	q.future = nil
	r.check.canceled(q)
	r.pending = slices.Delete(r.pending, n, n+1)
}

func (r *run) close() { r.conn.Close(r.w.Now(), nil, false) }
func (r *run) drain() { r.conn.Drain(r.w.Now(), false) }
func (r *run) renew() { r.conn.Reauthenticate(r.w.Now()) }

// settle ends the faults, and requires that the connection answers a request in time.
func (r *run) settle() {
	if r.Failure != nil {
		return
	}
	r.heal()
	begin := r.w.Now()
	s := r.plan.Setup
	bound := or(s.RequestTimeout, requestTimeout) + 2*or(s.SetupTimeout, setupTimeout) +
		or(s.MaxThrottle, maxThrottle) + 2*backoffMax + s.Lifetime + queueTime
	r.wanted = true
	last := int64(0)
	for r.Failure == nil && (last == 0 || r.check.last != last) {
		if r.w.Now().Sub(begin) > bound {
			r.check.fail("ends well", "no request was answered %v after the last fault; state %v, last error: %v",
				bound, r.conn.State(), r.conn.LastError())
		}
		if len(r.pending)+len(r.queue) == 0 {
			r.send(10, false)
			last, r.awake = r.serial, true
			r.w.At(r.w.Now(), func() {})
		}
		if !r.step() && r.Failure == nil {
			r.check.fail("ends well", "request %d waits, and nothing is to happen; state %v", last, r.conn.State())
		}
	}
	r.finish()
}

// finish closes the connection: nothing is left of it.
func (r *run) finish() {
	r.wanted, r.queue = false, nil
	r.conn.Close(r.w.Now(), errors.New("the end"), true)
	r.drive()
	r.check.finished()
}
