package simtest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/application/sim/chart"
)

// journal is what happened, in order. Its entries are made into text only if the seed fails.
type journal struct {
	journalMu sync.Mutex
	entries   []entry
	closed    bool // after the failure
}

type kind uint8

const (
	said kind = iota
	faulted
	changed
	written
	answered
	refused // by a broker, with error codes
	lost
	failed
	reported
)

type entry struct {
	at            time.Duration
	kind          kind
	client        int // 0: none
	broker        int
	from, to      broker.State
	key, version  int16
	correlationID int32
	text          string
	by            int           // how far a fault moves something; 0: it does not
	lasts         time.Duration // a fault
	err           error
}

func (w *World) note(e entry) { w.noteAt(w.Elapsed(), e) }

// noteAt notes what happens at a time that may be later than now; see runAhead.
func (w *World) noteAt(at time.Duration, e entry) {
	e.at = at
	w.journalMu.Lock()
	defer w.journalMu.Unlock()
	if w.closed {
		return
	}
	i := len(w.entries)
	for i > 0 && w.entries[i-1].at > at {
		i--
	}
	w.entries = slices.Insert(w.entries, i, e)
}

// written returns how many entries there are of what has happened.
func (w *World) written() int {
	w.journalMu.Lock()
	defer w.journalMu.Unlock()
	return len(before(w.Elapsed()+1, w.entries))
}

// hooks are those of a client to a broker.
func (w *World) hooks(client, to int) *broker.Hooks {
	request := func(k kind, i broker.RequestInfo, err error) {
		w.note(entry{kind: k, client: client, broker: to, key: i.Key, version: i.Version,
			correlationID: i.CorrelationID, err: err})
	}
	report := func(text string) { w.note(entry{kind: reported, client: client, broker: to, text: text}) }
	return &broker.Hooks{
		StateChanged: func(from, next broker.State, _ broker.Endpoint, err error) {
			w.note(entry{kind: changed, client: client, broker: to, from: from, to: next, err: err})
		},
		RequestWritten:  func(i broker.RequestInfo) { request(written, i, nil) },
		RequestAnswered: func(i broker.RequestInfo) { request(answered, i, nil) },
		RequestFailed: func(i broker.RequestInfo, err error) {
			request(lost, i, err)
			w.pause() // a goroutine that waits for the request wakes up at an instant of its own
		},
		Throttled: func(_ broker.Endpoint, until time.Time) {
			report(fmt.Sprintf("throttled for %v", until.Sub(w.Now())))
		},
		Warning:  func(text string) { report("warning: " + text) },
		Panicked: func(v any) { w.fail("panic", fmt.Sprintf("panic in a hook: %v", v)) },
	}
}

func (e entry) equal(o entry) bool {
	a, b := e.err, o.err
	e.err, o.err = nil, nil
	return e == o && sameError(a, b)
}

// String is the line without its time.
func (e entry) String() string {
	who := fmt.Sprintf("client %d of broker-%d: ", e.client, e.broker)
	request := fmt.Sprintf("%s v%d #%d", kafkacodec.KeyName(e.key), e.version, e.correlationID)
	switch e.kind {
	case faulted:
		return "fault: " + e.fault()
	case changed:
		return strings.TrimSuffix(fmt.Sprintf("%s%v -> %v: %v", who, e.from, e.to, e.err), ": <nil>")
	case written:
		return who + "sends " + request
	case answered:
		return who + "answered: " + request
	case refused:
		return fmt.Sprintf("%s answers %s: %s", hostOf(e.broker), request, e.text)
	case lost:
		return fmt.Sprintf("%sfailed: %s: %v", who, request, e.err)
	case reported:
		return who + e.text
	case failed:
		return "FAILED: " + e.text
	}
	return e.text
}

// fault is the line of a fault.
func (e entry) fault() string {
	text := e.text
	switch {
	case e.by > 0:
		text += fmt.Sprintf(" by %d", e.by)
	case e.broker >= 0:
		text += fmt.Sprintf(" of %s", hostOf(e.broker))
	}
	if e.lasts > 0 {
		text += ", " + e.lasts.String()
	}
	return text
}

// The lines of a journal that are printed: the first and the last ones.
const (
	firstLines = 20
	lastLines  = 80
)

func (w *World) journalText() string {
	var b strings.Builder
	for i, e := range w.entries {
		if left := len(w.entries) - firstLines - lastLines; left > 0 && i >= firstLines && i < firstLines+left {
			if i == firstLines {
				fmt.Fprintf(&b, "%14s  (%d lines)\n", "...", left)
			}
			continue
		}
		text, _, _ := strings.Cut(e.String(), "\n")
		fmt.Fprintf(&b, "%13.6fs  %s\n", e.at.Truncate(time.Microsecond).Seconds(), text)
	}
	return b.String()
}

// chartEvents is how many of the last entries a chart has.
const chartEvents = 60

// chart returns the journal as a sequence chart.
func (w *World) chart() chart.Chart {
	c := chart.Chart{Actors: []string{"test"}}
	for i := range w.configs {
		c.Actors = append(c.Actors, clientName(i+1))
	}
	for _, n := range w.nodes {
		c.Actors = append(c.Actors, n.host)
	}
	for _, e := range w.entries[max(0, len(w.entries)-chartEvents):] {
		text, _, _ := strings.Cut(e.String(), "\n")
		event := chart.Event{At: e.at, From: "test", Text: text, Failure: e.kind == failed}
		request := fmt.Sprintf("%s #%d", kafkacodec.KeyName(e.key), e.correlationID)
		switch client := clientName(e.client); {
		case e.kind == written:
			event.From, event.To, event.Text = client, w.nodes[e.broker].host, request
		case e.kind == answered:
			event.From, event.To, event.Text = w.nodes[e.broker].host, client, request
		case e.client > 0:
			event.From = client
			_, event.Text, _ = strings.Cut(text, ": ")
		case e.kind == refused:
			event.From, event.Text = w.nodes[e.broker].host, request+": "+e.text
		case e.kind == faulted && e.broker >= 0:
			event.From, event.Text = w.nodes[e.broker].host, e.fault()
		}
		c.Events = append(c.Events, event)
	}
	return c
}

func clientName(number int) string { return fmt.Sprintf("client %d", number) }
