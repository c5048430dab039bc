package sasl_test

import (
	"context"
	"errors"
	"testing"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func credentials(username, password string) sasl.Credentials {
	return sasl.Credentials{Username: username, Password: ports.NewSecret(password)}
}

func TestSelect(t *testing.T) {
	sealed := errors.New("the vault is sealed")
	for name, c := range map[string]struct {
		fixed   sasl.Credentials
		ask     sasl.Source
		options string // invalid ones
		login   string // the error of a login
	}{
		"fixed":                {fixed: credentials("alice", canary)},
		"fixed, not ASCII":     {fixed: credentials("Ærøskøbing", canary+"€\U0001F511")},
		"empty":                {options: "Username Password "},
		"no password":          {fixed: credentials("alice", ""), options: "Password "},
		"no user":              {fixed: credentials("", canary), options: "Username "},
		"NUL in the user":      {fixed: credentials("a\x00b", canary), options: "Username "},
		"NUL in the password":  {fixed: credentials("a", canary+"\x00"), options: "Password "},
		"a user not UTF-8":     {fixed: credentials("\xff", canary), options: "Username "},
		"a password not UTF-8": {fixed: credentials("a", canary+"\xc3"), options: "Password "},
		"all of it":            {fixed: credentials("\xff", canary+"\x00"), options: "Username Password "},
		"source":               {ask: from(credentials("alice", canary), nil)},
		"source and user": {fixed: credentials("alice", ""), ask: from(credentials("alice", canary), nil),
			options: "Credentials "},
		"source and password": {fixed: credentials("", canary), ask: from(credentials("alice", canary), nil),
			options: "Credentials "},
		"failing source": {ask: from(credentials("alice", canary), sealed),
			login: "no credentials for the login: the vault is sealed"},
		"source without password": {ask: from(credentials("alice", ""), nil),
			login: "no credentials for the login: sasl: Password: not given"},
		"source with NUL": {ask: from(credentials("alice", canary+"\x00"), nil),
			login: "no credentials for the login: sasl: Password: contains a NUL"},
		"source with two faults": {ask: from(credentials("\xff", ""), nil),
			login: "no credentials for the login: sasl: Username: not UTF-8"},
	} {
		source, err := sasl.Select(c.fixed, c.ask)
		porttest.NoSecrets(t, "the error", err, canary)
		if got := optionsOf(err); got != c.options {
			t.Errorf("%s: got %q refused, want %q: %v", name, got, c.options, err)
		}
		if err != nil {
			continue
		}
		got, err := source(t.Context())
		porttest.NoSecrets(t, "the error of a login", err, canary)
		porttest.NoSecrets(t, "credentials", got, canary)
		want := c.fixed
		if c.ask != nil {
			want, _ = c.ask(t.Context())
		}
		if text := textOf(err); text != c.login || err == nil && got != want || err != nil &&
			got != (sasl.Credentials{}) {
			t.Errorf("%s: got %v and the error %q, want %q", name, got, text, c.login)
		}
		if c.login != "" && err != nil && name == "failing source" && !errors.Is(err, sealed) {
			t.Errorf("got %v, want it to wrap %v", err, sealed)
		}
	}
}

func from(c sasl.Credentials, err error) sasl.Source {
	return func(context.Context) (sasl.Credentials, error) { return c, err }
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// optionsOf returns the names of the options in a joined error.
func optionsOf(err error) (names string) {
	var e *sasl.OptionError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range joined.Unwrap() {
			names += optionsOf(each)
		}
	} else if errors.As(err, &e) {
		names = e.Option + " "
	}
	return names
}
