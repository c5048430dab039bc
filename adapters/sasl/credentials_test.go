package sasl_test

import (
	"context"
	"errors"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func credentials(username, password string) sasl.Credentials {
	return sasl.Credentials{Username: username, Password: ports.NewSecret(password)}
}

func TestSelect(t *testing.T) {
	const failed = "no credentials for the login: "
	none, sealed := sasl.Credentials{}, errors.New("the vault is sealed")
	asked := from(credentials("alice", canary), nil)
	for name, c := range map[string]struct {
		fixed   sasl.Credentials
		ask     sasl.Source
		options string // invalid ones
		login   string // the error of a login
	}{
		"fixed":                {credentials("alice", canary), nil, "", ""},
		"fixed, not ASCII":     {credentials("Ærøskøbing", canary+"€\U0001F511"), nil, "", ""},
		"empty":                {none, nil, "Username Password ", ""},
		"no password":          {credentials("alice", ""), nil, "Password ", ""},
		"no user":              {credentials("", canary), nil, "Username ", ""},
		"NUL in the user":      {credentials("a\x00b", canary), nil, "Username ", ""},
		"NUL in the password":  {credentials("a", canary+"\x00"), nil, "Password ", ""},
		"a user not UTF-8":     {credentials("\xff", canary), nil, "Username ", ""},
		"a password not UTF-8": {credentials("a", canary+"\xc3"), nil, "Password ", ""},
		"all of it":            {credentials("\xff", canary+"\x00"), nil, "Username Password ", ""},
		"source":               {none, asked, "", ""},
		"source and user":      {credentials("alice", ""), asked, "Credentials ", ""},
		"source and password":  {credentials("", canary), asked, "Credentials ", ""},
		"failing source":       {none, from(credentials("alice", canary), sealed), "", failed + "the vault is sealed"},
		"source without password": {none, from(credentials("alice", ""), nil), "",
			failed + "sasl: Password: not given"},
		"source with NUL": {none, from(credentials("alice", canary+"\x00"), nil), "",
			failed + "sasl: Password: contains a NUL"},
		"source with two faults": {none, from(credentials("\xff", ""), nil), "", failed + "sasl: Username: not UTF-8"},
	} {
		source, err := sasl.Select(c.fixed, c.ask)
		porttest.NoSecrets(t, "the error", err, canary)
		saslpeer.Equal(t, name+": options refused", optionsOf(err), c.options)
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
		if err != nil {
			want = none
		}
		if text := fault.Text(err); text != c.login || got != want {
			t.Errorf("%s: got %v and the error %q, want %q", name, got, text, c.login)
		}
		if name == "failing source" {
			saslpeer.ErrorIs(t, name, err, sealed)
		}
	}
}

func from(c sasl.Credentials, err error) sasl.Source {
	return func(context.Context) (sasl.Credentials, error) { return c, err }
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
