package domain_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

var errReset = errors.New("connection reset by peer")

// cutOff sends a request of so many bytes, of which the peer takes n before it closes the
// connection.
func (b *bench) cutOff(size, n int, after time.Duration) *domain.Error {
	b.t.Helper()
	f := b.send(strings.Repeat("x", size-14))
	f.Queued = b.now.Add(-time.Minute) // in the queue of its owner
	w, r := b.takeWrite(), b.takeRead()
	if n < 0 {
		n = len(w.Bytes)
	}
	b.now = b.now.Add(after)
	b.GiveWrite(b.now, w, n, nil)
	b.GiveRead(b.now, r, 0, errReset)
	b.steps()
	var e *domain.Error
	if !errors.As(f.Err(), &e) {
		b.t.Fatalf("got error %v, want an Error", f.Err())
	}
	return e
}

// Kafka closes the connection as soon as it has read a size above socket.request.max.bytes,
// and says nothing. The same request would be closed on each time.
func TestRequestLargerThanAccepted(t *testing.T) {
	for _, c := range []struct {
		name            string
		size, sent      int
		after           time.Duration
		before          []int // sizes of requests that were cut off before
		retriable, safe bool
	}{
		{"small", 1000, 500, 0, nil, true, true},
		{"large, nothing sent", 1 << 20, 0, 0, nil, true, true},
		{"large", 1 << 20, 500, 0, nil, true, false},
		{"large, all sent", 1 << 20, -1, 0, nil, true, false},
		{"large, again", 1 << 20, 500, 0, []int{1 << 20}, false, false},
		{"large, all sent again", 1 << 20, -1, 0, []int{1 << 20}, false, false},
		{"larger", 2 << 20, 500, 0, []int{1 << 20}, false, false},
		{"smaller than one", 1 << 20, 500, 0, []int{2 << 20}, true, false},
		{"large, twice after a while", 1 << 20, 500, time.Minute, []int{1 << 20}, true, false},
		{"large, twice within two seconds", 1 << 20, 500, 2 * time.Second, []int{1 << 20}, false, false},
		{"large, twice after that", 1 << 20, 500, 2*time.Second + 1, []int{1 << 20}, true, false},
		{"512 KiB, twice", 512 << 10, 500, 0, []int{512 << 10}, false, false},
		{"a byte less, twice", 512<<10 - 1, 500, 0, []int{512<<10 - 1}, true, true},
		{"Kafka's own limit", 100<<20 + 4, 500, 0, nil, true, false},
		{"a byte more", 100<<20 + 5, 500, 0, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newParked(t).parkedUp()
			for _, size := range c.before {
				b.cutOff(size, 100, 0)
				b.reconnect().parkedUp()
			}
			e := b.cutOff(c.size, c.sent, c.after)
			if got := domain.Retriable(e); got != c.retriable {
				t.Errorf("got retriable %v, want %v: %v", got, c.retriable, e)
			}
			if got := domain.SafeToRetry(e); got != c.safe {
				t.Errorf("got safe to retry %v, want %v: %v", got, c.safe, e)
			}
			named := strings.Contains(e.Hint, "socket.request.max.bytes")
			if named != (c.size >= 512<<10 && c.sent != 0) || e.RequestBytes != c.size {
				t.Errorf("got hint %q and %d bytes, want %d bytes", e.Hint, e.RequestBytes, c.size)
			}
			if errors.Is(e, domain.ErrRequestSize) == c.retriable || !errors.Is(e, domain.ErrConnection) {
				t.Errorf("got %v, want ErrRequestSize: %v", e, !c.retriable)
			}
		})
	}
}

// A request of that size that is answered takes the suspicion back, and the requests behind
// the large one are not suspected.
func TestLargeRequestIsAccepted(t *testing.T) {
	b := newParked(t).parkedUp()
	b.cutOff(1<<20, 100, 0)
	b.reconnect().parkedUp()
	f := b.send(strings.Repeat("x", 1<<20-14))
	b.writeAll()
	b.hand(b.takeRead(), frame(f.CorrelationID, nil))
	b.steps()
	if e := b.cutOff(1<<20, 100, 0); !domain.Retriable(e) {
		t.Errorf("got %v, not retriable, after one of that size was answered", e)
	}
	b.reconnect().parkedUp()
	if e := b.cutOff(1<<20, 100, 0); domain.Retriable(e) {
		t.Errorf("got %v, retriable, after two in a row were cut off", e)
	}
	b.reconnect().parkedUp()
	first, large := b.send("first!"), b.send(strings.Repeat("x", 1<<20))
	w := b.takeWrite()
	b.GiveWrite(b.now, w, 100, nil)
	b.GiveRead(b.now, b.takeRead(), 0, io.EOF)
	b.steps()
	if !domain.SafeToRetry(large.Err()) || domain.SafeToRetry(first.Err()) {
		t.Errorf("got safe to retry %v and %v, want false and true: the first was fully sent, and not answered",
			domain.SafeToRetry(first.Err()), domain.SafeToRetry(large.Err()))
	}
}

