package porttest

import (
	"sync"
	"testing"
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
	runInBubbles(t, []check[testSelector]{
		{"waits for until alone", selectorWaits(nil)},
		{"does not wait for a time that has passed", selectorPast},
		{"waits until the limit without a Watcher", selectorWaits(struct{}{})},
		{"waits until the limit for an idle Watcher", selectorWaits(&changing{})},
		{"returns when the Watcher calls", func(t *testing.T, s testSelector) {
			what := &changing{}
			go what.change()
			s.waitForChange(t, what)
		}},
		{"returns at once if the change came first", func(t *testing.T, s testSelector) {
			what := &changing{}
			what.change()
			s.waitForChange(t, what)
		}},
	}, func(t *testing.T) testSelector {
		s, c := newSelector(t)
		return testSelector{s, c}
	})
}

type testSelector struct {
	ports.Selector
	ports.Clock
}

// maxWaits bounds the number of early returns of Wait.
const maxWaits = 100

func selectorWaits(what any) func(*testing.T, testSelector) {
	return func(t *testing.T, s testSelector) {
		for range 3 {
			until, waits := s.Now().Add(time.Second), 0
			for ; s.Now().Before(until) && waits < maxWaits; waits++ {
				if err := s.Wait(what, until); err != nil {
					t.Fatalf("Wait: %v", err)
				}
			}
			if s.Now().Before(until) {
				t.Errorf("after %d waits the clock has not reached until", waits)
			}
		}
	}
}

func selectorPast(t *testing.T, s testSelector) {
	before := s.Now()
	if err := s.Wait(nil, before.Add(-time.Hour)); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if now := s.Now(); now.After(before) {
		t.Errorf("%v passed", now.Sub(before))
	}
}

// waitForChange must not take time of the bubble, which a selector that advances its
// own clock does not change.
func (s testSelector) waitForChange(t *testing.T, what *changing) {
	t.Helper()
	before := time.Now()
	if err := s.Wait(what, s.Now().Add(time.Hour)); err != nil {
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
	f := w.f
	w.changed, w.f = true, nil
	w.mu.Unlock()
	if f != nil {
		f()
	}
}
