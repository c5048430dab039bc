package broker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
)

func ask() *kmsg.HeartbeatRequest { return kmsg.NewPtrHeartbeatRequest() }

func TestPolledQuestions(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	check := func(state broker.State, connected, connecting, disconnected, blackedOut bool, delay time.Duration,
		forever bool) {
		t.Helper()
		d, f := s.ConnectionDelay()
		assert(t, s.State() == state && s.Connected() == connected && s.Connecting() == connecting &&
			s.Disconnected() == disconnected && s.BlackedOut() == blackedOut && d == delay && f == forever,
			"%v %v %v %v %v %v %v", s.State(), s.Connected(), s.Connecting(), s.Disconnected(), s.BlackedOut(), d, f)
	}
	check(broker.Disconnected, false, false, true, false, 0, false)
	release := s.Network.HoldLookup("broker")
	s.Connect()
	check(broker.Connecting, false, true, false, false, 0, true)
	release()
	s.Connect()
	check(broker.NegotiatingVersions, false, true, false, false, 0, true)
	s.Hand.Act()
	s.Connect()
	check(broker.Connected, true, false, false, false, 0, true)
	s.Close(nil)
	check(broker.Disconnected, false, false, true, false, 0, false)
	s.Ready(t)
	s.Hand.Peer.Reset(nil)
	s.Recv()
	check(broker.Disconnected, false, false, true, true, 40*time.Millisecond, false)
	s.Connect()
	check(broker.Disconnected, false, false, true, true, 40*time.Millisecond, false)
	s.Clock.Advance(40 * time.Millisecond)
	check(broker.Disconnected, false, false, true, false, 0, false)
}

func TestPolledRecvInOrder(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Ready(t)
	var sent []*broker.Future
	for range 5 {
		assert(t, s.CanSendMore(), "no more, below the limit")
		sent = append(sent, s.Send(ask(), false))
	}
	refused := s.Send(ask(), false)
	if _, err := refused.Response(); s.CanSendMore() || !errors.Is(err, broker.ErrTooManyInFlight) {
		t.Errorf("beyond the limit: %v", err)
	}
	if got := s.Recv(); len(got) != 0 {
		t.Errorf("%d answers before there are any", len(got))
	}
	s.Hand.Act()
	got := s.Recv()
	require(t, len(got) == 5, "%d answers, want 5", len(got))
	for i, r := range got {
		assert(t, r.Future == sent[i] && r.Response.(*kmsg.HeartbeatResponse) != nil && isDone(r.Future),
			"answer %d: %+v", i, r)
	}
	assert(t, len(s.Recv()) == 0, "an answer came twice")
}

// TestPolledSendPendingV2: true only if neither the rest of a request nor one
// behind it is left, over a link that takes a few bytes at a time.
func TestPolledSendPendingV2(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Network.Capacity = 64
	s.Ready(t)
	first := s.Send(ask(), false)
	for range 3 {
		s.Send(ask(), false)
	}
	assert(t, !s.SendPendingV2(), "all sent, over a link that is full")
	answered := 0
	for range 100 {
		if s.SendPendingV2() {
			break
		}
		s.Hand.Act()
	}
	for range 100 {
		s.Hand.Act()
		answered += len(s.Recv())
	}
	assert(t, answered == 4 && isDone(first), "%d answers, want 4", answered)
}

func TestPolledBlockingSendWaits(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Network.Capacity = 16
	for !s.Connected() {
		s.Connect()
		s.Hand.Act()
	}
	s.Send(ask(), true)
	assert(t, s.SendPendingV2(), "a blocking Send came back before all was written")
	s.Hand.Silent = true
	f := s.Send(ask(), true) // the broker does not read it: the request timeout ends the wait
	if _, err := f.Response(); !errors.Is(err, broker.ErrRequestTimeout) || s.SendPending() {
		t.Errorf("got %v", err)
	}
}

