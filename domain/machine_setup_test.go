package domain_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// faultyCodec encodes requests of one API, and decodes their responses, as a test wants.
type faultyCodec struct {
	textCodec
	key     int16
	append  func(dst []byte) ([]byte, error)
	decoded ports.Message
}

func (c *faultyCodec) AppendBody(dst []byte, m ports.Message, version int16) ([]byte, error) {
	if m.Key() == c.key && c.append != nil {
		return c.append(dst)
	}
	return c.textCodec.AppendBody(dst, m, version)
}

func (c *faultyCodec) Decode(req ports.Message, version int16, body []byte) (ports.Message, error) {
	if c.decoded != nil {
		return c.decoded, nil
	}
	return c.textCodec.Decode(req, version, body)
}

var errNoText = errors.New("no such text")

// faults are what a codec may do in place of encoding a request.
var faults = []struct {
	name   string
	append func(dst []byte) ([]byte, error)
	kind   error // of the connection's failure; of a request that is refused it is ErrEncode
	text   string
}{
	{"an error", func(dst []byte) ([]byte, error) { return dst, errNoText }, domain.ErrEncode, "no such text"},
	{"an error and no bytes", func([]byte) ([]byte, error) { return nil, errNoText }, domain.ErrEncode, "no such text"},
	{"a panic", func([]byte) ([]byte, error) { panic("out of paper") }, domain.ErrPortPanic, "out of paper"},
	{"less than it was given", func(dst []byte) ([]byte, error) { return dst[:len(dst)-1], nil }, domain.ErrPortPanic,
		"less than it was given"},
}

// TestSetupRequestFailsToEncode: a request of the connection's own that cannot be encoded fails the connection, and
// nothing of it is left for the next one.
func TestSetupRequestFailsToEncode(t *testing.T) {
	for _, f := range faults {
		codec := &faultyCodec{key: ports.KeyAPIVersions}
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Codec = codec })
		c.m.Close(c.now, nil, false)
		c.drain()
		codec.append = f.append
		c.m.Connect(c.now, domain.ConnectOptions{})
		c.drain()
		c.m.HandleAddresses(c.now, c.m.Epoch(), []ports.Endpoint{{Address: "a"}}, nil)
		c.m.HandleStage(c.now, c.m.Epoch(), ports.StageEstablished)
		c.drain()
		err := c.m.LastError()
		if c.m.State() != domain.Disconnected || !errors.Is(err, f.kind) || !strings.Contains(err.Error(), f.text) {
			t.Errorf("%s: got %v and %v, want Disconnected and %v with %q", f.name, c.m.State(), err, f.kind, f.text)
		}
		codec.append = nil
		c.now = c.now.Add(time.Second)
		c.m.Connect(c.now, domain.ConnectOptions{})
		c.drain()
		c.establish()
		if c.m.State() != domain.Connected {
			t.Errorf("%s: then got %v because of %v, want Connected", f.name, c.m.State(), c.m.LastError())
		}
	}
}

// TestRequestFailsToEncode: the error of the owner's request names the version that was chosen.
func TestRequestFailsToEncode(t *testing.T) {
	for _, f := range faults {
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Codec = &faultyCodec{key: 3, append: f.append} })
		_, err := c.m.Send(c.now, c.req, 0)
		var e *domain.Error
		if !errors.As(err, &e) || e.Kind != domain.ErrEncode || e.Version != 2 || !strings.Contains(e.Error(), f.text) {
			t.Errorf("%s: got %v, want ErrEncode of v2 with %q", f.name, err, f.text)
		}
	}
}

// flexibleCodec has messages with tagged fields from a version on.
type flexibleCodec struct {
	textCodec
	from int16
}

func (c *flexibleCodec) Describe(m ports.Message) (ports.Traits, error) {
	t, err := c.textCodec.Describe(m)
	t.FlexibleFrom = c.from
	return t, err
}

// TestSetupRequestIsFlexible: the header of ApiVersions v4 has tagged fields if the codec says so of that version.
func TestSetupRequestIsFlexible(t *testing.T) {
	const header, body, tags = 14, 1, 1 // the body is "/", between a name and a version that are empty
	for from, want := range map[int16]int{
		-1: header + body, 0: header + tags + body, 4: header + tags + body, 5: header + body,
	} {
		cfg := domain.Config{Host: "broker", Codec: &flexibleCodec{from: from}}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := domain.NewMachine(domain.Complete(cfg))
		m.Connect(now, domain.ConnectOptions{})
		pass(m)
		m.HandleAddresses(now, m.Epoch(), []ports.Endpoint{{Address: "a"}}, nil)
		pass(m)
		m.HandleStage(now, m.Epoch(), ports.StageEstablished)
		got := 0
		for out := m.Next(); out.Kind != domain.Idle; out = m.Next() {
			got += len(out.Data)
		}
		if got != want {
			t.Errorf("flexible from v%d: got %d bytes, want %d", from, got, want)
		}
	}
}

// TestSetupResponseOfAnotherType: a codec that decodes the response to another request is named as the reason.
func TestSetupResponseOfAnotherType(t *testing.T) {
	codec := &faultyCodec{}
	c := newCycle(t, 0, func(cfg *domain.Config) { cfg.Codec = codec })
	c.m.Close(c.now, nil, false)
	c.drain()
	codec.decoded = &ports.ProbeResponse{}
	c.m.Connect(c.now, domain.ConnectOptions{})
	c.drain()
	c.establish()
	err := c.m.LastError()
	if !errors.Is(err, domain.ErrProtocol) || !strings.Contains(err.Error(), "*ports.ProbeResponse") {
		t.Errorf("got %v, want ErrProtocol that names *ports.ProbeResponse", err)
	}
}

