package scram

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
)

const fuzzNonce = "rOprNGfwEbeRWgbNEkqO"

// FuzzServerFirst: a first message either fails as an *Error before a key is derived,
// or the library accepts it as well, with a count between the limits.
func FuzzServerFirst(f *testing.F) {
	for _, c := range firsts {
		f.Add([]byte(strings.ReplaceAll(c.message, "NONCE", fuzzNonce)), false)
	}
	for _, v := range vectors {
		f.Add([]byte(v.serverFirst), v.options.DelegationToken)
	}
	f.Fuzz(func(t *testing.T, message []byte, token bool) {
		o := alice()
		o.MaxIterations, o.DelegationToken = 5000, token
		a, derivations := counted(SHA256, o)
		a.nonce = func() (string, error) { return fuzzNonce, nil }
		sent := 0
		err := logIn(a, func(response []byte) ([]byte, error) {
			if sent++; sent == 1 {
				return message, nil
			}
			if !strings.HasPrefix(string(response), "c=biws,r="+fuzzNonce) {
				t.Fatalf("got the response %q", response)
			}
			_, count, _ := strings.Cut(string(message), ",i=")
			count, _, _ = strings.Cut(count, ",")
			if n, err := strconv.Atoi(count); err != nil || n < 4096 || n > 5000 {
				t.Fatalf("got %d iterations, %v, want 4096 to 5000", n, err)
			}
			return nil, nil
		})
		e := saslpeer.Typed[*Error](t, err)
		if e == nil || e.Reason == Other || len(e.Error()) > 500 || strings.Contains(e.Error(), canary) {
			t.Fatalf("got %v, want a short *Error with a reason", err)
		}
		n := derivations.Load()
		if (sent == 2) != (e.Reason == MissingFinal && n == 1) || sent == 1 && n != 0 {
			t.Fatalf("got %d messages, %d derivations: %v", sent, n, err)
		}
	})
}

// FuzzServerFinal: a login succeeds with the right signature alone.
func FuzzServerFinal(f *testing.F) {
	const right = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
	v := vectors[1]
	for _, s := range []string{v.serverFinal, v.serverFinal + ",x=y", v.serverFinal + ",m=x", "", "v=", "e=other-error",
		"e=", "v=6rri", "\x00", ",", "v=" + right[1:]} {
		f.Add([]byte(s))
	}
	v.options.Runner = saslpeer.Inline
	a := newScram(SHA256, v.options)
	a.nonce = func() (string, error) { return nonceOf(v.first), nil }
	f.Fuzz(func(t *testing.T, message []byte) {
		sent := 0
		err := logIn(a, func([]byte) ([]byte, error) {
			if sent++; sent == 1 {
				return []byte(v.serverFirst), nil
			}
			return message, nil
		})
		signature, _, _ := strings.Cut(string(message), ",")
		isRight := signature == "v="+right
		e := saslpeer.Typed[*Error](t, err)
		switch {
		case e == nil && !isRight, e != nil && (e.Reason == Other || len(e.Error()) > 500):
			t.Fatalf("%q: got %v", message, err)
		case err != nil && string(message) == "v="+right:
			t.Fatalf("got %v, want a login", err)
		}
		if e != nil && e.Reason == BadSignature {
			if _, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signature, "v=")); err != nil {
				t.Fatalf("%q: got BadSignature, want Malformed: %v", message, err)
			}
		}
	})
}
