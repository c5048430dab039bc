package sim

import (
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// moves are the states that may follow each: a way up in which steps may be left out, and down
// from everywhere.
var moves = [...][]domain.State{
	domain.Disconnected: {domain.Connecting, domain.Closed},
	domain.Connecting: {domain.Handshake, domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.Handshake: {domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.NegotiatingVersions: {domain.Authenticating, domain.Connected, domain.Disconnected, domain.Closed},
	domain.Authenticating:      {domain.Connected, domain.Disconnected, domain.Closed},
	domain.Connected:           {domain.Disconnected, domain.Closed},
	domain.Closed:              {},
}

// maxAfterEnd bounds the events of a world in which the connection has ended.
const maxAfterEnd = 100_000

// quiet lets everything happen that is left in the world: nothing of it concerns a connection that
// has ended.
func (c *checker) quiet() {
	r := c.r
	if r.Failure != nil {
		return
	}
	if n := r.net.Opened(); n > 0 {
		c.fail("ends well", "%d links are open behind the end", n)
	}
	if deadline := r.conn.work(r.w.Now()); deadline.After(r.conn.stats().BackoffUntil) {
		c.fail("ends well", "a deadline at %v, behind the end", deadline)
	}
	r.alarm.Stop()
	r.awake = false
	for range maxAfterEnd {
		if !r.w.Step() {
			return
		}
	}
	c.fail("ends well", "events go on happening behind the end")
}

// sums counts the events of the metrics sink.
type sums struct {
	ports.NopMetrics
	admitted               func()
	started, closed        int
	sent, received, failed int
	due                    int // responses
	bytesOut, bytesIn      int
}

func (s *sums) ConnectionStarted(time.Time) { s.started++ }

func (s *sums) ConnectionClosed(_ time.Time, _, _ bool) { s.closed++ }

func (s *sums) RequestSent(_ time.Time, key, _ int16, _ int) {
	s.sent++
	s.admitted()
	s.wait(key, 1)
}

func (s *sums) RequestFailed(_ time.Time, key, _ int16, _ bool, _ ports.Timing) {
	s.failed++
	s.wait(key, -1)
}

func (s *sums) ResponseReceived(_ time.Time, key, _ int16, _ int, _ time.Duration, _ ports.Timing) {
	s.received++
	s.wait(key, -1)
}

func (s *sums) wait(key int16, n int) {
	if key != keyProduce {
		s.due += n
	}
}

func (s *sums) BytesSent(_ time.Time, n int) { s.bytesOut += n }

func (s *sums) BytesReceived(_ time.Time, n int) { s.bytesIn += n }
