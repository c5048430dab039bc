package sim

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Coverage counts which cells the runs of a campaign have hit. A cell is the state of the
// connection, its condition in that state, an event that it was given, and the kind of fault that
// happened last before that. Use [NewCoverage]. It is not safe for concurrent use: each goroutine
// has one of its own, and [Coverage.Add] adds them up.
type Coverage struct {
	hits []uint64 // by place
	r    *run     // under way
	last int      // place of the last fault's kind in faultNames
}

// Cell is one cell. Condition is "-" outside of Connected, and Fault is "none" before the first one.
type Cell struct{ State, Condition, Event, Fault string }

// String returns the names, separated by spaces.
func (c Cell) String() string {
	return c.State + " " + c.Condition + " " + c.Event + " " + c.Fault
}

// The sides of the product. Each is made from the list that it is about: a state, a condition or
// a verb that is added has cells at once.
var (
	places     = placesOfStates()
	eventNames = append(namesOf(verbs[:owners]), linkEvents[:]...)
	faultNames = append([]string{"none"}, namesOf(verbs[owners:])...)
)

// place is a state with a condition.
type place struct{ state, condition string }

func placesOfStates() (list []place) {
	for s := domain.Disconnected; s <= domain.Closed; s++ {
		if s != domain.Connected {
			list = append(list, place{s.String(), "-"})
			continue
		}
		for _, condition := range domain.Conditions() {
			list = append(list, place{s.String(), condition})
		}
	}
	return list
}

func namesOf(list []verb) (names []string) {
	for _, v := range list {
		names = append(names, v.name)
	}
	return names
}

// Events that are no verb: those that the owner, the clock and the link give to the connection.
const (
	eventConnect  = iota // the owner connects
	eventAdmit           // a request is admitted
	eventTimer           // the deadline of the connection is reached
	eventLookup          // a lookup ends
	eventStage           // the link reaches a stage
	eventNoStage         // it does not
	eventReadable        // bytes are received
	eventWritable        // the link takes more after it did not take all
	eventEnd             // the end of the stream is received
	eventReset           // the link was reset
)

var linkEvents = [...]string{"connect", "admit", "timer", "lookup", "stage", "no-stage", "readable", "writable",
	"end", "reset"}

// NewCoverage returns one of no runs.
func NewCoverage() *Coverage {
	return &Coverage{hits: make([]uint64, len(places)*len(eventNames)*len(faultNames))}
}

// Run is the function [Run], and counts the cells that the run hits, unless c is nil or the
// owner has a Polled.
func (c *Coverage) Run(p Plan) Result {
	return c.newRun(p).run()
}

func (c *Coverage) newRun(p Plan) *run {
	if c == nil || p.Setup.Polled { // which does not tell its condition
		return newRun(p, nil, nil)
	}
	r := newRun(p, nil, c)
	c.r, c.last = r, 0
	return r
}

// Add counts what other has counted.
func (c *Coverage) Add(other *Coverage) {
	for i, n := range other.hits {
		c.hits[i] += n
	}
}

// fault notes that a fault of a kind happens.
func (c *Coverage) fault(verb int) {
	if c != nil && verb >= owners {
		c.last = verb - owners + 1
	}
}

// operation counts a verb of the owner's.
func (c *Coverage) operation(verb int) {
	if c != nil && verb < owners {
		c.count(verb)
	}
}

// event counts one that is no verb.
func (c *Coverage) event(e int) {
	if c != nil {
		c.count(owners + e)
	}
}

// staged counts news of a link that is not established.
func (c *Coverage) staged(risen bool, err error) {
	switch {
	case c == nil:
	case err != nil && !ports.WouldBlock(err):
		c.event(eventNoStage)
	case risen:
		c.event(eventStage)
	}
}

// sent counts what a link says when bytes are sent. more: it takes more than before.
func (c *Coverage) sent(more bool, err error) {
	if c == nil {
		return
	}
	if more {
		c.event(eventWritable)
	}
	c.lost(err)
}

// received counts what a link says when it is asked for n bytes.
func (c *Coverage) received(n int, err error) {
	if n > 0 {
		c.event(eventReadable)
	}
	c.lost(err)
}

func (c *Coverage) lost(err error) {
	switch {
	case err == nil, ports.WouldBlock(err):
	case errors.Is(err, io.EOF):
		c.event(eventEnd)
	default:
		c.event(eventReset)
	}
}

// coveredLookup counts its end.
type coveredLookup struct {
	ports.Lookup
	ports.Watcher
	c *Coverage
}

// Result passes a call on.
func (l *coveredLookup) Result() ([]ports.Endpoint, error) {
	eps, err := l.Lookup.Result()
	if !ports.WouldBlock(err) {
		l.c.event(eventLookup)
	}
	return eps, err
}

func (c *Coverage) count(event int) {
	at := int(c.r.conn.state())
	switch conn := c.r.conn; {
	case conn.state() == domain.Connected:
		at += slices.Index(domain.Conditions(), conn.condition())
	case conn.state() > domain.Connected:
		at += len(domain.Conditions()) - 1
	}
	c.hits[(at*len(eventNames)+event)*len(faultNames)+c.last]++
}

// cells calls f with each cell, and how often it was hit.
func (c *Coverage) cells(f func(Cell, uint64)) {
	i := 0
	for _, at := range places {
		for _, event := range eventNames {
			for _, fault := range faultNames {
				f(Cell{at.state, at.condition, event, fault}, c.hits[i])
				i++
			}
		}
	}
}

// Missing returns the cells that were not hit and are not excluded by a rule of unreachable.go.
func (c *Coverage) Missing() (list []Cell) {
	c.cells(func(cell Cell, n uint64) {
		if n == 0 && len(rulesFor(cell)) == 0 {
			list = append(list, cell)
		}
	})
	return list
}

// MissingPairs returns the pairs of a state with its condition and an event, of such a state and a
// fault, and of an event and a fault, of which some cell is not excluded and none was hit.
func (c *Coverage) MissingPairs() (list []Cell) {
	var order []Cell
	hit := map[Cell]bool{}
	c.cells(func(cell Cell, n uint64) {
		if n == 0 && len(rulesFor(cell)) > 0 {
			return
		}
		for _, pair := range [...]Cell{{cell.State, cell.Condition, cell.Event, "*"},
			{cell.State, cell.Condition, "*", cell.Fault}, {"*", "*", cell.Event, cell.Fault}} {
			if _, known := hit[pair]; !known {
				order = append(order, pair)
			}
			hit[pair] = hit[pair] || n > 0
		}
	})
	return slices.DeleteFunc(order, func(pair Cell) bool { return hit[pair] })
}

// Wrong returns the cells that were hit although a rule excludes them.
func (c *Coverage) Wrong() (list []Cell) {
	c.cells(func(cell Cell, n uint64) {
		if n > 0 && len(rulesFor(cell)) > 0 {
			list = append(list, cell)
		}
	})
	return list
}

// String returns how many cells there are, are hit, are excluded, and are neither.
func (c *Coverage) String() string {
	all, hit, excluded := 0, 0, 0
	c.cells(func(cell Cell, n uint64) {
		all++
		if n > 0 {
			hit++
		} else if len(rulesFor(cell)) > 0 {
			excluded++
		}
	})
	return fmt.Sprintf("%d cells: %d reachable, %d of them hit; %d excluded by %d rules",
		all, all-excluded, hit, excluded, len(unreachable))
}
