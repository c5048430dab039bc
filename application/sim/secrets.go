package sim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"brokerconn/domain"
)

// No text shows a secret. Each is searched when it is written, for the secrets as they are, and in
// base64: texts are few beside the requests of a run.

// secrets are those of a run.
type secrets struct {
	recent  []string // tokens and proofs, the last ones
	scanned error    // the cause of the last error that was searched
	hint    string   // and its hint
}

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
func (s *secrets) clear(b []byte) bool {
	for _, list := range [...][]string{lastingSecrets, s.recent} {
		for i := 0; i < len(list); i += 2 {
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

// errorText checks all that an error says. The errors of the requests of one lost connection have
// one cause, which is searched once.
func (c *checker) errorText(what string, err error) {
	if !c.r.plan.Setup.Login || err == nil {
		return
	}
	s := &c.r.secrets
	e, ok := errors.AsType[*domain.Error](err)
	if ok {
		if e.Cause == nil && e.Hint == "" || sameError(e.Cause, s.scanned) && e.Hint == s.hint {
			return
		}
		s.scanned, s.hint = e.Cause, e.Hint
		c.text(what, e.Explain())
		c.text(what, fmt.Sprintf("%#v", *e))
		err = e.Cause
	}
	c.tree(what, err)
}

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

// sameError reports whether two errors are one; those that cannot be compared are not.
func sameError(a, b error) (same bool) {
	defer func() { _ = recover() }()
	return a == b
}
