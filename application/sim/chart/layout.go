package chart

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// layout is a chart in cells of one character each, for both ways to draw it.
type layout struct {
	chart  Chart
	title  string
	actors []string // as they are shown
	x      []int    // the column of each actor's line
	heads  []head   // where the names of the actors are
	lines  int      // of the names
	rows   []row
	places int // decimals of the times
}

// head is where a name is written: its line, and its column.
type head struct{ line, at int }

// row is one line of the chart: a text, an arrow, or a text within an arrow.
type row struct {
	time     string
	timeAt   int // column of time
	text     string
	at       int  // column of text
	mark     bool // the first line of a note at column from
	arrow    bool // from one column to another
	from, to int
	quiet    bool // nothing happens for long
	failure  bool
}

const (
	width   = 120
	leastX  = 3  // between two actors
	noteX   = 36 // of a note at the last actor, at most
	arrowX  = 46 // of an arrow to the next actor, at most
	longest = 40 // name
	inArrow = 6  // what an arrow needs beside the text within it: "|- " and " ->"
)

func newLayout(c Chart) *layout {
	l := &layout{chart: c, title: shown(c.Title)}
	index := map[string]int{}
	add := func(name string) {
		if _, known := index[name]; !known && name != "" {
			index[name] = len(l.actors)
			l.actors = append(l.actors, wrap(shown(name), longest)[0])
		}
	}
	for _, name := range c.Actors {
		add(name)
	}
	for _, e := range c.Events {
		add(e.From)
		add(e.To)
	}
	l.places = places(c.Events)
	l.columns(index)
	l.names()
	for i, e := range c.Events {
		if i > 0 {
			l.pause(c.Events[i-1].At, e.At)
		}
		l.event(e, index, i == 0 || e.At != c.Events[i-1].At)
	}
	return l
}

// columns places the actors: as far apart as the messages between neighbors need it, or as there
// is room.
func (l *layout) columns(index map[string]int) {
	if len(l.actors) == 0 {
		l.actors = []string{""}
	}
	gaps := make([]int, len(l.actors)) // to the right of each
	for i, name := range l.actors {
		gaps[i] = len(name) + 2
	}
	last := len(gaps) - 1
	for _, e := range l.chart.Events {
		need := len(shown(e.Text))
		from, to := ends(e, index)
		from, to = min(from, to), max(from, to)
		switch {
		case from < to:
			if need += inArrow + 1; need > arrowX {
				need = noteX
			}
			gaps[to-1] += max(need-sum(gaps[from:to]), 0)
		case from == last:
			gaps[last] = max(gaps[last], min(need+3, noteX))
		}
	}
	left := len(l.clock(0)) + 2
	for _, e := range l.chart.Events {
		left = max(left, len(l.clock(e.At))+2)
	}
	for sum(gaps) > width-left {
		widest := 0
		for i, gap := range gaps {
			if gap > gaps[widest] {
				widest = i
			}
		}
		if gaps[widest] <= leastX {
			break
		}
		gaps[widest]--
	}
	for _, gap := range gaps {
		l.x = append(l.x, left)
		left += gap
	}
}

// names gives each name the first line on which it fits beside the others.
func (l *layout) names() {
	var ends []int // of the lines
	for i, name := range l.actors {
		at := max(min(l.x[i], width-len(name)), 0)
		line := slices.IndexFunc(ends, func(end int) bool { return end < at })
		if line < 0 {
			line = len(ends)
			ends = append(ends, 0)
		}
		ends[line] = at + len(name)
		l.heads = append(l.heads, head{line, at})
	}
	l.lines = len(ends)
}

// end is the time of the last event.
func (l *layout) end() (end time.Duration) {
	for _, e := range l.chart.Events {
		end = max(end, e.At)
	}
	return end
}

// pause is a row for a time in which nothing happens, if it is long.
func (l *layout) pause(from, to time.Duration) {
	whole := l.end() - l.chart.Events[0].At
	if pause := to - from; pause > 0 && pause >= whole/10 {
		l.rows = append(l.rows, row{quiet: true, at: l.x[0] + 2, text: "(" + later(pause) + " later)"})
	}
}

// later rounds a pause to three digits or so.
func later(d time.Duration) string {
	for unit := time.Second; unit > time.Nanosecond; unit /= 1000 {
		if d >= unit {
			return shown(d.Round(unit / 100).String())
		}
	}
	return d.String()
}

func (l *layout) event(e Event, index map[string]int, newTime bool) {
	from, to := ends(e, index)
	a, b := l.x[from], l.x[to]
	first := len(l.rows)
	if a == b {
		for i, line := range wrap(shown(e.Text), width-a-2) {
			l.rows = append(l.rows, row{text: line, at: a + 2, from: a, mark: i == 0, failure: e.Failure})
		}
	} else {
		room := max(b-a, a-b)
		arrow := row{arrow: true, from: a, to: b, failure: e.Failure}
		if text := shown(e.Text); len(text)+inArrow <= room {
			arrow.text, arrow.at = text, min(a, b)+(room-len(text)+1)/2
		} else {
			for _, line := range wrap(text, max(room-3, min(noteX, width-min(a, b)-2))) {
				l.rows = append(l.rows, row{text: line, at: min(a, b) + 2, failure: e.Failure})
			}
		}
		l.rows = append(l.rows, arrow)
	}
	if newTime {
		r := &l.rows[first]
		r.time = l.clock(e.At)
		r.timeAt = l.x[0] - 2 - len(r.time)
	}
}

// ends returns the actors of an event; of a note, the same twice.
func ends(e Event, index map[string]int) (from, to int) {
	switch {
	case e.To == "":
		return index[e.From], index[e.From]
	case e.From == "":
		return index[e.To], index[e.To]
	}
	return index[e.From], index[e.To]
}

// clock writes a time in seconds.
func (l *layout) clock(at time.Duration) string {
	text := fmt.Sprintf("%d.%09d", at/time.Second, max(at%time.Second, -(at%time.Second)))
	if at < 0 && at > -time.Second {
		text = "-" + text
	}
	return text[:len(text)-9+l.places]
}

// places is how many decimals show the times: milliseconds, or microseconds.
func places(events []Event) int {
	for _, e := range events {
		if e.At%time.Millisecond != 0 {
			return 6
		}
	}
	return 3
}

// shown returns a text as printable ASCII, on one line.
func shown(s string) string {
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), micro, "u")
	s = strconv.QuoteToASCII(s)
	return strings.ReplaceAll(strings.ReplaceAll(s[1:len(s)-1], `\"`, `"`), `\\`, `\`)
}

// micro is the sign in microseconds.
const micro = "\u00b5"

// wrap splits a text into lines of at most n characters, at spaces where there are some.
func wrap(s string, n int) (lines []string) {
	n = max(n, 1)
	for len(s) > n {
		cut := strings.LastIndexByte(s[:n+1], ' ')
		if cut <= 0 {
			lines, s = append(lines, s[:n]), s[n:]
			continue
		}
		lines, s = append(lines, s[:cut]), s[cut+1:]
	}
	return append(lines, s)
}

func sum(numbers []int) (total int) {
	for _, n := range numbers {
		total += n
	}
	return total
}
