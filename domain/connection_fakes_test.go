package domain_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Scripted ports: a test sets what they say next, and reads what was asked of
// them.

type fakeTransport struct {
	journal  []string // what was asked of the transport and what it started
	lookup   *fakeLookup
	link     *fakeLink
	deaf     bool // what it starts is no Watcher
	parker   bool // links are Parkers
	panicsOn string
}

func (t *fakeTransport) note(what string) {
	t.journal = append(t.journal, what)
	if t.panicsOn == what {
		t.panicsOn = ""
		panic(what)
	}
}

func (t *fakeTransport) Resolve(string, uint16) ports.Lookup {
	t.note("resolve")
	t.lookup = &fakeLookup{t: t, err: ports.ErrWouldBlock}
	if t.deaf {
		return deafLookup{t.lookup}
	}
	return t.lookup
}

func (t *fakeTransport) Open(e ports.Endpoint) ports.Link {
	t.note("open " + e.Address)
	t.link = &fakeLink{t: t, stageErr: ports.ErrWouldBlock, room: 1 << 30, eof: ports.ErrWouldBlock}
	switch {
	case t.deaf:
		return deafLink{t.link}
	case t.parker:
		return &fakeParker{t.link}
	}
	return t.link
}

type fakeLookup struct {
	t       *fakeTransport
	eps     []ports.Endpoint
	err     error
	watched int
}

func (l *fakeLookup) Result() ([]ports.Endpoint, error) {
	if l.t.panicsOn == "result" {
		l.t.note("result")
	}
	return l.eps, l.err
}
func (l *fakeLookup) Close()       { l.t.note("close lookup") }
func (l *fakeLookup) Watch(func()) { l.watched++; l.t.note("watch lookup") }

type fakeLink struct {
	t        *fakeTransport
	stage    ports.Stage
	stageErr error
	out      []byte // taken by Send
	room     int    // Send takes so much more
	sendErr  error  // once room is used up; nil: ErrWouldBlock
	in       [][]byte
	recvs    int   // calls of Recv
	says     error // of Recv, with the last bytes of in
	eof      error // what Recv says after in
	closed   bool
	ended    error // what Check says
	warnings []string
}

func (l *fakeLink) Stage() (ports.Stage, error) {
	if l.t.panicsOn == "stage" {
		l.t.note("stage")
	}
	return l.stage, l.stageErr
}

func (l *fakeLink) Send(p []byte) (int, error) {
	if l.t.panicsOn == "send" {
		l.t.note("send")
	}
	n := min(len(p), l.room)
	l.out = append(l.out, p[:n]...)
	l.room -= n
	switch {
	case n == len(p):
		return n, nil
	case l.sendErr == errShort:
		return n, nil
	case l.sendErr != nil:
		return n, l.sendErr
	}
	return n, ports.ErrWouldBlock
}

func (l *fakeLink) Recv(p []byte) (int, error) {
	if l.t.panicsOn == "recv" {
		l.t.note("recv")
	}
	l.recvs++
	if len(l.in) == 0 {
		return 0, l.eof
	}
	n := copy(p, l.in[0])
	if l.in[0] = l.in[0][n:]; len(l.in[0]) == 0 {
		l.in = l.in[1:]
	}
	if len(l.in) == 0 {
		return n, l.says
	}
	return n, nil
}

func (l *fakeLink) Warnings() []string {
	if l.t.panicsOn == "warnings" {
		l.t.note("warnings")
	}
	taken := l.warnings
	l.warnings = nil
	return taken
}

func (l *fakeLink) Close() error { l.closed = true; l.t.note("close link"); return nil }
func (l *fakeLink) Watch(func()) { l.t.note("watch link") }

// fakeParker's Read and Write are the test's own affair: it plays the goroutine.
type fakeParker struct{ *fakeLink }

func (*fakeParker) Read([]byte) (int, error)  { panic("the test reads") }
func (*fakeParker) Write([]byte) (int, error) { panic("the test writes") }
func (*fakeParker) Interrupt()                {}
func (*fakeParker) Resume()                   {}

// The deaf ones hide Watch.
type deafLookup struct{ ports.Lookup }
type deafLink struct{ ports.Link }

type fakeAuth struct {
	t        *fakeTransport
	exchange *fakeExchange
	name     string // "": PLAIN
}

