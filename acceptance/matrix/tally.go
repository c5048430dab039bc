package matrix

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"brokerconn/ports"
)

// tally counts the events of a connection's metrics until it is stopped.
type tally struct {
	ports.NopMetrics
	mu                              sync.Mutex
	stopped                         bool
	attempts, lost, clean           int
	logins, relogins                int
	failed, timedOut                int
	canceled, refused, drop, stalls int
}

func (t *tally) count(n *int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		*n++
	}
}

func (t *tally) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

func (t *tally) ConnectionClosed(_ time.Time, ready, clean bool) {
	switch {
	case clean:
		t.count(&t.clean)
	case ready:
		t.count(&t.lost)
	default:
		t.count(&t.attempts)
	}
}

func (t *tally) LoginFailed(_ time.Time, again bool) {
	if again {
		t.count(&t.relogins)
	} else {
		t.count(&t.logins)
	}
}

func (t *tally) RequestFailed(_ time.Time, _, _ int16, timedOut bool, _ ports.Timing) {
	t.count(&t.failed)
	if timedOut {
		t.count(&t.timedOut)
	}
}

func (t *tally) RequestCanceled(time.Time, int16, int16) { t.count(&t.canceled) }
func (t *tally) RequestRefused(time.Time, int16)         { t.count(&t.refused) }
func (t *tally) RequestStalled(time.Time, int16, int16)  { t.count(&t.stalls) }
func (t *tally) ResponseDropped(time.Time)               { t.count(&t.drop) }

// String returns the names of what was counted, and the numbers of requests.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []string
	for _, n := range []struct {
		name   string
		count  int
		number bool
	}{
		{"attempt failed", t.attempts, false}, {"connection lost", t.lost, false}, {"closed", t.clean, false},
		{"login failed", t.logins, false}, {"reauthentication failed", t.relogins, false},
		{"failed", t.failed, true}, {"timed out", t.timedOut, true}, {"canceled", t.canceled, true},
		{"refused", t.refused, true}, {"dropped", t.drop, true}, {"stalled", t.stalls, true},
	} {
		switch {
		case n.count > 0 && n.number:
			list = append(list, fmt.Sprintf("%d %s", n.count, n.name))
		case n.count > 0:
			list = append(list, n.name)
		}
	}
	return strings.Join(list, ", ")
}
