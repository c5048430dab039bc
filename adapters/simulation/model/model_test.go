package model_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// client is one link to a model, a second away.
type client struct {
	t    *testing.T
	w    *simulation.World
	n    *simulation.Network
	link ports.Link
	id   int32
}

func connect(t *testing.T, b *model.Broker) *client {
	c := &client{t: t, w: simulation.NewWorld(1)}
	b.World = c.w
	if b.APIs == nil {
		b.APIs = table()
	}
	c.n = simulation.NewNetwork(c.w)
	c.n.SetSite(address, simulation.Site{Accept: b.Accept, Path: simulation.Path{Latency: time.Second}})
	c.link = c.n.Open(ports.Endpoint{Address: address})
	c.w.Advance(2 * time.Second)
	return c
}

// send sends a request without a client id; flexible ones have no tagged fields.
func (c *client) send(key, version int16, flexible bool, body ...byte) {
	c.id++
	frame := []byte{byte(key >> 8), byte(key), byte(version >> 8), byte(version)}
	frame = binary.BigEndian.AppendUint32(frame, uint32(c.id))
	frame = append(frame, 0xff, 0xff)
	if flexible {
		frame = append(frame, 0)
	}
	c.raw(append(frame, body...))
}

func (c *client) raw(frame []byte) {
	p := append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	if n, err := c.link.Send(p); n != len(p) {
		c.t.Fatalf("sent %d of %d bytes: %v", n, len(p), err)
	}
}

// after returns what has arrived when so much time has passed: bytes in hexadecimal, and how the
// stream ended.
func (c *client) after(d time.Duration) string {
	c.w.Advance(d)
	var got []byte
	buf := make([]byte, 512)
	for {
		n, err := c.link.Recv(buf)
		got = append(got, buf[:n]...)
		switch {
		case err == nil:
			continue
		case err == ports.ErrWouldBlock:
			return hex.EncodeToString(got)
		case errors.Is(err, io.EOF):
			return strings.TrimSpace(hex.EncodeToString(got) + " closed")
		}
		return strings.TrimSpace(hex.EncodeToString(got) + " reset")
	}
}

