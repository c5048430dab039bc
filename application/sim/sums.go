package sim

import (
	"time"

	"brokerconn/ports"
)

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
