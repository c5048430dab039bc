package simtest

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"brokerconn/application/broker"
)

// compare fails a run if another one of the same seed was different.
func compare(w, other *World) {
	at, what := difference(w, other)
	if what == "" {
		return
	}
	w.closed = false
	w.entries = before(at+1, w.entries) // what led to it
	w.failAt(at, "two runs", "two runs of the seed differ: "+what+
		"\nThe code depends on something that is not in the world: the order of a map, math/rand (see World.Rand), "+
		"or which of several goroutines that are ready runs first. Options.Once leaves out the second run.")
}

// difference returns the first difference of two runs, up to the instant at which the function of
// Run returned: its contexts end then, and everything that waits for them at once.
func difference(w, other *World) (at time.Duration, what string) {
	if other.failure != nil {
		return other.failure.At, "the second run failed: " + other.failure.Text
	}
	at, what = firstDifference(before(w.returned, w.entries), before(other.returned, other.entries))
	if what == "" {
		at, what = firstDifference(w.atEnd(), other.atEnd())
	}
	if what == "" {
		at, what = firstDifference(before(w.returned, w.passed), before(other.returned, other.passed))
	}
	if what == "" && w.returned != other.returned {
		at = min(w.returned, other.returned)
		what = fmt.Sprintf("the function of Run returned at %v, and at %v", w.returned, other.returned)
	}
	return at, what
}

// record is an entry of the journal or of the traffic.
type record[T any] interface {
	fmt.Stringer
	when() time.Duration
	equal(T) bool
	// order compares records of one instant. What different clients do then has no order, nor
	// what one of them does both ways.
	order(T) int
}

// atEnd returns what was noted at the instant at which the function of Run returned, and before that, but
// for what clients did.
func (w *World) atEnd() (all []entry) {
	begin := len(before(w.returned, w.entries))
	for _, e := range w.entries[begin:max(begin, w.entered)] {
		if e.client == 0 {
			all = append(all, e)
		}
	}
	return all
}

// before returns the records of before an instant.
func before[T record[T]](at time.Duration, list []T) []T {
	return list[:sort.Search(len(list), func(i int) bool { return list[i].when() >= at })]
}

func firstDifference[T record[T]](a, b []T) (at time.Duration, what string) {
	if slices.EqualFunc(a, b, T.equal) {
		return 0, ""
	}
	a, b = inOrder(a), inOrder(b)
	for i := range min(len(a), len(b)) {
		if !a[i].equal(b[i]) {
			return min(a[i].when(), b[i].when()),
				fmt.Sprintf("%v %v, and %v %v", a[i].when(), a[i], b[i].when(), b[i])
		}
	}
	if len(a) == len(b) {
		return 0, ""
	}
	more := slices.Concat(a[min(len(a), len(b)):], b[min(len(a), len(b)):])[0]
	return more.when(), fmt.Sprintf("only one has: %v %v", more.when(), more)
}

func inOrder[T record[T]](list []T) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Or(cmp.Compare(a.when(), b.when()), a.order(b)) })
	return list
}

// sameError compares errors by their texts. Most are those of Conns, whose fields make the text.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	one, isOne := a.(*broker.Error)
	other, isOther := b.(*broker.Error)
	if isOne && isOther {
		x, y := *one, *other
		x.Cause, y.Cause = nil, nil
		if x == y && sameError(one.Cause, other.Cause) {
			return true
		}
	}
	return a.Error() == b.Error()
}

func (e entry) when() time.Duration { return e.at }

func (e entry) order(o entry) int {
	return cmp.Or(cmp.Compare(e.client, o.client), cmp.Compare(e.kind, o.kind),
		cmp.Compare(e.correlationID, o.correlationID))
}

func (p passed) when() time.Duration { return p.at }

func (p passed) equal(o passed) bool { return p == o }

func (p passed) order(o passed) int {
	way := func(p passed) int {
		if p.received {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(p.link, o.link), cmp.Compare(way(p), way(o)))
}

func (p passed) String() string {
	verb := "sent"
	if p.received {
		verb = "received"
	}
	return fmt.Sprintf("connection %d to %s %s %d bytes (checksum %x)", p.link, p.address, verb, p.bytes, p.sum)
}