func (c *client) want(what, want string) {
	c.t.Helper()
	if got := c.after(2 * time.Second); got != want {
		c.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// TestReplies is every way in which a reply can be changed. The reply is that to a request 7 v0 in
// a broker that answers it with the bytes aabb.
func TestReplies(t *testing.T) {
	size := func(n int32) *int32 { return &n }
	whole := "00000006" + "00000001" + "aabb"
	for _, c := range []struct {
		name   string
		change func(*model.Reply)
		want   string // of the reply, and that of the next request
	}{
		{"as it is", func(*model.Reply) {}, whole},
		{"another id", func(r *model.Reply) { r.ID = 9 }, "00000006" + "00000009" + "aabb"},
		{"tagged fields", func(r *model.Reply) { r.Tags = []byte{1, 5, 1, 7} },
			"0000000a" + "00000001" + "01050107" + "aabb"},
		{"cut short", func(r *model.Reply) { r.Body = r.Body[:1] }, "00000005" + "00000001" + "aa"},
		{"a negative size", func(r *model.Reply) { r.Size = size(-1) }, "ffffffff" + "00000001" + "aabb"},
		{"twice", func(r *model.Reply) { r.Copies = 1 }, whole + whole},
		{"no frame", func(r *model.Reply) { r.Frame = []byte("HTTP") }, hex.EncodeToString([]byte("HTTP"))},
		{"nothing", func(r *model.Reply) { r.None = true }, ""},
		{"the connection ends behind it", func(r *model.Reply) { r.Close = true }, whole + " closed"},
		{"the connection ends within it", func(r *model.Reply) { r.Cut = 5 }, "0000000600 closed"},
		{"a reset instead", func(r *model.Reply) { r.Reset = true }, "reset"},
		{"the broker resets the connection", func(r *model.Reply) { r.Conn.Reset() }, "reset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &model.Broker{Change: c.change}
			b.APIs = model.Table(model.API{Key: 7, FlexibleFrom: -1,
				Handle: func(r *model.Reply) { r.Body = []byte{0xaa, 0xbb} }})
			cl := connect(t, b)
			cl.raw([]byte{0, 7, 0, 0, 0, 0, 0, 1})
			cl.want("the reply", c.want)
		})
	}
}

// TestRepliesInOrder: a slow reply holds up those behind it, except one that overtakes.
func TestRepliesInOrder(t *testing.T) {
	b := &model.Broker{Think: func(r *model.Request) time.Duration { return time.Duration(r.Body[0]) * time.Second }}
	b.APIs = model.Table(model.API{Key: 12, FlexibleFrom: -1})
	b.Change = func(r *model.Reply) { r.Overtakes = r.Request.Body[0] == 1 }
	c := connect(t, b)
	for _, seconds := range []byte{3, 0, 1} {
		c.send(12, 0, false, seconds)
	}
	for _, step := range []struct {
		at   time.Duration
		want string
	}{{2, ""}, {1, "0000000400000003"}, {1, ""}, {1, "0000000400000001" + "0000000400000002"}} {
		if got := c.after(step.at * time.Second); got != step.want {
			t.Errorf("%v later: got %q, want %q", step.at*time.Second, got, step.want)
		}
	}
}

// TestUnknownRequests: a broker closes a connection on what it does not know.
func TestUnknownRequests(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame []byte
	}{
		{"an API that it lacks", []byte{0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff}},
		{"a version that it lacks", []byte{0, 3, 0, 13, 0, 0, 0, 1, 0xff, 0xff, 0}},
		{"a header without an id", []byte{0, 3, 0, 0, 0, 0, 0}},
		{"a client id that is longer than the frame", []byte{0, 3, 0, 0, 0, 0, 0, 1, 0, 9, 'x'}},
		{"tagged fields that are", []byte{0, 3, 0, 12, 0, 0, 0, 1, 0xff, 0xff, 1, 0, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := connect(t, &model.Broker{})
			cl.raw(c.frame)
			cl.want("the answer", "closed")
		})
	}
	for _, size := range []uint32{0x80000000, 101} {
		cl := connect(t, &model.Broker{MaxRequest: 100})
		cl.link.Send(binary.BigEndian.AppendUint32(nil, size))
		cl.want(fmt.Sprintf("a frame of size %#x", size), "closed")
	}
}

func TestProduceWithoutAcks(t *testing.T) {
	var seen []bool
	b := &model.Broker{Change: func(r *model.Reply) { seen = append(seen, r.None) }}
	b.APIs = model.Table(model.API{Max: 9, FlexibleFrom: 9})
	c := connect(t, b)
	c.send(0, 2, false, 0, 0)
	c.send(0, 2, false, 0, 1)
	c.send(0, 3, false, 0, 1, 'x', 0, 0)
	c.send(0, 8, false, 0xff, 0xff, 0xff, 0xff)
	c.send(0, 9, true, 2, 'x', 0, 0)
	c.send(0, 9, true, 0, 0, 1)
	c.want("the answers", "0000000400000002"+"0000000400000004"+"000000050000000600")
	if want := []bool{true, false, true, false, true, false}; !slices.Equal(seen, want) {
		t.Errorf("without an answer: got %v, want %v", seen, want)
	}
}

func TestStop(t *testing.T) {
	for killed, want := range map[bool]string{false: "closed", true: "reset"} {
		b := &model.Broker{}
		c := connect(t, b)
		if n := len(b.Conns()); n != 1 || b.Conns()[0].Peer().Endpoint().Address != address {
			t.Fatalf("got %d connections, want that of the client", n)
		}
		b.Stop(killed)
		c.want("stopped", want)
		if n := len(b.Conns()); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	}
}

