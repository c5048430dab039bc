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
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := domain.NewMachine(domain.Complete(domain.Config{
			Host: "broker", Mechanisms: []domain.Mechanism{{Name: "X"}}, Codec: kafkacodec.Codec{},
		}))
		m.Connect(now, domain.ConnectOptions{})
		var sent []byte
		challenged := 0
		drain := func() {
			for {
				switch out := m.Next(); out.Kind {
				case domain.Idle:
					return
				case domain.Transmit:
					sent = bytes.Clone(out.Data)
					m.HandleWritten(now, out.Epoch, len(out.Data))
				case domain.Challenge:
					challenged++
				}
			}
		}
		read := func(id int32, body []byte) {
			whole := frame(id, body)
			for len(whole) > 0 && m.State().SettingUp() {
				n := copy(m.Space(), whole)
				m.HandleRead(now, m.Epoch(), n)
				whole = whole[n:]
			}
			drain()
		}
		drain()
		m.HandleAddresses(now, 1, []ports.Endpoint{{Address: "a"}}, nil)
		m.HandleStage(now, 1, ports.StageEstablished)
		drain()
		// ApiVersions v4: three APIs, no throttle, no tagged fields.
		read(1, []byte{0, 0, 4, 0, 17, 0, 0, 0, 1, 0, 0, 18, 0, 0, 0, 4, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		read(2, []byte{0, 0, 0, 0, 0, 0}) // SaslHandshake v1: no error, no list
		if m.State() != domain.Authenticating || challenged != 1 {
			t.Fatalf("%v, %d challenges: %v", m.State(), challenged, m.LastError())
		}
		sent = nil
		m.HandleToken(now, 1, token, done, nil)
		drain()
		switch {
		case token == nil && done:
			if m.State() != domain.Connected {
				t.Fatalf("%v", m.State())
			}
			return
		case token == nil:
			if m.State() != domain.Disconnected || !errors.Is(m.LastError(), domain.ErrAuthentication) {
				t.Fatalf("%v: %v", m.State(), m.LastError())
			}
			return
		}
		if size := binary.BigEndian.Uint32(sent); int(size) != len(sent)-4 || !bytes.HasSuffix(sent, token) {
			t.Fatalf("size %d of %d bytes", size, len(sent))
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
				t.Fatalf("%v after a minute", m.State())
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