func TestPolledCloseWithAnError(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Ready(t)
	f := s.Send(ask(), false)
	cause := errors.New("rebalancing")
	s.Close(cause)
	_, err := f.Response()
	assert(t, errors.Is(err, cause) && errors.Is(err, broker.ErrConnection) && !errors.Is(err, broker.ErrClosed),
		"got %v", err)
	assert(t, s.BlackedOut(), "a Close with an error is a failure")
	s.Clock.Advance(time.Second)
	s.Ready(t)
	f = s.Send(ask(), false)
	s.Close(nil)
	wantError(t, errorOf(f.Response()), broker.ErrClosed, broker.ErrConnection)
	s.Close(nil)
	assert(t, !s.BlackedOut(), "a clean Close is no failure")
}

func TestPolledCheckVersion(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	// The table of the hand-played broker has Heartbeat v3, as 2.3 alone, ApiVersions
	// v4, as 3.9 and later, and little else: 2.3 has the fewest that are missing here.
	verdict, err := s.CheckVersion(2*time.Second, false, nil)
	assert(t, err == nil && verdict.String() == "custom, nearest 2.3", "got %v, %v: %q", verdict, err, verdict.Evidence)
	s.Close(nil)
	s.Hand.Silent = true
	before := s.Clock.Now()
	wantError(t, errorOf(s.CheckVersion(time.Second, false, nil)), broker.ErrTimeout)
	equal(t, "time until it gave up", s.Clock.Now().Sub(before), time.Second)
	s.Close(nil)
	s.Network.RefuseDial("broker:9092", errors.New("refused"))
	wantError(t, errorOf(s.CheckVersion(2*time.Second, false, nil)), broker.ErrNotReady, broker.ErrDial)
}

// TestPolledAnswersBeforeTheEnd: what came together with the end of the stream is
// handed out first.
func TestPolledAnswersBeforeTheEnd(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Ready(t)
	answered, lost := s.Send(ask(), false), s.Send(ask(), false)
	s.Hand.Act()
	s.Hand.Peer.Close()
	got := s.Recv()
	assert(t, len(got) == 2 && got[0].Future == answered && got[1].Future == lost,
		"%d answers, want both that had come", len(got))
	assert(t, s.State() == broker.Disconnected, "state %v", s.State())
}

func TestPolledUnreadableAnswer(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Ready(t)
	f := s.Send(ask(), false)
	s.Hand.Peer.Send(fakebroker.ResponseFrame(2, []byte{0})) // the second request of this connection
	got := s.Recv()
	assert(t, len(got) == 1 && got[0].Response == nil, "got %+v", got)
	if _, err := f.Response(); !errors.Is(err, broker.ErrProtocol) || !strings.Contains(err.Error(), "Heartbeat v") {
		t.Errorf("got %v", err)
	}
	assert(t, s.Disconnected(), "state %v", s.State())
}

// TestPolledClosedFromItsHooks closes and connects from inside callbacks, at
// every moment that chance finds: 10,000 rounds.
func TestPolledClosedFromItsHooks(t *testing.T) {
	for round := range closeRounds {
		rng := rand.New(rand.NewPCG(2, uint64(round)))
		var s *fakebroker.PolledBroker
		meddle := func() {
			switch rng.IntN(6) {
			case 0:
				s.Close(nil)
			case 1:
				s.Close(errors.New("enough"))
			case 2:
				s.Connect()
			case 3:
				s.Close(nil)
				s.Connect()
				s.Recv()
			}
		}
		s = fakebroker.NewPolledBroker(t, func(cfg *broker.Config) {
			cfg.Hooks = &broker.Hooks{
				StateChanged:    func(_, _ broker.State, _ broker.Endpoint, _ error) { meddle() },
				RequestWritten:  func(broker.RequestInfo) { meddle() },
				RequestAnswered: func(broker.RequestInfo) { meddle() },
				RequestFailed:   func(broker.RequestInfo, error) { meddle() },
			}
		})
		var sent []*broker.Future
		for range 12 {
			switch rng.IntN(5) {
			case 0:
				s.Connect()
			case 1:
				s.Hand.Act()
			case 2:
				sent = append(sent, s.Send(ask(), false))
			case 3:
				s.Recv()
			case 4:
				s.Clock.Advance(time.Duration(rng.Int64N(int64(time.Second))))
			}
		}
		for i := 0; i < 10 && !s.Disconnected(); i++ {
			s.Close(nil)
		}
		s.Recv()
		for _, f := range sent {
			require(t, isDone(f), "round %d: a future was done %d times", round, len(f.Done()))
		}
		n := s.Counts.Snapshot()
		require(t, n.Sent == n.Received+n.Failed && (!s.Disconnected() || n.Started == n.Closed),
			"round %d: the sums do not hold: %+v", round, n)
	}
}

