package sim

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Plan is everything that a run depends on.
type Plan struct {
	// Seed is that of the network's and the backoff's jitter, and of the sizes of pieces.
	Seed  uint64
	Setup Setup
	// Steps happen at their times; those of one time in the order of the list.
	Steps []Step
}

// Setup is the broker, the way to it, and the settings of the connection. In a text each field
// that is not zero has the name that its tag says.
type Setup struct {
	Addresses int           `plan:"addresses"` // of the host; 0: one
	Latency   time.Duration `plan:"latency"`   // one way
	Jitter    time.Duration `plan:"jitter"`
	Bandwidth int64         `plan:"bandwidth"` // bytes a second
	Window    int           `plan:"window"`    // bytes on the way or unread
	Piece     int           `plan:"piece"`     // most bytes that arrive together,
	PieceIn   int           `plan:"piece-in"`  // and most of those that the broker sent
	Take      int           `plan:"take"`      // most bytes that a Send takes
	Break     Break         `plan:"break"`     // what happens at a byte

	Old      int           `plan:"old"`      // the broker is of 0.8 or 0.9; with a login, that is configured
	Release  ReleaseName   `plan:"release"`  // the broker is of that release of Kafka
	Peer     Peer          `plan:"peer"`     // or something else
	Expect   bool          `plan:"expect"`   // the client names the cluster and the node that it expects
	Probe    bool          `plan:"probe"`    // releases before 0.10 are probed for
	Login    bool          `plan:"login"`    // the broker wants one
	Raw      bool          `plan:"raw"`      // the tokens of a login have frames of their own
	Lifetime time.Duration `plan:"lifetime"` // of a session

	// The mechanisms of the client, in their order, and of the broker, with commas between them. The
	// client's are PLAIN if empty, and the broker's those of the client.
	Mechanism  string        `plan:"mechanism"`
	Offers     string        `plan:"offers"`
	Wrong      bool          `plan:"wrong"`       // the client's password
	TokenLife  time.Duration `plan:"token-life"`  // of OAUTHBEARER; 0: an hour
	TLS        bool          `plan:"tls"`         // the links are encrypted,
	Handshake  time.Duration `plan:"handshake"`   // after so long
	Unverified bool          `plan:"unverified"`  // the broker's certificate is not verified
	RequireTLS bool          `plan:"require-tls"` // no password is shown to a peer that is not verified

	Polled         bool          `plan:"polled"`   // the owner drives a broker.Polled
	Blocking       bool          `plan:"blocking"` // whose Send waits until the request is written
	InFlight       int           `plan:"in-flight"`
	RequestTimeout time.Duration `plan:"request-timeout"`
	SetupTimeout   time.Duration `plan:"setup-timeout"`
	IdleTimeout    time.Duration `plan:"idle-timeout"`
	PingInterval   time.Duration `plan:"ping-interval"`
	MaxThrottle    time.Duration `plan:"max-throttle"`
}

// Step is one operation of the connection's owner, or one fault.
type Step struct {
	At   time.Duration // since the beginning
	Verb string        // see verbs.go
	N    int64
	For  time.Duration
}

// String returns the step as a line of a plan has it.
func (s Step) String() string {
	text := s.At.String() + " " + s.Verb
	if s.N != 0 {
		text += " " + strconv.FormatInt(s.N, 10)
	}
	if s.For != 0 {
		text += " " + s.For.String()
	}
	return text
}

// String returns the plan as [ParsePlan] reads it.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", p.Seed)
	v := reflect.ValueOf(p.Setup)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			fmt.Fprintf(&b, "set %s %v\n", v.Type().Field(i).Tag.Get("plan"), v.Field(i).Interface())
		}
	}
	for _, s := range p.Steps {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// ParsePlan reads a plan. Empty lines, and those that begin with #, are left out. An error names
// the line, or the settings that a Polled cannot have together.
func ParsePlan(text string) (p Plan, err error) {
	if p, err = ParsePlanOf(text, Verbs()); err != nil {
		return Plan{}, err
	}
	if err := p.Setup.usable(); err != nil {
		return Plan{}, fmt.Errorf("sim: the settings of the plan: %w", err)
	}
	return p, nil
}

// ParsePlanOf is ParsePlan with the verbs of another engine; nil allows all.
func ParsePlanOf(text string, verbs []string) (p Plan, err error) {
	for i, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := p.parse(words, verbs); err != nil {
			return Plan{}, fmt.Errorf("sim: line %d of the plan, %q: %w", i+1, strings.TrimSpace(line), err)
		}
	}
	return p, nil
}

// Limits of what a plan may have, so that a run has the memory and the time for it.
const (
	longest       = 1000 * time.Hour
	largest       = 16 << 20 // body, in bytes
	mostAddresses = 1000
)

var errNegative = errors.New("negative values are not possible")

func (p *Plan) parse(words, verbs []string) (err error) {
	switch words[0] {
	case "seed":
		if len(words) != 2 {
			return fmt.Errorf("want seed and a number")
		}
		p.Seed, err = strconv.ParseUint(words[1], 0, 64)
		return err
	case "set":
		if len(words) != 3 {
			return fmt.Errorf("want set, a name and a value")
		}
		return p.Setup.set(words[1], words[2])
	}
	s := Step{}
	if s.At, err = time.ParseDuration(words[0]); err != nil {
		return err
	}
	if len(words) < 2 || verbs != nil && !slices.Contains(verbs, words[1]) {
		return fmt.Errorf("want a time and one of %s", strings.Join(verbs, ", "))
	}
	s.Verb = words[1]
	for _, arg := range words[2:] {
		if n, err := strconv.ParseInt(arg, 10, 64); err == nil {
			s.N = n
		} else if s.For, err = time.ParseDuration(arg); err != nil {
			return fmt.Errorf("%q is neither a number nor a duration", arg)
		}
	}
	switch {
	case s.At < 0 || s.For < 0 || s.N < 0:
		return errNegative
	case s.At > longest || s.For > longest:
		return fmt.Errorf("the longest time is %v", longest)
	case s.N > largest && (s.Verb == "send" || s.Verb == "post"):
		return fmt.Errorf("the largest body has %d bytes", largest)
	}
	p.Steps = append(p.Steps, s)
	return nil
}

func (s *Setup) set(name, value string) error {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("plan") != name {
			continue
		}
		switch field := v.Field(i).Addr().Interface().(type) {
		case *bool:
			on, err := strconv.ParseBool(value)
			*field = on
			return err
		case *time.Duration:
			d, err := time.ParseDuration(value)
			switch *field = d; {
			case err == nil && d < 0:
				err = errNegative
			case d > longest:
				err = fmt.Errorf("the longest time is %v", longest)
			}
			return err
		case interface{ set(string) error }:
			return field.set(value)
		case *string:
			for _, each := range listOf(value) {
				if !slices.Contains(mechanisms, each) {
					return fmt.Errorf("%q is not one of %s", each, strings.Join(mechanisms, ", "))
				}
			}
			*field = value
			return nil
		default:
			n, err := strconv.ParseInt(value, 10, 32)
			switch {
			case err == nil && n < 0:
				err = errNegative
			case name == "addresses" && n > mostAddresses:
				err = fmt.Errorf("there are at most %d", mostAddresses)
			case name == "old" && n != 0 && n != 8 && n != 9:
				err = fmt.Errorf("want 8 or 9")
			}
			v.Field(i).SetInt(n)
			return err
		}
	}
	return fmt.Errorf("no setting is named %q", name)
}
