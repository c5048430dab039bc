package porttest

import (
	"io"
	"math"
	"math/rand"
	"runtime"
	"sync/atomic"
	"testing"

	"brokerconn/ports"
)

var parkerChecks = []check[Harness]{
	{"Read waits for a byte, and says io.EOF after the last", parkRead},
	{"Write waits until all is on its way", parkWrite},
	{"Interrupt reaches a parked Read, and holds until Resume", parkInterruptRead},
	{"Interrupt reaches a parked Write, which can be continued", parkInterruptWrite},
	{"Interrupt before the call", parkInterruptFirst},
	{"many interruptions lose no byte", parkManyInterrupts},
	{"Close ends a parked Read", parkCloseRead},
	{"Close ends a parked Write, which counts right", parkCloseWrite},
	{"Close ends the effect of Interrupt", parkCloseInterrupted},
}

type parkerLink interface {
	ports.Link
	ports.Parker
}

// parked returns an established link with its other side.
func parked(t *testing.T, harness Harness) (parkerLink, io.ReadWriteCloser) {
	t.Helper()
	link, peer := connect(t, harness)
	optional[ports.Parker](t, link)
	if harness.vector {
		return newVectorLink(t, link.(parkerLink)), peer
	}
	return link.(parkerLink), peer
}

// parkedCall is a call on a goroutine of its own.
type parkedCall <-chan outcome

func parkCall(call func([]byte) (int, error), p []byte) parkedCall {
	done := started(func() outcome { return of(call(p)) })
	for range 10 {
		runtime.Gosched() // it is likely to be parked now; the checks hold if not
	}
	return done
}

// ends returns what the call returns, which is not long in coming.
func (c parkedCall) ends(t *testing.T, call string) outcome {
	t.Helper()
	return receive(t, call+" returns", c)
}

func parkRead(t *testing.T, harness Harness) {
	const total = 300_000
	p, peer := parked(t, harness)
	first := make([]byte, 1)
	read := parkCall(p.Read, first)
	sent := peerSends(peer, total, true)
	read.ends(t, "Read").want(t, "Read", 1, nil)
	wantPattern(t, first, 0)
	in, buf := 1, make([]byte, 10_000)
	var err error
	for err == nil {
		var n int
		n, err = p.Read(buf)
		wantPattern(t, buf[:n], in)
		if in += n; n == 0 && err == nil {
			t.Fatal("Read: 0, nil; it has to wait for a byte")
		}
	}
	if in != total || err != io.EOF {
		t.Errorf("read %d bytes and %v, want %d bytes and io.EOF itself", in, err, total)
	}
	of(p.Read(buf)).want(t, "Read after io.EOF", 0, io.EOF)
	wantNoError(t, sent)
}

func parkWrite(t *testing.T, harness Harness) {
	const total = 4 << 20
	p, peer := parked(t, harness)
	received := peerReceives(peer, total)
	buf := make([]byte, 1<<20)
	for out := 0; out < total; out += len(buf) {
		fillPattern(buf, out)
		of(p.Write(buf)).want(t, "Write", len(buf), nil)
	}
	clear(buf)
	wantCount(t, received, total)
}

func parkInterruptRead(t *testing.T, harness Harness) {
	p, peer := parked(t, harness)
	buf := make([]byte, 1)
	for off := range 20 {
		read := parkCall(p.Read, buf)
		p.Interrupt()
		read.ends(t, "the interrupted Read").want(t, "the interrupted Read", 0, ports.ErrInterrupted)
		go func() { _ = writeAt(peer, off) }() // it may wait for the Read
		for range 3 {
			of(p.Read(buf)).want(t, "Read before Resume", 0, ports.ErrInterrupted)
		}
		p.Resume()
		parkCall(p.Read, buf).ends(t, "Read after Resume").want(t, "Read after Resume", 1, nil)
		wantPattern(t, buf, off)
	}
}

// muchMore is more than any buffer on the way holds.
const muchMore = 64 << 20

func parkInterruptWrite(t *testing.T, harness Harness) {
	p, peer := parked(t, harness)
	buf := make([]byte, muchMore)
	fillPattern(buf, 0)
	write := parkCall(p.Write, buf)
	p.Interrupt()
	o := write.ends(t, "the interrupted Write")
	if o.n >= len(buf) || o.err != ports.ErrInterrupted {
		t.Fatalf("Write: %d of %d, %v; want ErrInterrupted itself", o.n, len(buf), o.err)
	}
	out := o.n
	of(p.Write(buf[out:])).want(t, "Write before Resume", 0, ports.ErrInterrupted)
	p.Resume()
	received := peerReceives(peer, len(buf))
	parkCall(p.Write, buf[out:]).ends(t, "Write after Resume").want(t, "Write after Resume", len(buf)-out, nil)
	wantCount(t, received, len(buf))
}

// parkInterruptFirst interrupts before the link is established, too.
func parkInterruptFirst(t *testing.T, harness Harness) {
	link := open(t, harness, harness.Endpoint)
	p := optional[ports.Parker](t, link)
	p.Interrupt()
	p.Interrupt()
	establish(t, link)
	peer := acceptOne(t, harness)
	parkCall(p.Read, make([]byte, 1)).ends(t, "Read").want(t, "Read", 0, ports.ErrInterrupted)
	parkCall(p.Write, make([]byte, muchMore)).ends(t, "Write").want(t, "Write", 0, ports.ErrInterrupted)
	p.Resume()
	p.Resume()
	sent := peerSends(peer, 1, false)
	parkCall(p.Read, make([]byte, 1)).ends(t, "Read after Resume").want(t, "Read after Resume", 1, nil)
	wantNoError(t, sent)
}

