package scram

import (
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
)

// perByte is the memory for each byte of a message: itself, its copies on the way, here and to the parser.
const perByte = 5

// TestHostileMessagesCostNoMemory: neither a lie about the count of iterations nor any other change of a message costs
// memory ahead of its bytes, and no key is derived of more iterations than are allowed.
func TestHostileMessagesCostNoMemory(t *testing.T) {
	firsts := []string{good + "1000000000", good + strings.Repeat("9", 1<<20),
		"r=NONCEx,s=" + strings.Repeat("A", 1<<20) + ",i=4096", "e=" + strings.Repeat("x", 1<<20),
		strings.Repeat(",", 1<<20), strings.Repeat("a=b,", 1<<18), "r=NONCE" + strings.Repeat("x", 1<<20) + behind}
	for _, message := range hostile.Lies([]byte(good + "4096")) {
		firsts = append(firsts, string(message))
	}
	for _, first := range firsts {
		o := alice()
		o.MaxIterations = 4096
		a, derivations := counted(SHA256, o)
		a.nonce = func() (string, error) { return "NONCE", nil }
		hostile.Bounded(t, first[:min(len(first), 80)], []byte(first), perByte, func() {
			_ = logIn(a, func([]byte) ([]byte, error) { return []byte(first), nil }) // it may be valid
		})
		if n := derivations.Load(); n > 1 {
			t.Errorf("%.80q: got %d keys derived, want at most 1", first, n)
		}
	}
}

// TestHostileFinalCostsNoMemory is the same of the last message.
func TestHostileFinalCostsNoMemory(t *testing.T) {
	const long = 1 << 20
	finals := []string{
		"v=" + strings.Repeat("A", long), "e=" + strings.Repeat("x", long), strings.Repeat("a=b,", long/4),
	}
	for _, message := range hostile.Lies([]byte("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")) {
		finals = append(finals, string(message))
	}
	a, serve := newScram(SHA256, alice()), theirs().serve()
	for _, final := range finals {
		change := func(string) string { return final }
		hostile.Bounded(t, final[:min(len(final), 80)], []byte(final), perByte, func() {
			if err := logIn(a, altered(serve(), new(int), change)); err == nil {
				t.Errorf("%.80q: got a login, want an error", final)
			}
		})
	}
}
