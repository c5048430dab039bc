package simtest

import (
	"bytes"
	"fmt"
	"path"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/application/sim"
)

// bubble runs f once, in a bubble of its own. A run in which virtual time does not pass is given up, and
// its goroutines are left.
func bubble(t *testing.T, o Options, seed uint64, plan *sim.Plan, m memory, f func(*World)) *World {
	var made atomic.Pointer[World]
	done := make(chan struct{})
	go func() {
		defer close(done)
		inBubble(t, seed, func() *World {
			w := newWorld(o, seed, plan, m)
			w.id = bubbleID()
			made.Store(w)
			return w
		}, f)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last int64
	for still := 0; still < stuckTicks; {
		select {
		case <-done:
			w := made.Load()
			if w == nil {
				t.FailNow()
			}
			return w
		case <-tick.C: // not if the whole process was stopped, as by a debugger
		}
		still++
		if w := made.Load(); w != nil && w.happened.Load() != last {
			last, still = w.happened.Load(), 0
		}
	}
	w := made.Load()
	w.stuck()
	return w
}

// stuckTicks is for how many seconds of real time virtual time may stand still. Tests make it less.
var stuckTicks = 10

// stuck fails a run from outside of its bubble.
func (w *World) stuck() {
	w.journalMu.Lock()
	var at time.Duration
	if n := len(w.entries); n > 0 {
		at = w.entries[n-1].at
	}
	text := fmt.Sprintf("virtual time has stood still for %d s of real time: a goroutine waits for a sync.Mutex "+
		"whose owner waits for time to pass, or runs without end", stuckTicks)
	w.entries = append(w.entries, entry{at: at, kind: failed, text: text})
	w.closed = true
	w.journalMu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failure = &Failure{Seed: w.seed, At: at, Text: text + "\n" + stacks(w.id), kind: stuckKind}
}

const stuckKind = "stuck"

func inBubble(t *testing.T, seed uint64, create func() *World, f func(*World)) {
	var w *World
	defer func() {
		// Goroutines that are left in a bubble are a panic of synctest. Those of the run are
		// contained.
		v := recover()
		if v == nil {
			return
		}
		err, _ := v.(error)
		if err == nil || w == nil || !strings.HasPrefix(err.Error(), "deadlock:") {
			panic(v)
		}
		w.failAt(w.returned, "left behind", "goroutines are left behind ("+err.Error()+"); "+
			"the usual causes are a Conn that was not closed, and a goroutine that does not end with World.Context\n"+
			stacks(w.id))
	}()
	synctest.Test(t, func(t *testing.T) {
		seedCrypto(t, seed)
		w = create()
		w.run(f, w.id)
	})
}

// ending is how long, in virtual time, the goroutines of a run may take to end.
const endingTime = 10 * time.Minute

func (w *World) run(f func(*World), id string) {
	w.startDriver()
	w.own.Add(1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.own.Add(-1)
		w.protect("the function of Run", func() { f(w) })
	}()
	if !within(w.o.Limit, done) {
		w.fail("limit", fmt.Sprintf("the function of Run did not return within %v of virtual time "+
			"(Options.Limit)\n%s", w.o.Limit, stacks(id)))
	}
	w.returned, w.entered = w.Elapsed(), w.written()
	w.end()
	w.Heal()
	over := make(chan struct{})
	go func() { defer close(over); w.group.Wait() }()
	if !within(endingTime, over) {
		w.fail("left behind", fmt.Sprintf("goroutines of World.Go or Drive did not end within %v after "+
			"World.Context\n%s", endingTime, stacks(id)))
	}
	w.cleanUp(id)
	w.leftOpen()
	time.Sleep(time.Nanosecond) // what was begun at this instant, such as the end of a TLS connection, is done
	w.net.Shutdown()
	w.behind.Shutdown()
	w.servers.Wait()
	settle() // a Conn that was left open has hung up: crypto/rand is the test's until then
	w.stopDriver()
}

func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// protect makes a failure of a panic of f, and of an exit of its goroutine that is not the world's.
func (w *World) protect(what string, f func()) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			w.fail("panic", fmt.Sprintf("panic in %s: %v\n%s", what, v, panicStack()))
		} else if !returned && w.ctx.Err() == nil {
			w.fail("exit", what+" was ended by t.FailNow or t.SkipNow of a test; use World.Fatalf, "+
				"with which the seed is shrunk")
		}
	}()
	f()
	returned = true
}

// panicStack is the stack of a panic, from the function that panicked on.
func panicStack() string {
	stack := string(debug.Stack())
	if _, after, found := strings.Cut(stack, "\npanic("); found {
		if _, after, found = strings.Cut(after, "\n"); found {
			_, after, _ = strings.Cut(after, "\n")
			return after
		}
	}
	return stack
}

// caller returns the file and line of the first function outside of this package.
func caller() string {
	var counters [16]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, ownPackage) || strings.HasSuffix(f.File, "_test.go") {
			return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return "unknown"
		}
	}
}

var ownPackage = func() string {
	pc, _, _, _ := runtime.Caller(0)
	name := runtime.FuncForPC(pc).Name() // of the function that is here
	return name[:strings.LastIndex(name, "/simtest.")+len("/simtest.")]
}()

// bubbleID returns what the headers of stacks have for the bubble of the caller.
func bubbleID() string {
	var buf [128]byte
	header, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("]:"))
	_, id, _ := bytes.Cut(header, []byte("synctest bubble "))
	return "synctest bubble " + string(id) + "]:"
}

// stacks returns the stacks of the goroutines in a bubble, but for those of this package.
func stacks(id string) string {
	buf := make([]byte, 1<<20)
	var own []string
	for _, stack := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		header, rest, _ := strings.Cut(stack, "\n")
		first, _, _ := strings.Cut(rest, "\n")
		outer := !strings.Contains(rest, "created by "+ownPackage) && !strings.Contains(rest, ownPackage+"inBubble") &&
			!strings.Contains(rest, ownPackage+"(*World).drive(") || strings.Contains(rest, ".protect(")
		if strings.HasSuffix(header, id) && outer && !strings.HasPrefix(first, "testing") {
			own = append(own, stack)
		}
	}
	return strings.Join(own, "\n\n")
}
