package domain_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

func TestStepCarriesOutTheWayUpAndDown(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	b.Connect(b.now, domain.ConnectOptions{})
	if out := b.Step(b.now, false); out.Kind != domain.Changed || out.To != domain.Connecting {
		t.Fatalf("got %v to %v first, want Changed to Connecting", out.Kind, out.To)
	}
	b.wantJournal() // the state's callbacks run before anything is started
	if _, idle := b.steps(); !idle.Deadline.Equal(b.now.Add(10 * time.Second)) {
		t.Errorf("got deadline %v, want 10s from %v", idle.Deadline, b.now)
	}
	b.wantJournal("resolve")
	b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}, {Address: "b"}}, nil
	b.steps()
	b.wantJournal("close lookup", "open a")
	b.upTo(ports.StageSecuring).wantState(domain.Handshake)
	b.upTo(ports.StageEstablished)
	b.wantState(domain.NegotiatingVersions)
	b.say(frame(1, tableBody(0, 4, standardTable)))
	b.steps()
	b.wantState(domain.Authenticating)
	b.say(frame(2, []byte("0 PLAIN")))
	b.steps()
	b.wantJournal("begin a", "next")
	if c := b.auth.exchange.challenges; len(c) != 1 || c[0] != nil {
		t.Errorf("the first challenge is %q, want nil", c)
	}
	b.auth.exchange.token, b.auth.exchange.err = []byte("secret"), nil
	b.steps()
	b.say(frame(3, []byte("0||")))
	b.auth.exchange.token, b.auth.exchange.done = nil, true
	b.steps()
	b.wantJournal("next", "close exchange") // its secrets are forgotten
	if c := b.auth.exchange.challenges; len(c) != 2 || c[1] == nil {
		t.Errorf("an empty challenge came as nil: %q", c)
	}
	b.wantState(domain.Connected)

	f := b.send("hello!")
	b.steps()
	b.Close(b.now, nil, false)
	out := b.Step(b.now, false)
	if out.Kind != domain.Changed || out.To != domain.Disconnected {
		t.Fatalf("%v", out.Kind)
	}
	b.wantJournal() // the link is still open when the callbacks run
	out = b.Step(b.now, false)
	if out.Kind != domain.Completed || out.Future != f {
		t.Fatalf("%v", out.Kind)
	}
	b.wantJournal("close link") // and closed when the requests fail
}

// A lookup that fails is over: there is nothing to hang up.
func TestStepLookupFails(t *testing.T) {
	b := newBench(t, nil)
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	b.tr.lookup.err = errors.New("no such host")
	_, idle := b.steps()
	b.wantJournal("resolve", "close lookup")
	b.wantState(domain.Disconnected)
	if !idle.Deadline.Equal(b.now.Add(50 * time.Millisecond)) {
		t.Errorf("got a deadline in %v, want 50ms", idle.Deadline.Sub(b.now))
	}
}

func TestStepShortSendsAndWouldBlock(t *testing.T) {
	b := newBench(t, nil).connected()
	b.tr.link.out, b.tr.link.room = nil, 7
	b.send("hello!")
	b.steps()
	b.steps()
	if len(b.tr.link.out) != 7 {
		t.Fatalf("%d bytes left", len(b.tr.link.out))
	}
	b.send("second")
	for range 40 {
		b.tr.link.room = 1
		b.steps()
	}
	if got := string(b.tr.link.out); len(got) != 40 || !strings.HasSuffix(got, "second") ||
		!strings.Contains(got, "hello!") {
		t.Fatalf("sent %q", got)
	}
}

// The loss of a link that is full is no news of another connection.
func TestStepLossOfAFullLink(t *testing.T) {
	b := newBench(t, nil).connected()
	b.tr.link.room = 7
	b.send("hello!")
	b.steps()
	b.tr.link.eof = io.EOF
	b.steps()
	if b.wantState(domain.Disconnected); b.sink.ignored != 0 {
		t.Errorf("got %d events that were ignored, want 0", b.sink.ignored)
	}
}

