package porttest

import (
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
	done := make(chan error, 1)
	go func() {
		err := peerWrites(peer, func(off int) int { return total - off })
		if err == nil && end {
			err = peer.Close()
		}
		done <- err
	}()
	return done
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
	done := make(chan count, 1)
	go func() { done <- peerReads(peer, func(off int) bool { return off < limit }) }()
	return done
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
