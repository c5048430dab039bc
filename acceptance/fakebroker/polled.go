package fakebroker

import (
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
)

// PolledBroker is a Polled with its broker, network and fake clock.
type PolledBroker struct {
	*broker.Polled
	Clock   *fake.Clock
	Network *memory.Transport
	Hand    *Hand
	Counts  *recorder.Recorder
}

// NewPolledBroker returns a PolledBroker whose Config change, unless nil, has changed.
func NewPolledBroker(t *testing.T, change func(*broker.Config)) *PolledBroker {
	t.Helper()
	s := &PolledBroker{Clock: fake.New(time.Time{}), Network: memory.New(), Counts: recorder.New()}
	s.Hand = &Hand{Network: s.Network}
	cfg := broker.Config{
		Host: "broker", Transport: s.Network, Clock: s.Clock, Metrics: s.Counts,
		Rand:     func() uint64 { return 0 }, // the shortest pauses
		Selector: fake.Selector{Clock: s.Clock, Work: func(any) bool { return s.Hand.Act() }},
	}
	if change != nil {
		change(&cfg)
	}
	s.Polled = NewPolled(t, cfg)
	return s
}

// Ready connects.
func (s *PolledBroker) Ready(t *testing.T) {
	t.Helper()
	for range 10 {
		if s.Connect() == broker.Connected {
			return
		}
		s.Hand.Act()
	}
	t.Fatalf("state: got %v, want Connected", s.State())
}
