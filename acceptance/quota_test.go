//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/metrics/recorder"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// A broker enforces quotas by KIP-219: it answers at once with a throttle time, and reads
// nothing until that has passed.

// limit sets quotas of a client id, until the test ends.
func limit(t *testing.T, conn *broker.Conn, kind, name string, quotas map[string]float64) {
	t.Helper()
	alter := func(ctx context.Context, remove bool) {
		req := kmsg.NewPtrAlterClientQuotasRequest()
		entry := kmsg.NewAlterClientQuotasRequestEntry()
		entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
		entity.Type, entity.Name = kind, &name
		entry.Entity = append(entry.Entity, entity)
		for key, value := range quotas {
			op := kmsg.NewAlterClientQuotasRequestEntryOp()
			op.Key, op.Value, op.Remove = key, value, remove
			entry.Ops = append(entry.Ops, op)
		}
		req.Entries = append(req.Entries, entry)
		resp := must(req.RequestWith(ctx, conn))(t)
		if code := resp.Entries[0].ErrorCode; code != 0 {
			t.Fatalf("quotas of %s %s: error %d", kind, name, code)
		}
	}
	alter(t.Context(), false)
	// The controller has the quota before the broker. The broker applies metadata in order,
	// one batch after the other: once it leads the second of two topics created after the
	// quota, it has the quota.
	for i := range 2 {
		topicNamed(t, conn, fmt.Sprint("made-after-the-quotas-of-", name, i))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		alter(ctx, true)
	})
}

// An usher records the throttles of the broker, and the writes before their ends.
type usher struct {
	mu    sync.Mutex
	until time.Time // of the last throttle, as Throttled reported; zero: there was none
	at    time.Time // when it reported that
	early []string
}

func (u *usher) hooks() *broker.Hooks {
	return &broker.Hooks{
		Throttled: func(_ broker.Endpoint, until time.Time) {
			u.mu.Lock()
			defer u.mu.Unlock()
			if until.Before(u.until) {
				u.early = append(u.early, "the end of the throttle moved back")
			}
			u.until, u.at = until, time.Now()
		},
		RequestWritten: func(info broker.RequestInfo) {
			u.mu.Lock()
			defer u.mu.Unlock()
			// Not what was admitted before the broker said so.
			if info.Queued.After(u.at) && info.Written.Before(u.until) {
				u.early = append(u.early, "a request was written before the end")
			}
		},
	}
}

// write watches what a connection writes.
func (u *usher) write(conn net.Conn, p []byte) (int, error) {
	u.mu.Lock()
	if time.Now().Before(u.until) {
		u.early = append(u.early, "bytes were written before the end")
	}
	u.mu.Unlock()
	return conn.Write(p)
}

// end is the end of the last throttle that was reported; zero: there was none.
func (u *usher) end() time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.until
}

func (u *usher) audit(t *testing.T) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, what := range u.early {
		t.Error(what)
	}
}

