package soak

import (
	"fmt"
	"sync"
)

// A fate is what is known of a record once its request has ended.
type fate uint8

const (
	pending      fate = iota // the request has not ended
	acknowledged             // the broker stored it: in the log, once
	unknown                  // sent, perhaps: in the log once, or not at all
	unsent                   // not sent, or not to its end: not in the log
	fates
)

func (f fate) String() string {
	return [...]string{"without an end", "acknowledged", "of unknown fate", "not sent"}[f]
}

// A ledger has an entry for each record of the load, of one byte: its fate, and how often it
// was found in the log. A soak of hours has millions of them.
type ledger struct {
	mu      sync.Mutex
	lanes   [][]entry
	counts  [fates]int
	strange []string // entries and findings that make no sense
}

type entry uint8

const (
	fateBits  = 2
	mostFound = 1<<(8-fateBits) - 1
)

func (e entry) fate() fate { return fate(e & (1<<fateBits - 1)) }
func (e entry) found() int { return int(e >> fateBits) }

// newLane returns the number of a lane of its own for a caller.
func (l *ledger) newLane() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lanes = append(l.lanes, nil)
	return len(l.lanes) - 1
}

// open opens the entry of the next record in a lane.
func (l *ledger) open(lane int) recordID {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lanes[lane] = append(l.lanes[lane], entry(pending))
	l.counts[pending]++
	return recordID{lane, len(l.lanes[lane]) - 1}
}

// close records how the request of a record ended.
func (l *ledger) close(id recordID, f fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &l.lanes[id.lane][id.n]
	if e.fate() != pending {
		l.strange = append(l.strange, fmt.Sprintf("the request of record %v ended twice: %v, then %v", id, e.fate(), f))
		return
	}
	*e = entry(f)
	l.counts[pending]--
	l.counts[f]++
}

// find records that the log has a record.
func (l *ledger) find(id recordID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id.lane < 0 || id.lane >= len(l.lanes) || id.n < 0 || id.n >= len(l.lanes[id.lane]) {
		l.strange = append(l.strange, fmt.Sprintf("record %v is in the log, and no caller has produced it", id))
		return
	}
	if e := &l.lanes[id.lane][id.n]; e.found() < mostFound {
		*e += 1 << fateBits
	}
}

// audit returns a sentence for each entry that the log contradicts, once the whole log was
// read.
func (l *ledger) audit() (broken []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	broken = append(broken, l.strange...)
	for lane, entries := range l.lanes {
		for n, e := range entries {
			if what := e.broken(); what != "" {
				broken = append(broken, fmt.Sprintf("record %v %s", recordID{lane, n}, what))
			}
		}
	}
	return broken
}

// broken is what is wrong with an entry, or empty.
func (e entry) broken() string {
	switch f, n := e.fate(), e.found(); {
	case f == pending:
		return "has a request that never ended"
	case n > 1:
		return fmt.Sprintf("is %v, and is in the log %d times: it was sent once", f, n)
	case f == acknowledged && n == 0:
		return "is acknowledged, and is not in the log"
	case f == unsent && n == 1:
		return "has an error that says it was not sent, and is in the log"
	}
	return ""
}

// size is the memory of the entries, which grows with the load.
func (l *ledger) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for _, entries := range l.lanes {
		n += int64(cap(entries))
	}
	return n
}

func (l *ledger) count(f fate) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[f]
}

func (l *ledger) String() string {
	return fmt.Sprintf("%d %v, %d %v, %d %v", l.count(acknowledged), acknowledged, l.count(unknown), unknown,
		l.count(unsent), unsent)
}

// inLog says how many of the records of each fate the log has.
func (l *ledger) inLog() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found [fates]int
	for _, entries := range l.lanes {
		for _, e := range entries {
			if e.found() > 0 {
				found[e.fate()]++
			}
		}
	}
	return fmt.Sprintf("the log has %d of %d %v, %d of %d %v, %d of %d %v", found[acknowledged],
		l.counts[acknowledged], acknowledged, found[unknown], l.counts[unknown], unknown, found[unsent],
		l.counts[unsent], unsent)
}
