package porttest

import (
	"bytes"
	"errors"
	"testing"
)

// The bytes of every stream follow a pattern, so that one that is lost, doubled
// or out of place shows where it is met. Its period is a prime: no buffer's size
// divides it.
var pattern = func() (p [65521]byte) {
	for i := range p {
		p[i] = byte(uint64(i+1) * 0x9E3779B97F4A7C15 >> 56)
	}
	return p
}()

func fillPattern(p []byte, off int) {
	for len(p) > 0 {
		n := copy(p, pattern[off%len(pattern):])
		p, off = p[n:], off+n
	}
}

func patternFault(p []byte, off int) error {
	for len(p) > 0 {
		want := pattern[off%len(pattern):]
		n := min(len(p), len(want))
		if !bytes.Equal(p[:n], want[:n]) {
			return errors.New("the stream is torn: a byte was lost, doubled or changed")
		}
		p, off = p[n:], off+n
	}
	return nil
}

func wantPattern(t *testing.T, p []byte, off int) {
	t.Helper()
	if err := patternFault(p, off); err != nil {
		t.Fatalf("within %d bytes after offset %d: %v", len(p), off, err)
	}
}
