package porttest

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/ports"
)

// Selector checks a [ports.Selector]. newSelector returns a new one and the clock
// whose time it waits for.
//
// Each check runs in a bubble of testing/synctest, so that a selector that waits takes
// no real time. The same checks hold for a selector that advances its clock: until must
// be reached after a bounded number of waits.
func Selector(t *testing.T, newSelector func(t *testing.T) (ports.Selector, ports.Clock)) {
	for _, check := range []struct {
		name string
		f    func(t *testing.T, s ports.Selector, c ports.Clock)
	}{
		{"waits for until alone", selectorTime},
		{"does not wait for a time that has passed", selectorPast},
		{"waits until the limit without a Watcher", selectorNoWatcher},
		{"waits until the limit for an idle Watcher", selectorIdleWatcher},
		{"returns when the Watcher calls", selectorChanged},
		{"returns at once if the change came first", selectorChangedBefore},
	} {
		t.Run(check.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := newSelector(t)
				check.f(t, s, c)
			})
		})
	}
}

// maxWaits bounds the number of early returns of Wait.
const maxWaits = 100

func waitUntil(t *testing.T, s ports.Selector, c ports.Clock, what any, until time.Time) {
	t.Helper()
	for range maxWaits {
		if err := s.Wait(what, until); err != nil {
			t.Fatalf("Wait: %v", err)
		}
		if !c.Now().Before(until) {
			return
		}
	}
	t.Errorf("after %d waits the clock has not reached until", maxWaits)
}

func selectorTime(t *testing.T, s ports.Selector, c ports.Clock) {
	for range 3 {
		waitUntil(t, s, c, nil, c.Now().Add(time.Second))
	}
}

func selectorPast(t *testing.T, s ports.Selector, c ports.Clock) {
	before := c.Now()
	if err := s.Wait(nil, before.Add(-time.Hour)); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if now := c.Now(); now.Sub(before) > 0 {
		t.Errorf("%v passed", now.Sub(before))
	}
}

func selectorNoWatcher(t *testing.T, s ports.Selector, c ports.Clock) {
	waitUntil(t, s, c, struct{}{}, c.Now().Add(time.Second))
}

func selectorIdleWatcher(t *testing.T, s ports.Selector, c ports.Clock) {
	waitUntil(t, s, c, &changing{}, c.Now().Add(time.Second))
}

func selectorChanged(t *testing.T, s ports.Selector, c ports.Clock) {
	what := &changing{}
	go what.change()
	waitForChange(t, s, c, what)
}

func selectorChangedBefore(t *testing.T, s ports.Selector, c ports.Clock) {
	what := &changing{}
	what.change()
	waitForChange(t, s, c, what)
}

// waitForChange must not take time of the bubble, which a selector that advances its
// own clock does not change.
func waitForChange(t *testing.T, s ports.Selector, c ports.Clock, what *changing) {
	t.Helper()
	before := time.Now()
	if err := s.Wait(what, c.Now().Add(time.Hour)); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if waited := time.Since(before); waited > 0 {
		t.Errorf("waited %v after the change", waited)
	}
}

// changing is a Watcher whose change comes with a call of change.
type changing struct {
	mu      sync.Mutex
	changed bool
	f       func()
}

var _ ports.Watcher = (*changing)(nil)

func (w *changing) Watch(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.changed {
		go f()
		return
	}
	w.f = f
}

func (w *changing) change() {
	w.mu.Lock()
	w.changed = true
	f := w.f
	w.f = nil
	w.mu.Unlock()
	if f != nil {
		f()
	}
}