// parkManyInterrupts moves bytes both ways and stops both again and again.
func parkManyInterrupts(t *testing.T, harness Harness) {
	const (
		interrupts = 100
		atMost     = 50_000 // bytes in one call
	)
	p, peer := parked(t, harness)
	var rounds, moved, working atomic.Int64
	working.Store(2)
	over := func() bool { return rounds.Load() >= interrupts }
	in, out := newOpenEnd(over, atMost), newOpenEnd(over, atMost)

	sent := started(func() error { return peerWrites(peer, in.left) })
	received := started(func() count { return peerReads(peer, out.more) })

	// The pace is in bytes: counted in turns of the scheduler, a round would take
	// seconds where there is one processor and each turn is used up.
	const betweenInterrupts = 200_000
	ended := make(chan error, 2)
	var noticed [2]atomic.Int64 // calls that were interrupted
	worker := func(i int, more func(off int) bool, move func(rnd *rand.Rand, off int) (int, error)) {
		defer working.Add(-1)
		rnd := rand.New(rand.NewSource(int64(i)))
		for off := 0; more(off); {
			n, err := move(rnd, off)
			off += n
			moved.Add(int64(n))
			if err == ports.ErrInterrupted {
				noticed[i].Add(1)
				runtime.Gosched()
			} else if err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}
	go worker(0, in.more, func(rnd *rand.Rand, off int) (int, error) {
		buf := make([]byte, 1+rnd.Intn(atMost))
		n, err := p.Read(buf)
		if fault := patternFault(buf[:n], off); fault != nil {
			return n, fault
		}
		return n, err
	})
	rest := 0 // of an interrupted Write
	go worker(1, func(off int) bool { return out.left(off) > 0 }, func(rnd *rand.Rand, off int) (int, error) {
		buf := make([]byte, min(max(rest, 1+rnd.Intn(atMost)), out.left(off)))
		fillPattern(buf, off)
		n, err := p.Write(buf)
		clear(buf)
		rest = len(buf) - n
		return n, err
	})
	go func() {
		rnd := rand.New(rand.NewSource(3))
		for working.Load() > 0 {
			before := [2]int64{noticed[0].Load(), noticed[1].Load()}
			p.Interrupt()
			for i := range noticed {
				// One call may be of the interruption before.
				for noticed[i].Load() < before[i]+2 && working.Load() == 2 {
					runtime.Gosched()
				}
			}
			p.Resume()
			rounds.Add(1)
			for goal := moved.Load() + rnd.Int63n(betweenInterrupts); moved.Load() < goal && working.Load() > 0; {
				runtime.Gosched()
			}
		}
	}()
	for range 2 {
		if err := receive(t, "Read and Write go on after every Resume", ended); err != nil {
			t.Fatal(err)
		}
	}
	wantNoError(t, sent)
	wantCount(t, received, int(out.limit.Load()))
}

// openEnd is a stream that ends some bytes after over returns true: not within the rest of an
// interrupted Write. The bytes are announced before they are sent, so that the receiver knows the
// length.
type openEnd struct {
	over  func() bool
	last  int64
	limit atomic.Int64
}

func newOpenEnd(over func() bool, last int64) *openEnd {
	e := &openEnd{over: over, last: last}
	e.limit.Store(math.MaxInt64)
	return e
}

// left is asked by the one who sends, more by the one who receives.
func (e *openEnd) left(off int) int {
	if e.limit.Load() == math.MaxInt64 && e.over() {
		e.limit.Store(int64(off) + e.last)
	}
	return int(min(e.limit.Load()-int64(off), 1<<20))
}

func (e *openEnd) more(off int) bool { return int64(off) < e.limit.Load() }

func parkCloseRead(t *testing.T, harness Harness) {
	for range 10 {
		p, _ := parked(t, harness)
		read := parkCall(p.Read, make([]byte, 1))
		closeTwice(t, p)
		read.ends(t, "the parked Read after Close").wantFinal(t, "the parked Read")
		of(p.Read(make([]byte, 1))).wantFinal(t, "Read")
		of(p.Write(make([]byte, 1))).wantFinal(t, "Write")
	}
}

// parkCloseWrite closes in the middle of a Write that the other side has begun to
// read. What it reads in the end is what Write said; through an encrypted link
// the last of it may be lost, but never more may arrive.
func parkCloseWrite(t *testing.T, harness Harness) {
	p, peer := parked(t, harness)
	buf := make([]byte, muchMore)
	fillPattern(buf, 0)
	write := parkCall(p.Write, buf)
	first := make([]byte, 100_000)
	if _, err := io.ReadFull(peer, first); err != nil {
		t.Fatal(err)
	}
	wantPattern(t, first, 0)
	closeTwice(t, p)
	o := write.ends(t, "the parked Write after Close")
	if o.n >= len(buf) {
		t.Fatalf("Write: %d of %d bytes after Close, without a reader", o.n, len(buf))
	}
	of(0, o.err).wantFinal(t, "Write")

	arrived := len(first)
	await(t, "the other side comes to the end", func() {
		rest, _ := io.Copy(io.Discard, peer)
		arrived += int(rest)
	})
	if arrived > o.n || arrived < o.n && !harness.Endpoint.Secure {
		t.Errorf("Write counted %d bytes, and %d arrived", o.n, arrived)
	}
}

func parkCloseInterrupted(t *testing.T, harness Harness) {
	p, _ := parked(t, harness)
	p.Interrupt()
	closeTwice(t, p)
	p.Interrupt()
	of(p.Read(make([]byte, 1))).wantFinal(t, "Read")
	p.Resume()
	of(p.Write(make([]byte, 1))).wantFinal(t, "Write")
}