// The error of a request has what is known of it and of its connection.
func TestErrorOfRequestInFlight(t *testing.T) {
	b := newParked(t).parkedUp()
	first, second := b.send("first!"), b.send("second")
	b.writeAll()
	b.now = b.now.Add(2 * time.Second)
	b.hand(b.takeRead(), frame(first.CorrelationID, make([]byte, 100))[:49])
	b.now = b.now.Add(time.Second)
	for f, bytes := range map[*domain.Future]int{first: 49, second: 0} {
		e := b.FailureOf(b.now, f, domain.ErrCanceled, nil)
		if e.API != "API 3" || e.Version != 2 || e.RequestBytes != 20 || e.ResponseBytes != bytes ||
			e.Sent != domain.SentFully || e.OldestInFlight != 3*time.Second || e.SinceLastByte != time.Second {
			t.Errorf("got %s", e.Explain())
		}
	}
	b.now = b.now.Add(27 * time.Second)
	b.steps()
	var e *domain.Error
	if !errors.As(first.Err(), &e) || e.ResponseBytes != 49 || e.OldestInFlight != 30*time.Second ||
		e.SinceLastByte != 28*time.Second || !strings.Contains(e.Error(), "no whole answer after 30s") {
		t.Errorf("got %s", e.Explain())
	}
	if !errors.As(second.Err(), &e) || e.ResponseBytes != 0 {
		t.Errorf("got %s", e.Explain())
	}
}

// A request that is given up keeps its place, so that what was not written of it may still be.
func TestSentOfRequestGivenUp(t *testing.T) {
	b := newParked(t).parkedUp()
	f := b.send("first!")
	sent := func(when string, want domain.Sent) {
		t.Helper()
		if e := b.FailureOf(b.now, f, domain.ErrCanceled, nil); e.Sent != want {
			t.Errorf("%s: got %v, want %v", when, e.Sent, want)
		}
	}
	sent("before a writer has it", domain.SentUnknown)
	w := b.takeWrite()
	sent("while a writer has it", domain.SentUnknown)
	b.GiveWrite(b.now, w, 5, nil)
	b.steps()
	sent("partly written", domain.SentUnknown)
	b.writeAll()
	sent("written", domain.SentFully)
}

// What was received of the response that was due is of the request that it answers, and of no other.
func TestErrorOfRequestsThatAreLost(t *testing.T) {
	b := newParked(t).parkedUp()
	first, second := b.send("first!"), b.send("second")
	b.writeAll()
	b.hand(b.takeRead(), frame(first.CorrelationID, make([]byte, 100))[:49])
	b.GiveRead(b.now, b.takeRead(), 0, errReset)
	b.steps()
	for f, want := range map[*domain.Future]int{first: 49, second: 0} {
		var e *domain.Error
		if !errors.As(f.Err(), &e) || e.ResponseBytes != want {
			t.Errorf("#%d: got %v, want one %d bytes into the response", f.CorrelationID, f.Err(), want)
		}
	}
}

// TestErrorOfRefusedRequest: it names the API, and no version, which was not chosen. A failure of the connection names
// neither.
func TestErrorOfRefusedRequest(t *testing.T) {
	c := newCycle(t, 0)
	c.m.Close(c.now, nil, false)
	c.drain()
	_, err := c.m.Send(c.now, newNote("hello!"), 0)
	var refused *domain.Error
	if !errors.As(err, &refused) || refused.API != "API 3" || refused.Version != -1 {
		t.Errorf("got %+v, want one of API 3, version -1", refused)
	}
	if e := c.m.Failure(c.now, nil, domain.ErrCanceled, nil); e.API != "" || e.Version != 0 {
		t.Errorf("got %+v, want one without an API", e)
	}
}

// namingCodec names the APIs.
type namingCodec struct {
	textCodec
	name func(key int16) string
}

func (c *namingCodec) APIName(key int16) string { return c.name(key) }

func TestNameOfAPI(t *testing.T) {
	for name, c := range map[string]struct {
		codec ports.Codec
		want  string
	}{
		"named":              {&namingCodec{name: func(int16) string { return "Metadata" }}, "Metadata"},
		"unknown":            {&namingCodec{name: func(int16) string { return "" }}, "API 3"},
		"a panic":            {&namingCodec{name: func(int16) string { panic("no name") }}, "API 3"},
		"a codec of no name": {&textCodec{}, "API 3"},
	} {
		if got := domain.APIName(c.codec, 3); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestErrorSinceLastByte: it counts the bytes of this connection, from the first on, up to the time of the failure.
func TestErrorSinceLastByte(t *testing.T) {
	c := newCycle(t, 0)
	expect := func(when string, want time.Duration) {
		t.Helper()
		c.now = c.now.Add(time.Second)
		if got := c.m.Failure(c.now, nil, domain.ErrCanceled, nil).SinceLastByte; got != want {
			t.Errorf("%s: got %v, want %v", when, got, want)
		}
	}
	expect("connected", time.Second)
	c.m.HandleLost(c.now, c.m.Epoch(), io.EOF)
	expect("lost", 0)
	c.drain()
	c.m.Connect(c.now, domain.ConnectOptions{})
	c.drain()
	expect("connecting", 0)
	c.m.HandleAddresses(c.now, c.m.Epoch(), []ports.Endpoint{{Address: "a"}}, nil)
	c.m.HandleStage(c.now, c.m.Epoch(), ports.StageEstablished)
	expect("established", 0)
	c.drain()
	c.read(frame(1, nil)[:1])
	expect("one byte", time.Second)
}
