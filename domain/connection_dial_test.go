package domain_test

import (
	"errors"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// The way up by several addresses, and what is left of it behind a loss.

// The link to the second address is asked like the first.
func TestStepGoesOnWithTheNextAddress(t *testing.T) {
	b := newBench(t, nil)
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}, {Address: "b"}}, nil
	b.steps()
	b.tr.link.stageErr = errors.New("connection refused")
	_, idle := b.steps()
	b.now = idle.Deadline // the pause
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	b.wantJournal("resolve", "close lookup", "open a", "close link", "open b")
	b.upTo(ports.StageEstablished)
	b.wantState(domain.NegotiatingVersions)
}

// racer is a transport that races, or returns no link.
type racer struct {
	*fakeTransport
	none bool
}

func (r *racer) Race(all []ports.Endpoint, _ time.Duration) ports.RacingLink {
	r.note("race " + all[0].Address + " " + all[1].Address)
	if r.none {
		return nil
	}
	r.link = &fakeLink{t: r.fakeTransport, stageErr: ports.ErrWouldBlock, room: 1 << 30, eof: ports.ErrWouldBlock}
	return &racingLink{fakeLink: r.link}
}

// Only an owner that parks, which has goroutines, prefers Race.
func TestOpenRaces(t *testing.T) {
	for _, c := range []struct {
		park, none bool
		journal    []string
		state      domain.State
	}{
		{false, false, []string{"resolve", "close lookup", "open a"}, domain.NegotiatingVersions},
		{true, false, []string{"resolve", "close lookup", "race a b"}, domain.NegotiatingVersions},
		{true, true, []string{"resolve", "close lookup", "race a b"}, domain.Disconnected},
	} {
		b := newBench(t, nil)
		p := domain.Ports{Transport: &racer{b.tr, c.none}, Codec: &textCodec{}, Metrics: b.sink}
		b.Connection = domain.NewConnection(domain.Complete(b.cfg), p, c.park)
		b.Connect(b.now, domain.ConnectOptions{})
		b.steps()
		b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}, {Address: "b"}}, nil
		b.steps()
		b.wantJournal(c.journal...)
		if b.tr.link != nil {
			b.upTo(ports.StageEstablished)
		}
		b.wantState(c.state)
		if c.none && !errors.Is(b.LastError(), domain.ErrPortPanic) {
			t.Errorf("no link: got %v, want %v", b.LastError(), domain.ErrPortPanic)
		}
	}
}

// A link that is dialed is awaited, also by an owner that will park in it.
func TestParkedLinkIsAwaitedUntilEstablished(t *testing.T) {
	b := newBench(t, func(b *bench) { b.tr.parker = true }).dialing()
	if b.Awaiting() == nil {
		t.Error("while it is dialed: got nothing, want the link")
	}
	b.upTo(ports.StageEstablished)
	if got := b.Awaiting(); got != nil {
		t.Errorf("established: got %T, want nothing", got)
	}
}

func TestDrainAndReauthenticate(t *testing.T) {
	b := newBench(t, nil).connected()
	b.Drain(b.now, false)
	b.steps()
	b.wantState(domain.Disconnected)

	b = newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} }).dialing().challenged()
	b.auth.exchange.token, b.auth.exchange.done, b.auth.exchange.err = []byte("x"), true, nil
	b.steps()
	b.say(frame(3, []byte("0||")))
	b.steps()
	b.wantState(domain.Connected)
	b.Reauthenticate(b.now)
	b.steps()
	if !b.Reauthenticating() || !b.Stats().Reauthenticating {
		t.Error("got no reauthentication under way, want one")
	}
}
