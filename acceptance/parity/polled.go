package parity

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// polled is broker.Polled on a clock that is moved, over real sockets. The
// transport is the default one but for its lookup, which is the script's, and
// for the addresses that are silent.
type polled struct {
	change func(*broker.Config) // makes it another than it should be; nil: as it should be
	*broker.Polled
	clock *fake.Clock
	w     waiting

	settings  *settings
	lookup    []string
	reactions map[string][]string
	arrived   arrival
	links     int
	counts    counts
	conn      *noted // the newest
	unsent    bool   // the call under way waits to write
	stuck     error  // why a wait failed
	futures   []*named

	mu    sync.Mutex
	lines []string
}

// named is a request under way.
type named struct {
	name   string
	future *broker.Future
	ended  bool // reported
}

var _ client = (*polled)(nil)

var errUser = errors.New("rebalancing")

func (p *polled) begin(s *settings, w waiting) error {
	*p = polled{change: p.change, settings: s, w: w, clock: fake.New(time.Time{}), lookup: s.lookup,
		reactions: map[string][]string{}}
	for state, actions := range s.reactions {
		p.reactions[state] = slices.Clone(actions)
	}
	// What gives jitter 0.8, 1.0 and 1.2 exactly.
	bits := map[float64]uint64{0.8: 0, 1: 1 << 63, 1.2: math.MaxUint64}[s.jitter]
	options := tcp.Options{}
	if size, ok := s.keys["send_buffer_bytes"]; ok {
		options.SendBufferBytes, _ = strconv.Atoi(size)
	}
	cfg := broker.Config{
		Host:                "broker.test",
		ClientID:            s.keys["client_id"],
		SoftwareName:        softwareName,
		SoftwareVersion:     softwareVersion,
		ReconnectBackoff:    s.milliseconds("reconnect_backoff_ms"),
		ReconnectBackoffMax: s.milliseconds("reconnect_backoff_max_ms"),
		RequestTimeout:      s.milliseconds("request_timeout_ms"),
		SetupTimeout:        s.milliseconds("request_timeout_ms"),
		MaxInFlight:         s.number("max_in_flight_requests_per_connection"),
		Rand:                func() uint64 { return bits },
		Clock:               p.clock,
		Metrics:             &p.counts,
		Selector:            fake.Selector{Clock: p.clock, Work: p.work},
		Transport:           &netlink.Transport{Dial: p.dial(tcp.Dial(options)), Lookup: p.find},
		Hooks:               &broker.Hooks{StateChanged: p.changed, RequestFailed: p.failed},
	}
	if n := s.api; n != nil {
		n = append(slices.Clone(n), 0, 0)
		cfg.APIVersion = broker.Release{Major: n[0], Minor: n[1], Patch: n[2]}
	}
	if p.change != nil {
		p.change(&cfg)
	}
	var err error
	p.Polled, err = broker.NewPolled(cfg)
	return err
}

func (p *polled) end() { p.Close(nil) }

func (p *polled) do(op *operation, a arrival) (outcome, error) {
	p.arrived, p.lines, p.stuck = a, nil, nil
	if err := p.settle(); err != nil {
		return outcome{}, err
	}
	before := p.clock.Now()
	err := p.perform(op)
	if took := p.clock.Now().Sub(before); took > 0 && op.Op != "advance" {
		p.say("took " + micros(took))
	}
	return outcome{progress: p.progress(), lines: p.lines, state: stateNames[p.State()]}, errors.Join(err, p.stuck)
}

func (p *polled) progress() progress {
	return progress{Link: p.links, Sent: p.counts.sent}
}

