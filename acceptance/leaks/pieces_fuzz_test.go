package main

import (
	"strings"
	"testing"
)

// FuzzPieces scans a text whole and in pieces, as go test passes on long lines: a secret is found in both or in
// neither.
func FuzzPieces(f *testing.F) {
	f.Add("the password is ", "!\nnext line\n", uint8(3))
	f.Add("", "\n", uint8(1))
	f.Add(strings.Repeat("x", 300), "\n\n\n", uint8(100))
	f.Add("a line\nmark:", " no end", uint8(0))
	secrets := []string{mark}
	f.Fuzz(func(t *testing.T, before, behind string, piece uint8) {
		if len(before)+len(behind) > 4096 {
			return
		}
		capitals := strings.ToUpper(mark)
		for _, text := range []string{before + mark + behind, before + capitals + behind, before + behind} {
			whole, pieces := newScanner(secrets), newScanner(secrets)
			for line := range strings.Lines(text) {
				whole.scan("p", "t", line)
			}
			planted := len(text) > len(before)+len(behind)
			for rest := text; rest != ""; {
				n := min(len(rest), 1+int(piece))
				if i := strings.IndexByte(rest[:n], '\n'); i >= 0 {
					n = i + 1
				}
				pieces.scan("p", "t", rest[:n])
				rest = rest[n:]
			}
			if planted && (len(whole.found) == 0 || len(pieces.found) == 0) {
				t.Fatalf("got %d secrets, and %d in pieces of %d, want one at least", len(whole.found),
					len(pieces.found), 1+int(piece))
			}
			if len(whole.found) == 0 && len(pieces.found) > 0 {
				t.Fatalf("got %q in pieces of %d, and none in the whole text", pieces.found, 1+int(piece))
			}
		}
	})
}
