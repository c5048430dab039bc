package porttest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"brokerconn/ports"
)

// The other side of a link, on goroutines of its own.

// blocking waits where the side itself returns ErrWouldBlock.
type blocking struct{ io.ReadWriteCloser }

func (b blocking) Read(p []byte) (int, error) {
	for i := 0; ; i++ {
		n, err := b.ReadWriteCloser.Read(p)
		if n > 0 && err == ports.ErrWouldBlock {
			err = nil
		}
		if err != ports.ErrWouldBlock {
			return n, err
		}
		pauseAsking(i)
	}
}

func (b blocking) Write(p []byte) (n int, err error) {
	for i := 0; ; i++ {
		some, err := b.ReadWriteCloser.Write(p[n:])
		if n += some; n == len(p) || err != nil && err != ports.ErrWouldBlock {
			return n, err
		}
		if some > 0 {
			i = 0
		}
		pauseAsking(i)
	}
}

// peerSends writes total bytes of the pattern and then, if asked, closes. The error comes
// through the channel.
func peerSends(peer io.WriteCloser, total int, end bool) <-chan error {
	return started(func() error {
		err := peerWrites(peer, func(off int) int { return total - off })
		if err == nil && end {
			err = peer.Close()
		}
		return err
	})
}

// peerWrites writes as many bytes as left says, each time, and ends at 0.
func peerWrites(peer io.Writer, left func(off int) int) error {
	buf := make([]byte, 32<<10)
	for off := 0; ; {
		p := buf[:min(len(buf), left(off))]
		if len(p) == 0 {
			return nil
		}
		fillPattern(p, off)
		n, err := peer.Write(p)
		if off += n; err != nil {
			return err
		}
	}
}

// writeAt writes the one byte of the pattern at off.
func writeAt(peer io.Writer, off int) error {
	_, err := peer.Write([]byte{pattern[off%len(pattern)]})
	return err
}

type count struct {
	n   int
	err error // the pattern's
}

// peerReceives reads until it has limit bytes or the stream ends, and reports how many came.
func peerReceives(peer io.Reader, limit int) <-chan count {
	return started(func() count { return peerReads(peer, func(off int) bool { return off < limit }) })
}

// peerReads reads while there is more to come.
func peerReads(peer io.Reader, more func(off int) bool) (c count) {
	buf := make([]byte, 32<<10)
	for more(c.n) && c.err == nil {
		n, err := peer.Read(buf)
		c.err = patternFault(buf[:n], c.n)
		if c.n += n; err != nil {
			break
		}
	}
	return c
}

func wantNoError(t *testing.T, done <-chan error) {
	t.Helper()
	if err := receive(t, "the other side has sent", done); err != nil {
		t.Errorf("the other side could not send: %v", err)
	}
}

func wantCount(t *testing.T, done <-chan count, n int) {
	t.Helper()
	if c := receive(t, "the other side has received", done); c.n != n || c.err != nil {
		t.Errorf("the other side received %d bytes, want %d (%v)", c.n, n, c.err)
	}
}

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
