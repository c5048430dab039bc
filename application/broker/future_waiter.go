package broker

import (
	"context"
	"sync"
)

// Waiting for a Future. A goroutine that waits registers a waiter as the state of the Future, and
// what completes the Future fills the waiter's token. A second goroutine that waits for the same
// Future uses the channel of Done.

// shared is what the Futures of one owner have in common.
type shared struct {
	owner   owner
	mu      sync.Mutex // guards the Futures that are not done
	awaited int        // of these, those for which a goroutine waits that was left without work, or a channel
	woken   uint64     // how many such waits have ended with their Future
	// waiters are not used, so that a wait costs no allocation. They are not shared with
	// other connections, because a channel belongs to one bubble of testing/synctest.
	waiters sync.Pool
}

// waiter is one goroutine that waits. Its token has room for one value and is empty, unless
// what it waits for has happened.
type waiter struct{ token chan struct{} }

// finished is the state of a Future that is done.
var finished = new(waiter)

// wait reports whether the request was done before ctx ended.
func (f *Future) wait(ctx context.Context) bool {
	if w := f.owner.await(ctx, f); w != nil {
		return f.waitAs(ctx, w)
	}
	if f.isDone() {
		return true
	}
	select { // it is done, or another goroutine waits as well
	case <-f.Done():
		return true
	case <-ctx.Done():
		return f.isDone()
	}
}

// register makes the caller the waiter of the request. It returns nil if the request is done
// or has a waiter. With mu held.
func (f *Future) register() *waiter {
	w, ok := f.waiters.Get().(*waiter)
	if !ok {
		w = &waiter{make(chan struct{}, 1)}
	}
	if !f.state.CompareAndSwap(nil, w) {
		f.waiters.Put(w)
		return nil
	}
	f.awaited++
	return w
}

// waitAs is wait for the waiter that register returned. It also returns true if an admission
// was waited for.
func (f *Future) waitAs(ctx context.Context, w *waiter) bool {
	woken, ended := true, ctx.Done()
	if ended == nil {
		<-w.token
		f.waiters.Put(w)
		return true
	}
	select {
	case <-w.token:
	case <-ended:
		if woken = !f.state.CompareAndSwap(w, nil); woken {
			<-w.token // it is filled, or about to be
		} else {
			f.leaves()
		}
	}
	f.waiters.Put(w)
	return woken
}

// complete wakes the waiters. With mu held. The Future of a blocking
// call may be in use for another request as soon as the state is set.
func (f *Future) complete() {
	signal, all := f.signal, f.shared
	if w := f.state.Swap(finished); w != nil {
		all.wakes()
		w.token <- struct{}{}
	}
	if signal != nil {
		all.wakes()
		close(signal)
	}
}

// wakes counts a wait that ends with its Future. With mu held.
func (s *shared) wakes() {
	s.awaited--
	s.woken++
}

// leaves counts a wait that ends before its Future.
func (s *shared) leaves() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaited--
}

// wakeAdmitted wakes a waiter before the request is done.
func (f *Future) wakeAdmitted() {
	if w := f.state.Load(); w != nil && w != finished && f.state.CompareAndSwap(w, nil) {
		f.wakes()
		w.token <- struct{}{}
	}
}
