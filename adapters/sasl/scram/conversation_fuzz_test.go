package scram

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xdg-go/scram"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
)

// FuzzConversation logs in to the library's server, whose messages are changed on the way: a login succeeds only if
// both messages say what the server said.
func FuzzConversation(f *testing.F) {
	f.Add("alice", "canary", []byte("salt"), uint16(0), false, 0, byte(0), uint8(0))
	f.Add("a,=b", "c\u00e4n\u00e4ry", []byte{0}, uint16(7), true, 3, byte(1), uint8(1))
	f.Add("\U0001f600", "x", bytes.Repeat([]byte{0xff}, 33), uint16(1), false, 50, byte(0x20), uint8(1))
	f.Add("\xc4", "\x80", []byte("salt"), uint16(0), false, 0, byte(0), uint8(2)) // UTF-8 only together
	f.Add("n", "p", []byte("salt"), uint16(0), false, 1, byte(4), uint8(2))
	f.Fuzz(func(t *testing.T, name, password string, salt []byte, more uint16, long bool, at int, mask byte,
		which uint8) {
		hash := SHA256
		if long {
			hash = SHA512
		}
		o := Options{Username: name, Password: ports.NewSecret(password), Runner: saslpeer.Inline}
		a, err := New(hash, o)
		if err != nil {
			if name != "" && password != "" && !strings.Contains(name+password, "\x00") && utf8.ValidString(name) &&
				utf8.ValidString(password) {
				t.Fatalf("%q: got %v, want an authenticator", name, err)
			}
			return
		}
		if len(salt) == 0 || len(salt) > 1000 || len(name)+len(password) > 1000 {
			return
		}
		honest := peer{hash, name, password, scram.KeyFactors{Salt: string(salt), Iters: 4096 + int(more%16)}}.serve()()
		sent, changed := uint8(0), false
		err = logIn(a, func(response []byte) ([]byte, error) {
			message, err := honest(response)
			if sent++; err != nil || sent != which || len(message) == 0 {
				return message, err
			}
			altered := bytes.Clone(message)
			altered[max(at, 0)%len(altered)] ^= mask
			changed = !bytes.Equal(altered, message)
			return altered, nil
		})
		if (err == nil) == changed {
			t.Fatalf("%q: got %v, want success only without a change (%v)", name, err, changed)
		}
		if err != nil && len(password) > 8 && strings.Contains(err.Error(), password) {
			t.Fatalf("got %v, want no password in it", err)
		}
	})
}
