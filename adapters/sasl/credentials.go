package sasl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"brokerconn/ports"
)

// Credentials are a user and a password. Two are equal, with ==, when both texts are.
type Credentials struct {
	Username string
	Password ports.Secret
}

// A Source gives the credentials for one login: out of a vault, or a file that
// somebody else renews. It may block; its context ends when the login is given up.
// Many logins may ask at once. Its error is what the login fails with.
type Source func(context.Context) (Credentials, error)

// Check tells, as *OptionErrors, what no login can send: nothing, a NUL, which PLAIN
// separates by (RFC 4616) and SCRAM leaves out of its alphabet (RFC 5802), and what
// is not UTF-8.
func (c Credentials) Check() error { return errors.Join(c.problems()...) }

func (c Credentials) problems() []error {
	return []error{CheckText("Username", c.Username), CheckText("Password", c.Password.Reveal())}
}

// CheckText is Check for one option. Its error does not show the text.
func CheckText(option, text string) error {
	switch {
	case text == "":
		return Refused(option, "not given")
	case strings.ContainsRune(text, 0):
		return Refused(option, "there is a NUL in it")
	case !utf8.ValidString(text):
		return Refused(option, "not UTF-8")
	}
	return nil
}

// Select returns the source of credentials that a mechanism is given: fixed ones, or
// ask for those that change. Both, neither, and fixed ones that Check refuses are
// *OptionErrors. What ask returns is checked as well.
func Select(fixed Credentials, ask Source) (Source, error) {
	if ask == nil {
		return func(context.Context) (Credentials, error) { return fixed, nil }, fixed.Check()
	}
	if fixed != (Credentials{}) {
		return nil, Refused("Credentials", "given beside Username or Password: leave out one of them")
	}
	return func(ctx context.Context) (Credentials, error) {
		c, err := ask(ctx)
		if err == nil {
			err = cmp.Or(c.problems()...) // one line will do
		}
		if err != nil {
			return Credentials{}, fmt.Errorf("no credentials for the login: %w", err)
		}
		return c, nil
	}, nil
}

// OptionError is an option of a mechanism that cannot be used. It has no secret in
// it.
type OptionError struct {
	Option string // the name of the field in Options
	Err    error  // what is wrong
}

// Refused is the OptionError with these words.
func Refused(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

func (e *OptionError) Error() string { return "sasl: " + e.Option + ": " + e.Err.Error() }

func (e *OptionError) Unwrap() error { return e.Err }
