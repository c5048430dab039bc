package soak

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
)

// A tally is what was counted of one connection, in three places that do not know of each
// other: by its callers, by its hooks, and by its metrics.
type tally struct {
	metrics sink

	mu      sync.Mutex
	calls   int64            // requests that the callers have passed in, each try of one
	ends    map[string]int64 // of calls, by class
	defects []string         // what no request of the load may have

	answers, failures, ready, reauthentications atomic.Int64 // as the hooks report them
}

func newTally() *tally {
	return &tally{metrics: sink{Recorder: recorder.New()}, ends: map[string]int64{}}
}

// sink is a Recorder that also counts the canceled requests that were not admitted.
type sink struct {
	*recorder.Recorder
	unadmitted atomic.Int64
}

// RequestCanceled counts a request that its caller gave up.
func (s *sink) RequestCanceled(now time.Time, key, version int16) {
	s.Recorder.RequestCanceled(now, key, version)
	if version < 0 {
		s.unadmitted.Add(1)
	}
}

func (t *tally) hooks() *broker.Hooks {
	return &broker.Hooks{
		StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
			if to == broker.Connected {
				t.ready.Add(1)
			}
		},
		AuthDone: func(_ broker.Endpoint, login broker.LoginInfo, err error) {
			if login.Again && err == nil {
				t.reauthentications.Add(1)
			}
		},
		RequestAnswered: func(broker.RequestInfo) { t.answers.Add(1) },
		RequestFailed:   func(broker.RequestInfo, error) { t.failures.Add(1) },
		Panicked:        func(v any) { t.defect(fmt.Sprintf("a hook panicked: %v", v)) },
	}
}

// begin counts a request that a caller passes in.
func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
}

// end counts the end of one.
func (t *tally) end(err error) {
	name, defect := classify(err)
	if defect != "" {
		t.defect(fmt.Sprintf("%s: %v", defect, err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends[name]++
}

// maxDefects bounds the defects that are kept: the rest has the same reasons.
const maxDefects = 20

func (t *tally) defect(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.defects) < maxDefects {
		t.defects = append(t.defects, what)
	}
}

// answered is the number of requests that the callers have seen answered.
func (t *tally) answered() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ends[answered]
}

// add adds the calls and ends of another tally, for a line about all.
func (t *tally) add(other *tally) {
	other.mu.Lock()
	defer other.mu.Unlock()
	t.calls += other.calls
	for name, n := range other.ends {
		t.ends[name] += n
	}
}

// A sum is two counts of the same thing.
type sum struct {
	what      string
	got, want int64
}

// sums are the counts that must agree once a connection is closed and all callers are done. s
// is the connection's last Stats.
func (t *tally) sums(s broker.Stats) []sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.metrics.Snapshot()
	var ended int64
	for _, n := range t.ends {
		ended += n
	}
	return []sum{
		{"ends of calls, and calls", ended, t.calls},
		{"requests admitted, refused and given up in the queue, and calls",
			s.Requests + s.Refused + t.metrics.unadmitted.Load(), t.calls},
		{"requests answered and failed in Stats, and admitted", s.Responses + s.Failed, s.Requests},
		{"requests in flight in Stats, and none", int64(s.InFlight), 0},
		{"requests in the queue in Stats, and none", int64(s.Waiting), 0},
		{"bytes to be written in Stats, and none", int64(s.PendingBytes), 0},
		{"attempts that ended in Stats, and attempts", s.Closed, s.Attempts},
		{"requests sent in the metrics and in Stats", m.Sent, s.Requests},
		{"requests answered and failed in the metrics, and sent", m.Received + m.Failed, m.Sent},
		{"connections closed in the metrics, and opened", m.Closed, m.Started},
		{"connections opened in the metrics, and attempts in Stats", m.Started, s.Attempts},
		{"connections ready in the metrics, and for the hooks", m.Ready, t.ready.Load()},
		{"requests answered for the hooks and in Stats", t.answers.Load(), s.Responses},
		{"requests failed for the hooks and in Stats", t.failures.Load(), s.Failed},
		{"reauthentications for the hooks and in Stats", t.reauthentications.Load(), s.Relogins},
		{"requests refused in the metrics and in Stats", m.Refused, s.Refused},
		{"requests given up in the metrics and in Stats", m.Canceled, s.Canceled},
		{"bytes sent in the metrics and in Stats", m.BytesSent, s.BytesSent},
		{"bytes received in the metrics and in Stats", m.BytesReceived, s.BytesReceived},
	}
}

// broken returns a sentence for each defect, and for each sum that does not agree.
func (t *tally) broken(name string, s broker.Stats) (broken []string) {
	for _, c := range t.sums(s) {
		if c.got != c.want {
			broken = append(broken, fmt.Sprintf("connection %s: %s do not agree: %d, %d", name, c.what, c.got, c.want))
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, defect := range t.defects {
		broken = append(broken, fmt.Sprintf("connection %s: %s", name, defect))
	}
	return broken
}

// balance is what there is to say of the counts of a closed connection.
func (t *tally) balance(name string, s broker.Stats) string {
	agree := 0
	all := t.sums(s)
	for _, c := range all {
		if c.got == c.want {
			agree++
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("connection %s: %d of %d counts agree: %d calls; %d requests admitted, %d answered, %d failed; "+
		"%d refused, %d given up in the queue; %d attempts, %d closed, %d ready, %d reauthentications; "+
		"%d bytes sent, %d received", name, agree, len(all), t.calls, s.Requests, s.Responses, s.Failed, s.Refused,
		t.metrics.unadmitted.Load(), s.Attempts, s.Closed, s.Ready, s.Relogins, s.BytesSent, s.BytesReceived)
}
