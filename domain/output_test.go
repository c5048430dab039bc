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
