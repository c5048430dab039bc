package soak

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// eachMinute prints a line a minute, until stop.
func (s *soak) eachMinute(began time.Time) (stop func()) {
	tick, over := time.NewTicker(time.Minute), make(chan struct{})
	var printing sync.WaitGroup
	printing.Go(func() {
		for {
			select {
			case <-tick.C:
				s.Print(s.line(began))
			case <-over:
				return
			}
		}
	})
	return func() { tick.Stop(); close(over); printing.Wait() }
}

// line is the load of a period so far, and what the process holds.
func (s *soak) line(began time.Time) string {
	all, of := s.total()
	return fmt.Sprintf("%v: %d requests, %d answered, %d failed; %v; %d faults; %v; records since the start: %v",
		time.Since(began).Round(time.Second), all.calls, all.ends[answered], all.calls-all.ends[answered], of,
		s.strikes(), measure(s.ledger.size()), s.ledger)
}

// details prints how requests failed, and which faults have happened since the beginning of the warm-up.
func (s *soak) details(print func(string)) {
	all, _ := s.total()
	delete(all.ends, answered)
	s.mu.Lock()
	defer s.mu.Unlock()
	print("failed: " + each(all.ends))
	print("faults since the start: " + each(s.struck))
	print("faults on one connection since the start: " + each(s.begun))
}

// each is every count with its name.
func each[N int | int64](counts map[string]N) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

// strikes is how many faults have happened since the start.
func (s *soak) strikes() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, more := range s.struck {
		n += more
	}
	return n
}

// lives is what the connections of a period have been through.
type lives struct {
	reconnects, reauthentications int64
	throttled                     time.Duration
}

func (l lives) String() string {
	return fmt.Sprintf("%d reconnects, %d reauthentications, %v throttled", l.reconnects, l.reauthentications,
		l.throttled.Round(time.Second))
}

// missing returns a sentence for each part of a load that did not come: without it the load shows too little.
func (l lives) missing() (broken []string) {
	for _, part := range []struct {
		what string
		none bool
	}{
		{"reconnected", l.reconnects == 0},
		{"reauthenticated", l.reauthentications == 0},
		{"was throttled", l.throttled == 0},
	} {
		if part.none {
			broken = append(broken, "under load no connection "+part.what)
		}
	}
	return broken
}

// total is the sum over all connections.
func (s *soak) total() (*tally, lives) {
	all, of := newTally(), lives{}
	for _, m := range s.members {
		all.add(m.tally)
		counts := m.tally.metrics.Snapshot()
		of.reconnects += counts.Reconnects
		of.reauthentications += counts.Relogins
		of.throttled += counts.ThrottledSum
	}
	return all, of
}
