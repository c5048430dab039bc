package parity

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A scenario is a file of testdata/scenarios: its title, after "# "; its settings,
// if any; and after an empty line its steps, a line each.
//
// Settings, with their defaults:
//
//	client_id parity                          any other key of kafka-python's
//	api_version 0.10.1                        "none": the broker is asked
//	reconnect_backoff_ms 50, reconnect_backoff_max_ms 1000
//	request_timeout_ms 30000                  of the setup as well
//	max_in_flight_requests_per_connection 5
//	jitter 1.0                                what chance gives, 0.8 to 1.2
//	address broker listening                  or refused, or silent: a name for a port
//	lookup broker                             the addresses that the host has
//	on connected close                        what the callback does, once
//	only 2.3.3                                2.0.2 cannot do what is asked here
//
// Steps are methods under kafka-python's names ("questions" is the six that
// only ask), what the broker does, and "advance 50ms", "lookup NAMES". What
// the broker does while a call blocks is indented below it. After a step,
//
//	| deviation-name 2.0.2 2.3.3
//	| - a line of kafka-python's trace
//	| + the line of ours that replaces it
//
// says how the traces of that step differ, and why.
type scenario struct {
	name, title string
	settings    settings
	steps       []step
}

type settings struct {
	keys      map[string]string // of kafka-python
	api       []int             // nil: none
	jitter    float64
	addresses []address
	lookup    []string
	reactions map[string][]string
	only      string // a version, or "" for both
}

// address is a port of the scripted broker's machine.
type address struct {
	Name string `json:"-"`
	Kind string `json:"kind"` // listening, refused, silent
	Port int    `json:"port"`
}

type step struct {
	text   string
	words  []string
	turns  []step // of the broker, while a call blocks
	differ []difference
}

// difference is one deviation from some versions of kafka-python in one step.
type difference struct {
	deviation   string
	versions    []string
	minus, plus []string
}

// methods are the thirteen of kafka-python's documentation, in its order.
var methods = []string{
	"blacked_out", "can_send_more", "check_version", "close", "connect", "connected", "connecting",
	"connection_delay", "disconnected", "recv", "send", "send_pending_requests", "send_pending_requests_v2",
}

// questions are those of them that only ask.
var questions = []string{"connected", "connecting", "disconnected", "blacked_out", "connection_delay", "can_send_more"}

// versions are those that are compared with.
var versions = []string{"2.0.2", "2.3.3"}

//go:embed testdata
var testdata embed.FS

// loadScenarios reads all of them, in the order of their names.
func loadScenarios() ([]*scenario, error) {
	files, err := fs.Glob(testdata, "testdata/scenarios/*.txt")
	if err != nil {
		return nil, err
	}
	var all []*scenario
	for _, file := range files {
		text, err := testdata.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sc, err := parseScenario(strings.TrimSuffix(path.Base(file), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, sc)
	}
	return all, nil
}

func (s *settings) number(key string) int {
	n, err := strconv.Atoi(s.keys[key])
	if err != nil {
		panic("parity: " + key + ": " + err.Error())
	}
	return n
}

func (s *settings) milliseconds(key string) time.Duration {
	return time.Duration(s.number(key)) * time.Millisecond
}

func (s *settings) address(name string) *address {
	for i := range s.addresses {
		if s.addresses[i].Name == name {
			return &s.addresses[i]
		}
	}
	panic("parity: no address " + name)
}

// uses says whether a scenario calls one of the thirteen methods.
func (sc *scenario) uses(method string) bool {
	return slices.ContainsFunc(sc.steps, func(s step) bool {
		return s.words[0] == method || s.words[0] == "questions" && slices.Contains(questions, method)
	})
}

// versions are those that the scenario is played to.
func (sc *scenario) versions() []string {
	if sc.settings.only != "" {
		return []string{sc.settings.only}
	}
	return versions
}
