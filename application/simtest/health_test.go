package simtest_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// health is what a user has: it asks a broker from the loop of its owner, and says whether the
// broker is up. It does not say so for longer than limit after the last answer.
type health struct {
	conn     *broker.Polled
	every    time.Duration
	limit    time.Duration
	asked    *broker.Future // in flight, or nil
	again    time.Time      // when to ask next
	answered time.Time      // zero: never
	up       bool
}

func newHealth(cfg broker.Config, every, limit time.Duration) *health {
	cfg.RequestTimeout = limit
	cfg.SetupTimeout = limit
	conn, err := broker.NewPolled(cfg)
	if err != nil {
		panic(err)
	}
	return &health{conn: conn, every: every, limit: limit}
}

func (h *health) Up() bool { return h.up }

// Answered returns when the broker last answered.
func (h *health) Answered() time.Time { return h.answered }

// Step does what can be done now, and returns when it has to be called again at the latest.
func (h *health) Step(now time.Time) (next time.Time) {
	h.conn.Connect()
	for _, r := range h.conn.Recv() {
		if r.Response != nil {
			h.answered = now
		}
	}
	if h.asked != nil && done(h.asked) {
		h.asked = nil
	}
	if h.asked == nil && h.conn.Connected() && !now.Before(h.again) {
		h.asked, h.again = h.conn.Send(kmsg.NewPtrApiVersionsRequest(), false), now.Add(h.every)
	}
	until := h.answered.Add(h.limit)
	h.up = now.Before(until)
	for _, t := range []time.Time{h.again, until, h.conn.NextDeadline()} {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

func TestHealthIsTrue(t *testing.T) {
	const limit = 4 * time.Second
	simtest.Run(t, simtest.Options{Brokers: 1, Seeds: 30}, func(w *simtest.World) {
		h := newHealth(w.Config(0), time.Second, limit)
		w.Drive(h.Step)
		w.Never("up without an answer", func() bool { return h.Up() && w.Now().Sub(h.Answered()) > limit })
		w.Chaos(time.Minute)
		w.Eventually(3*limit, h.Up)
		w.At(w.Elapsed(), simtest.Silent)
		w.At(w.Elapsed(), simtest.Deaf.For(time.Minute))
		w.Eventually(2*limit, func() bool { return !h.Up() })
		w.Eventually(time.Minute+3*limit, h.Up)
	})
}
