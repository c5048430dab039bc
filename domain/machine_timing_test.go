package domain_test

import (
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// TestTimingOfARequest: each step of a request is timed when it happens, also when
// the first byte of its answer comes with the end of the one before.
func TestTimingOfARequest(t *testing.T) {
	b := newBench(t, nil).connected()
	start := b.now
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	move := func(ms int) { b.now = at(ms) }

	b.tr.link.room = 0
	first := b.send("first!")
	second := b.send("second")
	b.steps()
	move(10)
	b.tr.link.room = 30 // one request and a half
	b.steps()
	b.steps()
	move(20)
	b.tr.link.room = 1 << 20
	b.steps()
	b.steps()
	one, two := frame(first.CorrelationID, []byte("one")), frame(second.CorrelationID, []byte("two"))
	move(30)
	b.say(one[:1])
	b.steps()
	move(40)
	b.say(append(one[1:], two[:2]...))
	outs, _ := b.steps()
	move(50)
	b.say(two[2:])
	more, _ := b.steps()

	for i, c := range []struct {
		out                   []domain.Output
		written, first, ended int
	}{{outs, 10, 30, 40}, {more, 20, 40, 50}} {
		if len(c.out) != 1 || c.out[0].Kind != domain.Completed {
			t.Fatalf("answer %d: %d outputs", i, len(c.out))
		}
		want := ports.Timing{Queued: start, Written: at(c.written), FirstByte: at(c.first), Completed: at(c.ended)}
		if got := c.out[0].Future.Timing; got != want {
			t.Errorf("answer %d: %+v, want %+v", i, got, want)
		}
	}
}
