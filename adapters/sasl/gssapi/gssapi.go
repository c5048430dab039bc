// Package gssapi is the SASL mechanism GSSAPI with Kerberos 5 (RFC 4752, RFC 4121).
//
//	login, err := gssapi.New(gssapi.Options{Principal: "alice@EXAMPLE.ORG", Keytab: "alice.keytab"})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{login}}
//
// The messages, the cryptography, and the formats of keytabs and krb5.conf are those
// of github.com/jcmturner/gokrb5; no other package here links it. It has no active
// maintainer, so what it makes of bytes that others wrote is contained and checked
// again; each place says why.
//
// What is verified. The broker must prove that it has the key of its principal, and
// its offer of security layers must bear that proof too; whatever else answers gets no
// login. Encryption is that of TLS, if there is any: brokers take no security layer.
// Only AES is used, with SHA-1 or SHA-2 (encryption types 17 to 20).
//
// KDCs are asked over TCP only, by the steps of logins, and are given up at once with
// the login. The files, in the order of a login:
//
//	gssapi      what a user fills in; New
//	krb5conf    the configuration of Kerberos
//	login       the turns of one login
//	tickets     what logins share; origin: keys, or a ticket cache
//	keys        passwords and keytabs; encryption: types and keys; ccache: ticket caches
//	asexchange  a key turned into a ticket; tgsexchange: that into one for the broker
//	request     what both have in common; kdc: the way to a KDC
//	context     the proofs of client and broker; wrap: the security layer
//	errors      what can go wrong, in words
package gssapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options say who logs in, and how the KDC is found. The zero value logs in with the
// tickets that kinit got. New copies them.
type Options struct {
	// Principal is who logs in, "alice@EXAMPLE.ORG". Without a realm it is of the
	// default_realm. It may be empty with a ticket cache: whoever that is for.
	Principal string

	// At most one of the following is set. None: a ticket cache, which KRB5CCNAME
	// names, or default_ccache_name in krb5.conf, or else it is /tmp/krb5cc_UID.

	// Password is the principal's. What a KDC wants of work to make a key of it takes
	// milliseconds and is bounded at a few seconds; Close does not wait for it, and it
	// goes on to its end.
	Password ports.Secret
	// Keytab is a file with the principal's keys, read anew whenever a
	// ticket-granting ticket is got with it; KeytabData are the bytes of one.
	Keytab     string
	KeytabData ports.Secret
	// TicketCache is the file of a ticket cache, read anew before each login and
	// never written. It must be there by the first login. Caches of other types (KCM,
	// KEYRING, DIR, MEMORY) cannot be read.
	TicketCache string

	// Config is the text of a krb5.conf, ConfigFile the file. Neither: KRB5_CONFIG
	// names it, or else it is /etc/krb5.conf. It is read once.
	Config, ConfigFile string

	// ServiceName is the first part of the broker's principal. Empty: "kafka".
	ServiceName string
	// DomainName is the host in the broker's principal. Empty: the host dialled, as
	// it was configured. A dot at the end is left out, and it is written in small
	// letters; DNS is not asked what else the host is called.
	DomainName string

	// KDCTimeout bounds one answer of one KDC, after which the next one is asked. A
	// first login takes three answers, and one more for each realm on the way to the
	// broker's; most of the others take none. 0: 3 seconds.
	KDCTimeout time.Duration
	// Dial opens connections to KDCs, always with "tcp". nil: a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Clock tells the time, which is in every request, and by which tickets end. nil:
	// the machine's.
	Clock ports.Clock
	// Run runs the steps of logins. nil: each on a goroutine of its own.
	Run sasl.Runner
}

// defaultKDCTimeout leaves room for a dead KDC within the ten seconds that a
// connection has to be ready.
const defaultKDCTimeout = 3 * time.Second

// Authenticator logs in to brokers. Its logins share their tickets. It is safe for
// concurrent use, holds no goroutine, and needs no closing.
type Authenticator struct {
	who     string
	service string
	domain  string
	tickets *tickets
	run     sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)

