//go:build acceptance

package acceptance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A ledger has an entry for each record that a test has tried to produce: its fate, as the
// response or the error reports it. At the end audit compares the entries with the broker's
// log: no record is lost silently, and none is stored twice.
type ledger struct {
	mu     sync.Mutex
	fates  map[string]fate
	counts [unsent + 1]int
}

type fate uint8

const (
	stored   fate = iota // acknowledged: in the log, once
	declined             // the broker answered an error, which may mean either
	open                 // sent, and no answer came: in the log once, or not at all
	unsent               // not sent, or not to its end: not in the log
)

func newLedger() *ledger { return &ledger{fates: make(map[string]fate)} }

// enter records how a request to produce a record ended.
func (l *ledger) enter(t testing.TB, record string, resp ports.Message, err error) {
	t.Helper()
	f := unsent
	switch {
	case err == nil && resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode != 0:
		f = declined
	case err == nil:
		f = stored
	case lostWith(t, err) == broker.SentFully:
		f = open
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, twice := l.fates[record]; twice {
		t.Errorf("record %s: got two ends of its request, want one", record)
	}
	l.fates[record] = f
	l.counts[f]++
}

func (l *ledger) count(f fate) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[f]
}

func (l *ledger) String() string {
	return fmt.Sprintf("%d stored, %d declined, %d open, %d not sent",
		l.count(stored), l.count(declined), l.count(open), l.count(unsent))
}

// lostWith checks the error of a request that was refused, or lost with its
// connection, and returns how much of it was sent.
func lostWith(t testing.TB, err error) broker.Sent {
	t.Helper()
	var e *broker.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a *broker.Error", err)
		return broker.SentFully
	}
	if !broker.Retriable(err) || broker.SafeToRetry(err) != (e.Sent != broker.SentFully) {
		t.Errorf("got retriable %v, safe to retry %v: %v", broker.Retriable(err), broker.SafeToRetry(err), err)
	}
	return e.Sent
}

// audit compares the ledger with the log, which may hold other records as well.
func (l *ledger) audit(t testing.TB, log []string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	there := make(map[string]int)
	for _, record := range log {
		there[record]++
	}
	for record, f := range l.fates {
		switch n := there[record]; {
		case n > 1:
			t.Errorf("record %s: got it %d times in the log, want at most once", record, n)
		case n == 0 && f == stored:
			t.Errorf("record %s: got it acknowledged, but not in the log", record)
		case n == 1 && f == unsent:
			t.Errorf("record %s: got an error that it was not sent, but it is in the log", record)
		}
	}
}

// recordsOf reads a topic from its beginning to the record that it ends with,
// which is produced for that. Spaces at the end of a record are padding.
func recordsOf(t *testing.T, b *Broker, name string, id [16]byte) []string {
	t.Helper()
	conn := connect(t, configOf(t, b))
	eventually(t, "a leader of topic "+name, func() bool { return hasLeader(t, conn, name) })
	end := fmt.Sprintf("the end of %s as of %d", name, time.Now().UnixNano())
	must(produced(produceRequest(name, id, -1, []byte(end)).RequestWith(t.Context(), conn)))(t)
	var records []string
	for offset := int64(0); ; {
		batches := must(fetched(fetchRequest(name, id, offset).RequestWith(t.Context(), conn)))(t)
		for len(batches) > 0 {
			var batch kmsg.RecordBatch
			fakebroker.Must(t, batch.ReadFrom(batches))
			var record kmsg.Record // one each, as batchOf makes them
			if err := record.ReadFrom(batch.Records); err != nil || batch.NumRecords != 1 {
				t.Fatalf("a batch of %d records: %v", batch.NumRecords, err)
			}
			batches = batches[12+batch.Length:]
			offset = batch.FirstOffset + 1
			if string(record.Value) == end {
				return records
			}
			records = append(records, strings.TrimRight(string(record.Value), " "))
		}
	}
}

// eventually waits for a condition that must become true.
func eventually(t testing.TB, what string, come func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !come(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got no %[2]s within %[1]v", patience, what)
		}
	}
}

// A witness records what the hooks of one connection report.
type witness struct {
	mu       sync.Mutex
	seen     seen
	requests map[request]*life
}

type seen struct {
	ups      int    // times that it became ready
	downs    []down // times that it went down after that
	idle     int    // times that it was closed because nothing happened
	attempts int
}

// down is one loss of a ready connection.
type down struct {
	at  time.Time
	err error
}

type request struct {
	attempt     int
	correlation int32
}

type life struct{ written, ended int }

// watched is connect with a witness.
func watched(t *testing.T, cfg broker.Config) (*broker.Conn, *witness) {
	t.Helper()
	w := newWitness()
	cfg.Hooks = w.hooks()
	return connect(t, cfg), w
}

func newWitness() *witness { return &witness{requests: make(map[request]*life)} }

func (w *witness) hooks() *broker.Hooks {
	return &broker.Hooks{
		StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			switch {
			case to == broker.Connecting:
				w.seen.attempts++
			case to == broker.Connected:
				w.seen.ups++
			case from == broker.Connected:
				w.seen.downs = append(w.seen.downs, down{time.Now(), err})
			}
		},
		Idle: func(broker.Endpoint) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.seen.idle++
		},
		RequestWritten:  func(info broker.RequestInfo) { w.of(info, func(l *life) { l.written++ }) },
		RequestAnswered: func(info broker.RequestInfo) { w.of(info, func(l *life) { l.ended++ }) },
		RequestFailed:   func(info broker.RequestInfo, _ error) { w.of(info, func(l *life) { l.ended++ }) },
	}
}

func (w *witness) of(info broker.RequestInfo, note func(*life)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := request{w.seen.attempts, info.CorrelationID}
	if w.requests[key] == nil {
		w.requests[key] = new(life)
	}
	note(w.requests[key])
}

// now is what was seen until now.
func (w *witness) now() seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen // downs only grows
}

// audit checks, once all is over, that each request ended, and once.
func (w *witness) audit(t testing.TB) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for r, l := range w.requests {
		if l.ended != 1 || l.written > 1 {
			t.Errorf("request %d of attempt %d: got %d writes and %d ends, want at most 1 and 1",
				r.correlation, r.attempt, l.written, l.ended)
		}
	}
}

// auditCounts checks what was counted on connections on which all is over.
func auditCounts(t testing.TB, counts *recorder.Recorder) recorder.Snapshot {
	t.Helper()
	s := counts.Snapshot()
	if s.Sent != s.Received+s.Failed || s.Started != s.Closed {
		t.Errorf("got inconsistent sums: %+v", s)
	}
	return s
}

// auditSums checks what Stats has counted on a connection on which all is over.
func auditSums(t testing.TB, s broker.Stats) {
	t.Helper()
	if s.Requests != s.Responses+s.Failed || s.InFlight != 0 || s.Waiting != 0 || s.PendingBytes != 0 ||
		s.Attempts != s.Closed {
		t.Errorf("got inconsistent sums: %+v", s)
	}
}
