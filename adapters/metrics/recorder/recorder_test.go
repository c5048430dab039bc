package recorder_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"brokerconn/adapters/metrics/recorder"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestContract(t *testing.T) {
	porttest.MetricsSink(t, func() ports.MetricsSink { return recorder.New() })
}

func TestEveryEventIsCountedInItsPlace(t *testing.T) {
	r := recorder.New()
	now := time.Unix(1, 0)
	for _, step := range []struct {
		event func()
		want  recorder.Snapshot
	}{
		{func() {}, recorder.Snapshot{}},
		{func() { r.ConnectionStarted(now) }, recorder.Snapshot{Started: 1}},
		{func() { r.ConnectionReady(now, time.Second) }, recorder.Snapshot{Ready: 1, SetupSum: time.Second}},
		{func() { r.ConnectionClosed(now, false, false) }, recorder.Snapshot{Closed: 1}},
		{func() { r.ConnectionClosed(now, true, false) }, recorder.Snapshot{Closed: 1, ClosedReady: 1}},
		{func() { r.ConnectionClosed(now, false, true) }, recorder.Snapshot{Closed: 1, ClosedClean: 1}},
		{func() { r.LoginSucceeded(now, false, 0) }, recorder.Snapshot{Logins: 1}},
		{func() { r.LoginSucceeded(now, true, 0) }, recorder.Snapshot{Relogins: 1}},
		{func() { r.LoginFailed(now, false) }, recorder.Snapshot{LoginsFailed: 1}},
		{func() { r.LoginFailed(now, true) }, recorder.Snapshot{ReloginsFailed: 1}},
		{func() { r.RequestSent(now, 3, 9, 100) }, recorder.Snapshot{Sent: 1}},
		{func() { r.ResponseReceived(now, 3, 9, 200, 0, lasted(5*time.Second)) },
			recorder.Snapshot{Received: 1, LatencySum: 5 * time.Second, LatencyMax: 5 * time.Second}},
		{func() { r.ResponseReceived(now, 3, 9, 200, 0, lasted(2*time.Second)) },
			recorder.Snapshot{Received: 1, LatencySum: 2 * time.Second}},
		{func() { r.ResponseReceived(now, 3, 9, 200, 0, lasted(6*time.Second)) },
			recorder.Snapshot{Received: 1, LatencySum: 6 * time.Second, LatencyMax: time.Second}},
		{func() { r.ResponseReceived(now, 3, 9, 200, time.Minute, ports.Timing{}) },
			recorder.Snapshot{Received: 1, ThrottledSum: time.Minute}},
		{func() { r.RequestFailed(now, 3, 0, false, ports.Timing{}) }, recorder.Snapshot{Failed: 1}},
		{func() { r.RequestFailed(now, 3, 0, true, ports.Timing{}) }, recorder.Snapshot{Failed: 1, TimedOut: 1}},
		{func() { r.BytesSent(now, 10) }, recorder.Snapshot{BytesSent: 10}},
		{func() { r.BytesReceived(now, 20) }, recorder.Snapshot{BytesReceived: 20}},
		{func() { r.StaleIgnored(now) }, recorder.Snapshot{Stale: 1}},
	} {
		before := r.Snapshot()
		step.event()
		if got := difference(r.Snapshot(), before); got != step.want {
			t.Errorf("got %+v, want %+v", got, step.want)
		}
	}
}

func difference(a, b recorder.Snapshot) recorder.Snapshot {
	to, from := reflect.ValueOf(&a).Elem(), reflect.ValueOf(b)
	for i := range to.NumField() {
		to.Field(i).SetInt(to.Field(i).Int() - from.Field(i).Int())
	}
	return a
}

// lasted is the timing of a request with the latency d.
func lasted(d time.Duration) ports.Timing {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return ports.Timing{Queued: start, Completed: start.Add(d)}
}

func TestAPartNeverExceedsItsWhole(t *testing.T) {
	r := recorder.New()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				r.ConnectionStarted(time.Time{})
				r.RequestSent(time.Time{}, 3, 0, 1)
				if i%2 == 0 {
					r.ResponseReceived(time.Time{}, 3, 0, 1, 0, lasted(time.Duration(i)))
				} else {
					r.RequestFailed(time.Time{}, 3, 0, true, ports.Timing{})
				}
				r.ConnectionClosed(time.Time{}, true, true)
			}
		})
	}
	for range 2000 {
		s := r.Snapshot()
		if s.Closed > s.Started || s.ClosedReady > s.Closed || s.ClosedClean > s.Closed ||
			s.Received+s.Failed > s.Sent || s.TimedOut > s.Failed {
			t.Fatalf("%+v", s)
		}
	}
	wg.Wait()
	want := recorder.Snapshot{
		Started: 8000, Closed: 8000, ClosedReady: 8000, ClosedClean: 8000,
		Sent: 8000, Received: 4000, Failed: 4000, TimedOut: 4000,
		LatencySum: 4 * 999 * 1000, LatencyMax: 1998,
	}
	if got := r.Snapshot(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
