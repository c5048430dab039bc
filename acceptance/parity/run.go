package parity

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// trace is what happened: the lines of each step of a scenario.
type trace [][]string

// play runs one scenario with one client. The broker and the client take turns:
// while one acts the other does nothing, so that a trace is the same each time.
func play(sc *scenario, c client) (trace, error) {
	s := sc.settings
	s.addresses = slices.Clone(s.addresses)
	b, err := listen(s.addresses)
	if err != nil {
		return nil, err
	}
	defer b.close()
	p := &performance{broker: b, client: c}
	if err := c.begin(&s, p.wait); err != nil {
		return nil, fmt.Errorf("%s: %w", sc.name, err)
	}
	defer c.end()
	var t trace
	for i := range sc.steps {
		p.lines, p.turns = nil, sc.steps[i].turns
		if err := p.step(&sc.steps[i]); err != nil {
			return t, fmt.Errorf("%s: step %d, %q: %w", sc.name, i+1, sc.steps[i].text, err)
		}
		t = append(t, p.lines)
	}
	return t, nil
}

// performance is one scenario being played.
type performance struct {
	broker *scripted
	client client
	at     progress // of the client
	lines  []string // of the step
	turns  []step   // of the broker, that are left while a call blocks
}

func (p *performance) step(s *step) error {
	if s.words[0] == "broker" {
		_, err := p.act(s.words[1:])
		return err
	}
	if s.words[0] == "questions" {
		for _, q := range questions {
			if err := p.operate(&operation{Op: q}); err != nil {
				return err
			}
		}
		return nil
	}
	op, err := parseOperation(s.words)
	if err != nil {
		return err
	}
	if err := p.operate(op); err != nil {
		return err
	}
	if len(p.turns) > 0 && p.turns[0].words[1] != "serves" {
		return fmt.Errorf("the call never waited, so that the broker did not come to %q", p.turns[0].text)
	}
	return nil
}

func (p *performance) operate(op *operation) error {
	out, err := p.client.do(op, p.arrived())
	if err != nil {
		return err
	}
	p.at = out.progress
	p.lines = append(p.lines, out.lines...)
	if !slices.Contains([]string{"advance", "lookup"}, op.Op) && !slices.Contains(questions, op.Op) {
		p.lines = append(p.lines, "state "+out.state)
	}
	return nil
}

// arrived is what the broker has sent on the newest connection.
func (p *performance) arrived() arrival {
	if p.at.Link == 0 || len(p.broker.links) < p.at.Link {
		return arrival{Link: p.at.Link, Reading: true}
	}
	l := p.broker.links[p.at.Link-1]
	return arrival{Link: l.number, Bytes: l.sent, End: l.end, Reading: !l.isPaused()}
}

// wait is what happens while a call of the client blocks.
func (p *performance) wait(at progress) (acted bool, a arrival, err error) {
	p.at = at
	for len(p.turns) > 0 && !acted && err == nil {
		turn := p.turns[0]
		if turn.words[0] != "broker" {
			return false, p.arrived(), fmt.Errorf("only the broker acts while a call blocks: %q", turn.text)
		}
		acted, err = p.act(turn.words[1:])
		if turn.words[1] == "serves" {
			break // as long as there is somebody to serve
		}
		p.turns = p.turns[1:]
	}
	return acted, p.arrived(), err
}

// act is one act of the broker's.
func (p *performance) act(words []string) (acted bool, err error) {
	l, err := p.broker.link(p.at.Link)
	if err != nil {
		return false, err
	}
	verb, args := words[0], words[1:]
	if err := l.sync(p.at.Sent); err != nil {
		return false, err
	}
	switch verb {
	case "reads":
		p.reads()
	case "pauses":
		l.pause(true)
	case "continues":
		l.pause(false)
	case "answers":
		return true, errors.Join(p.prepare(l, args), l.send(-1))
	case "prepares":
		return true, p.prepare(l, args)
	case "sends":
		n := -1
		if args[0] != "all" {
			if n, err = strconv.Atoi(args[0]); err != nil {
				return false, err
			}
		}
		return true, l.send(n)
	case "serves":
		return l.serve(args)
	case "closes", "resets":
		return true, l.finish(verb == "resets")
	case "sees": // the end
		err := l.awaitEnd()
		p.lines = append(p.lines, fmt.Sprintf("connection %d ended", l.number))
		return true, err
	default:
		return false, fmt.Errorf("the broker cannot do this: %q", strings.Join(words, " "))
	}
	return true, nil
}

// reads writes down the requests that came since the last time, on any connection.
func (p *performance) reads() {
	for _, l := range p.broker.links {
		for _, f := range l.frames[l.printed:] {
			p.lines = append(p.lines, fmt.Sprintf("connection %d: %v", l.number, f))
		}
		l.printed = len(l.frames)
	}
}

// prepare prepares an answer, if there is a question.
func (p *performance) prepare(l *brokerLink, words []string) error {
	if words[0] != "raw" && l.answered == len(l.frames) {
		p.lines = append(p.lines, "no request waits for an answer")
		return nil
	}
	return l.prepare(words)
}

// prepare makes the answer to the oldest request that has none; "with id N:" in
// front gives it another correlation id, and "raw" is no answer at all.
func (l *brokerLink) prepare(words []string) error {
	if words[0] == "raw" {
		body, err := answer(nil, 0, append([]string{"hex"}, words[1:]...))
		l.out = append(l.out, body[8:]...) // without size and id
		return err
	}
	f := l.frames[l.answered]
	id := f.id()
	if words[0] == "with" {
		n, err := strconv.ParseInt(strings.TrimSuffix(words[2], ":"), 10, 32)
		if err != nil {
			return err
		}
		id, words = int32(n), words[3:]
	}
	framed, err := answer(f, id, words)
	if err != nil {
		return err
	}
	l.answered++
	l.out = append(l.out, framed...)
	return nil
}

// serve answers what clients ask to find out a broker's release.
func (l *brokerLink) serve(offered []string) (acted bool, err error) {
	for l.answered < len(l.frames) {
		words := []string{"metadata", "1@broker:9092"}
		if l.frames[l.answered].key() == 18 {
			words = append([]string{"versions"}, offered...)
		}
		if err := l.prepare(words); err != nil {
			return false, err
		}
		acted = true
	}
	if !acted {
		return false, nil
	}
	return true, l.send(-1)
}
