package cuts

import (
	"errors"
	"fmt"
	"slices"

	"brokerconn/application/broker"
	"brokerconn/domain"
)

// complaints collects what is wrong.
type complaints []string

func (c *complaints) add(format string, args ...any) { *c = append(*c, fmt.Sprintf(format, args...)) }

func (c *complaints) differs(what string, got, want any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.add("%s: got %v, want %v", what, got, want)
	}
}

// isError compares an error with the one that is wanted.
func (c *complaints) isError(what string, err, kind error, phase domain.State) {
	e, ok := errors.AsType[*broker.Error](err)
	switch {
	case !ok || !errors.Is(err, kind):
		c.add("%s: got error %v, want %v", what, err, kind)
	case e.Phase != phase:
		c.add("%s: got phase %v, want %v: %v", what, e.Phase, phase, err)
	case !broker.Retriable(err):
		c.add("%s: got an error that is not retriable: %v", what, err)
	}
}

// refused wants that a loss is reported as the refusal of a login.
func (c *complaints) refused(what string, err error) {
	if e, ok := errors.AsType[*broker.Error](err); !ok || e.Phase != domain.Authenticating ||
		!errors.Is(err, broker.ErrAuthentication) {
		c.add("%s: got error %v, want %v", what, err, broker.ErrAuthentication)
	}
}

// sameness is what of two runs must be the same, beside what happens.
type sameness struct{ times, positions bool }

// same returns how two runs differ that must not.
func (as sameness) same(got, clean *record) (c complaints) {
	c.invariants(got)
	for i := range max(len(got.log), len(clean.log)) {
		switch {
		case i >= len(got.log):
			c.add("got nothing, want %s", clean.log[i].line(as))
		case i >= len(clean.log):
			c.add("got %s, want nothing", got.log[i].line(as))
		case as.differ(got.log[i], clean.log[i]):
			c.add("got %s, want %s", got.log[i].line(as), clean.log[i].line(as))
		default:
			continue
		}
		return c
	}
	c.differs("requests at the broker", got.asks(), clean.asks())
	return c
}

// differ compares entries: most are the same without a look at their texts.
func (as sameness) differ(a, b entry) bool {
	a.needs = b.needs
	if !as.times {
		a.at = b.at
	}
	if !as.positions {
		a.position = b.position
	}
	if a.err != nil && b.err != nil && a.err.Error() == b.err.Error() {
		a.err = b.err
	}
	return a != b
}

// line is an entry as it is compared.
func (e entry) line(as sameness) string {
	line := fmt.Sprintf("connection %d: %v", e.link, e)
	if as.positions {
		line += fmt.Sprintf(", %d bytes in, %d out", e.in, e.out)
	}
	if as.times {
		line = e.at.String() + ": " + line
	}
	return line
}

func (c *complaints) invariants(r *record) {
	if r.wrong != nil {
		c.add("%v", r.wrong)
	}
}

// older wants that a broker with a table is not taken for a release without.
func (c *complaints) older(got *record) {
	if slices.ContainsFunc(got.log, func(e entry) bool { return e.event == domain.EventReleaseDetected }) {
		c.add("got a release before 0.10, and the broker has a table of API versions")
	}
}
