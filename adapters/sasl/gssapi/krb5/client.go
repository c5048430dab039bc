// Package krb5 is a Kerberos 5 client (RFC 4120): it turns a password, a keytab or a
// ticket cache into tickets for services.
//
// The messages, the cryptography, and the format of keytabs are those of
// github.com/jcmturner/gokrb5. It has no active maintainer, so what it makes of
// bytes that others wrote is contained and checked again; each place says why.
//
// Only AES is used with services, with SHA-1 or SHA-2 (encryption types 17 to 20).
// KDCs are asked over TCP only, and an exchange ends with its context. The files, in
// the order of a request for a ticket:
//
//	client      Options, New
//	krb5conf    the configuration of Kerberos; profile: the language of its file
//	tickets     the tickets of a client and when others are requested
//	origin      ticket-granting tickets, from a key or a ticket cache
//	keys        passwords and keytabs; encryption: types and keys; ccache: ticket caches
//	asexchange  a key turned into a ticket; tgsexchange: that into one for a service
//	request     what both have in common; kdc: the connections to KDCs
//	errors      the reasons of failures
package krb5

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// Options configure a Client. At most one of Password, Keytab, KeytabData and
// TicketCache is set; without any, New uses the ticket cache that KRB5CCNAME or
// krb5.conf names, or else /tmp/krb5cc_UID.
type Options struct {
	// Principal is the client's. Without a realm it is of the default_realm. It may be
	// empty with a ticket cache.
	Principal string

	Password    ports.Secret
	Keytab      string       // a file, read before each exchange that needs a key
	KeytabData  ports.Secret // the contents of such a file
	TicketCache string       // a file, read before each ticket is chosen

	// Config is the text of a krb5.conf, ConfigFile the file. Without either,
	// KRB5_CONFIG names it, or else it is /etc/krb5.conf.
	Config, ConfigFile string

	// KDCTimeout bounds one answer of one KDC. If zero, the default is 3 seconds.
	KDCTimeout time.Duration
	// MinIterations is the lowest count of iterations of the password hash that a KDC may
	// request. If zero, the default is 4096.
	MinIterations int
	// Dial opens connections to KDCs, always with "tcp". If nil, a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now returns the time. If nil, the default is time.Now.
	Now func() time.Time
}

// DefaultKDCTimeout leaves room for a dead KDC within the ten seconds that a
// connection has to be ready.
const DefaultKDCTimeout = 3 * time.Second

// Client requests tickets for one principal and keeps them. It is safe for concurrent
// use, holds no goroutine, and needs no closing.
type Client struct {
	who    string
	kdc    *kdc
	origin origin
	turn   chan struct{} // held by the login that asks KDCs

	mu       sync.Mutex
	now      moment
	granting *Ticket            // the ticket-granting ticket; may be nil
	services map[string]*Ticket // by name without the realm
	failures map[string]failed  // the last one by name, or "" if it concerns every service
}

// New checks the options and reads krb5.conf and a keytab; it opens no connection.
// The error joins a *sasl.OptionError for each invalid option.
func New(o Options) (*Client, error) {
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
		refuse("KDCTimeout", errors.New("negative"))
	}
	if n := o.MinIterations; n < 0 || n > maxIterations {
		refuse("MinIterations", fmt.Errorf("%d: must be 0 to %d", n, maxIterations))
	}
	if err != nil {
		return nil, errors.Join(problems...)
	}
	who, err := o.principal(conf)
	refuse("Principal", err)
	k := &kdc{now: o.Now, kdcs: kdcs{
		conf: conf, dial: o.Dial, srv: net.DefaultResolver.LookupSRV,
		timeout: cmp.Or(o.KDCTimeout, DefaultKDCTimeout),
	}}
	if k.now == nil {
		k.now = time.Now
	}
	if k.dial == nil {
		k.dial = new(net.Dialer).DialContext
	}
	from, option, err := o.origin(k, conf, who)
	refuse(option, err)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return &Client{
		who: who.String(), kdc: k, origin: from, turn: make(chan struct{}, 1),
		services: map[string]*Ticket{}, failures: map[string]failed{},
	}, nil
}

// principal returns the client's principal; without a name, the ticket cache decides.
func (o *Options) principal(c *conf) (who Principal, err error) {
	if o.Principal == "" {
		if !o.Password.IsZero() || o.Keytab != "" || !o.KeytabData.IsZero() {
			err = errors.New("empty: a password or a keytab needs a principal")
		}
		return Principal{}, err
	}
	if who, err = parsePrincipal(o.Principal); err != nil {
		return Principal{}, err
	}
	if who.Realm = cmp.Or(who.Realm, c.defaultRealm); who.Realm == "" {
		return Principal{}, fmt.Errorf("%q has no realm and krb5.conf no default_realm: write name@REALM", o.Principal)
	}
	return who, nil
}

// origin returns the source of tickets, and the option to which an error belongs.
func (o *Options) origin(k *kdc, c *conf, who Principal) (from origin, option string, err error) {
	for _, one := range []struct {
		option string
		given  bool
	}{
		{"Password", !o.Password.IsZero()}, {"Keytab", o.Keytab != ""},
		{"KeytabData", !o.KeytabData.IsZero()}, {"TicketCache", o.TicketCache != ""},
	} {
		switch {
		case one.given && option != "":
			return nil, one.option, fmt.Errorf("set together with %s: keep one", option)
		case one.given:
			option = one.option
		}
	}
	var secret func() (keys, error)
	switch option {
	case "Password":
		p := password{o.Password, cmp.Or(o.MinIterations, DefaultMinIterations)}
		return &keyOrigin{k, who, func() (keys, error) { return p, nil }}, option, nil
	case "Keytab":
		secret = func() (keys, error) { return readKeytab(o.Keytab, who) }
	case "KeytabData":
		secret = func() (keys, error) { return keytabOf([]byte(o.KeytabData.Reveal()), who) }
	default:
		path, err := c.cacheFile(o.TicketCache)
		return &cacheOrigin{kdc: k, path: path, client: who}, "TicketCache", err
	}
	if len(who.Name.NameString) > 0 {
		_, err = secret()
	}
	return &keyOrigin{k, who, secret}, option, err
}

// Service returns the principal of a service on a host. Its realm is from [domain_realm];
// if it is empty, the KDC decides.
func (c *Client) Service(name, host string) Principal {
	p := service(name, host)
	p.Realm = c.kdc.conf.realmOf(p.Name.NameString[1])
	return p
}

// String returns the client's principal, or "" if the ticket cache decides.
func (c *Client) String() string { return c.who }

// Format prints the principal, whatever the verb; tickets have keys in them.
func (c *Client) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.who) }
