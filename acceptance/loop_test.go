//go:build acceptance

package acceptance

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A loop owns a Polled and calls it when Watch reports news or its next deadline has come.
// Without those two it would block until patience ends.
type loop struct {
	*broker.Polled
	t     testing.TB
	woken chan struct{}
}

func newLoop(t testing.TB, cfg broker.Config) *loop {
	t.Helper()
	return &loop{must(broker.NewPolled(cfg))(t), t, make(chan struct{}, 1)}
}

// watchedLoop is newLoop with a witness.
func watchedLoop(t testing.TB, cfg broker.Config) (*loop, *witness) {
	t.Helper()
	w := newWitness()
	cfg.Hooks = w.hooks()
	return newLoop(t, cfg), w
}

// until runs the loop until done returns true, or limit, unless zero, has passed.
func (l *loop) until(limit time.Time, what string, done func() bool) bool {
	l.t.Helper()
	giveUp := time.Now().Add(patience)
	for {
		l.Recv() // its results are read from the Futures
		if done() {
			return true
		}
		now := time.Now()
		if !limit.IsZero() && !now.Before(limit) {
			return false
		}
		if now.After(giveUp) {
			l.t.Errorf("got no %[2]s within %[1]v", patience, what)
			return false
		}
		next := giveUp
		for _, at := range []time.Time{limit, l.NextDeadline()} {
			if !at.IsZero() && at.Before(next) {
				next = at
			}
		}
		l.Watch(func() {
			select {
			case l.woken <- struct{}{}:
			default:
			}
		})
		due := time.NewTimer(time.Until(next))
		select {
		case <-l.woken:
		case <-due.C:
		}
		due.Stop()
	}
}

// connect runs the loop until requests are admitted.
func (l *loop) connect() bool {
	l.t.Helper()
	return l.until(time.Time{}, "a connection", func() bool {
		return l.Connect() == broker.Connected && !l.Stats().ThrottledUntil.After(time.Now())
	})
}

// ask sends a request and runs the loop until it is done. It repeats a request that was
// refused without a connection.
func (l *loop) ask(req ports.Message) (ports.Message, error) {
	l.t.Helper()
	for {
		l.connect()
		f := l.Send(req, false)
		l.until(time.Time{}, "the end of a request", func() bool { return isDone(f) })
		resp, err := f.Response()
		if err == nil || lostWith(l.t, err) != broker.SentNothing {
			return resp, err
		}
	}
}

func (l *loop) mustAnswer() {
	l.t.Helper()
	must(l.ask(kmsg.NewPtrMetadataRequest()))(l.t)
}

// sendOn sends a request that must not be refused.
func sendOn(t *testing.T, conn *broker.Conn, req ports.Message) *broker.Future {
	t.Helper()
	return must(conn.Send(t.Context(), req))(t)
}

func isDone(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}