func (p *polled) perform(op *operation) error {
	switch op.Op {
	case "advance":
		p.clock.Advance(time.Duration(op.Duration) * time.Microsecond)
	case "lookup":
		p.lookup = op.Lookup
	case "connect":
		return p.connect()
	case "close":
		var err error
		if op.Error {
			err = errUser
		}
		p.Close(err)
	case "send":
		return p.send(op)
	case "send_pending_requests":
		p.unsent = true
		p.say(fmt.Sprint("send_pending_requests ", p.SendPending()))
		p.unsent = false
	case "send_pending_requests_v2":
		done := p.SendPendingV2()
		for op.Until && !done && p.Connected() {
			if err := p.news(); err != nil {
				return err
			}
			done = p.SendPendingV2()
		}
		p.say(fmt.Sprint("send_pending_requests_v2 ", done))
	case "recv":
		return p.recv()
	case "check_version":
		verdict, err := p.CheckVersion(time.Duration(op.Timeout)*time.Microsecond, false, nil)
		if err != nil {
			p.say("check_version " + kind(err))
			return nil
		}
		// The tables of the scenarios are short, so that the verdict is custom: what
		// is compared is the nearest release.
		say := fmt.Sprintf("%d.%d.%d", verdict.Low.Major, verdict.Low.Minor, verdict.Low.Patch)
		if verdict.Kind == broker.AtLeast || verdict.Kind == broker.Between {
			say = verdict.String()
		}
		p.say("check_version " + say)
	default:
		return p.ask(op.Op)
	}
	return nil
}

// connect calls Connect until it is known where that leads.
func (p *polled) connect() error {
	for {
		state := p.Connect()
		if state == broker.Connecting && p.silent() || state != broker.Connecting && !p.expecting() {
			return nil
		}
		if err := p.news(); err != nil {
			return err
		}
	}
}

// recv calls Recv until all that the broker sent has come in.
func (p *polled) recv() error {
	for {
		for _, r := range p.Recv() {
			p.answered(r)
		}
		if !p.expecting() {
			return nil
		}
		if err := p.news(); err != nil {
			return err
		}
	}
}

func (p *polled) send(op *operation) error {
	req, err := build(op.Request)
	if err != nil {
		return err
	}
	n := &named{name: op.Name}
	p.futures = append(p.futures, n)
	p.unsent = op.Blocking
	if op.Timeout > 0 {
		n.future = p.Send(req, op.Blocking, broker.WithTimeout(time.Duration(op.Timeout)*time.Microsecond))
	} else {
		n.future = p.Send(req, op.Blocking)
	}
	p.unsent = false
	p.reportFailed()
	return nil
}

func (p *polled) ask(question string) error {
	var answer any
	switch question {
	case "connected":
		answer = p.Connected()
	case "connecting":
		answer = p.Connecting()
	case "disconnected":
		answer = p.Disconnected()
	case "blacked_out":
		answer = p.BlackedOut()
	case "can_send_more":
		answer = p.CanSendMore()
	case "connection_delay":
		d, forever := p.ConnectionDelay()
		if answer = micros(d); forever {
			answer = "forever"
		}
	default:
		return fmt.Errorf("no such method: %s", question)
	}
	p.say(fmt.Sprint(question, " ", answer))
	return nil
}

func (p *polled) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
}

func (p *polled) changed(from, to broker.State, _ broker.Endpoint, _ error) {
	if from == broker.Connecting && to != broker.Disconnected {
		p.links++
	}
	name := stateNames[to]
	p.say("callback " + name)
	actions := p.reactions[name]
	delete(p.reactions, name)
	for _, action := range actions {
		p.say("in callback: " + action)
		switch action {
		case "close":
			p.Close(nil)
		case "close with an error":
			p.Close(errUser)
		case "connect":
			p.Connect()
		}
	}
}

// failed is called when a request has failed.
func (p *polled) failed(broker.RequestInfo, error) { p.reportFailed() }

func (p *polled) reportFailed() {
	for _, n := range p.futures {
		if n.ended || n.future == nil || !isDone(n.future) {
			continue
		}
		_, err := n.future.Response()
		if err == nil {
			continue // answered: Recv returns it
		}
		n.ended = true
		p.say("failed " + n.name + " " + kind(err))
	}
}

func isDone(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

func (p *polled) answered(r broker.Result) {
	for _, n := range p.futures {
		if n.future != r.Future || n.ended {
			continue
		}
		n.ended = true
		if _, err := r.Future.Response(); err != nil {
			p.say("failed " + n.name + " " + kind(err))
			return
		}
		done := "pending"
		if isDone(r.Future) {
			done = "done"
		}
		p.say("answer " + n.name + " " + done + " " + essence(r.Response))
	}
}
