package plain_test

import (
	"errors"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/ports"
)

// FuzzAnswer: a login succeeds with the empty answer alone, and no error quotes an answer.
func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{"", "\x00", "ok", "\x00alice\x00" + canary, strings.Repeat("A", 1<<16)} {
		f.Add([]byte(answer))
	}
	a := newPlain(plain.Options{Username: "alice", Password: ports.NewSecret(canary)})
	f.Fuzz(func(t *testing.T, answer []byte) {
		ex := saslpeer.Begin(t, a)
		ex.Next(nil)
		response, done, err := saslpeer.Step(ex, append([]byte{}, answer...))
		if response != nil || done != (len(answer) == 0) || (err == nil) != done || err != nil &&
			(!errors.Is(err, sasl.ErrUnexpected) || len(err.Error()) > 200) {
			t.Fatalf("got %q, %v, %v, want a login or a short ErrUnexpected", response, done, err)
		}
	})
}