// A link that takes less and says no error at all breaks the contract, but a
// request that hangs for it until its deadline would be the worse answer.
func TestStepShortSendWithoutError(t *testing.T) {
	b := newBench(t, nil).connected()
	b.tr.link.out, b.tr.link.room, b.tr.link.sendErr = nil, 7, errShort
	b.send("hello!")
	b.steps()
	b.tr.link.room = 100
	b.steps()
	if len(b.tr.link.out) != 20 {
		t.Fatalf("%d bytes left", len(b.tr.link.out))
	}
}

func TestStepAsksTheDeafAgainSoon(t *testing.T) {
	b := newBench(t, func(b *bench) { b.tr.deaf = true })
	soon := func(what string) {
		t.Helper()
		if _, idle := b.steps(); idle.Deadline.After(b.now.Add(10*time.Millisecond)) || idle.Deadline.IsZero() {
			t.Errorf("%s: asked again only at %v", what, idle.Deadline)
		}
	}
	b.Connect(b.now, domain.ConnectOptions{})
	soon("lookup")
	b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}}, nil
	soon("dial")
	b.tr.link.stage, b.tr.link.stageErr = ports.StageEstablished, nil
	soon("link")
	b.say(frame(1, tableBody(0, 4, standardTable)))
	soon("idle link")
	b.wantState(domain.Connected)
	b.Close(b.now, nil, false)
	if _, idle := b.steps(); !idle.Deadline.IsZero() {
		t.Errorf("nothing is awaited, and yet it wakes at %v", idle.Deadline)
	}
}

func TestStepWatchesAllThatIsAwaited(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	watched := func(want ...string) {
		t.Helper()
		b.steps()
		b.tr.journal = nil
		b.Watch(func() {})
		b.wantJournal(want...)
	}
	watched()
	b.Connect(b.now, domain.ConnectOptions{})
	watched("watch lookup")
	b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}}, nil
	watched("watch link")
	b.tr.link.stage, b.tr.link.stageErr = ports.StageEstablished, nil
	watched("watch link")
	b.say(frame(1, tableBody(0, 4, standardTable)))
	b.steps()
	b.say(frame(2, []byte("0 PLAIN")))
	// Both: the peer may hang up while the authenticator thinks.
	watched("watch link", "watch exchange")
	b.auth.exchange.done, b.auth.exchange.err = true, nil
	watched("watch link")
	b.Close(b.now, nil, true)
	watched()
}

func TestStepContainsPanics(t *testing.T) {
	for _, where := range []string{
		"resolve", "result", "watch lookup", "close lookup", "open a", "stage", "watch link", "send", "recv",
		"begin a", "next", "token", "watch exchange", "close link", "close exchange",
	} {
		t.Run(where, func(t *testing.T) {
			b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
			b.tr.panicsOn = where
			b.Connect(b.now, domain.ConnectOptions{})
			var down []domain.Output
			step := func() {
				outs, _ := b.steps()
				b.Watch(func() {})
				for _, out := range outs {
					if out.Kind == domain.Changed && out.To == domain.Disconnected {
						down = append(down, out)
					}
				}
			}
			step()
			if b.tr.lookup != nil {
				b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Address: "a"}}, nil
			}
			step()
			if b.tr.link != nil {
				b.tr.link.stage, b.tr.link.stageErr = ports.StageEstablished, nil
				step()
				b.say(frame(1, tableBody(0, 4, standardTable)))
				step()
				b.say(frame(2, []byte("0 PLAIN")))
				step()
			}
			if b.auth.exchange != nil {
				b.auth.exchange.token, b.auth.exchange.err = []byte("x"), nil
				step()
			}
			b.Close(b.now, nil, false)
			step()
			if b.tr.panicsOn != "" {
				t.Fatal("the panic was not provoked")
			}
			if len(down) == 0 {
				t.Fatal("never went down")
			}
			var e *domain.Error
			onTheWayDown := where == "close link" || where == "close exchange"
			if !onTheWayDown && (!errors.As(down[0].Err, &e) || e.Kind != domain.ErrPortPanic) {
				t.Errorf("got %v, want %v", down[0].Err, domain.ErrPortPanic)
			}
			if e != nil && (where == "begin a" || where == "next" || where == "token" ||
				where == "watch exchange") && strings.Contains(e.Cause.Error(), where) {
				t.Errorf("got the panic of the authenticator in %v, want it hidden", e.Cause)
			}
			if b.sink.started != b.sink.closed {
				t.Errorf("got %d closed, want %d as started", b.sink.closed, b.sink.started)
			}
			// It can be used again.
			b.now = b.now.Add(time.Second)
			b.Connect(b.now, domain.ConnectOptions{})
			b.steps()
			b.wantState(domain.Connecting)
			if b.tr.link != nil && !b.tr.link.closed && where != "close link" {
				t.Error("the link was left open")
			}
		})
	}
}

