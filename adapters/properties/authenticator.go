package properties

import (
	"errors"
	"fmt"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/ports"
)

// authenticator is the login that the settings ask for; nil: none. problems are
// *Errors and *NotYetErrors that name the keys.
//
// Names and passwords go out as they were written, as the three clients do it whose
// keys these are; none of them has an option for SASLprep.
func (s *Settings) authenticator() (a ports.Authenticator, problems []error) {
	if !s.Security.SASL() {
		return nil, nil
	}
	var err error
	switch login := &s.SASL; login.Mechanism {
	case "PLAIN":
		a, err = plain.New(plain.Options{Username: login.Username, Password: login.Password})
	case "SCRAM-SHA-256":
		a, err = scram.New(scram.SHA256, login.scram())
	case "SCRAM-SHA-512":
		a, err = scram.New(scram.SHA512, login.scram())
	case "OAUTHBEARER":
		a, err = login.OAuth.authenticator(s.Connection.Clock)
	case "GSSAPI":
		return nil, []error{&NotYetError{s.nameOf(mechanismKey), login.Mechanism + " is none of the mechanisms that this version has; Config.Authenticator in Go takes one of yours"}}
	default:
		return nil, []error{&Error{Key: s.nameOf(mechanismKey), Problem: fmt.Sprintf("%q, and %v needs one of %s", login.Mechanism, s.Security, orList(mechanisms))}}
	}
	for _, each := range unjoined(err) {
		problems = append(problems, s.refusedLogin(each))
	}
	if problems != nil {
		return nil, problems
	}
	return a, nil
}

func (l *SASL) scram() scram.Options {
	return scram.Options{Username: l.Username, Password: l.Password, DelegationToken: l.DelegationToken}
}

// refusedLogin names the key behind an option of a mechanism's. Java has user and
// password in one key.
func (s *Settings) refusedLogin(err error) error {
	var e *sasl.OptionError
	switch {
	case !errors.As(err, &e):
		return &Error{Key: s.nameOf(mechanismKey), Problem: err.Error()}
	case s.SASL.Mechanism == "OAUTHBEARER":
		return &Error{Key: s.nameOf(s.oauthKey(e.Option)), Problem: e.Err.Error()}
	case s.Dialect == Java:
		return &Error{Key: s.nameOf(jaasKey), Problem: strings.ToLower(e.Option) + ": " + e.Err.Error()}
	case e.Option == "Password":
		return &Error{Key: s.nameOf(passwordKey), Problem: e.Err.Error()}
	}
	return &Error{Key: s.nameOf(usernameKey), Problem: e.Err.Error()}
}

func (s *Settings) nameOf(key *setting) string { return key.name(s.Dialect) }