// TestPolledOverTCP with the default Selector and Transport.
func TestPolledOverTCP(t *testing.T) {
	cfg := listening(t, fakebroker.HeartbeatBody)
	p := newPolled(t, cfg)
	defer p.Close(nil)
	must(t, errorOf(p.CheckVersion(30*time.Second, false, nil)))
	for range 50 {
		f := p.Send(ask(), true)
		for woken := make(chan struct{}, 4); !isDone(f); {
			p.Watch(func() { woken <- struct{}{} })
			if len(p.Recv()) == 0 {
				receive(t, woken)
			}
		}
		must(t, errorOf(f.Wait(context.Background())))
	}
}

func TestPolledClosedPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	cfg := configFor(t, l.Addr().String())
	l.Close()
	p := newPolled(t, cfg)
	wantError(t, errorOf(p.CheckVersion(30*time.Second, false, nil)), broker.ErrNotReady, broker.ErrDial)
}

// versions records the versions of the requests that were canceled.
type versions struct {
	*recorder.Recorder
	canceled []int16
}

func (v *versions) RequestCanceled(now time.Time, key, version int16) {
	v.Recorder.RequestCanceled(now, key, version)
	v.canceled = append(v.canceled, version)
}

// TestVersionOfACanceledRequest: the metrics have the version of each request that was admitted,
// the highest of Heartbeat in the table of the fake broker.
func TestVersionOfACanceledRequest(t *testing.T) {
	seen := &versions{Recorder: recorder.New()}
	r := newHarness(t, "Polled", func(cfg *broker.Config) { cfg.Metrics = seen })
	r.ready()
	answered, pending := r.send(), r.send()
	r.broker.hear()
	r.broker.answer(1, 0)
	r.polled.SendPendingV2() // finds the answer, which Recv has not returned yet
	answered.Cancel()
	pending.Cancel()
	if want := []int16{3, 3}; !slices.Equal(seen.canceled, want) {
		t.Errorf("got versions %v, want %v", seen.canceled, want)
	}
}

// TestPolledCancelBeforeRecv: a response that has arrived and that Recv has not returned
// yet is dropped. One that is done is returned all the same.
func TestPolledCancelBeforeRecv(t *testing.T) {
	for name, lost := range map[string]bool{"not done": false, "done with a later failure": true} {
		t.Run(name, func(t *testing.T) {
			r := newHarness(t, "Polled", nil)
			r.ready()
			a, b := r.send(), r.send()
			r.broker.hear()
			r.broker.answer(1, 0)
			if lost {
				r.broker.peer.Close()
			}
			r.polled.SendPendingV2() // finds both
			require(t, a.isDone() == lost && b.isDone() == lost, "done: got %v and %v, want %v", a.isDone(), b.isDone(),
				lost)
			a.Cancel()
			_, err := a.Response()
			assert(t, (!lost || err == nil) && (lost || errors.Is(err, broker.ErrCanceled)), "canceled: got %v", err)
			want := 0
			if lost {
				want = 1
			}
			got := r.polled.Recv()
			assert(t, len(got) == want, "Recv: got %d responses, want %d", len(got), want)
		})
	}
}
