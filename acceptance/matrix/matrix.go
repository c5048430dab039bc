// Package matrix is the table of faults: what a connection does when one happens, for each kind of fault and each
// phase of the connection's life. A cell is data: a fault, and what must be true of the error, of the requests that
// waited or were in flight, of the next state, of the log and of the metrics. The engines of this package run the
// same cells. A cell that does not exist has the reason why.
package matrix

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"brokerconn/domain"
)

// Phases are the columns: dial, TLS, ApiVersions, SaslHandshake, SaslAuthenticate, ready and idle, requests in
// flight, reauthentication, draining.
const Phases = "DTVHARFKC"

// phaseNames are the phases, in the order of Phases.
var phaseNames = []string{"dial", "TLS", "ApiVersions", "SaslHandshake", "SaslAuthenticate", "ready", "in flight",
	"reauthentication", "draining"}

// closedPhase is that of errors of a connection that was closed for good.
const closedPhase = 'X'

// state is that of the connection in a phase, which its errors have.
func state(phase byte) domain.State {
	switch phase {
	case 'D':
		return domain.Connecting
	case 'T':
		return domain.Handshake
	case 'V':
		return domain.NegotiatingVersions
	case 'H', 'A':
		return domain.Authenticating
	case closedPhase:
		return domain.Closed
	}
	return domain.Connected
}

// Row is one kind of fault.
type Row struct {
	Number int
	Fault  string
	Cells  []Cell
	Absent []Absence
}

// Absence is why a row has no cell in some phases.
type Absence struct{ Phases, Reason string }

// Cell is one fault in one phase.
type Cell struct {
	Phase byte
	// Fault is what happens, as steps of a plan: see Plan.
	Fault string
	Want  Want
	// Wire is the same fault on a real connection, in the words of acceptance/relay; "" if it is not one of the wire.
	Wire string
	// Proxy is the kind of proxy on the way: "socks5" or "connect"; "": the broker is reached without one.
	Proxy string
	// NotExact and NotBubble are why an engine has no such cell; "" if it has it.
	NotExact, NotBubble string
	// Judged are the requests whose fate is wanted; if nil, those of the phase.
	Judged []int64
	// Note is why what is wanted is what it is, where that is not plain.
	Note string
}

// Want is what must be true after a fault.
type Want struct {
	// Kind is what the error is, by errors.Is; nil if there is no error. It is that of the loss, if the connection
	// is lost, and that of each request that failed.
	Kind error
	// Loss is what the loss is, if it is of another kind, which is retriable: one request alone has Kind.
	Loss error
	// Phase is that of the error, if it is not the cell's: the connection has gone on.
	Phase byte
	// Text is a part of the error, with its hint.
	Text string
	// Final means that the error is not retriable.
	Final bool
	Fate  Fate
	// Late means that requests which waited are over their time.
	Late bool
	// Rest is the fate of the requests behind the first one; if empty, the same.
	Rest  Fate
	Next  Next
	Level Level
	// Down is when the connection is lost, since the beginning; 0: that is not compared.
	Down time.Duration
	// Since is when the last of the requests is answered at the earliest, since the beginning; 0: not compared.
	Since time.Duration
	// Metrics are the names of what was counted, as tally.String has them.
	Metrics string
}

// Fate is what becomes of the requests that wait or are in flight when the fault happens.
type Fate string

// The fates. A failed request also has how much of it was sent.
const (
	None       Fate = "no request"
	Answered   Fate = "answered"
	Kept       Fate = "kept for the next connection"
	FullySent  Fate = "failed, fully sent"
	PartlySent Fate = "failed, partly sent"
	NotSent    Fate = "failed, not sent"
	Canceled   Fate = "canceled"
)

// Next is the next state.
type Next string

// The next states.
const (
	Same    Next = "same"    // the connection goes on
	Backoff Next = "backoff" // another attempt, behind a pause
	Redial  Next = "redial"  // another attempt at once
	Closed  Next = "closed"
)

