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
// Each check runs in a bubble of testing/synctest, so that a selector which
// really waits takes no real time. One that moves its clock instead is checked
// by the same words: after a bounded number of waits the time has come.
func Selector(t *testing.T, newSelector func(t *testing.T) (ports.Selector, ports.Clock)) {
	for _, check := range []struct {
		name string
		f    func(t *testing.T, s ports.Selector, c ports.Clock)
	}{
		{"waits for the time alone", selectorTime},
		{"a time that has passed is not waited for", selectorPast},
		{"waits no longer than until for what does not tell", selectorUntold},
		{"waits no longer than until for what never tells", selectorNeverTold},
		{"returns when what tells", selectorTold},
		{"what told before it was watched is not waited for", selectorToldBefore},
	} {
		t.Run(check.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := newSelector(t)
				check.f(t, s, c)
			})
		})
	}
}

// maxWaits bounds how often Wait may come back early.
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
	t.Errorf("after %d waits the time has not come", maxWaits)
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

func selectorUntold(t *testing.T, s ports.Selector, c ports.Clock) {
	waitUntil(t, s, c, struct{}{}, c.Now().Add(time.Second))
}

func selectorNeverTold(t *testing.T, s ports.Selector, c ports.Clock) {
	waitUntil(t, s, c, &teller{}, c.Now().Add(time.Second))
}

func selectorTold(t *testing.T, s ports.Selector, c ports.Clock) {
	what := &teller{}
	go what.tell()
	waitForNews(t, s, c, what)
}

func selectorToldBefore(t *testing.T, s ports.Selector, c ports.Clock) {
	what := &teller{}
	what.tell()
	waitForNews(t, s, c, what)
}

// waitForNews must not take the time itself: that of the bubble, which a selector
// that moves its own clock leaves alone.
func waitForNews(t *testing.T, s ports.Selector, c ports.Clock, what *teller) {
	t.Helper()
	before := time.Now()
	if err := s.Wait(what, c.Now().Add(time.Hour)); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if waited := time.Since(before); waited > 0 {
		t.Errorf("waited %v for what had told", waited)
	}
}

// teller is a Watcher that has news once it was told.
type teller struct {
	mu   sync.Mutex
	told bool
	f    func()
}

var _ ports.Watcher = (*teller)(nil)

func (w *teller) Watch(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told {
		go f()
		return
	}
	w.f = f
}

func (w *teller) tell() {
	w.mu.Lock()
	w.told = true
	f := w.f
	w.f = nil
	w.mu.Unlock()
	if f != nil {
		f()
	}
}
