package soak

import (
	"slices"
	"testing"
)

// TestAudit: the log contradicts an entry, or does not.
func TestAudit(t *testing.T) {
	const noAudit = ""
	for _, c := range []struct {
		name  string
		fate  fate
		found int
		want  string // the one sentence
	}{
		{"acknowledged and there", acknowledged, 1, noAudit},
		{"acknowledged and lost", acknowledged, 0, "record 1 of lane 0 is acknowledged, and is not in the log"},
		{"acknowledged and there twice", acknowledged, 2,
			"record 1 of lane 0 is acknowledged, and is in the log 2 times: it was sent once"},
		{"unknown and there", unknown, 1, noAudit},
		{"unknown and not there", unknown, 0, noAudit},
		{"unknown and there three times", unknown, 3,
			"record 1 of lane 0 is of unknown fate, and is in the log 3 times: it was sent once"},
		{"not sent and not there", unsent, 0, noAudit},
		{"not sent and there", unsent, 1,
			"record 1 of lane 0 has an error that says it was not sent, and is in the log"},
		{"without an end", pending, 1, "record 1 of lane 0 has a request that never ended"},
		{"more often than an entry can count", unknown, 1000,
			"record 1 of lane 0 is of unknown fate, and is in the log 63 times: it was sent once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l ledger
			lane := l.newLane()
			other := l.newLane()
			l.close(l.open(lane), unsent)
			id := l.open(lane)
			l.close(l.open(other), unsent)
			if c.fate != pending {
				l.close(id, c.fate)
			}
			for range c.found {
				l.find(id)
			}
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			if got := l.audit(); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// TestStrangeEntries: what no load can have entered or found.
func TestStrangeEntries(t *testing.T) {
	var l ledger
	id := l.open(l.newLane())
	l.close(id, acknowledged)
	l.close(id, unsent)
	l.find(id)
	for _, stranger := range []recordID{{lane: 1}, {lane: -1}, {n: 1}, {n: -1}} {
		l.find(stranger)
	}
	want := []string{
		"the request of record 0 of lane 0 ended twice: acknowledged, then not sent",
		"record 0 of lane 1 is in the log, and no caller has produced it",
		"record 0 of lane -1 is in the log, and no caller has produced it",
		"record 1 of lane 0 is in the log, and no caller has produced it",
		"record -1 of lane 0 is in the log, and no caller has produced it",
	}
	if got := l.audit(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	l.close(l.open(0), unsent)
	if got, want := l.inLog(), "the log has 1 of 1 acknowledged, 0 of 0 of unknown fate, 0 of 1 not sent"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := l.String(), "1 acknowledged, 0 of unknown fate, 1 not sent"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