// New checks the options and reads krb5.conf and a keytab; it talks to nobody. The
// error joins a *sasl.OptionError for what cannot be used.
func New(o Options) (*Authenticator, error) {
	var problems []error
	refuse := func(option string, err error) {
		if err != nil {
			problems = append(problems, &sasl.OptionError{Option: option, Err: err})
		}
	}
	conf, err := loadConf(o.Config, o.ConfigFile)
	if o.Config == "" {
		refuse("ConfigFile", err)
	} else {
		refuse("Config", err)
	}
	if o.KDCTimeout < 0 {
		refuse("KDCTimeout", errors.New("it is negative"))
	}
	if err != nil {
		return nil, errors.Join(problems...)
	}
	who, err := o.principal(conf)
	refuse("Principal", err)
	k := &kdc{now: o.now(), kdcs: kdcs{
		conf: conf, dial: o.Dial, srv: net.DefaultResolver.LookupSRV,
		timeout: cmp.Or(o.KDCTimeout, defaultKDCTimeout), last: map[string]string{},
	}}
	if k.dial == nil {
		k.dial = new(net.Dialer).DialContext
	}
	from, option, err := o.origin(k, conf, who)
	refuse(option, err)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Authenticator{
		who: who.String(), service: cmp.Or(o.ServiceName, "kafka"), domain: o.DomainName,
		tickets: newTickets(k, from), run: o.Run,
	}, nil
}

func (o *Options) now() func() time.Time {
	if o.Clock == nil {
		return time.Now
	}
	return o.Clock.Now
}

// principal is who logs in; without a name, whoever the ticket cache is for.
func (o *Options) principal(c *conf) (who principal, err error) {
	if o.Principal == "" {
		if !o.Password.IsZero() || o.Keytab != "" || !o.KeytabData.IsZero() {
			err = errors.New("it is empty: a password or a keytab does not say whose it is")
		}
		return principal{}, err
	}
	if who, err = parsePrincipal(o.Principal); err != nil {
		return principal{}, err
	}
	if who.realm = cmp.Or(who.realm, c.LibDefaults.DefaultRealm); who.realm == "" {
		return principal{}, fmt.Errorf("%q has no realm, and krb5.conf no default_realm: write it with one", o.Principal)
	}
	return who, nil
}

// origin is where tickets come from, or which option says it wrongly.
func (o *Options) origin(k *kdc, c *conf, who principal) (from origin, option string, err error) {
	first := ""
	for _, one := range []struct {
		option string
		given  bool
	}{
		{"Password", !o.Password.IsZero()}, {"Keytab", o.Keytab != ""},
		{"KeytabData", !o.KeytabData.IsZero()}, {"TicketCache", o.TicketCache != ""},
	} {
		switch {
		case one.given && first != "":
			return nil, one.option, fmt.Errorf("it is set, and %s as well: keep one", first)
		case one.given:
			first = one.option
		}
	}
	keyed := func(secret func() (keys, error)) origin { return &keyOrigin{k, who, secret} }
	known := len(who.name.NameString) > 0
	switch {
	case !o.Password.IsZero():
		return keyed(func() (keys, error) { return password{o.Password}, nil }), "Password", nil
	case o.Keytab != "":
		path := o.Keytab
		if known {
			_, err = readKeytab(path, who)
		}
		return keyed(func() (keys, error) { return readKeytab(path, who) }), "Keytab", err
	case !o.KeytabData.IsZero():
		var k keys
		if known {
			k, err = keytabOf([]byte(o.KeytabData.Reveal()), who)
		}
		return keyed(func() (keys, error) { return k, nil }), "KeytabData", err
	}
	var path string
	if o.TicketCache != "" {
		path, err = cachePath(o.TicketCache)
	} else {
		path, err = c.cacheFile()
	}
	return &cacheOrigin{kdc: k, path: path, client: who}, "TicketCache", err
}

// Mechanism returns "GSSAPI".
func (a *Authenticator) Mechanism() string { return "GSSAPI" }

// Format prints who logs in, whatever the verb; tickets have keys in them.
func (a *Authenticator) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// String is who logs in: "gssapi(alice@EXAMPLE.ORG)".
func (a *Authenticator) String() string { return "gssapi(" + a.who + ")" }