// TestSessions is what a broker says to the renewal of a session (KIP-368).
func TestSessions(t *testing.T) {
	handshake := func(name string) []byte { return append([]byte{0, byte(len(name))}, name...) }
	token := func(user, password string) []byte {
		t := "\x00" + user + "\x00" + password
		return append([]byte{0, 0, 0, byte(len(t))}, t...)
	}
	b := &model.Broker{Login: &model.Login{Lifetime: time.Minute, Mechanisms: []model.Mechanism{
		model.Plain(map[string]string{"alice": "a", "bob": "b"}), model.Scripted("OTHER", nil)}}}
	names := "00000002" + "0005" + hex.EncodeToString([]byte("PLAIN")) + "0005" + hex.EncodeToString([]byte("OTHER"))
	lifetime := "000000000000ea60"
	loggedIn := func(t *testing.T) *client {
		c := connect(t, b)
		c.send(17, 1, false, handshake("PLAIN")...)
		c.want("the handshake", "00000018"+"00000001"+"0000"+names)
		c.send(36, 1, false, token("alice", "a")...)
		c.want("the login", "00000014"+"00000002"+"0000"+"0000"+"00000000"+lifetime)
		return c
	}
	t.Run("taken", func(t *testing.T) {
		c := loggedIn(t)
		for n := range 2 {
			c.send(17, 1, false, handshake("PLAIN")...)
			c.want("the handshake", fmt.Sprintf("00000018%08x0000%s", 3+2*n, names))
			c.send(36, 1, false, token("alice", "a")...)
			c.want("the renewal", fmt.Sprintf("00000014%08x0000000000000000%s", 4+2*n, lifetime))
		}
	})
	t.Run("too early", func(t *testing.T) {
		c := loggedIn(t)
		c.send(17, 1, false, handshake("PLAIN")...)
		c.send(36, 1, false, token("alice", "a")...)
		c.send(17, 1, false, handshake("PLAIN")...)
		c.w.Advance(2 * time.Second)
		if got := c.after(0); !strings.HasSuffix(got, "0000000a"+"00000005"+"0022"+"00000000") {
			t.Errorf("another one at once: got %q", got)
		}
		c.send(3, 0, false)
		if got := c.after(2 * time.Second); got == "" || strings.HasSuffix(got, "closed") {
			t.Errorf("the session: got %q", got)
		}
	})
	t.Run("another principal", func(t *testing.T) {
		c := loggedIn(t)
		c.send(17, 1, false, handshake("PLAIN")...)
		c.send(36, 1, false, token("bob", "b")...)
		got := c.after(2 * time.Second)
		if !strings.Contains(got, "00000004"+"003a") || !strings.HasSuffix(got, " closed") {
			t.Errorf("got %q, want error 58 and the end", got)
		}
	})
	t.Run("another mechanism", func(t *testing.T) {
		c := loggedIn(t)
		c.send(17, 1, false, handshake("OTHER")...)
		c.want("the handshake", "00000018"+"00000003"+"0000"+names)
		c.send(36, 1, false, token("alice", "a")...)
		c.want("the login", "closed")
	})
	t.Run("a mechanism that is not offered", func(t *testing.T) {
		c := loggedIn(t)
		c.send(17, 1, false, handshake("NONE")...)
		c.want("the handshake", "closed")
	})
	t.Run("over", func(t *testing.T) {
		c := loggedIn(t)
		c.w.Advance(time.Minute)
		c.send(3, 0, false)
		c.want("a request", "closed")
	})
}

func TestRequestsAroundALogin(t *testing.T) {
	plain := &model.Login{Mechanisms: []model.Mechanism{model.Plain(map[string]string{"a": "b"})}}
	c := connect(t, &model.Broker{Login: plain})
	c.send(3, 0, false)
	c.want("before it", "closed")
	c = connect(t, &model.Broker{Login: plain})
	c.send(17, 1, false, []byte("\x00\x05PLAIN")...)
	c.after(2 * time.Second)
	c.send(3, 0, false)
	if got := c.after(2 * time.Second); !strings.Contains(got, "00000002") || !strings.HasSuffix(got, " closed") {
		t.Errorf("within it: got %q, want an answer and the end", got)
	}
	unheeded := *plain
	unheeded.Unheeded = true
	c = connect(t, &model.Broker{Login: &unheeded})
	c.send(17, 1, false, []byte("\x00\x05PLAIN")...)
	c.send(36, 0, false, []byte("\x00\x00\x00\x04\x00a\x00b")...)
	if got := c.after(2 * time.Second); !strings.HasSuffix(got, "0000000000000000") {
		t.Errorf("the login: got %q", got)
	}
	c.send(3, 0, false)
	c.want("behind it", "closed")
}

