package domain_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// The tests of this file play an owner that parks: it takes leases, and brings
// them back late, short, broken, or after the connection is another one.

func newParked(t *testing.T) *bench {
	return newBench(t, func(b *bench) { b.tr.parker = true }).established()
}

func (b *bench) takeWrite() domain.Lease {
	b.t.Helper()
	l, ok := b.TakeWrite()
	if !ok {
		b.t.Fatal("no lease to write")
	}
	return l
}

func (b *bench) takeRead() domain.Lease {
	b.t.Helper()
	l, ok := b.TakeRead()
	if !ok {
		b.t.Fatal("no lease to read")
	}
	return l
}

// writeAll is a write of all that there is.
func (b *bench) writeAll() {
	b.t.Helper()
	l := b.takeWrite()
	b.GiveWrite(b.now, l, len(l.Bytes), nil)
}

// hand is a read that brings p.
func (b *bench) hand(l domain.Lease, p []byte) { b.GiveRead(b.now, l, copy(l.Bytes, p), nil) }

func (b *bench) parkedUp() *bench {
	b.t.Helper()
	l := b.takeWrite()
	b.GiveWrite(b.now, l, len(l.Bytes), nil)
	id := binary.BigEndian.Uint32(l.Bytes[8:])
	b.hand(b.takeRead(), frame(int32(id), tableBody(0, 4, standardTable)))
	b.steps()
	b.wantState(domain.Connected)
	return b
}

// reconnect connects after a loss, as far as established.
func (b *bench) reconnect() *bench {
	b.t.Helper()
	b.now = b.now.Add(time.Second)
	b.established()
	b.wantState(domain.NegotiatingVersions)
	return b
}

func TestLeaseIsOnlyOne(t *testing.T) {
	b := newParked(t).parkedUp()
	if b.CanWrite() {
		t.Error("a lease to write nothing")
	}
	f := b.send("hello!")
	b.steps() // Step itself writes nothing
	if len(b.tr.link.out) != 0 {
		t.Fatal("Step sent on a parked link")
	}
	w, r := b.takeWrite(), b.takeRead()
	if !b.Writing() || b.CanWrite() || b.CanRead() {
		t.Error("a second lease")
	}
	g := b.send("second")
	b.GiveWrite(b.now, w, len(w.Bytes), nil)
	if w = b.takeWrite(); !bytes.HasSuffix(w.Bytes, []byte("second")) {
		t.Errorf("got %q, want the second request", w.Bytes)
	}
	// The answer overtakes the writer's own report.
	b.hand(r, append(frame(f.CorrelationID, nil), frame(g.CorrelationID, nil)...))
	outs, _ := b.steps()
	if len(outs) != 2 || f.Err() != nil || g.Err() != nil {
		t.Errorf("%d outputs, %v, %v", len(outs), f.Err(), g.Err())
	}
	b.GiveWrite(b.now, w, len(w.Bytes), nil)
	if b.Writing() {
		t.Error("still writing")
	}
}

func TestLeaseInterruptedGoesOn(t *testing.T) {
	b := newParked(t).parkedUp()
	b.send("hello!")
	l := b.takeWrite()
	whole := bytes.Clone(l.Bytes)
	b.GiveWrite(b.now, l, 8, ports.ErrInterrupted)
	rest := b.takeWrite()
	if !bytes.Equal(rest.Bytes, whole[8:]) {
		t.Errorf("the rest is %q", rest.Bytes)
	}
	b.GiveWrite(b.now, rest, len(rest.Bytes), nil)
	r := b.takeRead()
	b.GiveRead(b.now, r, 0, ports.ErrInterrupted)
	b.wantState(domain.Connected)
	b.takeRead()
}

// After a failed write nothing more is written, and the reader finds out.
func TestLeaseWriteFails(t *testing.T) {
	broken := errors.New("broken pipe")
	b := newParked(t).parkedUp()
	f := b.send("hello!")
	r, w := b.takeRead(), b.takeWrite()
	b.GiveWrite(b.now, w, 3, broken)
	b.wantState(domain.Connected)
	if b.CanWrite() {
		t.Error("another lease after an error")
	}
	b.GiveRead(b.now, r, 0, io.EOF)
	b.steps()
	if !errors.Is(f.Err(), broken) || f.Sent() != domain.SentPartly {
		t.Errorf("got %v, %v, want %v, partly sent", f.Err(), f.Sent(), broken)
	}
	b.reconnect().parkedUp()
}

