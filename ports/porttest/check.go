package porttest

import (
	"errors"
	"io"
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/ports"
)

// What the suites share: checks by name, calls with a result, and waits with a limit.

// check is a sentence of a contract, and the function that fails if it does not hold.
type check[T any] struct {
	name string
	f    func(t *testing.T, subject T)
}

// run runs each check as a subtest, with a subject of its own.
func run[T any](t *testing.T, checks []check[T], newSubject func(t *testing.T) T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) { c.f(t, newSubject(t)) })
	}
}

// runInBubbles is run in bubbles of testing/synctest.
func runInBubbles[T any](t *testing.T, checks []check[T], newSubject func(t *testing.T) T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.f(t, newSubject(t)) })
		})
	}
}

// needs skips a check that needs something which the harness does not have.
func needs(t *testing.T, has bool, what string) {
	t.Helper()
	if !has {
		t.Skip("needs " + what)
	}
}

// optional returns v as an interface that it need not implement.
func optional[T any](t *testing.T, v any) T {
	t.Helper()
	as, ok := v.(T)
	if !ok {
		t.Skipf("needs a %v: %T does not implement it", reflect.TypeFor[T](), v)
	}
	return as
}

// outcome is what a call returned that moves bytes.
type outcome struct {
	n   int
	err error
}

func of(n int, err error) outcome { return outcome{n, err} }

// want compares the error itself: one that wraps it is another.
func (o outcome) want(t *testing.T, call string, n int, err error) {
	t.Helper()
	if o != (outcome{n, err}) {
		t.Fatalf("%s: got %d, %v; want %d, %v", call, o.n, o.err, n, err)
	}
}

// wantFinal checks that a call on a closed link does not pretend that waiting helps.
func (o outcome) wantFinal(t *testing.T, call string) {
	t.Helper()
	if o.n != 0 || o.err == nil || errors.Is(o.err, ports.ErrWouldBlock) || errors.Is(o.err, ports.ErrInterrupted) ||
		o.err == io.EOF {
		t.Errorf("%s after Close: got %d, %v; want an error that is final", call, o.n, o.err)
	}
}

// patience bounds how long a check waits for what has to happen. It decides when
// a defect is reported, never whether a sound implementation passes.
var patience = 20 * time.Second

// eventually asks again, as an owner without a Watcher does, until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for i := 0; !ok(); i++ {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		pauseAsking(i)
	}
}

// pauseAsking lets others run between two questions.
func pauseAsking(i int) {
	if i < 100 {
		runtime.Gosched()
	} else {
		time.Sleep(100 * time.Microsecond)
	}
}

// await waits for f, which runs on a goroutine of its own and leaves t alone.
func await(t *testing.T, what string, f func()) {
	t.Helper()
	receive(t, what, started(func() struct{} {
		f()
		return struct{}{}
	}))
}

// started runs f on a goroutine of its own, and returns a channel with its result.
func started[T any](f func() T) <-chan T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return done
}

func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case v := <-from:
		return v
	case <-limit.C:
		t.Fatalf("waited in vain: %s", what)
		panic("not reached")
	}
}
