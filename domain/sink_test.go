package domain

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/golang/mock/gomock"

	"brokerconn/mocks"
	"brokerconn/ports"
)

// metricsEvents has each method of ports.MetricsSink, with arguments, and what Stats documents that it counts.
func metricsEvents(now time.Time) []metricsEvent {
	timing := ports.Timing{Queued: now, Written: now.Add(1), Completed: now.Add(2)}
	key, version := ports.KeyMetadata, int16(9)
	return []metricsEvent{
		{"ConnectionStarted", []any{now}, Stats{Attempts: 1}},
		{"ConnectionReady", []any{now, time.Second}, Stats{Ready: 1}},
		{"ConnectionClosed", []any{now, true, false}, Stats{Closed: 1}},
		{"ConnectionClosed", []any{now, false, true}, Stats{Closed: 1, ClosedClean: 1}},
		{"Reconnected", []any{now}, Stats{}},
		{"LoginSucceeded", []any{now, false, time.Second}, Stats{Logins: 1}},
		{"LoginSucceeded", []any{now, true, time.Second}, Stats{Relogins: 1}},
		{"LoginFailed", []any{now, false}, Stats{LoginsFailed: 1}},
		{"LoginFailed", []any{now, true}, Stats{ReloginsFailed: 1}},
		{"RequestSent", []any{now, key, version, 77}, Stats{Requests: 1}},
		{"RequestRefused", []any{now, key}, Stats{Refused: 1}},
		{"RequestCanceled", []any{now, key, version}, Stats{Canceled: 1}},
		{"RequestStalled", []any{now, key, version}, Stats{Stalled: 1}},
		{"RequestFailed", []any{now, key, version, false, timing}, Stats{Failed: 1}},
		{"RequestFailed", []any{now, key, version, true, timing}, Stats{Failed: 1, TimedOut: 1}},
		{"ResponseReceived", []any{now, key, version, 78, time.Duration(0), timing}, Stats{Responses: 1}},
		{"ResponseReceived", []any{now, key, version, 78, time.Duration(1), timing}, Stats{Responses: 1, Throttled: 1}},
		{"ResponseDropped", []any{now}, Stats{Dropped: 1}},
		{"StaleIgnored", []any{now}, Stats{Stale: 1}},
		{"BytesSent", []any{now, 79}, Stats{BytesSent: 79, LastSent: now}},
		{"BytesReceived", []any{now, 80}, Stats{BytesReceived: 80, LastReceived: now}},
	}
}

type metricsEvent struct {
	method string
	args   []any
	counts Stats
}

// on calls the method of a sink.
func (e *metricsEvent) on(sink ports.MetricsSink) {
	var args []reflect.Value
	for _, a := range e.args {
		args = append(args, reflect.ValueOf(a))
	}
	reflect.ValueOf(sink).MethodByName(e.method).Call(args)
}

// TestEventsAreCountedAndReported: the metrics are called with each event, once, and Stats counts it.
func TestEventsAreCountedAndReported(t *testing.T) {
	left := map[string]bool{}
	for method := range reflect.TypeFor[ports.MetricsSink]().Methods() {
		left[method.Name] = true
	}
	for _, e := range metricsEvents(time.Unix(1, 0)) {
		delete(left, e.method)
		ctrl := gomock.NewController(t)
		sink := mocks.NewMockMetricsSink(ctrl)
		ctrl.RecordCall(sink, e.method, e.args...)
		guarded := &guardedSink{sink: sink}
		e.on(guarded)
		if guarded.sums != e.counts {
			t.Errorf("%s%v: got %+v, want %+v", e.method, e.args, guarded.sums, e.counts)
		}
		if guarded.broken != nil {
			t.Errorf("%s%v: got %v, want no panic", e.method, e.args, guarded.broken)
		}
		ctrl.Finish()
	}
	if len(left) > 0 {
		t.Errorf("events without a row: got %v, want none", left)
	}
}

// TestPanicOfMetricsIsContained: whichever method of the metrics panics, its event is counted, and the first panic is
// kept.
func TestPanicOfMetricsIsContained(t *testing.T) {
	for _, e := range metricsEvents(time.Unix(1, 0)) {
		guarded := &guardedSink{} // each call panics, since there is no sink
		e.on(guarded)
		if guarded.broken == nil || guarded.sums != e.counts {
			t.Errorf("%s%v: got %v and %+v, want a panic and %+v", e.method, e.args, guarded.broken, guarded.sums,
				e.counts)
		}
	}
	guarded := &guardedSink{}
	guarded.contain(errors.New("first"))
	guarded.contain(errors.New("second"))
	if got, want := guarded.broken.Error(), "panic in the metrics sink: first"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
