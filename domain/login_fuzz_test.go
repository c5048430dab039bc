package domain_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// loginPeer drives a Machine that logs in over a link that takes everything.
type loginPeer struct {
	m          *domain.Machine
	now        time.Time
	sent       []byte
	challenges int
}

// newLoginPeer is established, and has said nothing yet.
func newLoginPeer(c domain.Config) *loginPeer {
	c.Host, c.Codec = "broker", kafkacodec.Codec{}
	p := &loginPeer{m: domain.NewMachine(domain.Complete(c)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	p.m.Connect(p.now, domain.ConnectOptions{})
	p.drain()
	p.m.HandleAddresses(p.now, 1, []ports.Endpoint{{Address: "a"}}, nil)
	p.m.HandleStage(p.now, 1, ports.StageEstablished)
	p.drain()
	return p
}

func (p *loginPeer) drain() {
	for {
		switch out := p.m.Next(); out.Kind {
		case domain.Idle:
			return
		case domain.Transmit:
			p.sent = append(p.sent, out.Data...)
			p.m.HandleWritten(p.now, out.Epoch, len(out.Data))
		case domain.Challenge:
			p.challenges++
		}
	}
}

// FuzzLogin lets an authenticator make any tokens and a broker answer any bytes:
// each token leaves once, whole, in a frame whose size is true, nothing panics,
// and the login ends ready or down.
func FuzzLogin(f *testing.F) {
	// SaslAuthenticate v1: no error, an empty token
	success := []byte{0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	f.Add([]byte("\x00alice\x00secret"), false, success)
	f.Add([]byte{}, true, success)
	f.Add([]byte(nil), true, []byte{})
	f.Add([]byte("n,,n=bob,r=x"), false, []byte{0, 58, 0, 2, 'n', 'o', 0, 0, 0, 0})
	f.Add(bytes.Repeat([]byte("x"), 70_000), false, []byte{0xff})
	f.Fuzz(func(t *testing.T, token []byte, done bool, answer []byte) {
		if len(token) > 1<<20 || len(answer) > 1<<19 {
			return
		}
		p := newLoginPeer(domain.Config{Mechanisms: []domain.Mechanism{{Name: "X"}}})
		m, now, drain := p.m, p.now, p.drain
		read := func(id int32, body []byte) {
			whole := frame(id, body)
			for len(whole) > 0 && m.State().SettingUp() {
				n := copy(m.Space(), whole)
				m.HandleRead(now, m.Epoch(), n)
				whole = whole[n:]
			}
			drain()
		}
		// ApiVersions v4: three APIs, no throttle, no tagged fields.
		read(1, []byte{0, 0, 4, 0, 17, 0, 0, 0, 1, 0, 0, 18, 0, 0, 0, 4, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		read(2, []byte{0, 0, 0, 0, 0, 0}) // SaslHandshake v1: no error, no list
		if m.State() != domain.Authenticating || p.challenges != 1 {
			t.Fatalf("got %v and %d challenges (%v), want %v and 1", m.State(), p.challenges, m.LastError(),
				domain.Authenticating)
		}
		p.sent = nil
		m.HandleToken(now, 1, token, done, nil)
		drain()
		switch {
		case token == nil && done:
			if m.State() != domain.Connected {
				t.Fatalf("got %v, want %v", m.State(), domain.Connected)
			}
			return
		case token == nil:
			if m.State() != domain.Disconnected || !errors.Is(m.LastError(), domain.ErrAuthentication) {
				t.Fatalf("%v: %v", m.State(), m.LastError())
			}
			return
		}
		if size := binary.BigEndian.Uint32(p.sent); int(size) != len(p.sent)-4 || !bytes.HasSuffix(p.sent, token) {
			t.Fatalf("got size %d of %d bytes, want the token in one frame", size, len(p.sent))
		}
		read(3, answer)
		switch m.State() {
		case domain.Connected:
			if !done {
				t.Fatal("ready before the mechanism was done")
			}
		case domain.Authenticating: // it asks for another token, or for the rest of the frame
			m.HandleTimeout(now.Add(time.Minute))
			drain()
			if m.State() != domain.Disconnected {
				t.Fatalf("after a minute: got %v, want %v", m.State(), domain.Disconnected)
			}
		case domain.Disconnected:
			if m.LastError() == nil {
				t.Fatal("down for no reason")
			}
		default:
			t.Fatalf("%v", m.State())
		}
	})
}
