package porttest

import (
	"io"
	"runtime"
	"sync"
	"testing"

	"brokerconn/ports"
)

var watcherChecks = []check[Harness]{
	{"calls when the stage changes", watchStage},
	{"calls when bytes arrive, once", watchOnce},
	{"calls when the other side closed", watchEOF},
	{"a later Watch replaces an earlier one", watchReplaced},
	{"neither on the caller's stack nor under a lock", watchFree},
	{"no wake-up is lost: reading", watchPingPong},
	{"no wake-up is lost: writing", watchWriting},
}

// bell is a watcher's function: it counts its calls and can be waited for.
type bell struct {
	mu    sync.Mutex
	calls int
	rung  chan struct{}
}

func watch(w ports.Watcher) *bell {
	b := &bell{rung: make(chan struct{})}
	w.Watch(b.ring)
	return b
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls++; b.calls == 1 {
		close(b.rung)
	}
}

func (b *bell) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

func (b *bell) wait(t *testing.T, what string) {
	t.Helper()
	receive(t, "Watch calls for "+what, b.rung)
}

func watchStage(t *testing.T, harness Harness) {
	link := open(t, harness, harness.Endpoint)
	w := optional[ports.Watcher](t, link)
	for {
		s, err := link.Stage()
		if err == nil {
			break
		}
		if err != ports.ErrWouldBlock {
			t.Fatalf("Stage: %v, %v", s, err)
		}
		watch(w).wait(t, "the next stage")
		watch(w).wait(t, "the next stage before a call of Stage")
	}
	acceptOne(t, harness)
}

// watchEmpty watches a link that has nothing to receive. The pattern is at off.
func watchEmpty(t *testing.T, link ports.Link, off int) *bell {
	t.Helper()
	if n := recvSome(t, link, make([]byte, 1), off); n != 0 {
		t.Fatal("got a byte that was not sent")
	}
	return watch(optional[ports.Watcher](t, link))
}

// recvWoken receives one byte and asks for it only when it was woken. It returns
// the last bell: to be woken for nothing is allowed.
func recvWoken(t *testing.T, link ports.Link, b *bell, off int) *bell {
	t.Helper()
	for {
		b.wait(t, "a byte")
		if recvSome(t, link, make([]byte, 1), off) == 1 {
			return b
		}
		b = watch(optional[ports.Watcher](t, link))
	}
}

func watchOnce(t *testing.T, harness Harness) {
	link, peer := connect(t, harness)
	var bells []*bell
	for off := range 10 {
		b := watchEmpty(t, link, off)
		if err := writeAt(peer, off); err != nil {
			t.Fatal(err)
		}
		bells = append(bells, recvWoken(t, link, b, off), b)
	}
	for _, b := range bells {
		if n := b.count(); n != 1 {
			t.Errorf("the function of one Watch was called %d times, want once", n)
		}
	}
}

func watchEOF(t *testing.T, harness Harness) {
	link, peer := connect(t, harness)
	b := watchEmpty(t, link, 0)
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	for {
		b.wait(t, "io.EOF")
		if _, err := link.Recv(make([]byte, 1)); err != ports.ErrWouldBlock {
			return
		}
		b = watch(optional[ports.Watcher](t, link))
	}
}

// watchReplaced allows for calls for nothing: one round without any will do. The
// round after it shows that the call was not just late.
func watchReplaced(t *testing.T, harness Harness) {
	link, peer := connect(t, harness)
	var last *bell
	for off := range 10 {
		replaced := watchEmpty(t, link, off)
		b := watchEmpty(t, link, off)
		if err := writeAt(peer, off); err != nil {
			t.Fatal(err)
		}
		recvWoken(t, link, b, off)
		if last != nil && last.count() == 0 {
			return
		}
		last = replaced
	}
	t.Error("the earlier function was called every time, though a later Watch had replaced it")
}

// watchFree holds, while it calls Watch, a lock that the function needs, and the
// function calls the link: a call on the caller's stack, or under a lock of the
// link's, never ends.
func watchFree(t *testing.T, harness Harness) {
	for _, ready := range []bool{true, false} {
		link, peer := connect(t, harness)
		w := optional[ports.Watcher](t, link)
		recvSome(t, link, make([]byte, 1), 0)
		var owner sync.Mutex
		woken := make(chan struct{})
		f := func() {
			owner.Lock()
			defer owner.Unlock()
			_, _ = link.Stage()
			_, _ = link.Recv(make([]byte, 1))
			w.Watch(func() {})
			close(woken)
		}
		if ready {
			if err := writeAt(peer, 0); err != nil {
				t.Fatal(err)
			}
			// A second watcher reports the byte without receiving it.
			watch(w).wait(t, "a byte")
		}
		await(t, "Watch returns before it calls", func() {
			owner.Lock()
			defer owner.Unlock()
			w.Watch(f)
		})
		if !ready {
			await(t, "the other side's Write returns", func() { _ = writeAt(peer, 0) })
		}
		await(t, "the function, which calls the link, ends", func() { <-woken })
	}
}

// watchPingPong plays ball: each byte is sent back, and the owner moves only when
// it was woken. One wake-up lost stops the game.
func watchPingPong(t *testing.T, harness Harness) {
	const rounds = 500
	link, peer := connect(t, harness)
	w := optional[ports.Watcher](t, link)
	answered := started(func() (err error) {
		p := make([]byte, 1)
		for off := 0; off < rounds && err == nil; off++ {
			if err = writeAt(peer, off); err == nil {
				_, err = io.ReadFull(peer, p)
			}
			for range off % 4 {
				runtime.Gosched()
			}
		}
		return err
	})
	p := make([]byte, 1)
	for off := 0; off < rounds; {
		if recvSome(t, link, p, off) == 0 {
			watch(w).wait(t, "a byte")
			continue
		}
		off++
		of(link.Send(p)).want(t, "Send", 1, nil)
	}
	wantNoError(t, answered)
}

func watchWriting(t *testing.T, harness Harness) {
	const total = 2 << 20
	link, peer := connect(t, harness)
	w := optional[ports.Watcher](t, link)
	received := peerReceives(peer, total)
	buf := make([]byte, 100_000)
	for out := 0; out < total; {
		p := buf[:min(len(buf), total-out)]
		n := sendSome(t, link, p, out)
		if out += n; n < len(p) {
			watch(w).wait(t, "room")
		}
	}
	wantCount(t, received, total)
}
