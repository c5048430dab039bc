package properties

import (
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/ports"
)

// authenticator logs in with tickets of Kerberos, by a clock that may be nil. What the
// settings leave open is as the environment has it: KRB5_CONFIG, KRB5CCNAME. The error
// joins *sasl.OptionErrors, whose options kerberosKey finds the settings of.
func (k *Kerberos) authenticator(clock ports.Clock) (ports.Authenticator, error) {
	o := gssapi.Options{
		Principal: k.Principal, Keytab: k.Keytab, TicketCache: k.TicketCache,
		ServiceName: k.ServiceName, DomainName: k.DomainName,
		Clock: clock,
	}
	// Java looks in the cache first, and with the keytab then. The keytab alone does as
	// much, and also when the tickets in the cache have ended.
	if o.Keytab != "" {
		o.TicketCache = ""
	}
	a, err := gssapi.New(o)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// kerberosKey is the setting behind an option of the adapter's; what has none is a
// matter of the mechanism. Java has them in its login module.
func (s *Settings) kerberosKey(option string) *setting {
	key := map[string]*setting{
		"Principal":   principalKey,
		"Keytab":      keytabKey,
		"TicketCache": jaasKey,
	}[option]
	switch {
	case key == nil, len(key.in(s.Dialect)) == 0 && s.Dialect != Java:
		return mechanismKey
	case s.Dialect == Java:
		return jaasKey
	}
	return key
}
