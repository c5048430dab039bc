package domain_test

import (
	"slices"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// An Event that Next returned is its caller's, whatever Next returns later. That of Step is used again.
func TestNextGivesEventsAway(t *testing.T) {
	now := time.Unix(1, 0)
	m := domain.NewMachine(domain.Complete(domain.Config{Host: "broker", Codec: &textCodec{}, Trace: true}))
	m.Connect(now, domain.ConnectOptions{})
	var events []*domain.Event
	for range 3 {
		for out := m.Next(); out.Kind != domain.Idle; out = m.Next() {
			if out.Kind == domain.Noted {
				events = append(events, out.Event)
			}
		}
		m.HandleAddresses(now, m.Epoch(), []ports.Endpoint{{Host: "broker", Address: "a"}}, nil)
	}
	var got []domain.EventKind
	for _, e := range events {
		got = append(got, e.Kind)
	}
	want := []domain.EventKind{domain.EventResolveStart, domain.EventResolveDone, domain.EventDialStart}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// An Event of Step has the fields of its own kind alone, whichever the one before in its memory had.
func TestStepReusesEventsEmpty(t *testing.T) {
	b := newBench(t, func(b *bench) { b.cfg.Trace, b.cfg.TraceRequests = true, true }).connected()
	for range 3 { // of the lookup, with Endpoints, and of the table, with Versions
		b.send("hello!")
	}
	var written []*domain.Event
	outs, _ := b.steps()
	for _, out := range outs {
		if out.Kind == domain.Noted && out.Event.Kind == domain.EventWritten {
			written = append(written, out.Event)
		}
	}
	if len(written) != 3 {
		t.Fatalf("got %d events of requests written, want 3", len(written))
	}
	for _, e := range written {
		if e.Endpoints != nil || e.Versions != nil || e.Text != "" || !e.Until.IsZero() ||
			e.Login != (domain.LoginInfo{}) {
			t.Errorf("got %+v, want the request and its place alone", e)
		}
	}
}