func (a *fakeAuth) Mechanism() string { return cmp.Or(a.name, "PLAIN") }
func (a *fakeAuth) Begin(e ports.Endpoint) ports.Exchange {
	a.t.note("begin " + e.Address)
	a.exchange = &fakeExchange{t: a.t, err: ports.ErrWouldBlock}
	return a.exchange
}

type fakeExchange struct {
	t          *fakeTransport
	challenges [][]byte
	token      []byte
	done       bool
	err        error
}

func (e *fakeExchange) Next(challenge []byte) {
	e.t.note("next")
	e.challenges = append(e.challenges, slices.Clone(challenge))
}
func (e *fakeExchange) Result() ([]byte, bool, error) {
	if e.t.panicsOn == "token" {
		e.t.note("token")
	}
	return e.token, e.done, e.err
}
func (e *fakeExchange) Close()       { e.t.note("close exchange") }
func (e *fakeExchange) Watch(func()) { e.t.note("watch exchange") }

// bench is a Connection on scripted ports.
type bench struct {
	*domain.Connection
	t    *testing.T
	tr   *fakeTransport
	auth *fakeAuth
	sink *tally
	now  time.Time
	cfg  domain.Config
}

func newBench(t *testing.T, set func(*bench)) *bench {
	b := &bench{t: t, tr: &fakeTransport{}, sink: &tally{}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		cfg: domain.Config{Host: "broker"}}
	if set != nil {
		set(b)
	}
	p := domain.Ports{Transport: b.tr, Codec: &textCodec{}, Metrics: b.sink}
	if b.auth != nil {
		p.Authenticators = []ports.Authenticator{b.auth}
	}
	b.Connection = domain.NewConnection(domain.Complete(b.cfg), p, b.tr.parker)
	return b
}

// steps calls Step until Idle and returns what came out on the way.
func (b *bench) steps() (outs []domain.Output, idle domain.Output) {
	b.t.Helper()
	for range 1000 {
		out := b.Step(b.now, false)
		if out.Kind == domain.Idle {
			return outs, *out
		}
		if !out.Deadline.IsZero() {
			b.t.Errorf("%v has the deadline %v, want it of Idle only", out.Kind, out.Deadline)
		}
		kept := *out
		if kept.Event != nil {
			kept.Event = new(*out.Event)
		}
		outs = append(outs, kept)
	}
	b.t.Fatal("Step never says Idle")
	return nil, domain.Output{}
}

func (b *bench) dialing() *bench {
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	return b.resolved()
}

// resolved ends the lookup with one address.
func (b *bench) resolved() *bench {
	b.tr.lookup.eps, b.tr.lookup.err = []ports.Endpoint{{Host: "broker", Network: "tcp", Address: "a"}}, nil
	b.steps()
	return b
}

// upTo lets the link reach a stage; established, it has no more to say.
func (b *bench) upTo(s ports.Stage) *bench {
	if b.tr.link.stage = s; s == ports.StageEstablished {
		b.tr.link.stageErr = nil
	}
	b.steps()
	return b
}

func (b *bench) established() *bench { return b.dialing().upTo(ports.StageEstablished) }

func (b *bench) connected() *bench {
	b.established()
	b.say(frame(b.tr.lastID(), tableBody(0, 4, standardTable)))
	b.steps()
	if b.auth == nil && b.State() != domain.Connected {
		b.t.Fatalf("state %v", b.State())
	}
	return b
}

// lastID is the correlation id of the last frame that was sent.
func (t *fakeTransport) lastID() int32 {
	id, data := int32(0), t.link.out
	for len(data) >= 12 {
		id = int32(binary.BigEndian.Uint32(data[8:]))
		data = data[min(4+int(binary.BigEndian.Uint32(data)), len(data)):]
	}
	return id
}

// say lets the peer send bytes.
func (b *bench) say(p []byte) { b.tr.link.in = append(b.tr.link.in, p) }

func (b *bench) send(text string) *domain.Future {
	b.t.Helper()
	f, err := b.Send(b.now, newNote(text), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return f
}

func (b *bench) wantJournal(want ...string) {
	b.t.Helper()
	if !slices.Equal(b.tr.journal, want) {
		b.t.Errorf("the ports were asked %q, want %q", b.tr.journal, want)
	}
	b.tr.journal = nil
}

func (b *bench) wantState(want domain.State) {
	b.t.Helper()
	if got := b.State(); got != want {
		b.t.Errorf("state %v, want %v", got, want)
	}
}

// errShort makes Send take less and say nothing.
var errShort = errors.New("short")