// TestThrottledByTheBroker: the requests' timeout is shorter than the throttle.
func TestThrottledByTheBroker(t *testing.T) {
	t.Parallel()
	b := sharedBroker(t)
	admin := connect(t, configOf(t, b))
	const name, client = "throttled", "limited-producer"
	id := topicNamed(t, admin, name)
	limit(t, admin, "client-id", client, map[string]float64{"producer_byte_rate": 1000})

	u, counts := new(usher), recorder.New()
	cfg := configOf(t, b)
	cfg.ClientID = client
	cfg.RequestTimeout = 3 * time.Second
	cfg.Metrics, cfg.Hooks = counts, u.hooks()
	cfg.Transport = tapped(tcp.Options{}, u.write)

	// This exceeds a rate over ten seconds by two thirds, which is a throttle of six seconds
	// more. The two leave together, so that the second is under way when the broker ceases to
	// read.
	var conn *broker.Conn
	var once sync.Once
	sent := make(chan *broker.Future, 2)
	cfg.Hooks.StateChanged = func(_, to broker.State, _ broker.Endpoint, _ error) {
		if to == broker.Connected {
			once.Do(func() {
				sent <- sendOn(t, conn, produceRequest(name, id, -1, []byte(strings.Repeat("much", 16_000/4))))
				sent <- sendOn(t, conn, kmsg.NewPtrMetadataRequest())
			})
		}
	}
	conn = must(broker.NewConn(cfg))(t)
	defer closed(conn)
	if _, err := conn.Send(t.Context(), kmsg.NewPtrMetadataRequest()); !errors.Is(err, broker.ErrNotConnected) {
		t.Fatalf("Send before there is a connection: got %v, want ErrNotConnected", err)
	}
	much, behind := <-sent, <-sent
	resp := must(much.Wait(t.Context()))(t)
	throttled := resp.(*kmsg.ProduceResponse).ThrottleMillis
	if throttled < 4000 || u.end().IsZero() || !conn.Stats().ThrottledUntil.After(time.Now()) {
		t.Fatalf("got a throttle of %d ms until %v, and %v in Stats; want the same end", throttled, u.end(),
			conn.Stats().ThrottledUntil)
	}

	// While throttled, Send is refused and Request waits in the queue.
	if _, err := conn.Send(t.Context(), kmsg.NewPtrMetadataRequest()); !errors.Is(err, broker.ErrThrottled) ||
		lostWith(t, err) != broker.SentNothing {
		t.Errorf("request while throttled: got %v", err)
	}
	const inLine = 3
	answers := make(chan error, inLine)
	for range inLine {
		go func() {
			err := askMetadata(t.Context(), conn)
			if err == nil && time.Now().Before(u.end()) {
				err = errors.New("answered before the end of the throttle")
			}
			answers <- err
		}()
	}
	if _, err := behind.Wait(t.Context()); err != nil {
		t.Errorf("request before the throttle: got %v", err)
	}
	for range inLine {
		if err := <-answers; err != nil {
			t.Errorf("a waiting caller: got %v", err)
		}
	}
	u.audit(t)
	s := counts.Snapshot()
	if want := time.Duration(throttled) * time.Millisecond; s.ThrottledSum != want || conn.Stats().Throttled != 1 {
		t.Errorf("throttled by %v in %d answers, want %v in one", s.ThrottledSum, conn.Stats().Throttled, want)
	}
	if s.Failed != 0 || s.TimedOut != 0 || s.Started != 1 {
		t.Errorf("after the throttle: got failures in %+v, want none", s)
	}
}

// TestThrottledPolled: the quota is on the time of the broker's request threads. The
// throttle is for the client, not for the connection.
func TestThrottledPolled(t *testing.T) {
	t.Parallel()
	b := sharedBroker(t)
	const client = "limited-loop"
	limit(t, connect(t, configOf(t, b)), "client-id", client, map[string]float64{"request_percentage": 0.01})
	u, counts := new(usher), recorder.New()
	cfg := configOf(t, b)
	cfg.ClientID = client
	cfg.Metrics, cfg.Hooks = counts, u.hooks()
	p := newLoop(t, cfg)
	defer p.Close(nil)

	var sum time.Duration
	take := func(f *broker.Future) {
		t.Helper()
		p.until(time.Time{}, "an answer", func() bool { return isDone(f) })
		resp := must(f.Response())(t)
		sum += time.Duration(resp.(*kmsg.MetadataResponse).ThrottleMillis) * time.Millisecond
	}
	// refusedUntil checks that nothing is admitted before the end.
	refusedUntil := func(end time.Time) {
		t.Helper()
		f := p.Send(kmsg.NewPtrMetadataRequest(), false)
		if p.Stats().InFlight > 0 {
			if time.Now().Before(end) {
				t.Error("request while throttled: got it admitted, want it refused")
			}
			take(f)
			return
		}
		if _, err := f.Response(); !errors.Is(err, broker.ErrThrottled) || lostWith(t, err) != broker.SentNothing {
			t.Errorf("request while throttled: got %v", err)
		}
	}
	for range 3 {
		p.connect()
		first, second := p.Send(kmsg.NewPtrMetadataRequest(), false), p.Send(kmsg.NewPtrMetadataRequest(), false)
		take(first)
		take(second)
		end := u.end()
		refusedUntil(end)
		p.Close(nil)
		p.until(time.Time{}, "a connection", func() bool { return p.Connect() == broker.Connected })
		refusedUntil(end)
	}
	u.audit(t)
	s := counts.Snapshot()
	if sum == 0 || s.ThrottledSum != sum {
		t.Errorf("sum of throttles: got %[2]v, want %[1]v", sum, s.ThrottledSum)
	}
	if s.TimedOut != 0 {
		t.Errorf("got %d timeouts, want 0", s.TimedOut)
	}
}