// Bytes that came with the end of the stream are delivered first.
func TestStepBytesBeforeEOF(t *testing.T) {
	b := newBench(t, nil).connected()
	f := b.send("hello!")
	g := b.send("second")
	b.steps()
	b.say(frame(f.CorrelationID, []byte("world"))[:5])
	b.say(frame(f.CorrelationID, []byte("world"))[5:])
	b.tr.link.eof = io.EOF
	outs, _ := b.steps()
	if len(outs) != 3 || outs[0].Future != f || outs[1].Kind != domain.Changed || outs[2].Future != g {
		t.Fatalf("got %d outputs, want the answer, Changed, the loss", len(outs))
	}
	if f.Err() != nil || string(f.Body()) != "world" {
		t.Errorf("answered before the end: %v %q", f.Err(), f.Body())
	}
	if !errors.Is(g.Err(), io.EOF) {
		t.Errorf("second: got %v, want %v", g.Err(), io.EOF)
	}
}

// TestStepBelievesTheLastBytes: a link that says that nothing more has arrived is not asked again
// before the owner waits, and is asked then.
func TestStepBelievesTheLastBytes(t *testing.T) {
	for says, want := range map[error]int{nil: 2, ports.ErrWouldBlock: 1} {
		b := newBench(t, nil).connected()
		link := b.tr.link
		link.says = says
		for round := range 3 {
			f := b.send("hello!")
			b.steps()
			link.recvs = 0
			b.say(frame(f.CorrelationID, []byte("answer")))
			outs, _ := b.steps()
			if len(outs) != 1 || outs[0].Future != f || link.recvs != want {
				t.Errorf("Recv says %v, round %d: got %d outputs by %d calls, want the answer by %d", says, round,
					len(outs), link.recvs, want)
			}
		}
	}
}

// A broker that refuses what is written has often said something before.
func TestStepSendErrorStillDelivers(t *testing.T) {
	broken := errors.New("broken pipe")
	b := newBench(t, nil).connected()
	f := b.send("hello!")
	b.steps()
	b.tr.link.room, b.tr.link.sendErr = 5, broken
	b.say(frame(f.CorrelationID, []byte("world")))
	g := b.send("second")
	outs, _ := b.steps()
	if len(outs) != 3 || outs[0].Future != f || f.Err() != nil {
		t.Fatalf("got %d outputs and %v for the first request, want 3 and nil", len(outs), f.Err())
	}
	if !errors.Is(g.Err(), broken) || g.Sent() != domain.SentPartly {
		t.Errorf("second: got %v, %v, want %v, partly sent", g.Err(), g.Sent(), broken)
	}
}

func TestStepAnswersBeforeDeadlines(t *testing.T) {
	b := newBench(t, nil).connected()
	f := b.send("hello!")
	b.steps()
	b.say(frame(f.CorrelationID, []byte("just in time")))
	b.now = b.now.Add(time.Hour)
	b.steps()
	if f.Err() != nil {
		t.Errorf("got %v, want an answer", f.Err())
	}
	g := b.send("second")
	b.steps()
	b.now = b.now.Add(30 * time.Second)
	b.steps()
	if !errors.Is(g.Err(), domain.ErrRequestTimeout) {
		t.Errorf("got %v, want %v", g.Err(), domain.ErrRequestTimeout)
	}
}

