package domain_test

import (
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// answered sends a request, answers it with text, and returns it done.
func answered(t *testing.T, b *bench, text string) *domain.Future {
	t.Helper()
	f := b.send("hello!")
	b.steps()
	b.say(frame(f.CorrelationID, []byte(text)))
	b.steps()
	if !f.Done() || f.Err() != nil || string(f.Body()) != text {
		t.Fatalf("%v: %q", f.Err(), f.Body())
	}
	return f
}

// A body that was taken is the taker's; one that was not is memory for the next.
func TestTakeBody(t *testing.T) {
	for _, size := range []int{1, 100, 20_000, 200_000} {
		b := newBench(t, nil).connected()
		b.Recycle(answered(t, b, strings.Repeat("a", size))) // leaves memory behind
		f := answered(t, b, strings.Repeat("b", size))
		taken, _ := f.TakeBody()
		if f.Body() != nil {
			t.Error("the body is there after it was taken")
		}
		if second, memory := f.TakeBody(); second != nil || memory != nil {
			t.Errorf("taken twice: got %d bytes of %d, want neither", len(second), cap(memory))
		}
		b.Recycle(f)
		answered(t, b, strings.Repeat("c", size))
		if string(taken) != strings.Repeat("b", size) {
			t.Errorf("%d bytes: a body that was taken was written over", size)
		}
	}
}

// The owner's Tag stays with the Future when it is reused; nothing else does.
func TestRecycledFutureIsAsNew(t *testing.T) {
	b := newBench(t, nil).connected()
	f := answered(t, b, "world")
	f.Tag = "mine"
	b.Recycle(f)
	g := b.send("second")
	if g != f || g.Tag != "mine" {
		t.Fatalf("reused %v, tag %v", g == f, g.Tag)
	}
	if g.Done() || g.Err() != nil || g.Body() != nil || !g.Completed.IsZero() ||
		!g.Written.IsZero() || g.Sent() != domain.SentNothing {
		t.Errorf("something is left: %+v", g)
	}
}

// TestBodyVersion: a rejected ApiVersions is answered in v0 (KIP-511), and all else in the version of the request.
func TestBodyVersion(t *testing.T) {
	for _, c := range []struct {
		name         string
		key, version int16
		body         string
		want         int16
	}{
		{"ApiVersions, rejected", 18, 3, "\x00\x23", 0},
		{"ApiVersions", 18, 3, "\x00\x00", 3},
		{"ApiVersions, another error", 18, 3, "\x00\x2a", 3},
		{"Metadata that begins with the same", 3, 2, "\x00\x23", 2},
	} {
		b := newBench(t, nil).connected()
		f, err := b.Send(b.now, &ports.RawRequest{APIKey: c.key, APIVersion: c.version}, 0)
		if err != nil {
			t.Fatal(err)
		}
		b.steps()
		b.say(frame(f.CorrelationID, []byte(c.body)))
		b.steps()
		if got := f.BodyVersion(); got != c.want || string(f.Body()) != c.body {
			t.Errorf("%s: got v%d of %q, want v%d of %q", c.name, got, f.Body(), c.want, c.body)
		}
	}
}

// holdingCodec lets a broker hold any request for 10 seconds.
type holdingCodec struct{ textCodec }

func (*holdingCodec) Hold(ports.Message, int16) time.Duration { return 10 * time.Second }

// TestHeld: a broker holds a request that has a field for it, and none that its owner encodes.
func TestHeld(t *testing.T) {
	raw := &ports.RawRequest{APIKey: 1, APIVersion: 4}
	for _, c := range []struct {
		name        string
		codec       ports.Codec
		req         ports.Message // nil: none is in flight
		after, want time.Duration
	}{
		{"no request", &holdingCodec{}, nil, 0, 0},
		{"a request", &holdingCodec{}, newNote("fetch"), 0, 10 * time.Second},
		{"a request, a while ago", &holdingCodec{}, newNote("fetch"), 3 * time.Second, 7 * time.Second},
		{"a request, long ago", &holdingCodec{}, newNote("fetch"), time.Minute, 0},
		{"a request of the owner's encoding", &holdingCodec{}, raw, 0, 0},
		{"a codec that knows no such field", struct{ ports.Codec }{&textCodec{}}, newNote("fetch"), 0, 0},
	} {
		y := newCycle(t, 0, func(cfg *domain.Config) { cfg.Codec, cfg.MaxHold = c.codec, time.Minute })
		if c.req != nil {
			if _, err := y.m.Send(y.now, c.req, 0); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if got := y.m.Held(y.now.Add(c.after)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
