package domain_test

import (
	"strings"
	"testing"

	"brokerconn/domain"
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
		taken := f.TakeBody()
		if f.Body() != nil {
			t.Error("the body is there after it was taken")
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
