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

// Credentials are a user name and a password. They are comparable with ==.
type Credentials struct {
	Username string
	Password ports.Secret
}

// A Source returns the credentials for one login, such as those in a vault or in a file
// that another program writes. It may block; its context ends when the login is closed.
// Many logins may call it at once. The login fails with its error.
type Source func(context.Context) (Credentials, error)

// Check returns an *OptionError for each text that no login can send: an empty one, one
// with a NUL, which is PLAIN's separator (RFC 4616) and not allowed in SCRAM (RFC 5802),
// and one that is not UTF-8.
func (c Credentials) Check() error { return errors.Join(c.problems()...) }

func (c Credentials) problems() []error {
	return []error{CheckText("Username", c.Username), CheckText("Password", c.Password.Reveal())}
}

// CheckText checks the text of one option. Its error does not contain the text.
func CheckText(option, text string) error {
	switch {
	case text == "":
		return Refused(option, "not given")
	case strings.ContainsRune(text, 0):
		return Refused(option, "contains a NUL")
	case !utf8.ValidString(text):
		return Refused(option, "not UTF-8")
	}
	return nil
}

// Select returns the source of a mechanism's credentials: the fixed ones, or ask, which
// returns credentials that change and are checked at each login. It returns an
// *OptionError if both are set, if neither is, or if Check refuses the fixed ones.
func Select(fixed Credentials, ask Source) (Source, error) {
	if ask == nil {
		return func(context.Context) (Credentials, error) { return fixed, nil }, fixed.Check()
	}
	if fixed != (Credentials{}) {
		return nil, Refused("Credentials", "set together with Username or Password: keep one")
	}
	return func(ctx context.Context) (Credentials, error) {
		c, err := ask(ctx)
		if err == nil {
			err = cmp.Or(c.problems()...) // one line is enough
		}
		if err != nil {
			return Credentials{}, fmt.Errorf("no credentials for the login: %w", err)
		}
		return c, nil
	}, nil
}

// OptionError is an invalid option of a mechanism. It contains no secret.
type OptionError struct {
	Option string // name of the field in Options
	Err    error  // what is wrong
}

// Refused returns an *OptionError with a formatted text.
func Refused(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// Error returns the option and what is wrong with it.
func (e *OptionError) Error() string { return "sasl: " + e.Option + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *OptionError) Unwrap() error { return e.Err }