// TestRawTokens is a login before Kafka 1.0: an empty challenge is an empty frame, and the last
// token of GSSAPI has no answer at all (SaslServerAuthenticator of 0.11).
func TestRawTokens(t *testing.T) {
	var tokens []string
	b := &model.Broker{Login: &model.Login{
		Mechanisms: []model.Mechanism{model.Plain(map[string]string{"a": "b"}),
			model.Scripted("GSSAPI", []byte("x"), nil)},
		Token: func(_ *model.Conn, mechanism string, token []byte) {
			tokens = append(tokens, mechanism+" "+string(token))
		},
	}}
	for _, c := range []struct{ mechanism, tokens, want string }{
		{"\x00\x05PLAIN", "\x00a\x00b", "00000000"},
		{"\x00\x06GSSAPI", "one,two", "00000001" + "78"},
	} {
		client := connect(t, b)
		client.send(17, 0, false, []byte(c.mechanism)...)
		client.after(2 * time.Second)
		for token := range strings.SplitSeq(c.tokens, ",") {
			client.raw([]byte(token))
		}
		client.want(c.mechanism, c.want)
	}
	bare := connect(t, &model.Broker{Login: &model.Login{Bare: true,
		Mechanisms: []model.Mechanism{model.Scripted("GSSAPI", []byte("x"), nil)}}})
	bare.raw([]byte("one"))
	bare.raw([]byte("two"))
	bare.send(3, 0, false)
	if got := bare.after(2 * time.Second); !strings.HasPrefix(got, "0000000178") || strings.Contains(got, "closed") {
		t.Errorf("without a handshake: got %q, want the challenge and an answer", got)
	}
	if got, want := fmt.Sprint(tokens), "[PLAIN \x00a\x00b GSSAPI one GSSAPI two]"; got != want {
		t.Errorf("tokens: got %q, want %q", got, want)
	}
}

// TestScriptedSCRAM changes the server's messages.
func TestScriptedSCRAM(t *testing.T) {
	m := model.SCRAM{Iterations: 1, Nonce: "n", First: func(s string) string { return s + ",m=x" }}.Mechanism()
	first, principal, err := m.Begin()([]byte("n,,n=a=2Cb,r=abc"))
	if want := "r=abcn,s=c2FsdCBvZiB0aGUgbW9kZWw=,i=1,m=x"; string(first) != want || principal != "" || err != nil {
		t.Errorf("got %q, %q, %v, want %q", first, principal, err, want)
	}
	for _, bad := range []string{"", "n,,", "n,,n=a", "n=a,r=b"} {
		if got, _, err := m.Begin()([]byte(bad)); err == nil {
			t.Errorf("first message %q: got %q", bad, got)
		}
	}
}

func TestFeaturesBelowV4(t *testing.T) {
	b := &model.Broker{Supported: []model.Feature{{Name: "from 0", Max: 1}, {Name: "from 1", Min: 1, Max: 2}}}
	c := connect(t, b)
	c.send(18, 3, true, []byte("\x02a\x021\x00")...)
	if got, _ := hex.DecodeString(c.after(2 * time.Second)); bytes.Contains(got, []byte("from 0")) ||
		!bytes.Contains(got, []byte("from 1")) {
		t.Errorf("v3: got %q, want the second feature alone", got)
	}
	c.send(18, 4, true, []byte("\x02a\x021\x00")...)
	if got, _ := hex.DecodeString(c.after(2 * time.Second)); !bytes.Contains(got, []byte("from 0")) {
		t.Errorf("v4: got %q, want both", got)
	}
}
