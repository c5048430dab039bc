package matrix

import (
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"brokerconn/ports"
)

// A process that is stopped, for sockets: what arrives lies in the first link until the process goes on.

// stop is where it is stopped.
type stop struct {
	before  int           // frames that are read before
	arrived chan struct{} // is closed when something lies there behind them
	over    chan struct{} // is closed when the process goes on
	once    sync.Once     // for the first link
}

func newStop(before int) *stop {
	return &stop{before: before, arrived: make(chan struct{}), over: make(chan struct{})}
}

// hold returns the link of a process that is stopped, if it is the first one.
func (s *stop) hold(link ports.RacingLink) (held ports.RacingLink) {
	held = link
	s.once.Do(func() {
		held = &stoppedLink{link, link.(ports.Parker), link.(ports.Checker), link.(ports.Watcher), link.(ports.Waiter),
			s, nil}
	})
	return held
}

// stoppedLink is a link whose reader is stopped.
type stoppedLink struct {
	ports.RacingLink
	ports.Parker
	ports.Checker
	ports.Watcher
	ports.Waiter
	stop *stop
	read []byte
}

func (l *stoppedLink) Read(p []byte) (int, error) {
	if l.stop != nil && frames(l.read) == l.stop.before {
		for !errors.Is(l.Check(), ports.ErrUnread) {
			time.Sleep(time.Millisecond)
		}
		close(l.stop.arrived)
		<-l.stop.over
		l.stop = nil
	}
	n, err := l.Parker.Read(p)
	l.read = append(l.read, p[:n]...)
	return n, err
}

// frames returns how many whole frames of Kafka's protocol there are.
func frames(b []byte) (n int) {
	for len(b) >= 4 {
		end := 4 + int(binary.BigEndian.Uint32(b))
		if end > len(b) { // the rest of it has not arrived
			break
		}
		b = b[end:]
		n++
	}
	return n
}

func TestFramesAreWhole(t *testing.T) {
	both := "\x00\x00\x00\x03abc\x00\x00\x00\x02de"
	for length, want := range map[int]int{0: 0, 3: 0, 4: 0, 6: 0, 7: 1, 10: 1, 11: 1, 12: 1, 13: 2} {
		if got := frames([]byte(both[:length])); got != want {
			t.Errorf("%d bytes: got %d frames, want %d", length, got, want)
		}
	}
}
