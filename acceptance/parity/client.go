package parity

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// client is one of the three clients that play a script. It does one operation at a time,
// and calls its [waiting] whenever it would block.
type client interface {
	// begin makes a new connection object.
	begin(s *settings, w waiting) error
	// do carries out one operation, after the bytes in a have arrived.
	do(op *operation, a arrival) (outcome, error)
	// end releases the connection object.
	end()
}

// waiting is called when a client would block. If acted is true, the broker did something,
// and a is its state afterwards. Otherwise time has to pass.
type waiting func(p progress) (acted bool, a arrival, err error)

// The software name and version of all clients (KIP-511).
const (
	softwareName    = "parity"
	softwareVersion = "1.0"
)

// operation is a step that a client carries out.
type operation struct {
	Op       string   `json:"op"`
	Name     string   `json:"name,omitempty"`    // send: what the request is called
	Request  []string `json:"request,omitempty"` // send: API, version, arguments
	Blocking bool     `json:"blocking"`
	Error    bool     `json:"error,omitempty"`    // close: with an error
	Until    bool     `json:"until,omitempty"`    // send_pending_requests_v2: again until it is true
	Timeout  int64    `json:"timeout,omitempty"`  // check_version, and send with one of its own: in µs
	Duration int64    `json:"duration,omitempty"` // advance: in µs
	Lookup   []string `json:"lookup,omitempty"`
}

// parseOperation reads the words of a step that is not the broker's.
func parseOperation(words []string) (op *operation, err error) {
	op = &operation{Op: words[0]}
	args := words[1:]
	duration := func(to *int64) {
		var d time.Duration
		if len(args) != 1 {
			err = fmt.Errorf("%s takes a duration", op.Op)
		} else if d, err = time.ParseDuration(args[0]); err == nil {
			*to = d.Microseconds()
		}
	}
	switch op.Op {
	case "advance":
		duration(&op.Duration)
	case "check_version":
		duration(&op.Timeout)
	case "lookup":
		op.Lookup = args
	case "close":
		if op.Error = len(args) > 0; op.Error && strings.Join(args, " ") != "with an error" {
			err = fmt.Errorf(`close takes nothing, or "with an error"`)
		}
	case "send_pending_requests_v2":
		if op.Until = len(args) > 0; op.Until && strings.Join(args, " ") != "until true" {
			err = fmt.Errorf(`send_pending_requests_v2 takes nothing, or "until true"`)
		}
	case "send":
		op.Blocking = true
		if len(args) > 0 && args[0] == "nonblocking" {
			op.Blocking, args = false, args[1:]
		}
		if len(args) > 1 && args[0] == "within" {
			d, err := time.ParseDuration(args[1])
			if err != nil {
				return nil, err
			}
			op.Timeout, args = d.Microseconds(), args[2:]
		}
		if len(args) < 3 {
			return nil, fmt.Errorf("send takes a name, an API and a version: %q", strings.Join(words, " "))
		}
		op.Name, op.Request = args[0], args[1:]
	default:
		if len(args) > 0 {
			err = fmt.Errorf("%s takes nothing", op.Op)
		}
	}
	return op, err
}

// arrival is what the broker has sent so far on the newest connection.
type arrival struct {
	Link  int    `json:"link"` // 1 for the first one that was made; 0: none yet
	Bytes int64  `json:"bytes"`
	End   string `json:"end"` // "", "closed" or "reset"
	// Reading reports whether the broker reads, so that a full link will have room.
	Reading bool `json:"reading"`
}

// progress is how far a client has come.
type progress struct {
	Link int   `json:"link"` // how many connections were made
	Sent int64 `json:"sent"` // bytes handed to the newest one
}

// outcome is the result of an operation: its lines of the trace, in order, and the state.
type outcome struct {
	progress
	lines []string
	state string
}

// micros formats a duration as both sides do.
func micros(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 3, 64) + " ms"
}