// Warnings of a link are events, at each stage and also if it fails.
func TestStepReportsWarnings(t *testing.T) {
	for _, failure := range []error{nil, errors.New("no")} {
		b := newBench(t, func(b *bench) { b.cfg.Trace = true }).dialing()
		b.tr.link.stage, b.tr.link.warnings = ports.StageSecuring, []string{"one", "two"}
		outs, _ := b.steps()
		b.tr.link.warnings, b.tr.link.stageErr = []string{"three"}, failure
		if failure == nil {
			b.tr.link.stage = ports.StageEstablished
		}
		last, _ := b.steps()
		var got []string
		for _, out := range append(outs, last...) {
			if out.Kind == domain.Noted && out.Event.Kind == domain.EventWarning {
				got = append(got, out.Event.Endpoint.Address+" "+out.Event.Text)
			}
		}
		if want := []string{"a one", "a two", "a three"}; !slices.Equal(got, want) {
			t.Errorf("failure %v: got %q, want %q", failure, got, want)
		}
	}
}

// A stage may be reached and fail at once.
func TestStepStageFails(t *testing.T) {
	for stage, want := range map[ports.Stage]error{
		ports.StageDialing: domain.ErrDial, ports.StageSecuring: domain.ErrTLS,
	} {
		b := newBench(t, nil).dialing()
		b.tr.link.stage, b.tr.link.stageErr = stage, errors.New("no")
		b.steps()
		if !errors.Is(b.LastError(), want) {
			t.Errorf("%v: got %v, want %v", stage, b.LastError(), want)
		}
		if !b.tr.link.closed {
			t.Errorf("%v: the link was left open", stage)
		}
	}
}

// advised is an error of a transport that knows what to try, and maybe that it is
// the encryption's.
type advised struct{ securing bool }

func (advised) Error() string          { return "no" }
func (advised) Hint() string           { return "try this" }
func (a advised) Is(target error) bool { return a.securing && target == ports.ErrSecuring }

// What the transport advises is shown, and TLS that fails behind its handshake is
// still TLS that failed: no reason to ask for the versions in another way.
func TestStepTransportsAdvice(t *testing.T) {
	for name, c := range map[string]struct {
		fail func(b *bench)
		want error
	}{
		"dial": {func(b *bench) { b.dialing().tr.link.stageErr = advised{} }, domain.ErrDial},
		"handshake": {func(b *bench) {
			l := b.dialing().tr.link
			l.stage, l.stageErr = ports.StageSecuring, advised{}
		}, domain.ErrTLS},
		"versions":  {func(b *bench) { b.established().tr.link.eof = advised{securing: true} }, domain.ErrTLS},
		"connected": {func(b *bench) { b.connected().tr.link.eof = advised{securing: true} }, domain.ErrTLS},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			c.fail(b)
			b.steps()
			var e *domain.Error
			if !errors.As(b.LastError(), &e) || e.Kind != c.want || e.Hint != "try this" {
				t.Fatalf("got %#v, want %v with the hint", e, c.want)
			}
			if !b.BlackedOut(b.now) {
				t.Error("no pause after it")
			}
		})
	}
}

// No link is opened before the one before was hung up.
func TestStepReconnectFromTheCallback(t *testing.T) {
	b := newBench(t, nil).connected()
	b.tr.journal = nil
	b.Close(b.now, nil, false)
	if out := b.Step(b.now, false); out.Kind != domain.Changed {
		t.Fatal(out.Kind)
	}
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	b.wantJournal("close link", "resolve")
}

// What has arrived while the owner handled an output is read before timers end, also from a link that had said that
// nothing more was there: the owner may have called a slow hook.
func TestStepReadsBeforeTimersEnd(t *testing.T) {
	b := newBench(t, nil).connected()
	first, second := b.send("one"), b.send("two")
	b.steps()
	id := b.tr.lastID()
	b.tr.link.says = ports.ErrWouldBlock
	b.say(frame(id-1, []byte("1")))
	if out := b.Step(b.now, false); out.Kind != domain.Completed || out.Future != first {
		t.Fatalf("got %v, want the first response", out.Kind)
	}
	b.say(frame(id, []byte("2")))
	b.now = b.now.Add(time.Hour)
	if outs, _ := b.steps(); len(outs) != 1 || outs[0].Future != second || second.Err() != nil {
		t.Errorf("got %d outputs and error %v, want the second response", len(outs), second.Err())
	}
}
