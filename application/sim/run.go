package sim

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Result is what a run came to.
type Result struct {
	// Trace is what happened, a line for each thing, with the time since the beginning.
	Trace string
	// Steps, Requests and Faults count the events given to the connection, the requests that
	// its owner sent, and the faults of the plan, and Kinds the verbs of these faults.
	Steps, Requests, Faults, Kinds int
	// Failure is the first invariant that did not hold; nil if all did.
	Failure *Failure
}

// Failure is an invariant that did not hold.
type Failure struct {
	// Invariant is its name, as the documentation of the package lists it.
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
	host      = "broker"
	clientID  = "sim"
	clusterID = "cluster"
	nodeID    = 7

	// The API of the owner's requests. A broker answers with the bytes that came.
	keyEcho = servers.KeyEcho
	// The API of those that expect no response.
	keyProduce = 0
)

// run is one run of a plan.
type run struct {
	plan  Plan
	start time.Time

	w         *simulation.World
	net       *simulation.Network
	tap       tap
	steps     []Step      // of the plan, by time, that are left
	planned   ports.Alarm // the first of them
	path      simulation.Path
	addresses []string
	broker    *model.Broker
	spoils    []func(*model.Reply) // of the next answers
	siteUntil time.Time            // until when faults last
	nameUntil time.Time
	slowUntil time.Time
	logins
	limits
	links  int              // that were established
	breaks *simulation.Peer // the one with a break

	release       int       // of those that are known
	throttle      *Step     // for the next answer that has the field
	stopped       time.Time // until when the owner is
	impostorUntil time.Time

	conn    connection
	acts    []Step // of the owner, which are due
	alarm   ports.Alarm
	alarmAt time.Time // when alarm is set to; zero: it is not
	wakes   time.Time // when it is to wake the owner: not before that; zero: not at all
	wake    func()
	awake   bool       // the connection has something to do
	wanted  bool       // the owner wants a connection
	final   bool       // it has closed or drained it for good
	closed  time.Time  // when it last closed it
	queue   []*request // not admitted yet
	pending []*request // in flight
	serial  int64

	trace   trace
	check   checker
	verb    int            // the one that is carried out
	kinds   [maxVerbs]bool // that happened
	cover   *Coverage      // nil: cells are not counted
	memory  *memory
	story   *story   // nil: there is no chart
	watcher *Watcher // nil: there is no watcher
	Result
}

// Run runs a plan.
func Run(p Plan) Result { return newRun(p, nil, nil).run() }

// Check is Run without the Trace, and takes less time. It checks all the same.
func Check(p Plan) Result { return check(p, nil) }

func check(p Plan, c *Coverage) Result {
	r := c.newRun(p)
	r.trace.off = true
	return r.run()
}

func (r *run) run() (result Result) {
	defer func() {
		if v := recover(); v != nil {
			r.check.fail("no panic", "%v, in %s", v, panicked())
			r.Trace = string(r.trace.text)
			result = r.Result
		}
	}()
	end := r.start
	if n := len(r.steps); n > 0 {
		end = r.start.Add(r.steps[n-1].At)
		r.planned.Set(r.start.Add(r.steps[0].At))
	}
	// While steps are left, the next event is not behind the end.
	for r.Failure == nil && (len(r.steps) > 0 && r.w.Step() || r.w.StepUntil(end)) {
		r.react()
	}
	r.settle()
	r.giveBack()
	r.Trace = string(r.trace.text)
	result = r.Result
	r.keepMemory()
	return result
}

// panicked names the function in which the panic began.
func panicked() string {
	pcs := make([]uintptr, 64)
	frames, below := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)]), false
	for {
		frame, more := frames.Next()
		system := strings.HasPrefix(frame.Function, "runtime.")
		if below && !system || !more {
			return frame.Function
		}
		below = below || frame.Function == "runtime.gopanic"
	}
}

func newRun(p Plan, s *story, cover *Coverage) *run {
	return newRunIn(memories.Get().(*memory), p, s, cover, nil)
}

func newRunIn(m *memory, p Plan, s *story, cover *Coverage, w *Watcher) *run {
	r := m.newRun()
	r.plan, r.w, r.steps = p, simulation.NewUnsharedWorld(p.Seed), p.Steps
	r.memory, r.story, r.cover, r.watcher = m, s, cover, w
	if !slices.IsSortedFunc(r.steps, byTime) {
		r.steps = slices.Clone(r.steps)
		sortSteps(r.steps)
	}
	r.planned = r.w.NewEarlyAlarm(r.next)
	r.start = r.w.Now()
	r.trace = trace{start: r.start, text: r.memory.text[:0]}
	r.check.init(r)
	r.account, r.tokens = accountOf(p.Setup), map[string]token{}
	if s != nil {
		s.r = r
	}
	r.net = r.memory.net.Successor(r.w)
	r.tap = tap{Network: r.net, r: r}
	r.path = pathOf(p.Setup, r.w)
	r.addresses = addressesOf(max(p.Setup.Addresses, 1))
	r.broker = brokerOf(p.Setup, r)
	r.heal()
	r.connection()
	r.wake = func() { r.awake = true }
	r.alarm = r.w.NewAlarm(r.alarmed)
	return r
}