// What a peer said of the handshake before it left counts, and not that it left.
func TestLeaseWriteFailsBeforeAVerdict(t *testing.T) {
	refused := fmt.Errorf("bad certificate: %w", ports.ErrSecuring)
	b := newParked(t).parkedUp()
	f := b.send("hello!")
	r, w := b.takeRead(), b.takeWrite()
	b.GiveWrite(b.now, w, 3, errors.New("broken pipe"))
	b.GiveRead(b.now, r, 0, refused)
	b.steps()
	if !errors.Is(f.Err(), domain.ErrTLS) || !errors.Is(f.Err(), refused) {
		t.Errorf("got %v, want %v", f.Err(), refused)
	}
}

func TestLeaseWriteOutWhileDropped(t *testing.T) {
	for _, n := range []int{0, 7, 20} {
		b := newParked(t).parkedUp()
		f, want := b.send("hello!"), domain.SentPartly
		r, w := b.takeRead(), b.takeWrite()
		g := b.send("second")
		b.GiveRead(b.now, r, 0, io.EOF)
		outs, _ := b.steps()
		if len(outs) != 1 || f.Done() || g.Done() {
			t.Fatalf("%d outputs; requests failed before the writer came back", len(outs))
		}
		if !b.tr.link.closed {
			t.Fatal("the link is open: the writer may never come back")
		}
		// The owner wants to connect again: not before the lease is back.
		b.now = b.now.Add(time.Second)
		b.tr.journal = nil
		b.Connect(b.now, domain.ConnectOptions{})
		b.steps()
		b.wantJournal()
		b.GiveWrite(b.now, w, n, errors.New("use of closed connection"))
		b.steps()
		switch n {
		case 0:
			want = domain.SentNothing
		case 20:
			want = domain.SentFully
		}
		if f.Sent() != want || g.Sent() != domain.SentNothing || !g.Done() {
			t.Errorf("%d of 20 bytes: %v, %v", n, f.Sent(), g.Sent())
		}
		b.wantJournal("resolve")
		b.resolved().upTo(ports.StageEstablished).parkedUp()
	}
}

// The writer comes back with an error between the state's callback and the
// hang-up: the next connection must be able to write.
func TestLeaseWriteFailsBeforeHangup(t *testing.T) {
	for _, reconnect := range []bool{false, true} {
		b := newParked(t).parkedUp()
		b.send("hello!")
		r, w := b.takeRead(), b.takeWrite()
		b.GiveRead(b.now, r, 0, io.EOF)
		if out := b.Step(b.now, false); out.Kind != domain.Changed {
			t.Fatal(out.Kind)
		}
		if reconnect {
			b.now = b.now.Add(time.Second)
			b.Connect(b.now, domain.ConnectOptions{})
		}
		b.GiveWrite(b.now, w, 3, errors.New("broken pipe"))
		b.steps()
		if !reconnect {
			b.now = b.now.Add(time.Second)
			b.Connect(b.now, domain.ConnectOptions{})
			b.steps()
		}
		b.resolved().upTo(ports.StageEstablished).parkedUp()
	}
}

// A reader of the old connection is still in its buffer while the new connection
// reads: the two never share memory, and what it brings back is ignored.
func TestLeaseReadOutWhileReconnected(t *testing.T) {
	b := newParked(t).parkedUp()
	old := b.takeRead()
	b.Close(b.now, nil, false)
	b.steps()
	b.reconnect()
	b.writeAll()
	answer := frame(1, tableBody(0, 4, standardTable))
	r := b.takeRead()
	b.GiveRead(b.now, r, copy(r.Bytes, answer[:10]), nil)
	for i := range old.Bytes {
		old.Bytes[i] = 0xff
	}
	ignored := b.sink.ignored
	b.GiveRead(b.now, old, len(old.Bytes), nil)
	if b.sink.ignored == ignored {
		t.Error("the old read was not counted as stale")
	}
	r = b.takeRead()
	b.GiveRead(b.now, r, copy(r.Bytes, answer[10:]), nil)
	b.steps()
	b.wantState(domain.Connected)
}

// An error of an old read says nothing about the new connection.
func TestLeaseReadFailsLate(t *testing.T) {
	b := newParked(t).parkedUp()
	old := b.takeRead()
	b.Close(b.now, nil, false)
	b.steps()
	b.reconnect()
	current := b.takeRead()
	b.GiveRead(b.now, old, 0, errors.New("use of closed connection"))
	b.wantState(domain.NegotiatingVersions)
	if b.CanRead() {
		t.Error("an old lease that came back freed the new one")
	}
	b.GiveRead(b.now, current, 0, ports.ErrInterrupted)
	b.parkedUp()
}

