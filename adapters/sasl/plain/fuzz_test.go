package plain_test

import (
	"errors"
	"strings"
	"testing"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/ports"
)

// FuzzAnswer: a login succeeds with the empty answer alone, and no error quotes an answer.
func FuzzAnswer(f *testing.F) {
	for _, answer := range []string{"", "\x00", "ok", "\x00alice\x00" + canary, strings.Repeat("A", 1<<16)} {
		f.Add([]byte(answer))
	}
	a, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret(canary)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		ex := a.Begin(ports.Endpoint{})
		defer ex.Close()
		ex.Next(nil)
		ex.Next(append([]byte{}, answer...))
		response, done, err := ex.Result()
		if response != nil || done != (len(answer) == 0) || (err == nil) != done || err != nil &&
			!errors.Is(err, sasl.ErrUnexpected) {
			t.Fatalf("got %q, %v, %v", response, done, err)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Fatalf("got an error of %d bytes, want 200 at most", len(err.Error()))
		}
	})
}
