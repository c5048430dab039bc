package domain_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/domain/release"
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
		p := newLoginPeer(domain.Config{Mechanisms: []domain.Mechanism{{Name: "GSSAPI"}},
			APIVersion: release.Release{Minor: 9}})
		m, now, drain, tokens := p.m, p.now, p.drain, 0
		step := func() {
			for p.challenges > tokens && m.State() == domain.Authenticating {
				tokens = p.challenges
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
		if !bytes.Equal(p.sent, want) {
			t.Fatalf("sent % x, want % x", p.sent, want)
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
