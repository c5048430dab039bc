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
// *Errors that name the keys.
//
// Names and passwords go out as they were written, as the three clients do it whose
// keys these are; none of them has an option for SASLprep.
func (s *Settings) authenticator() (a ports.Authenticator, problems []error) {
	if !s.Security.SASL() {
		return nil, nil
	}
	keyOf := s.passwordKey
	var err error
	switch login, clock := &s.SASL, s.Connection.Clock; login.Mechanism {
	case "PLAIN":
		a, err = plain.New(plain.Options{Username: login.Username, Password: login.Password})
	case "SCRAM-SHA-256":
		a, err = scram.New(scram.SHA256, login.scram())
	case "SCRAM-SHA-512":
		a, err = scram.New(scram.SHA512, login.scram())
	case "OAUTHBEARER":
		keyOf = s.oauthKey
		a, err = login.OAuth.authenticator(clock)
	case mechanismKerberos:
		keyOf = s.kerberosKey
		a, err = login.Kerberos.authenticator(clock)
	default:
		return nil, []error{&Error{Key: s.nameOf(mechanismKey), Problem: fmt.Sprintf("%q, and %v needs one of %s", login.Mechanism, s.Security, orList(mechanisms))}}
	}
	if err == nil {
		return a, nil
	}
	for _, each := range unjoined(err) {
		problems = append(problems, s.refusedLogin(each, keyOf))
	}
	return nil, problems
}

const mechanismKerberos = "GSSAPI"

func (l *SASL) scram() scram.Options {
	return scram.Options{Username: l.Username, Password: l.Password, DelegationToken: l.DelegationToken}
}

// refusedLogin names the key behind an option of a mechanism's. Java has several in one
// key, so there the option is said as well, but of GSSAPI, whose words say it.
func (s *Settings) refusedLogin(err error, keyOf func(option string) *setting) error {
	var e *sasl.OptionError
	if !errors.As(err, &e) {
		return &Error{Key: s.nameOf(mechanismKey), Problem: err.Error()}
	}
	key, problem := keyOf(e.Option), e.Err.Error()
	switch {
	case key == nil:
		key = mechanismKey
	case key == jaasKey && s.SASL.Mechanism != mechanismKerberos:
		problem = strings.ToLower(e.Option) + ": " + problem
	}
	return &Error{Key: s.nameOf(key), Problem: problem}
}

// passwordKey is the setting behind an option of PLAIN or SCRAM.
func (s *Settings) passwordKey(option string) *setting {
	switch {
	case s.Dialect == Java:
		return jaasKey
	case option == "Password":
		return passwordKey
	}
	return usernameKey
}

func (s *Settings) nameOf(key *setting) string { return key.name(s.Dialect) }
