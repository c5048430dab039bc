// Package chart draws sequence charts, as text and as SVG: a column for each actor, time going
// down, messages between the actors as arrows, and notes at one of them.
package chart

import (
	"fmt"
	"slices"
	"time"
)

// Chart is a sequence chart. The zero value is an empty one. Text and SVG only read it.
type Chart struct {
	// Title is written above the chart. If empty, it has no title.
	Title string
	// Actors are the columns, from left to right. Actors that Events names beyond these follow
	// in the order in which they are named.
	Actors []string
	// Events are drawn in the order of the list, which is that of their times.
	Events []Event
}

// Event is a message from one actor to another, or a note.
type Event struct {
	// At is the time since the beginning.
	At time.Duration
	// From and To are the actors of a message. If To is empty, or From, the event is a note at
	// From; if both are, it is a note at the first actor.
	From, To string
	// Text is the label. Text that does not fit is continued on the next line.
	Text string
	// Failure emphasizes the event: it is what the chart explains.
	Failure bool
}

// Text returns the chart as lines of ASCII, of at most 120 columns for up to 30 actors.
// Characters that are not ASCII, and those that are not printable, are written as escapes of Go.
// A pause of a tenth of the whole time or more is one line.
func (c Chart) Text() string { return newLayout(c).text() }

// SVG returns the chart as an SVG document that needs no other file: its colors are readable on
// light and on dark pages, and it has a title and a description. A chart has the same bytes
// wherever it is drawn.
func (c Chart) SVG() []byte { return newLayout(c).svg() }

// Shortened returns the chart with at most as many events: those in the middle are left out, and
// a note says how many. If most is less than 2, or the chart has no more events, it returns c.
func (c Chart) Shortened(most int) Chart {
	left := len(c.Events) - most
	if most < 2 || left <= 0 {
		return c
	}
	first := most / 2
	note := Event{At: c.Events[first].At, Text: fmt.Sprintf("(%d events are left out)", left)}
	c.Events = slices.Concat(c.Events[:first], []Event{note}, c.Events[first+left:])
	return c
}
