package domain_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// What a link says is handled in the Step that asks it, and what an owner says to a Connection reaches its Machine.

// Bytes that arrive one at a time are read in one Step, and a read of none ends the Step.
func TestStepReadsByteByByte(t *testing.T) {
	b := newBench(t, nil).connected()
	f := b.send("hello!")
	b.steps()
	for _, one := range frame(b.tr.lastID(), []byte("hi")) {
		b.say([]byte{one})
	}
	b.tr.link.eof = nil // no bytes, and no error
	outs, _ := b.steps()
	if !slices.ContainsFunc(outs, func(o domain.Output) bool { return o.Future == f }) || string(f.Body()) != "hi" {
		t.Errorf("got %q after one step, want the response", f.Body())
	}
}

// Each byte that is written is counted, and a write of none is no traffic.
func TestStepCountsEachByte(t *testing.T) {
	b := newBench(t, nil).connected()
	before, last := b.sink.bytesSent, b.Stats().LastSent
	b.now = b.now.Add(time.Minute)
	b.tr.link.out, b.tr.link.room = nil, 0
	b.send("hello!")
	b.steps()
	if got := b.Stats().LastSent; !got.Equal(last) {
		t.Errorf("after a write of nothing: got %v, want %v", got, last)
	}
	for range 20 {
		b.tr.link.room = 1
		b.steps()
	}
	if got := b.sink.bytesSent - before; got != 20 || len(b.tr.link.out) != 20 || !b.Stats().LastSent.Equal(b.now) {
		t.Errorf("got %d bytes of %d at %v, want 20 at %v", got, len(b.tr.link.out), b.Stats().LastSent, b.now)
	}
}

func TestAwaitingIsWhatSaidWouldBlock(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	want := func(what string, port any) {
		t.Helper()
		if got := b.Awaiting(); got != port {
			t.Errorf("%s: got %T, want %T", what, got, port)
		}
	}
	want("nothing", nil)
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	want("lookup", b.tr.lookup)
	b.resolved()
	want("dial", b.tr.link)
	b.challenged()
	want("login", b.auth.exchange)
	b.Close(b.now, nil, false)
	b.steps()
	want("closed", nil)
}

// challenged goes on from the dial to the first challenge.
func (b *bench) challenged() *bench {
	b.upTo(ports.StageEstablished)
	b.say(frame(1, tableBody(0, 4, standardTable)))
	b.steps()
	b.say(frame(2, []byte("0 PLAIN")))
	b.steps()
	return b
}

// A lookup under way is closed with the attempt.
func TestCloseEndsTheLookup(t *testing.T) {
	b := newBench(t, nil)
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	b.Close(b.now, nil, false)
	b.steps()
	b.wantJournal("resolve", "close lookup")
}

func TestLogsInWithAnAuthenticator(t *testing.T) {
	if newBench(t, nil).LogsIn() {
		t.Error("without an authenticator: got true, want false")
	}
	if !newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} }).LogsIn() {
		t.Error("with one: got false, want true")
	}
}

func TestSetAuthenticatorsIsUsedNext(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	next := &fakeAuth{t: b.tr}
	b.SetAuthenticators(b.now, []ports.Authenticator{next})
	b.dialing()
	b.challenged()
	if next.exchange == nil || b.auth.exchange != nil {
		t.Errorf("got the exchanges %v of the old one and %v of the new one, want one of the new one",
			b.auth.exchange, next.exchange)
	}
}

func TestCommandsReachTheMachine(t *testing.T) {
	b := newBench(t, nil).connected()
	b.NoteRefused(b.now, newNote("x"))
	b.NoteCanceled(b.now, newNote("x"), 2)
	if b.sink.refused != 1 || b.sink.canceled != 1 {
		t.Errorf("got %d refused and %d canceled, want 1 and 1", b.sink.refused, b.sink.canceled)
	}
	f := b.send("hello!")
	b.steps()
	b.Abandon(f)
	b.say(frame(b.tr.lastID(), []byte("hi")))
	b.steps()
	if f.Body() != nil {
		t.Errorf("an abandoned request: got the body %q, want none", f.Body())
	}
	if err := b.Throttled(b.now); err != nil {
		t.Errorf("not throttled: got %v, want nil", err)
	}
}

// An owner that parks may lose the link itself, and is not called when one that it parks in is ready.
func TestParkedLinkIsItsOwners(t *testing.T) {
	b := newParked(t).parkedUp()
	b.tr.journal = nil
	b.Watch(func() {})
	b.wantJournal()
	broken := errors.New("broken pipe")
	b.Lose(b.now, b.takeRead(), broken)
	b.steps()
	b.wantState(domain.Disconnected)
	if !errors.Is(b.LastError(), broken) {
		t.Errorf("got %v, want %v", b.LastError(), broken)
	}
}