// connection makes a connection.
func (r *run) connection() {
	if r.plan.Setup.Polled {
		r.conn = newPolled(r)
		return
	}
	r.conn = &core{c: domain.NewConnection(configOf(r.plan.Setup, r.w), portsOf(r.plan.Setup, r), false), r: r}
}

// step lets the next event of the world happen, and the connection do what it makes possible.
func (r *run) step() bool {
	if !r.w.Step() {
		return false
	}
	r.react()
	return true
}

// react lets the connection do what an event made possible.
func (r *run) react() {
	if r.awake {
		r.turn()
	}
}

// turn is a step of the connection, unless its owner is stopped.
func (r *run) turn() {
	if r.isStopped() {
		return
	}
	r.awake = false
	r.story.working()
	r.Steps++
	r.drive()
	r.check.after()
	r.story.idle()
}

// next is the next step of the plan, or all that the owner does at one instant.
func (r *run) next() {
	for owners := true; owners; {
		s := r.steps[0]
		r.steps = r.steps[1:]
		r.do(s)
		owners = len(r.steps) > 0 && r.steps[0].At == s.At && s.requests() && r.steps[0].requests()
	}
	if len(r.steps) > 0 {
		r.planned.Set(r.start.Add(r.steps[0].At))
	}
}

func (r *run) do(s Step) {
	i := verbIndex(s.Verb)
	if i < 0 {
		panic("sim: a plan has the unknown verb " + s.Verb)
	}
	r.trace.step(r.w.Now(), s)
	r.story.step(s)
	r.awake = true
	if i < owners { // once the world's event is over: a call may wait for the next one
		r.acts = append(r.acts, s)
		return
	}
	if r.Faults++; !r.kinds[i] {
		r.kinds[i] = true
		r.Kinds++
	}
	r.cover.fault(i)
	r.verb = i
	verbs[i].do(r, s)
}

// act is an operation of the owner's.
func (r *run) act(s Step) {
	i := verbIndex(s.Verb)
	if r.given(s) {
		r.cover.operation(i)
	}
	verbs[i].do(r, s)
}

// given reports whether an operation of the owner's is given to the connection.
func (r *run) given(s Step) bool {
	switch s.Verb {
	case "cancel":
		return len(r.pending) > 0
	case "dial":
		return r.conn.state() == domain.Closed
	case "doze":
		return false
	case "swap":
		return r.plan.Setup.Login
	}
	return true
}

func (r *run) changed(now time.Time, from, to domain.State, err error) {
	r.trace.changed(now, from, to, err)
	r.story.changed(to, err)
	r.watcher.changed(r.w.Elapsed(), from, to, err)
	r.check.changed(now, from, to, err)
}

func (r *run) noted(now time.Time, e *domain.Event) {
	r.trace.noted(now, e)
	r.story.noted(e)
	r.watcher.noted(r.w.Elapsed(), e)
	r.check.noted(now, e)
}

// settle ends the faults, and requires that the connection answers a request in time, or, if it
// was closed or drained for good, that it is closed.
func (r *run) settle() {
	for r.Failure == nil && len(r.acts) > 0 { // what became due within a call that blocked, or a gap
		if !r.isStopped() {
			r.turn()
		} else if !r.step() {
			break
		}
	}
	if r.Failure != nil {
		return
	}
	r.heal()
	r.healed, r.check.refused = true, nil
	r.story.said("the faults are over: a request must be answered")
	s := r.plan.Setup
	bound := or(s.RequestTimeout, requestTimeout) + 2*or(s.SetupTimeout, setupTimeout) +
		or(s.MaxThrottle, maxThrottle) + 2*backoffMax + s.Lifetime + queueTime
	r.wanted = true
	if !r.final && r.prospect() != certainly {
		if !r.refused(r.w.Now().Add(bound)) {
			r.finish()
			return
		}
	}
	last, end := int64(0), r.w.Elapsed()+bound
	for r.Failure == nil && r.conn.state() != domain.Closed && (last == 0 || r.check.last != last) {
		if r.w.Elapsed() > end {
			r.check.fail("ends well", "no request was answered %v after the last fault; state %v, last error: %v",
				bound, r.conn.state(), r.conn.stats().LastError)
		}
		if len(r.pending)+len(r.queue) == 0 && !r.final {
			r.send(10, false)
			last, r.awake = r.serial, true
			r.w.At(r.w.Now(), func() {})
		}
		if !r.step() && r.Failure == nil {
			r.check.fail("ends well", "request %d waits, and nothing is to happen; state %v", r.serial, r.conn.state())
		}
	}
	r.finish()
}

// finish closes the connection: nothing is left of it.
func (r *run) finish() {
	r.wanted, r.queue = false, r.queue[:0]
	r.closed = r.w.Now()
	r.conn.close(r.w.Now(), errors.New("the end"), true)
	r.drive()
	r.check.finished()
	r.check.quiet()
}