// TestFailureThatContinues: a failure continues the attempt while an address is left, unless it ends it for good.
func TestFailureThatContinues(t *testing.T) {
	for _, c := range []struct {
		name      string
		addresses int
		end       func(m *domain.Machine, now time.Time)
		want      bool
	}{
		{"lost, no address left", 1, lose, false},
		{"lost, one left", 2, lose, true},
		{"lost, two left", 3, lose, true},
		{"closed for good, one left", 2, func(m *domain.Machine, now time.Time) { m.Close(now, io.EOF, true) }, false},
	} {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := dialing(now, c.addresses)
		c.end(m, now)
		var e *domain.Error
		for out := m.Next(); out.Kind != domain.Idle; out = m.Next() {
			if out.Kind == domain.Changed {
				errors.As(out.Err, &e)
			}
		}
		if e == nil || e.Continues() != c.want {
			t.Errorf("%s: got %v, want one that continues: %v", c.name, e, c.want)
		}
	}
}

func lose(m *domain.Machine, now time.Time) { m.HandleLost(now, m.Epoch(), io.EOF) }

// dialing returns a Machine with events that dials the first of some addresses.
func dialing(now time.Time, addresses int) *domain.Machine {
	m := domain.NewMachine(domain.Complete(domain.Config{Host: "broker", Codec: &textCodec{}, Trace: true}))
	m.Connect(now, domain.ConnectOptions{})
	pass(m)
	var eps []ports.Endpoint
	for i := range addresses {
		eps = append(eps, ports.Endpoint{Address: string(rune('a' + i))})
	}
	m.HandleAddresses(now, m.Epoch(), eps, nil)
	pass(m)
	return m
}

// pass takes all outputs and returns the events.
func pass(m *domain.Machine) (noted []domain.Event) {
	for out := m.Next(); out.Kind != domain.Idle; out = m.Next() {
		if out.Kind == domain.Noted {
			noted = append(noted, *out.Event)
		}
	}
	return noted
}

// TestReconnected: each connection but the first is a reconnect in the metrics.
func TestReconnected(t *testing.T) {
	r := newHarness(t, false, 5, nil)
	for want := range 3 {
		r.up(domain.Connected)
		if r.m.State() != domain.Connected || r.sink.reconnected != want {
			t.Fatalf("got %v and %d reconnects, want Connected and %d", r.m.State(), r.sink.reconnected, want)
		}
		r.lost()
	}
}

// TestSessionOfConnection: the mechanism and the session's end are those of a connection that is ready.
func TestSessionOfConnection(t *testing.T) {
	r := newHarness(t, true, 5, nil)
	r.lifetime = 20_000
	expect := func(mechanism string, ends time.Time) {
		t.Helper()
		if m, e := r.m.Session(); m != mechanism || !e.Equal(ends) {
			t.Errorf("%v: got %q until %v, want %q until %v", r.m.State(), m, e, mechanism, ends)
		}
	}
	expect("", time.Time{})
	r.up(domain.Authenticating)
	expect("", time.Time{})
	r.up(domain.Connected)
	expect("PLAIN", r.now.Add(20*time.Second))
	r.lost()
	expect("", time.Time{})
}

var errAtTheProxy = errors.New("waiting for the proxy")

// TestPendingOfLink: what a link waits for is what its requests wait for, until it is established.
func TestPendingOfLink(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := dialing(now, 1)
	for _, c := range []struct {
		stage ports.Stage
		want  bool
	}{{ports.StageDialing, true}, {ports.StageSecuring, true}, {ports.StageEstablished, false}} {
		m.HandleStage(now, m.Epoch(), c.stage)
		if err := m.Pending(now, errAtTheProxy); errors.Is(err, errAtTheProxy) != c.want || err == nil {
			t.Errorf("%v: got %v, want that of the link: %v", m.State(), err, c.want)
		}
	}
}

// TestWarningsOfLink: they are noted while the link is opened, and stale behind that.
func TestWarningsOfLink(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for want, stage := range map[int]ports.Stage{1: ports.StageDialing, 0: ports.StageEstablished} {
		m := dialing(now, 1)
		m.HandleStage(now, m.Epoch(), stage)
		pass(m)
		m.HandleWarnings(now, m.Epoch(), []string{"an old protocol"})
		if got := len(pass(m)); got != want {
			t.Errorf("%v: got %d events, want %d", m.State(), got, want)
		}
	}
}

// TestSpaceBeforeLogin: a size field of a peer that may be any costs little memory; that of the broker is believed
// up to 4 MiB.
func TestSpaceBeforeLogin(t *testing.T) {
	for _, c := range []struct {
		state    domain.State
		size     int
		min, max int // of the space for the rest of a large response
	}{
		{domain.NegotiatingVersions, 1 << 20, 1, 64 << 10},
		{domain.Connected, 10 << 20, 4 << 20, 8 << 20},
	} {
		r := newHarness(t, false, 5, nil)
		r.up(c.state)
		first := frame(1, make([]byte, c.size-4))
		r.bytes(first[:100])
		smallest, largest := len(first), 0
		for at, space := 100, r.m.Space(); at+len(space) < len(first); space = r.m.Space() {
			smallest, largest = min(smallest, len(space)), max(largest, len(space))
			at += len(space)
			r.m.HandleRead(r.now, r.m.Epoch(), len(space))
		}
		if largest > c.max || smallest < c.min {
			t.Errorf("%v: got %d to %d bytes of space, want %d to %d", c.state, smallest, largest, c.min, c.max)
		}
	}
}

func TestNameOfUnknownState(t *testing.T) {
	for _, s := range []domain.State{domain.Closed + 1, 255} {
		if got := s.String(); got != "unknown state" {
			t.Errorf("State(%d): got %q, want unknown state", s, got)
		}
	}
}
