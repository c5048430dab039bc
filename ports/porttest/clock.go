package porttest

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/ports"
)

// Clock checks a [ports.Clock] and its alarms. newClock returns a new clock and
// a function that lets time pass on it; advance returns when every alarm that
// has come due has been called and has returned.
//
// Each check runs in a bubble of testing/synctest. A clock over package time
// therefore needs no real time: its advance is time.Sleep, then synctest.Wait.
func Clock(t *testing.T, newClock func(t *testing.T) (clock ports.Clock, advance func(time.Duration))) {
	runInBubbles(t, []check[testClock]{
		{"readings follow the time", clockReadings},
		{"a new alarm is not set", clockNewAlarm},
		{"an alarm is called once, at its time", clockOnce},
		{"Set replaces the time", clockReplaces},
		{"a time not after now means at once", clockAtOnce},
		{"Stop unsets", clockStop},
		{"Stop does not wait for a call that has begun", clockStopWhileCalled},
		{"an alarm is called under no lock of the clock", clockNoLock},
		{"alarms are independent", clockManyAlarms},
		{"many goroutines", clockConcurrent},
	}, func(t *testing.T) testClock {
		clock, advance := newClock(t)
		return testClock{clock, advance}
	})
}

type testClock struct {
	ports.Clock
	advance func(time.Duration)
}

// counter is an alarm's function that counts its calls.
type counter struct{ n atomic.Int64 }

func (c *counter) call() { c.n.Add(1) }

func (c *counter) want(t *testing.T, n int64, when string) {
	t.Helper()
	if got := c.n.Load(); got != n {
		t.Fatalf("%s: the alarm was called %d times, want %d", when, got, n)
	}
}

func clockReadings(t *testing.T, c testClock) {
	last := c.Now()
	for _, d := range []time.Duration{0, 1, time.Millisecond, time.Hour} {
		c.advance(d)
		now := c.Now()
		if got := now.Sub(last); got < d {
			t.Errorf("%v passed, the readings differ by %v", d, got)
		}
		last = now
	}
}

func clockNewAlarm(t *testing.T, c testClock) {
	var calls counter
	a := c.NewAlarm(calls.call)
	c.advance(1000 * time.Hour)
	calls.want(t, 0, "never set")
	a.Stop()
	c.advance(1000 * time.Hour)
	calls.want(t, 0, "stopped and never set")
}

func clockOnce(t *testing.T, c testClock) {
	var calls counter
	a := c.NewAlarm(calls.call)
	for range 3 { // an alarm is reused
		before := calls.n.Load()
		a.Set(c.Now().Add(time.Second))
		c.advance(time.Second - time.Nanosecond)
		calls.want(t, before, "a nanosecond early")
		c.advance(time.Nanosecond)
		calls.want(t, before+1, "in time")
		c.advance(time.Hour)
		calls.want(t, before+1, "an hour later")
	}
}

func clockReplaces(t *testing.T, c testClock) {
	var calls counter
	a := c.NewAlarm(calls.call)
	now := c.Now()
	a.Set(now.Add(time.Second))
	a.Set(now.Add(3 * time.Second)) // later
	c.advance(2 * time.Second)
	calls.want(t, 0, "at the time that was replaced")
	a.Set(now.Add(2500 * time.Millisecond)) // earlier
	c.advance(500 * time.Millisecond)
	calls.want(t, 1, "at the new time")
	c.advance(time.Hour)
	calls.want(t, 1, "after all of them")
}

func clockAtOnce(t *testing.T, c testClock) {
	var calls, onStack counter
	a := c.NewAlarm(func() {
		calls.call()
		if calledBySet() {
			onStack.call()
		}
	})
	for i, ago := range []time.Duration{0, time.Nanosecond, 1000 * time.Hour} {
		setAlarm(a, c.Now().Add(-ago))
		c.advance(0)
		calls.want(t, int64(i)+1, "set to "+ago.String()+" ago")
	}
	setAlarm(a, time.Time{})
	c.advance(0)
	calls.want(t, 4, "set to the zero time")
	onStack.want(t, 0, "on the stack of Set")
}

// setAlarm calls Set from a place that calledBySet knows.
//
//go:noinline
func setAlarm(a ports.Alarm, t time.Time) { a.Set(t) }

func calledBySet() bool {
	stack := make([]byte, 64<<10)
	return strings.Contains(string(stack[:runtime.Stack(stack, false)]), "porttest.setAlarm(")
}

func clockStop(t *testing.T, c testClock) {
	var calls counter
	a := c.NewAlarm(calls.call)
	a.Set(c.Now().Add(time.Second))
	a.Stop()
	a.Stop()
	c.advance(time.Hour)
	calls.want(t, 0, "stopped")
	a.Set(c.Now().Add(time.Second))
	c.advance(time.Second)
	calls.want(t, 1, "set again")
	a.Stop()
}

func clockStopWhileCalled(t *testing.T, c testClock) {
	begun, end := make(chan struct{}), make(chan struct{})
	a := c.NewAlarm(func() {
		close(begun)
		<-end
	})
	a.Set(c.Now().Add(time.Second))
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.advance(time.Second)
	}()
	<-begun
	a.Stop() // a deadlock of the bubble, and so a failure, if it waits
	close(end)
	<-done
}

func clockNoLock(t *testing.T, c testClock) {
	var calls, others counter
	other := c.NewAlarm(others.call)
	var a ports.Alarm
	a = c.NewAlarm(func() {
		calls.call()
		a.Stop()
		now := c.Now()
		c.NewAlarm(others.call).Set(now.Add(time.Second / 2))
		other.Set(now.Add(time.Second / 2))
		if calls.n.Load() < 3 {
			a.Set(now.Add(time.Second))
		}
	})
	a.Set(c.Now().Add(time.Second))
	c.advance(time.Second)
	c.advance(time.Second)
	c.advance(time.Second)
	calls.want(t, 3, "an alarm that sets itself")
	c.advance(time.Second)
	others.want(t, 3+3, "alarms that an alarm set")
}

func clockManyAlarms(t *testing.T, c testClock) {
	calls := make([]counter, 100)
	alarms := make([]ports.Alarm, len(calls))
	now := c.Now()
	for i := range calls {
		alarms[i] = c.NewAlarm(calls[i].call)
		alarms[i].Set(now.Add(time.Duration(i%10) * time.Second))
	}
	for i := range alarms {
		if i%3 == 0 {
			alarms[i].Stop()
		}
	}
	c.advance(5 * time.Second)
	for i := range calls {
		want := int64(0)
		if i%10 <= 5 && i%3 != 0 {
			want = 1
		}
		calls[i].want(t, want, "half-way")
		alarms[i].Stop()
	}
}

func clockConcurrent(t *testing.T, c testClock) {
	var calls counter
	shared := c.NewAlarm(calls.call)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			last := c.Now()
			own := c.NewAlarm(calls.call)
			for i := range 200 {
				now := c.Now()
				if now.Before(last) {
					t.Errorf("a reading went back by %v", last.Sub(now))
				}
				last = now
				own.Set(now.Add(time.Duration(i%3) * time.Millisecond))
				shared.Set(now.Add(time.Millisecond))
				if i%5 == 0 {
					own.Stop()
					shared.Stop()
				}
			}
			own.Stop()
		})
	}
	for range 50 {
		c.advance(time.Millisecond)
	}
	wg.Wait()
	shared.Stop()
	c.advance(time.Second)
	before := calls.n.Load()
	c.advance(time.Hour)
	calls.want(t, before, "everything stopped")
}
