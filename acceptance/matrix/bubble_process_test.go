package matrix

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/simulation"
	"brokerconn/application/broker"
	"brokerconn/application/sim"
	"brokerconn/ports"
)

// The process of a stage: it may be stopped, the wall clock of its machine may jump, and its hooks may panic or take
// their time.

// process is all that wakes a Conn but its callers: the clock and the news of its network.
type process struct {
	began   time.Time
	apart   bool // news come on goroutines of their own: a hook that sleeps does not stop the network
	mu      sync.Mutex
	until   time.Time // it is stopped until then
	alarms  []func()  // that came meanwhile
	news    []func()
	jump    time.Duration // of the wall clock
	panics  time.Time     // until when hooks panic
	sleeps  time.Duration // for how long the next hook sleeps
	strikes int           // how many hooks did
}

// stop stops the process. What comes meanwhile comes at the end, timers first: the worst order that a system has.
func (p *process) stop(w *simulation.World, d time.Duration) {
	until := w.Now().Add(d)
	p.mu.Lock()
	p.until = until
	p.mu.Unlock()
	w.At(until, func() {
		p.mu.Lock()
		late := append(p.alarms, p.news...)
		p.mu.Unlock()
		for _, f := range late {
			f()
		}
	})
}

// running is a call of f now, or at the end of the stop.
func (p *process) running(late *[]func(), f func()) func() {
	return func() {
		p.mu.Lock()
		stopped := time.Now().Before(p.until)
		if stopped {
			*late = append(*late, f)
		}
		p.mu.Unlock()
		switch {
		case stopped:
		case p.apart:
			go f()
		default:
			f()
		}
	}
}

// wait waits while the process is stopped.
func (p *process) wait() {
	p.mu.Lock()
	left := time.Until(p.until)
	p.mu.Unlock()
	time.Sleep(left)
}

// Now is the time, with the wall reading of a clock that may have jumped, and a monotonic reading that has not. A time
// of a bubble has no monotonic reading.
func (p *process) Now() time.Time {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	return reading(now.Add(p.jump), now.Sub(p.began))
}

// reading returns a time with both readings. Package time has no function for that, whose clocks are not set:
// TestReading shows that it does it.
func reading(wall time.Time, monotonic time.Duration) (t time.Time) {
	since := wall.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	fields := (*struct {
		wall uint64 // a bit for the monotonic reading, 33 bits of seconds, 30 of nanoseconds
		ext  int64
	})(unsafe.Pointer(&t))
	fields.wall = 1<<63 | uint64(since)<<30 | uint64(wall.Nanosecond())
	fields.ext = int64(monotonic)
	return t
}

func (p *process) NewAlarm(f func()) ports.Alarm {
	return &processAlarm{system.Clock{}.NewAlarm(p.running(&p.alarms, f)), p}
}

type processAlarm struct {
	ports.Alarm
	p *process
}

func (a *processAlarm) Set(t time.Time) { a.Alarm.Set(time.Now().Add(t.Sub(a.p.Now()))) }

// transport is the network of a process.
func (p *process) transport(n *simulation.Network) ports.Transport { return processTransport{n, p} }

type processTransport struct {
	ports.Transport
	p *process
}

func (t processTransport) Resolve(host string, port uint16) ports.Lookup {
	return processLookup{t.Transport.Resolve(host, port), t.p}
}

func (t processTransport) Open(ep ports.Endpoint) ports.Link {
	return processLink{t.Transport.Open(ep), t.p}
}

type processLookup struct {
	ports.Lookup
	p *process
}

func (l processLookup) Watch(f func()) { l.Lookup.(ports.Watcher).Watch(l.p.running(&l.p.news, f)) }

type processLink struct {
	ports.Link
	p *process
}

func (l processLink) Watch(f func()) { l.Link.(ports.Watcher).Watch(l.p.running(&l.p.news, f)) }

// hooks are those of a program: all that there are.
func (p *process) hooks() *broker.Hooks {
	h := &broker.Hooks{}
	fields := reflect.ValueOf(h).Elem()
	for i := range fields.NumField() {
		field := fields.Field(i)
		field.Set(reflect.MakeFunc(field.Type(), func([]reflect.Value) []reflect.Value {
			p.hook()
			return nil
		}))
	}
	return h
}

func (p *process) hook() {
	p.mu.Lock()
	sleeps, panics := p.sleeps, time.Now().Before(p.panics)
	if p.sleeps = 0; panics || sleeps > 0 {
		p.strikes++
	}
	p.mu.Unlock()
	time.Sleep(sleeps)
	if panics {
		panic("a hook of a program")
	}
}

// wrong returns whether hooks that were to go wrong did not.
func (p *process) wrong(plan sim.Plan) (list []string) {
	hooked := slices.ContainsFunc(plan.Steps, func(s sim.Step) bool { return strings.HasPrefix(s.Verb, "hook") })
	if hooked && p.strikes == 0 {
		list = append(list, "hooks: got no call of one within the fault")
	}
	return list
}

// processVerbs are the faults of processes; those of hooks and of wall clocks are not of application/sim.
var processVerbs = map[string]verb{
	"gap": func(s *stage, step sim.Step) { s.process.stop(s.world, step.For) },
	"jump": func(s *stage, step sim.Step) { // of the wall clock; N is 1: back
		s.process.mu.Lock()
		defer s.process.mu.Unlock()
		if s.process.jump = step.For; step.N == 1 {
			s.process.jump = -step.For
		}
	},
	"hooks-panic": func(s *stage, step sim.Step) {
		until := s.world.Now().Add(step.For)
		s.process.mu.Lock()
		defer s.process.mu.Unlock()
		s.process.panics = until
	},
	"hook-sleeps": func(s *stage, step sim.Step) {
		s.process.mu.Lock()
		defer s.process.mu.Unlock()
		s.process.sleeps = step.For
	},
}
