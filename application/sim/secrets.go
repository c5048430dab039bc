package sim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"brokerconn/domain"
)

// No text shows a secret. Each is searched when it is written, for the secrets as they are, and in
// base64: texts are few beside the requests of a run. What an error says is made of its cause, its
// hint and names and numbers: its other texts are searched once for each cause and hint, also of
// different runs.

// secrets are those of a run.
type secrets struct {
	recent  []string   // tokens and proofs, the last ones
	scanned [8]scanned // of the last errors that were searched
	next    int        // the place of the next one
}

// scanned is what differs between the texts of errors that may show a secret.
type scanned struct{ cause, hint string }

// maxRecent is how many of the secrets that each login makes are searched for.
const maxRecent = 8

var lastingSecrets = spelled(alicesPassword, bobsPassword, wrongPassword, secretKey)

func spelled(list ...string) (all []string) {
	for _, secret := range list {
		all = append(all, secret, base64.RawStdEncoding.EncodeToString([]byte(secret)))
	}
	return all
}

// add adds a secret of one login.
func (s *secrets) add(secret string) {
	s.recent = append(s.recent, spelled(secret)...)
	s.recent = s.recent[max(len(s.recent)-2*maxRecent, 0):]
}

// in returns where a text shows a secret, "" if it does not.
func (s *secrets) in(text string) string {
	for _, list := range [...][]string{lastingSecrets, s.recent} {
		for _, secret := range list {
			if at := strings.Index(text, secret); at >= 0 {
				return text[:at] + "[here]"
			}
		}
	}
	return ""
}

// clear reports whether bytes hold a password or a token as it is.
func (s *secrets) clear(b []byte) bool { return s.shown(b, 2) }

// shown reports whether bytes hold a secret; with each 1 also one in base64.
func (s *secrets) shown(b []byte, each int) bool {
	for _, list := range [...][]string{lastingSecrets, s.recent} {
		for i := 0; i < len(list); i += each {
			if bytes.Contains(b, []byte(list[i])) {
				return true
			}
		}
	}
	return false
}

// text checks a text that is written.
func (c *checker) text(what, text string) {
	if !c.r.plan.Setup.Login || text == "" {
		return
	}
	if shown := c.r.secrets.in(text); shown != "" {
		c.fail("secret", "%s shows one: %s", what, shown)
	}
}

// errorText checks all that an error says.
func (c *checker) errorText(what string, err error) {
	if !c.r.plan.Setup.Login || err == nil {
		return
	}
	s := &c.r.secrets
	e, ok := errors.AsType[*domain.Error](err)
	if ok {
		says := scanned{hint: e.Hint}
		if e.Cause != nil {
			says.cause = e.Cause.Error()
		}
		if slices.Contains(s.scanned[:], says) { // also an error that says nothing of its own
			return
		}
		s.scanned[s.next%len(s.scanned)] = says
		s.next++
		c.text(what, says.hint)
		c.madeOf(what, says, e)
		err = e.Cause
	}
	c.tree(what, err)
}

// madeOf checks the texts of an error that says so much of its own, unless an earlier run did.
func (c *checker) madeOf(what string, says scanned, e *domain.Error) {
	m, key := c.r.memory, searched{says, c.r.plan.Setup.Mechanism}
	if m.searched[key] {
		return
	}
	c.text(what, e.Explain())
	c.text(what, fmt.Sprintf("%#v", *e))
	if c.r.Failure != nil { // the run is repeated, to shrink its plan
		return
	}
	if m.searched == nil || len(m.searched) == mostSearched {
		m.searched = map[searched]bool{}
	}
	m.searched[key] = true
}

// searched is what the texts of an error were searched for: each mechanism has secrets of its own.
type searched struct {
	scanned
	mechanism string
}

// mostSearched is how many of them are remembered.
const mostSearched = 2000

// tree checks an error and all that it wraps.
func (c *checker) tree(what string, err error) {
	if err == nil {
		return
	}
	c.text(what, err.Error())
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		c.tree(what, w.Unwrap())
	case interface{ Unwrap() []error }:
		for _, each := range w.Unwrap() {
			c.tree(what, each)
		}
	}
}
