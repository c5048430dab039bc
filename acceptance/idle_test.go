//go:build acceptance

package acceptance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// These tests wait for a broker that closes connections after brokerIdle without traffic,
// in real time.
const brokerIdle = 2 * time.Second

// aim finds the pause after which a request meets the broker's close: a bit less
// after each one that was too long, a bit more after each that was too short.
type aim struct {
	pause, step time.Duration
	long        bool // the last one was
}

func (a *aim) was(tooLong bool) {
	if a.step *= 2; a.step == 0 || tooLong != a.long {
		a.step = time.Millisecond // it lies between the last two
	}
	a.long = tooLong
	if tooLong {
		a.pause -= a.step
	} else {
		a.pause += a.step
	}
}

// next is that pause, give or take half a millisecond.
func (a *aim) next() time.Duration { return a.pause - time.Millisecond/2 + rand.N(time.Millisecond) }

func TestIdle(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Properties: map[string]string{
		"connections.max.idle.ms": fmt.Sprint(brokerIdle.Milliseconds()),
	}})
	// A thread of the broker, of which it has two, looks for idle connections when there is
	// traffic on another one of its connections. This traffic makes it look all the time and
	// close to the millisecond, so that a request can meet the close.
	for range 2 {
		cfg := configOf(t, b)
		cfg.PingInterval = 3 * time.Millisecond
		connect(t, cfg)
	}
	for name, test := range map[string]func(*testing.T){
		"the broker closes first":         func(t *testing.T) { testClosedByTheBroker(t, b, idleConn, 24) },
		"the broker closes first, polled": func(t *testing.T) { testClosedByTheBroker(t, b, idleLoop, 12) },
		"we close first":                  func(t *testing.T) { testIdleLimit(t, b) },
		"kept warm":                       func(t *testing.T) { testPings(t, b) },
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

// An idler is a connection without an idle limit of its own, with the operations of its
// test.
type idler struct {
	*witness
	ask       func(*kmsg.ProduceRequest) (ports.Message, error)
	pass      func(time.Duration)
	untilLost func() bool
	arrived   func() bool // the broker's close has
	close     func() broker.Stats
}

func idleConn(t *testing.T, b *Broker, counts *recorder.Recorder) *idler {
	wire := &lastLink{Transport: tcp.New(tcp.Options{})}
	cfg := configOf(t, b)
	cfg.IdleTimeout = -1
	cfg.Metrics, cfg.Transport = counts, wire
	conn, w := watched(t, cfg)
	return &idler{
		witness: w,
		ask: func(req *kmsg.ProduceRequest) (ports.Message, error) {
			resp, err := conn.Request(t.Context(), req)
			return resp, err
		},
		pass: time.Sleep,
		untilLost: func() bool {
			deadline := time.Now().Add(patience)
			for len(w.now().downs) == 0 && time.Now().Before(deadline) {
				time.Sleep(time.Millisecond)
			}
			return len(w.now().downs) > 0
		},
		arrived: wire.ended,
		close:   func() broker.Stats { return closed(conn) },
	}
}

func idleLoop(t *testing.T, b *Broker, counts *recorder.Recorder) *idler {
	cfg := configOf(t, b)
	cfg.Metrics = counts
	p, w := watchedLoop(t, cfg)
	return &idler{
		witness: w,
		ask:     func(req *kmsg.ProduceRequest) (ports.Message, error) { return p.ask(req) },
		pass: func(d time.Duration) {
			p.until(time.Now().Add(d), "silence", func() bool { return false })
		},
		untilLost: func() bool { return p.until(time.Time{}, "the broker's close", p.Disconnected) },
		arrived:   p.Disconnected,
		close:     func() broker.Stats { p.Close(nil); return p.Stats() },
	}
}

// testClosedByTheBroker sends requests at about the moment when the broker closes
// the connection.
func testClosedByTheBroker(t *testing.T, b *Broker, open func(*testing.T, *Broker, *recorder.Recorder) *idler,
	conns int) {
	const rounds = 6
	name := fmt.Sprint("idle-", conns)
	id := topicNamed(t, connect(t, configOf(t, b)), name)
	book, counts := newLedger(), recorder.New()
	var before, after, met atomic.Int64
	var wg sync.WaitGroup
	for i := range conns {
		c := open(t, b, counts)
		produce := func(when string, round int) error {
			record := fmt.Sprintf("%d, %s %d", i, when, round)
			resp, err := c.ask(produceRequest(name, id, -1, []byte(record)))
			book.enter(t, record, resp, err)
			return err
		}
		wg.Go(func() {
			defer func() {
				auditSums(t, c.close())
				c.audit(t)
			}()
			// The end is noticed and reported although no request is sent.
			if err := produce("before the first silence", 0); err != nil {
				t.Error(err)
			}
			answered := time.Now()
			if !c.untilLost() {
				t.Error("got no end of the idle connection, want one by the broker, reported by a hook")
				return
			}
			end := c.now().downs[0]
			if end.err != nil {
				t.Errorf("closed by the broker while idle: got %v, want no failure", end.err)
			}
			if c.now().ups != 1 || c.now().idle != 0 {
				t.Error("got a connection attempt or its own idle close, want neither")
			}

			aim := aim{pause: end.at.Sub(answered)}
			for round := range rounds {
				if err := produce("before silence", round); err != nil {
					t.Errorf("after the close: got %v", err)
				}
				ups := c.now().ups
				c.pass(aim.next())
				arrived := c.arrived()
				switch err := produce("after silence", round); {
				case err == nil && c.now().ups > ups:
					after.Add(1)
					aim.was(true)
				case err == nil:
					before.Add(1)
					aim.was(false)
				case arrived:
					t.Errorf("after the close had arrived: got %v, want the request not sent", err)
				case !errors.Is(err, broker.ErrConnection) || errors.Is(err, broker.ErrTimeout):
					t.Errorf("a request that met the close: got %v", err)
				default:
					met.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("requests after silence: %d before the close, %d met it, %d after it on a new connection; records: %v",
		before.Load(), met.Load(), after.Load(), book)
	if s := auditCounts(t, counts); s.Failed != met.Load() {
		t.Errorf("got %d failures, want %d", s.Failed, met.Load())
	}
	book.audit(t, recordsOf(t, b, name, id))
}

// lastLink is a transport that keeps the link that it opened last.
type lastLink struct {
	ports.Transport
	mu   sync.Mutex
	link ports.Link
}

func (l *lastLink) Open(ep ports.Endpoint) ports.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.link = l.Transport.Open(ep)
	return l.link
}

// ended reports whether the broker's close has arrived.
func (l *lastLink) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link.(ports.Checker).Check() != nil
}

// testIdleLimit: a connection that its own idle limit closes has no error and no pause.
func testIdleLimit(t *testing.T, b *Broker) {
	cfg := configOf(t, b)
	cfg.IdleTimeout = brokerIdle / 2
	conn, w := watched(t, cfg)
	for round := range 3 {
		fakebroker.Must(t, askMetadata(t.Context(), conn))
		eventually(t, "the idle limit", func() bool { return w.now().idle == round+1 && len(w.now().downs) == round+1 })
		if err := w.now().downs[round].err; err != nil {
			t.Errorf("idle close: got error %v, want none", err)
		}
		if s := conn.Stats(); s.LastError != nil || !s.BackoffUntil.IsZero() || s.State != broker.Disconnected {
			t.Errorf("idle and closed: got %+v, want Disconnected, no error, no backoff", s)
		}
	}
	if s := conn.Stats(); s.ClosedClean != 3 || s.Closed != 3 || s.FailuresInARow != 0 || w.now().ups != 3 {
		t.Errorf("after three idle closes: got %+v", s)
	}

	p, w := watchedLoop(t, cfg)
	defer p.Close(nil)
	for round := range 3 {
		p.mustAnswer()
		p.until(time.Time{}, "the idle limit", p.Disconnected)
		if w.now().idle != round+1 || w.now().downs[round].err != nil || p.Stats().LastError != nil || p.BlackedOut() {
			t.Errorf("a Polled: got %d idle closes, want %d; last error %v, backoff %v", w.now().idle, round+1,
				p.Stats().LastError, p.BlackedOut())
		}
	}
	if s := p.Stats(); s.ClosedClean != 3 || s.Closed != 3 || s.FailuresInARow != 0 || w.now().ups != 3 {
		t.Errorf("a Polled after three idle closes: got %+v", s)
	}
}

// testPings: pings keep the connection open at the broker.
func testPings(t *testing.T, b *Broker) {
	const longer = 4 * brokerIdle
	cfg := configOf(t, b)
	cfg.PingInterval = brokerIdle / 4
	conn, w := watched(t, cfg)
	p, pw := watchedLoop(t, cfg)
	defer p.Close(nil)

	p.mustAnswer()
	p.until(time.Now().Add(longer), "its end", func() bool { return len(pw.now().downs) > 0 || len(w.now().downs) > 0 })
	p.mustAnswer()
	if len(pw.now().downs) != 0 || pw.now().ups != 1 {
		t.Errorf("a Polled with pings: got ready %d times, lost %v; want once, never", pw.now().ups, pw.now().downs)
	}
	fakebroker.Must(t, askMetadata(t.Context(), conn))
	if len(w.now().downs) != 0 || w.now().ups != 1 {
		t.Errorf("with pings: got ready %d times, lost %v; want once, never", w.now().ups, w.now().downs)
	}
}