// Level is the highest level of a line of application/logging that is about the fault.
type Level string

// The levels.
const (
	Quiet Level = "none"
	Debug Level = "debug"
	Info  Level = "info"
	Warn  Level = "warn"
	Error Level = "error"
)

func levelOf(l slog.Level) Level { return Level(strings.ToLower(l.String())) }

// Plan returns the whole plan of a cell: what leads to its phase, and the fault, whose steps are separated by
// semicolons. A step happens at the moment of the phase, unless it begins with a time since the beginning, as in
// "0s refuse", or since that moment, as in "+100ms reset"; "@0s" is another moment.
func (c Cell) Plan() string {
	p := phases[c.Phase]
	p.moment = c.moment()
	setup, steps := p.setup, ""
	for part := range strings.SplitSeq(c.Fault, ";") {
		part = strings.TrimSpace(part)
		switch first, rest, _ := strings.Cut(part, " "); {
		case part == "" || part[0] == '@':
		case first == "set":
			setup += part + "\n"
		case strings.HasPrefix(first, "+"):
			steps += fmt.Sprintf("%v %s\n", p.moment+duration(first[1:]), rest)
		case first[0] >= '0' && first[0] <= '9':
			steps += part + "\n"
		default:
			steps += fmt.Sprintf("%v %s\n", p.moment, part)
		}
	}
	return setup + steps + p.steps + end
}

// moment returns when the fault happens.
func (c Cell) moment() time.Duration {
	if first, _, _ := strings.Cut(c.Fault, ";"); strings.HasPrefix(first, "@") {
		return duration(first[1:])
	}
	return phases[c.Phase].moment
}

// state is that of the connection when it is lost.
func (c Cell) state() domain.State {
	if c.Want.Phase != 0 {
		return state(c.Want.Phase)
	}
	return state(c.Phase)
}

// judged returns the requests whose fate is wanted.
func (c Cell) judged() []int64 {
	if c.Judged != nil {
		return c.Judged
	}
	if c.Phase == 'R' && strings.Contains(c.Fault, "send") {
		return []int64{2}
	}
	return phases[c.Phase].judged
}

// judging returns the cells with other requests whose fate is wanted.
func judging(list []Cell, requests ...int64) []Cell {
	for i := range list {
		list[i].Judged = requests
	}
	return list
}

// Rows returns the table.
func Rows() (all []Row) {
	for _, group := range [][]Row{networkRows, frameRows, loginRows, ownerRows, fieldRows} {
		all = append(all, group...)
	}
	return all
}

// at returns the cells of a phase, or why there are none.
func (r Row) at(phase byte) (cells []Cell, reason string) {
	for _, c := range r.Cells {
		if c.Phase == phase {
			cells = append(cells, c)
		}
	}
	for _, a := range r.Absent {
		if strings.IndexByte(a.Phases, phase) >= 0 {
			reason = a.Reason
		}
	}
	return cells, reason
}

// wired adds the fault of the wire to those cells that are in some phases.
func wired(phases, wire string, list []Cell) []Cell {
	for i := range list {
		if strings.IndexByte(phases, list[i].Phase) >= 0 {
			list[i].Wire = wire
		}
	}
	return list
}

// inBubbleAlone adds why the exact engine does not have cells.
func inBubbleAlone(reason string, list []Cell) []Cell {
	for i := range list {
		list[i].NotExact = reason
	}
	return list
}

// proxied puts a proxy of a kind into cells, of which the exact engine has none.
func proxied(kind string, list []Cell) []Cell {
	for i := range list {
		list[i].Proxy = kind
	}
	return inBubbleAlone("the core has no proxies: to it that is a dial without an answer, or row 7", list)
}

// in returns the cells of one fault in several phases.
func in(phases, fault string, w Want) (cells []Cell) {
	for i := range len(phases) {
		cells = append(cells, Cell{Phase: phases[i], Fault: fault, Want: w})
	}
	return cells
}
