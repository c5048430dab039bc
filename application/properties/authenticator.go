package properties

import (
	"errors"
	"fmt"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/ports"
)

// authenticator returns the login. The error joins *Errors that name the keys.
//
// User names and passwords are sent as they were written, as the three clients do; none of
// them has an option for SASLprep.
func (s *Settings) authenticator() (ports.Authenticator, error) {
	login, options := &s.SASL.Login, "scram.Options."
	var a ports.Authenticator
	var err error
	switch s.SASL.Mechanism {
	case "PLAIN":
		a, err = plain.New(plain.Options{Username: login.Username, Password: login.Password})
	case "SCRAM-SHA-256":
		a, err = scram.New(scram.SHA256, *login)
	case "SCRAM-SHA-512":
		a, err = scram.New(scram.SHA512, *login)
	case "GSSAPI":
		options = "gssapi.Options."
		a, err = gssapi.New(s.kerberosOptions())
	case "OAUTHBEARER":
		options = "oauthbearer.ClientCredentials."
		a, err = s.SASL.OAuth.authenticator(s.Connection.Clock)
	default:
		err = fmt.Errorf("%q, and %v needs one of %s", s.SASL.Mechanism, s.Security, orList(mechanisms))
	}
	if err == nil {
		return a, nil
	}
	var problems []error
	for _, each := range unjoined(err) {
		problems = append(problems, s.rejectedLogin(each, options))
	}
	return nil, errors.Join(problems...)
}

// rejectedLogin names the key of an option that a mechanism rejects; without one, that of
// the mechanism. Java has several in one key, so there the option is named as well, but
// with GSSAPI, whose errors name it.
func (s *Settings) rejectedLogin(err error, options string) error {
	var e *sasl.OptionError
	if !errors.As(err, &e) {
		return &Error{Key: mechanismKey.name(s.Dialect), Problem: err.Error()}
	}
	k, problem := mechanismKey, e.Err.Error()
	for _, field := range []string{options + e.Option, "properties.OAuth." + e.Option} {
		if found := keyOf(s.Dialect, field); found != nil {
			k = found
		}
	}
	if k == jaasKey && s.SASL.Mechanism != "GSSAPI" {
		problem = strings.ToLower(e.Option) + ": " + problem
	}
	return &Error{Key: k.name(s.Dialect), Problem: problem}
}

// kerberosOptions returns the options of GSSAPI. What they leave open is as the environment
// has it: KRB5_CONFIG, KRB5CCNAME. Java looks into the cache first and into the keytab then;
// the keytab alone does as much, and also when the tickets in the cache have ended.
func (s *Settings) kerberosOptions() gssapi.Options {
	o := s.SASL.Kerberos
	if o.Keytab != "" {
		o.TicketCache = ""
	}
	if o.Clock == nil {
		o.Clock = s.Connection.Clock
	}
	return o
}
