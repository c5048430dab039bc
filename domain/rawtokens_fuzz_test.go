package domain_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/domain/release"
	"brokerconn/ports"
)

// FuzzRawLogin lets a broker before 1.0 say any bytes, in pieces of any size, to a
// mechanism that answers each token with the next and is done after the third. Tokens
// leave behind their sizes, nothing panics, and the login ends ready, down or late.
func FuzzRawLogin(f *testing.F) {
	token := func(texts ...string) (all []byte) {
		for _, text := range texts {
			all = append(binary.BigEndian.AppendUint32(all, uint32(len(text))), text...)
		}
		return all
	}
	f.Add(token("server first", "server final"), 3, false)
	f.Add(token("", ""), 1, true)
	f.Add(token("AP-REP", "layers", "too much"), 1000, true)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, 1, false)
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1, 2, 3}, 2, false)
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 5, false)
	f.Fuzz(func(t *testing.T, says []byte, pieces int, lastUnanswered bool) {
		if len(says) > 1<<18 || pieces < 1 {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m := domain.NewMachine(domain.Complete(domain.Config{
			Host: "broker", Mechanisms: []domain.Mechanism{{Name: "GSSAPI"}},
			APIVersion: release.Release{Minor: 9}, Codec: kafkacodec.Codec{},
		}))
		var sent []byte
		asked, tokens := false, 0
		drain := func() {
			for {
				switch out := m.Next(); out.Kind {
				case domain.Idle:
					return
				case domain.Transmit:
					sent = append(sent, out.Data...)
					m.HandleWritten(now, out.Epoch, len(out.Data))
				case domain.Challenge:
					asked = true
				}
			}
		}
		m.Connect(now, domain.ConnectOptions{})
		drain()
		m.HandleAddresses(now, 1, []ports.Endpoint{{Address: "a"}}, nil)
		m.HandleStage(now, 1, ports.StageEstablished)
		drain()
		step := func() {
			for asked && m.State() == domain.Authenticating {
				asked = false
				tokens++
				switch {
				case tokens == 3 && lastUnanswered:
					m.HandleToken(now, 1, []byte{3}, true, nil)
				case tokens == 3:
					m.HandleToken(now, 1, nil, true, nil)
				default:
					m.HandleToken(now, 1, bytes.Repeat([]byte{byte(tokens)}, tokens), false, nil)
				}
				drain()
			}
		}
		for step(); len(says) > 0 && m.State() == domain.Authenticating; step() {
			n := copy(m.Space(), says[:min(pieces, len(says))])
			says = says[n:]
			m.HandleRead(now, 1, n)
			drain()
		}
		if m.State() == domain.Authenticating {
			m.HandleTimeout(now.Add(time.Minute))
			drain()
			if !errors.Is(m.LastError(), domain.ErrSetupTimeout) {
				t.Fatalf("late, and %v", m.LastError())
			}
		}
		want := []byte{0, 0, 0, 1, 1}
		if tokens > 1 {
			want = append(want, 0, 0, 0, 2, 2, 2)
		}
		if tokens > 2 && lastUnanswered {
			want = append(want, 0, 0, 0, 1, 3)
		}
		if !bytes.Equal(sent, want) {
			t.Fatalf("sent % x, want % x", sent, want)
		}
		switch m.State() {
		case domain.Connected:
			if tokens != 3 {
				t.Fatalf("ready after %d tokens", tokens)
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
