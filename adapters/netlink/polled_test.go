package netlink

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/ports"
)

// recvAll receives up to size bytes at a time until an error, and waits for each.
func recvAll(l *link, size int) (n int, err error) {
	for p := make([]byte, size); ; {
		got, err := l.Recv(p)
		n += got
		if err == ports.ErrWouldBlock {
			<-woken(l)
		} else if err != nil {
			return n, err
		}
	}
}

// A net.Conn that returns neither bytes nor an error many times in a row, and one that does so now and then.
func TestPolledReadsWithoutBytes(t *testing.T) {
	empty := make([]outcome, maxEmptyReads-1)
	for name, c := range map[string]struct {
		reads []outcome
		bytes int
		want  error
	}{
		"always": {slices.Concat(empty, []outcome{{0, nil}, {1, nil}}), 0, io.ErrNoProgress},
		"often":  {slices.Concat(empty, []outcome{{1, nil}}, empty, []outcome{{0, io.EOF}}), 1, io.EOF},
	} {
		if n, err := recvAll(script(t, c.reads, nil), 10); n != c.bytes || err != c.want {
			t.Errorf("%s: got %d bytes, %v; want %d, %v", name, n, err, c.bytes, c.want)
		}
	}
}

// A net.Conn that writes a part and has no error breaks the contract of io.Writer.
func TestPolledShortWrite(t *testing.T) {
	l := script(t, nil, []outcome{{4, nil}})
	n, err := l.Send(make([]byte, 10))
	if n != 10 || err != nil {
		t.Fatalf("Send: got %d, %v; want all taken", n, err)
	}
	for err == nil || err == ports.ErrWouldBlock {
		if _, err = l.Send(make([]byte, ringMax)); err == ports.ErrWouldBlock {
			<-woken(l)
		}
	}
	if err != io.ErrShortWrite {
		t.Errorf("Send: got %v, want %v", err, io.ErrShortWrite)
	}
}

// Recv of one byte at a time returns all that the peer sent, also where that was more than the buffer.
func TestPolledByteByByte(t *testing.T) {
	here, there := net.Pipe()
	l := over(t, here)
	const size = 3 * ringMax
	go func() {
		_, _ = there.Write(make([]byte, size))
		_ = there.Close()
	}()
	if n, err := recvAll(l, 1); n != size || err != io.EOF {
		t.Errorf("got %d bytes, %v; want %d, io.EOF", n, err, size)
	}
}

// Send before the link is established says that it would block, and Watch that it does not any more.
func TestSendBeforeEstablished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		dial := make(chan bool)
		l := (&Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
			<-dial
			return here, nil
		}}).Open(ports.Endpoint{}).(*link)
		if _, err := l.Send([]byte("x")); err != ports.ErrWouldBlock {
			t.Fatalf("Send: got %v, want %v", err, ports.ErrWouldBlock)
		}
		close(dial)
		synctest.Wait()
		if stage, err := l.Stage(); stage != ports.StageEstablished || err != nil {
			t.Fatalf("Stage: got %v, %v; want it established", stage, err)
		}
		called := woken(l)
		synctest.Wait()
		select {
		case <-called:
		default:
			t.Error("Watch: got no call, want one: there is room for what was refused")
		}
		_ = l.Close()
	})
}

// timeless is a net.Conn without deadlines.
type timeless struct{ *scripted }

func (timeless) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// A Write that was interrupted counts what the pump holds as written. If that fails later, the next Write has
// written nothing.
func TestWriteBehindCountsFromZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		l := over(t, timeless{&scripted{Conn: here}})
		interrupted := make(chan outcome)
		go func() {
			n, err := l.Write(make([]byte, 100))
			interrupted <- outcome{n, err}
		}()
		synctest.Wait() // the peer does not read
		l.Interrupt()
		if got, want := <-interrupted, (outcome{100, nil}); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
		l.Resume()
		_ = there.Close()
		synctest.Wait()
		if n, err := l.Write(make([]byte, 10)); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %d, %v; want 0, %v", n, err, io.ErrClosedPipe)
		}
		_ = l.Close()
	})
}