// After a failed write the requests that follow are not written.
func TestNothingIsWrittenAfterAFailure(t *testing.T) {
	b := newParked(t).parkedUp()
	b.send("hello!")
	l := b.takeWrite()
	b.GiveWrite(b.now, l, len(l.Bytes), errors.New("broken pipe"))
	b.send("second")
	if b.CanWrite() {
		t.Error("got a lease to write, want none")
	}
}

// KIP-219: a response names its throttle time. The owner of a raw request reads it, and one that expects no response
// has neither bytes nor a throttle time.
func TestResponsesAreMeasured(t *testing.T) {
	throttled := []byte("throttled 300")
	for name, c := range map[string]struct {
		request  ports.Message
		response []byte
		size     int
		throttle time.Duration
		waits    bool
	}{
		"throttled":       {newNote("hello!"), throttled, 4 + 4 + len(throttled), 300 * time.Millisecond, true},
		"a millisecond":   {newNote("hello!"), []byte("throttled 1"), 4 + 4 + 11, time.Millisecond, true},
		"not throttled":   {newNote("hello!"), []byte("throttled 0"), 4 + 4 + 11, 0, false},
		"negative":        {newNote("hello!"), []byte("throttled -1"), 4 + 4 + 12, 0, false},
		"delayed, KIP-13": {newNote("hello!"), []byte("delayed 300"), 4 + 4 + 11, 300 * time.Millisecond, false},
		"raw":             {&ports.RawRequest{APIKey: 3, APIVersion: 2}, throttled, 4 + 4 + len(throttled), 0, false},
		"no response":     {&note{key: 3, max: 2, flexibleFrom: -1, silent: true}, nil, 0, 0, false},
	} {
		b := newBench(t, nil).connected()
		if _, err := b.Send(b.now, c.request, 0); err != nil {
			t.Fatal(err)
		}
		b.steps()
		if c.response != nil {
			b.say(frame(b.tr.lastID(), c.response))
			b.steps()
		}
		if got := b.sink.response; got.size != c.size || got.throttle != c.throttle {
			t.Errorf("%s: got %d bytes, throttled %v; want %d, %v", name, got.size, got.throttle, c.size, c.throttle)
		}
		if got := b.Throttled(b.now) != nil; got != c.waits {
			t.Errorf("%s: throttled: got %v, want %v", name, got, c.waits)
		}
	}
}

// A response may end in the middle of what was read, and the next one be shorter: both are there in one Step.
func TestStepReadsAShortResponseBehindALongOne(t *testing.T) {
	b := newBench(t, nil).connected()
	long, short := b.send("long"), b.send("short")
	b.steps()
	first := frame(long.CorrelationID, make([]byte, 1000))
	b.say(first[:500])
	b.steps()
	b.say(append(first[500:], frame(short.CorrelationID, nil)...))
	b.steps()
	if !long.Done() || !short.Done() {
		t.Errorf("got done %v and %v, want both", long.Done(), short.Done())
	}
}

// What a peer says of throttling before the login ends with the connection; what has passed of it counts.
func TestThrottleBeforeTheLoginEnds(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} }).established()
	b.say(frame(1, tableBody(0, 4, standardTable+" throttled=5000")))
	b.steps()
	if got := b.ThrottledTime(); got != 5*time.Second {
		t.Errorf("before the login: got %v, want 5s", got)
	}
	b.now = b.now.Add(2 * time.Second)
	b.tr.link.eof = io.EOF
	b.steps()
	if got := b.ThrottledTime(); got != 2*time.Second {
		t.Errorf("after the loss: got %v, want 2s", got)
	}
}

// A link that panics in Write is not used again.
func TestLeaseWritePanics(t *testing.T) {
	b := newParked(t).parkedUp()
	f := b.send("hello!")
	l := b.takeWrite()
	b.GiveWrite(b.now, l, 0, fmt.Errorf("%w: nil map", domain.ErrPortPanic))
	b.steps()
	if !errors.Is(f.Err(), domain.ErrPortPanic) || f.Sent() != domain.SentNothing {
		t.Errorf("got %v, %v; want %v, nothing sent", f.Err(), f.Sent(), domain.ErrPortPanic)
	}
}

// A connection whose owner has requests that wait is not idle.
func TestStepIsNotIdleWhileRequestsWait(t *testing.T) {
	b := newBench(t, func(b *bench) { b.cfg.IdleTimeout = time.Minute }).connected()
	for _, c := range []struct {
		waiting bool
		want    domain.State
	}{{true, domain.Connected}, {false, domain.Connected}, {false, domain.Disconnected}} {
		b.now = b.now.Add(time.Minute)
		for b.Step(b.now, c.waiting).Kind != domain.Idle {
		}
		b.wantState(c.want)
	}
}
