//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A load is callers of several kinds on one broker, with numbered records.
type load struct {
	t    *testing.T
	b    *Broker
	name string
	id   [16]byte

	counts  *recorder.Recorder
	over    atomic.Bool
	callers sync.WaitGroup

	conn     *broker.Conn
	seen     *witness // of conn
	book     *ledger  // of its callers
	answered atomic.Int64

	polledBook *ledger
}

func newLoad(t *testing.T, b *Broker, name string) *load {
	l := &load{t: t, b: b, name: name, book: newLedger(), polledBook: newLedger(), counts: recorder.New()}
	l.id = topicNamed(t, connect(t, configOf(t, b)), name)
	l.conn, l.seen = watched(t, l.config())
	return l
}

func (l *load) config() broker.Config {
	cfg := configOf(l.t, l.b)
	cfg.Metrics = l.counts
	cfg.MaxInFlight = 12 // four callers, and five ahead of their answers
	return cfg
}

func (l *load) goesOn() bool { return !l.over.Load() }

// record is a request to produce the n-th record of a caller, with acks 1 or all.
func (l *load) record(caller string, n int) (string, *kmsg.ProduceRequest) {
	text := fmt.Sprintf("%s %d", caller, n)
	return text, produceRequest(l.name, l.id, int16(1-2*(n&1)), []byte(text))
}

// caller sends produce and metadata requests, one after the other. One that repeats
// retries while SafeToRetry allows it: no record may be stored twice. One in a hurry does
// not wait until the broker is back.
func (l *load) caller(name string, repeats, hurries bool) {
	ctx := l.t.Context()
	if hurries {
		ctx = broker.WithRequestTimeout(ctx, time.Second)
	}
	for n := 0; l.goesOn(); n++ {
		if n%3 == 0 {
			if _, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, l.conn); err == nil {
				l.answered.Add(1)
			} else {
				lostWith(l.t, err)
			}
		}
		record, req := l.record(name, n)
		resp, err := l.conn.Request(ctx, req)
		for repeats && broker.SafeToRetry(err) && l.goesOn() {
			resp, err = l.conn.Request(ctx, req)
		}
		if err == nil {
			l.answered.Add(1)
		}
		l.book.enter(l.t, record, resp, err)
	}
}

// sender sends ahead of the responses.
func (l *load) sender(name string) {
	type sent struct {
		record string
		future *broker.Future
		err    error // it was refused
	}
	var window []sent
	take := func() {
		f := window[0]
		window = window[1:]
		resp, err := ports.Message(nil), f.err
		if err == nil {
			resp, err = f.future.Wait(context.Background())
		}
		l.book.enter(l.t, f.record, resp, err)
		if err == nil {
			l.answered.Add(1)
			return
		}
		// Refused, most likely: to stand in line is to wait for the next chance.
		if err := l.conn.Connect(l.t.Context()); err != nil {
			lostWith(l.t, err)
		}
	}
	for n := 0; l.goesOn(); n++ {
		record, req := l.record(name, n)
		f, err := l.conn.Send(l.t.Context(), req)
		window = append(window, sent{record, f, err})
		if len(window) == 5 {
			take()
		}
	}
	for len(window) > 0 {
		take()
	}
}

// polled is sender on a Polled.
func (l *load) polled(name string, p *loop) {
	type sent struct {
		record string
		*broker.Future
	}
	var window []sent
	turn := func() bool {
		for len(window) > 0 && isDone(window[0].Future) {
			resp, err := window[0].Response()
			l.polledBook.enter(l.t, window[0].record, resp, err)
			window = window[1:]
		}
		return len(window) == 0
	}
	for n := 0; l.goesOn(); {
		p.connect()
		for p.CanSendMore() && p.Connected() {
			record, req := l.record(name, n)
			n++
			window = append(window, sent{record, p.Send(req, n%4 == 0)})
		}
		p.until(time.Time{}, "answers", turn)
	}
}

// start starts callers of each kind.
func (l *load) start() {
	for i := range 4 {
		l.callers.Go(func() { l.caller(fmt.Sprint("caller ", i), i%2 == 0, i >= 2) })
	}
	l.callers.Go(func() { l.sender("sender") })
	p, w := watchedLoop(l.t, l.config())
	l.callers.Go(func() {
		l.polled("loop", p)
		p.Close(nil)
		w.audit(l.t)
		auditSums(l.t, p.Stats())
	})
}

// progress waits until so many more records are stored over each connection.
func (l *load) progress(n int) {
	l.t.Helper()
	for _, book := range []*ledger{l.book, l.polledBook} {
		reach := book.count(stored) + n
		eventually(l.t, fmt.Sprintf("%d more records (%v)", n, book),
			func() bool { return book.count(stored) >= reach })
	}
}

// finish ends the load and holds the ledger against the log.
func (l *load) finish() {
	l.t.Helper()
	l.over.Store(true)
	var ended atomic.Bool
	go func() { l.callers.Wait(); ended.Store(true) }()
	eventually(l.t, "the end of all callers", ended.Load)
	s := closed(l.conn)
	l.seen.audit(l.t)
	auditSums(l.t, s)
	if s.Responses != l.answered.Load() {
		l.t.Errorf("got %d answers in Stats, want the %d of the callers", s.Responses, l.answered.Load())
	}
	sums := auditCounts(l.t, l.counts)
	l.t.Logf("%d requests, %d answered, %d failed (%d timed out), over %d connections; records: %v; and polled: %v",
		sums.Sent, sums.Received, sums.Failed, sums.TimedOut, sums.Ready, l.book, l.polledBook)
	log := recordsOf(l.t, l.b, l.name, l.id)
	l.book.audit(l.t, log)
	l.polledBook.audit(l.t, log)
}

// TestRestartedUnderLoad restarts a broker ten times, after a stop and after a kill in
// turn, under a load.
func TestRestartedUnderLoad(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{})
	l := newLoad(t, b, "restarts")
	l.start()
	for round := range 10 {
		l.progress(50)
		end := b.Kill
		if round%2 == 0 {
			end = func() error { return b.Stop(t.Context()) }
		}
		fakebroker.Must(t, errors.Join(end(), b.Restart(t.Context())))
	}
	l.progress(50)
	l.finish()
	if n := l.seen.now().ups; n < 11 {
		t.Errorf("got ready %d times, want once for each of ten restarts", n)
	}
	if l.book.count(open)+l.book.count(unsent) == 0 {
		t.Error("got no lost request in ten restarts, want some: there was no load")
	}
}
