package domain_test

import (
	"io"
	"slices"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// What a link says is handled in the Step that asks it, and what an owner says to a Connection reaches its Machine.

// racingLink reports tries, each once.
type racingLink struct {
	*fakeLink
	tries []ports.Try
}

func (l *racingLink) Tries() []ports.Try {
	reported := l.tries
	l.tries = nil
	return reported
}

// racer is a transport whose links race.
type racer struct {
	*fakeTransport
	race *racingLink
}

func (r *racer) Open(e ports.Endpoint) ports.Link {
	r.fakeTransport.Open(e)
	r.race = &racingLink{fakeLink: r.link}
	return r.race
}

func (r *racer) Race(all []ports.Endpoint, _ time.Duration) ports.Link { return r.Open(all[0]) }

func TestStepReportsOneTry(t *testing.T) {
	b := newBench(t, func(b *bench) { b.cfg.Trace = true })
	r := &racer{fakeTransport: b.tr}
	p := domain.Ports{Transport: r, Codec: &textCodec{}, Metrics: b.sink}
	b.Connection = domain.NewConnection(domain.Complete(b.cfg), p, false)
	b.dialing()
	r.race.tries = []ports.Try{{Endpoint: ports.Endpoint{Address: "a"}, Done: true, Err: io.ErrUnexpectedEOF}}
	outs, _ := b.steps()
	if !slices.ContainsFunc(outs, func(o domain.Output) bool { return o.Kind == domain.Noted }) {
		t.Errorf("got %v in the step of the try, want a note of it", outs)
	}
}

// Bytes that arrive one at a time are read in one Step.
func TestStepReadsByteByByte(t *testing.T) {
	b := newBench(t, nil).connected()
	f := b.send("hello!")
	b.steps()
	for _, one := range frame(b.tr.lastID(), []byte("hi")) {
		b.say([]byte{one})
	}
	outs, _ := b.steps()
	if !slices.ContainsFunc(outs, func(o domain.Output) bool { return o.Future == f }) || string(f.Body()) != "hi" {
		t.Errorf("got %q after one step, want the response", f.Body())
	}
}

func TestLogsInWithAnAuthenticator(t *testing.T) {
	if newBench(t, nil).LogsIn() {
		t.Error("without an authenticator: got true, want false")
	}
	if !newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} }).LogsIn() {
		t.Error("with one: got false, want true")
	}
}

func TestCommandsReachTheMachine(t *testing.T) {
	b := newBench(t, nil).connected()
	b.NoteRefused(b.now, newNote("x"))
	b.NoteCanceled(b.now, newNote("x"), 2)
	if b.sink.refused != 1 || b.sink.canceled != 1 {
		t.Errorf("got %d refused and %d canceled, want 1 and 1", b.sink.refused, b.sink.canceled)
	}
	f := b.send("hello!")
	b.steps()
	b.Abandon(f)
	b.say(frame(b.tr.lastID(), []byte("hi")))
	b.steps()
	if f.Body() != nil {
		t.Errorf("an abandoned request: got the body %q, want none", f.Body())
	}
}

// KIP-219: a response names its throttle time. The owner of a raw request reads it, and one that expects no response
// has neither bytes nor a throttle time.
func TestResponsesAreMeasured(t *testing.T) {
	throttled := []byte("throttled 300")
	for name, c := range map[string]struct {
		request  ports.Message
		response []byte
		size     int
		throttle time.Duration
	}{
		"throttled": {newNote("hello!"), throttled, 4 + 4 + len(throttled), 300 * time.Millisecond},
		"raw":       {&ports.RawRequest{APIKey: 3, APIVersion: 2}, throttled, 4 + 4 + len(throttled), 0},
		"silent":    {&note{key: 3, max: 2, flexibleFrom: -1, silent: true}, nil, 0, 0},
	} {
		b := newBench(t, nil).connected()
		if _, err := b.Send(b.now, c.request, 0); err != nil {
			t.Fatal(err)
		}
		b.steps()
		if c.response != nil {
			b.say(frame(b.tr.lastID(), c.response))
			b.steps()
		}
		if got := b.sink.response; got.size != c.size || got.throttle != c.throttle {
			t.Errorf("%s: got %d bytes, throttled %v; want %d, %v", name, got.size, got.throttle, c.size, c.throttle)
		}
	}
}
