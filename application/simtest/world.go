package simtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/broker"
	"brokerconn/application/sim"
)

// World is what one run of one seed lives in: brokers, a network and virtual time. Its methods may be
// called by every goroutine of the run, unless they say otherwise.
type World struct {
	o     Options
	id    string // of the bubble
	seed  uint64
	began time.Time
	sim   *simulation.World
	net   *simulation.Network
	nodes []*node

	ctx    context.Context // until the run is over, or has failed
	cancel context.CancelFunc
	driver
	goroutines
	journal
	secure
	traffic
	alarms alarms

	mu        sync.Mutex
	failure   *Failure
	returned  time.Duration // when the function of Run returned
	entered   int           // in the journal, until then
	configs   int           // made
	rands     int           // made
	names     names
	last      metadata // of the driver alone
	handled   map[int16]Handler
	password  string     // see SetPassword
	listened  int        // brokers that Listen has returned
	plan      *sim.Plan  // that is replayed, or nil
	generated []sim.Step // the faults of Chaos
	active    []*ending  // the faults that are to be healed
	cleanups  []func()
}

func newWorld(o Options, seed uint64, plan *sim.Plan, m memory) *World {
	w := &World{o: o, seed: seed, began: time.Now(), plan: plan, password: Password, sim: simulation.NewWorld(seed),
		handled: map[int16]Handler{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.entries, w.passed = slices.Grow(m.entries[:0], firstEntries), slices.Grow(m.passed[:0], firstEntries)
	w.sim.Follow(time.Now, w.hurry)
	w.net, w.behind = m.net.Successor(w.sim), simulation.NewNetwork(w.sim)
	w.build(m.models)
	return w
}

// Seed returns the seed of the run.
func (w *World) Seed() uint64 { return w.seed }

// Now returns the virtual time, as time.Now does within a run.
func (w *World) Now() time.Time { return time.Now() }

// Elapsed returns the time since the run began, which the journal and plans have.
func (w *World) Elapsed() time.Duration { return time.Since(w.began) }

// Context returns a context that ends when the function of Run has returned, or the run has failed.
func (w *World) Context() context.Context { return w.ctx }

// Config returns the settings for a connection to a broker: its host and port, the simulated
// network as the transport, with TLS if Options.TLS is set, an authenticator for each of
// Options.Mechanisms, the virtual clock, randomness from the seed, and hooks that write the journal.
// All of them may be changed; hooks of one's own are best set one by one in cfg.Hooks. It panics if
// there is no such broker.
func (w *World) Config(brokerIndex int) broker.Config {
	n := w.node(brokerIndex)
	w.mu.Lock()
	w.configs++
	number := w.configs
	w.mu.Unlock()
	cfg := broker.Config{
		Host:      n.host,
		Port:      port,
		Transport: w.transport(),
		Clock:     clock{alarms: &w.alarms},
		Selector:  selector{w},
		Rand:      (&lockedStream{s: w.sim.Stream("jitter of client " + strconv.Itoa(number))}).Uint64,
		Hooks:     w.hooks(number, n.index),
	}
	if w.o.TLS {
		cfg.Transport = w.secureTransport()
	}
	for _, name := range w.o.Mechanisms {
		cfg.Authenticators = append(cfg.Authenticators, w.Authenticator(name, w.currentPassword()))
	}
	return cfg
}

// lockedStream is a stream for a Conn, whose goroutines share it.
type lockedStream struct {
	mu sync.Mutex
	s  *simulation.Stream
}

func (l *lockedStream) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.Uint64()
}

// Rand returns a new generator of random numbers, which depend on the seed and on how many
// generators were made before. One goroutine at a time uses it.
func (w *World) Rand() *rand.Rand {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rands++
	return rand.New(w.sim.Stream("rand " + strconv.Itoa(w.rands)))
}

// Broker returns the model of a broker, for faults of one's own and for what the methods of World
// do not offer. Its fields belong to the world: a [Fault] changes them, or a call before the
// first connection.
func (w *World) Broker(brokerIndex int) *model.Broker {
	w.foreign.Store(true)
	return w.node(brokerIndex).model
}

// Network returns the simulated network. The address of a broker is its host and port.
func (w *World) Network() *simulation.Network {
	w.foreign.Store(true)
	return w.net
}

// Say writes a line to the journal.
func (w *World) Say(format string, args ...any) {
	w.note(entry{kind: said, text: fmt.Sprintf(format, args...)})
}

// Fatalf fails the seed, and ends the goroutine that calls it.
func (w *World) Fatalf(format string, args ...any) {
	w.fail(caller(), fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// Errorf fails the seed, and returns. With FailNow it makes a World usable where packages of
// assertions take a *testing.T.
func (w *World) Errorf(format string, args ...any) { w.fail(caller(), fmt.Sprintf(format, args...)) }

// FailNow fails the seed, and ends the goroutine that calls it.
func (w *World) FailNow() {
	w.fail(caller(), "failed")
	runtime.Goexit()
}

// Helper does nothing: a failure names the first line outside of this package.
func (w *World) Helper() {}

// Invariant has check called after everything that happens, from now on. An error fails the seed.
// check must not wait for anything.
func (w *World) Invariant(name string, check func() error) {
	at := caller()
	w.watch("invariant "+name, false, func(*loop) {
		if err := check(); err != nil {
			w.fail(at, fmt.Sprintf("invariant %s: %v", name, err))
		}
	})
}

// Never fails the seed if cond is true, from now on. Like Invariant, it is called after everything
// that happens, and must not wait.
func (w *World) Never(name string, cond func() bool) {
	at := caller()
	w.watch("never "+name, false, func(*loop) {
		if cond() {
			w.fail(at, "happened, and never should: "+name)
		}
	})
}

// Eventually waits until cond is true, and fails the seed if that takes longer than d. cond is called
// after everything that happens; it may wait, for a request for instance.
func (w *World) Eventually(d time.Duration, cond func() bool) {
	w.await("Eventually", d, func() error {
		if !cond() {
			return errNotTrue
		}
		return nil
	})
}

var errNotTrue = errors.New("not true")

// Settles waits until check returns nil, and fails the seed with its last error if that takes longer
// than d. Otherwise it is Eventually, for conditions whose values a report should have.
func (w *World) Settles(d time.Duration, check func() error) {
	w.await("Settles", d, check)
}

func (w *World) await(name string, d time.Duration, check func() error) {
	at, limit := caller(), w.Now().Add(d)
	l := &loop{wake: make(chan struct{}, 1)}
	w.subscribe(l)
	defer w.unsubscribe(l)
	l.alarm.Set(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if !w.Now().Before(limit) {
			w.fail(at, fmt.Sprintf("%s: %v after %v", name, err, d))
		}
		l.wait()
	}
}

// Sleep waits. Unlike time.Sleep it ends when the seed has failed.
func (w *World) Sleep(d time.Duration) {
	w.sleep(w.Now().Add(d))
	w.exitIfOver()
}

// exitIfOver ends the goroutine of a run that has failed.
func (w *World) exitIfOver() {
	if w.ctx.Err() != nil {
		runtime.Goexit()
	}
}
