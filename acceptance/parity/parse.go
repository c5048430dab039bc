package parity

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func parseScenario(name, text string) (*scenario, error) {
	sc := &scenario{name: name, settings: settings{
		keys: map[string]string{
			"client_id": "parity", "reconnect_backoff_ms": "50", "reconnect_backoff_max_ms": "1000",
			"request_timeout_ms": "30000", "max_in_flight_requests_per_connection": "5",
		},
		api:       []int{0, 10, 1},
		jitter:    1,
		reactions: map[string][]string{},
	}}
	lines := bufio.NewScanner(strings.NewReader(text))
	number, inSteps := 0, false
	for lines.Scan() {
		number++
		line := strings.TrimRight(lines.Text(), " ")
		var err error
		switch {
		case strings.HasPrefix(line, "#"):
			if !inSteps {
				sc.title = strings.TrimSpace(sc.title + " " + strings.TrimSpace(line[1:]))
			}
		case line == "":
			inSteps = sc.title != ""
		case line[0] == '|':
			err = sc.addDifference(strings.TrimSpace(line[1:]))
		case line[0] == ' ':
			err = sc.addTurn(strings.TrimSpace(line))
		case !inSteps:
			err = sc.settings.set(line)
		default:
			sc.steps = append(sc.steps, step{text: line, words: strings.Fields(line)})
			err = checkStep(strings.Fields(line))
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
	}
	if sc.title == "" || len(sc.steps) == 0 {
		return nil, fmt.Errorf("%s: a scenario has a title and steps", name)
	}
	if sc.settings.addresses == nil {
		sc.settings.addresses = []address{{Name: "broker", Kind: "listening"}}
	}
	if sc.settings.lookup == nil {
		sc.settings.lookup = []string{sc.settings.addresses[0].Name}
	}
	if err := sc.settings.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return sc, nil
}

func (s *settings) set(line string) (err error) {
	key, value, _ := strings.Cut(line, " ")
	words := strings.Fields(value)
	switch key {
	case "api_version":
		s.api = nil
		for _, number := range strings.Split(value, ".") {
			if n, err := strconv.Atoi(number); err == nil {
				s.api = append(s.api, n)
			}
		}
	case "jitter":
		s.jitter, err = strconv.ParseFloat(value, 64)
	case "address":
		if len(words) != 2 || !slices.Contains([]string{"listening", "refused", "silent"}, words[1]) {
			return fmt.Errorf("an address has a name and is listening, refused or silent: %q", line)
		}
		s.addresses = append(s.addresses, address{Name: words[0], Kind: words[1]})
	case "lookup":
		s.lookup = words
	case "on":
		state, action, _ := strings.Cut(value, " ")
		s.reactions[state] = append(s.reactions[state], action)
	case "only":
		s.only = value
	default:
		if _, known := s.keys[key]; !known && key != "send_buffer_bytes" {
			return fmt.Errorf("no such setting: %q", line)
		}
		s.keys[key] = value
	}
	return err
}

func (s *settings) check() error {
	for key, value := range s.keys {
		if _, err := strconv.Atoi(value); err != nil && key != "client_id" {
			return fmt.Errorf("%s %q is no number", key, value)
		}
	}
	for _, name := range s.lookup {
		if !slices.ContainsFunc(s.addresses, func(a address) bool { return a.Name == name }) {
			return fmt.Errorf("no address is called %s", name)
		}
	}
	for _, actions := range s.reactions {
		for _, action := range actions {
			if !slices.Contains([]string{"close", "close with an error", "connect"}, action) {
				return fmt.Errorf("no such reaction: %q", action)
			}
		}
	}
	if !slices.Contains([]float64{0.8, 1, 1.2}, s.jitter) {
		return fmt.Errorf("jitter %v: it may be 0.8, 1.0 or 1.2", s.jitter)
	}
	if s.only != "" && !slices.Contains(versions, s.only) {
		return fmt.Errorf("kafka-python %s is not compared with", s.only)
	}
	return nil
}

func checkStep(words []string) error {
	known := append([]string{"questions", "advance", "lookup", "broker"}, methods...)
	if !slices.Contains(known, words[0]) {
		return fmt.Errorf("no such step: %q", strings.Join(words, " "))
	}
	if slices.Contains([]string{"broker", "questions"}, words[0]) {
		return nil
	}
	_, err := parseOperation(words)
	return err
}

func (sc *scenario) last() (*step, error) {
	if len(sc.steps) == 0 {
		return nil, fmt.Errorf("this line belongs to a step, and no step precedes it")
	}
	return &sc.steps[len(sc.steps)-1], nil
}

func (sc *scenario) addTurn(line string) error {
	s, err := sc.last()
	if err == nil {
		s.turns = append(s.turns, step{text: line, words: strings.Fields(line)})
	}
	return err
}

func (sc *scenario) addDifference(line string) error {
	s, err := sc.last()
	if err != nil {
		return err
	}
	sign, rest, _ := strings.Cut(line, " ")
	if sign != "-" && sign != "+" {
		s.differ = append(s.differ, difference{deviation: sign, versions: strings.Fields(rest)})
		return nil
	}
	if s.differ == nil {
		return fmt.Errorf("which deviation is this? %q", line)
	}
	d := &s.differ[len(s.differ)-1]
	if sign == "-" {
		d.minus = append(d.minus, rest)
	} else {
		d.plus = append(d.plus, rest)
	}
	return nil
}