// A read that is out over a drop within a large frame.
func TestLeaseReadIntoLargeFrame(t *testing.T) {
	b := newParked(t).parkedUp()
	f := b.send("hello!")
	b.writeAll()
	body := bytes.Repeat([]byte("0123456789"), 10_000)
	answer := frame(f.CorrelationID, body)
	l := b.takeRead()
	b.hand(l, answer[:100])
	answer = answer[100:]
	for len(answer) > 0 {
		l = b.takeRead()
		n := copy(l.Bytes, answer)
		b.GiveRead(b.now, l, n, nil)
		answer = answer[n:]
	}
	b.steps()
	if f.Err() != nil || !bytes.Equal(f.Body(), body) {
		t.Fatalf("%v, %d bytes", f.Err(), len(f.Body()))
	}

	g := b.send("second")
	b.writeAll()
	b.hand(b.takeRead(), frame(g.CorrelationID, body)[:5000])
	old := b.takeRead()
	b.Close(b.now, nil, false)
	b.steps()
	b.reconnect()
	clear(old.Bytes)
	b.GiveRead(b.now, old, len(old.Bytes), io.EOF)
	b.parkedUp()
}

// large exchanges a request, whose answer has so many bytes. A read brings 5000 at most.
func (b *bench) large(fill byte, size int) *domain.Future {
	b.t.Helper()
	f := b.send("hello!")
	b.writeAll()
	body := bytes.Repeat([]byte{fill}, size)
	for answer := frame(f.CorrelationID, body); len(answer) > 0; {
		l := b.takeRead()
		n := min(len(l.Bytes), len(answer), 5000)
		b.hand(l, answer[:n])
		answer = answer[n:]
	}
	b.steps()
	if f.Err() != nil || !bytes.Equal(f.Body(), body) {
		b.t.Fatalf("got %d bytes, %v, want %d of %d", len(f.Body()), f.Err(), size, fill)
	}
	return f
}

// giveBack gives the memory of a body back.
func (b *bench) giveBack(f *domain.Future) (memory []byte) {
	_, memory = f.TakeBody()
	b.Recycle(f)
	b.ReuseBody(b.now, memory)
	return memory
}

// A read into memory that was used before is out over a drop. Nothing that comes afterwards lies in that memory.
func TestLeaseReadIntoReusedMemory(t *testing.T) {
	const size = 100_000
	b := newParked(t).parkedUp()
	first := b.giveBack(b.large('a', size))
	g := b.send("second")
	b.writeAll()
	b.hand(b.takeRead(), frame(g.CorrelationID, make([]byte, size))[:3000])
	old := b.takeRead()
	if &old.Bytes[0] != &first[3000] || len(old.Bytes) != len(first)-3000 {
		t.Fatalf("got %d bytes elsewhere, want what is left of the memory that was given back", len(old.Bytes))
	}
	b.Close(b.now, nil, false)
	b.steps()
	b.reconnect().parkedUp()
	for range 3 {
		f := b.large('b', size)
		for i := range old.Bytes {
			old.Bytes[i] = 0xff
		}
		if bytes.IndexByte(f.Body(), 0xff) >= 0 {
			t.Fatal("the reader of the old connection wrote into a body of the next one")
		}
		b.giveBack(f)
	}
	b.GiveRead(b.now, old, len(old.Bytes), io.EOF)
	b.wantState(domain.Connected)
}

// A body of the connection before may be given back to the next one.
func TestBodyGivenBackAfterReconnect(t *testing.T) {
	const size = 100_000
	b := newParked(t).parkedUp()
	f := b.large('a', size)
	body, memory := f.TakeBody()
	b.Recycle(f)
	b.Close(b.now, nil, false)
	b.steps()
	b.ReuseBody(b.now, make([]byte, size+100)) // of a connection that is down: it is not kept
	b.reconnect().parkedUp()
	if next := b.large('b', size); bytes.IndexByte(body, 'b') >= 0 {
		t.Fatalf("a body that was not given back was written over by one of %d bytes", len(next.Body()))
	}
	b.ReuseBody(b.now, memory)
	g := b.large('c', size-100)
	if _, reused := g.TakeBody(); &reused[0] != &memory[0] {
		t.Error("got other memory, want that of the body that was given back")
	}
}

// What a Parker has before it is established is polled.
func TestLeaseNotBeforeEstablished(t *testing.T) {
	b := newBench(t, func(b *bench) { b.tr.parker = true }).dialing()
	if b.CanRead() || b.CanWrite() {
		t.Error("a lease while connecting")
	}
	if _, ok := b.TakeRead(); ok {
		t.Error("TakeRead")
	}
	if _, ok := b.TakeWrite(); ok {
		t.Error("TakeWrite")
	}
	b.upTo(ports.StageEstablished).parkedUp()
	b.Close(b.now, nil, true)
	b.steps()
	if b.CanRead() || b.CanWrite() {
		t.Error("a lease after Close")
	}
}
