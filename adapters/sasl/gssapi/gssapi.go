// Package gssapi is the SASL mechanism GSSAPI with Kerberos 5 (RFC 4752, RFC 4121).
//
//	login, err := gssapi.New(gssapi.Options{Principal: "alice@EXAMPLE.ORG", Keytab: "alice.keytab"})
//	...
//	broker.Config{Authenticators: []ports.Authenticator{login}}
//
// Tickets come from package krb5, a Kerberos client over github.com/jcmturner/gokrb5;
// no other adapter links that library. This package is the conversation with the
// broker:
//
//	gssapi   Options, New
//	login    the steps of one login
//	context  the security context: the proofs of client and broker
//	wrap     the wrap tokens and the choice of a security layer
//	errors   Error and its reasons
//
// The broker must prove that it has the key of its principal, and protect its offer of
// security layers with that key; any other peer is refused. Encryption is left to TLS:
// Kafka brokers offer no security layer.
package gssapi

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/types"
)

// Options configure New, which copies them. The zero value logs in with the tickets
// that kinit got.
type Options struct {
	// Principal is the client, such as "alice@EXAMPLE.ORG". Without a realm, its realm
	// is the default_realm of krb5.conf. If empty, the client is that of the ticket
	// cache; a password and a keytab need it. Tickets of other clients, which a ticket
	// cache may hold as well, are not used.
	Principal string

	// At most one of Password, Keytab, KeytabData and TicketCache is set. If none is,
	// the ticket cache is that of the environment variable KRB5CCNAME, then that of
	// default_ccache_name in krb5.conf, then /tmp/krb5cc_UID.

	// Password is the principal's password. The KDC decides how much work the
	// derivation of a key takes: milliseconds, and a few seconds at most. Closing the
	// login does not interrupt it.
	Password ports.Secret
	// Keytab is a file with keys of the principal. It is read each time a
	// ticket-granting ticket is requested. KeytabData is the contents of such a file.
	Keytab     string
	KeytabData ports.Secret
	// TicketCache is the file of a ticket cache. It is read before each login, never
	// written, and must exist at the first login. Other types of ticket caches (KCM,
	// KEYRING, DIR, MEMORY) are not supported.
	TicketCache string

	// Config is the text of a krb5.conf; ConfigFile is the file. If both are empty,
	// the file is that of the environment variable KRB5_CONFIG, then /etc/krb5.conf.
	// New reads it once.
	Config, ConfigFile string

	// ServiceName is the first part of the broker's principal. If empty, the default
	// is "kafka".
	ServiceName string
	// DomainName is the host in the broker's principal, without a final dot and in
	// lower case. If empty, the default is the host in the broker's address as it is
	// configured. No other name of the host is looked up in DNS.
	DomainName string

	// KDCTimeout limits the wait for one answer of one KDC; after it, the next KDC is
	// asked. A first login takes three answers, and one more for each realm on the
	// path to the broker's; most other logins take none. If zero, the default is 3
	// seconds. If negative, New returns an error.
	KDCTimeout time.Duration
	// MinIterations is the lowest count of iterations of the password hash that a KDC may
	// request before it has proved that it is one. With a low count the password is cheap to
	// guess for those who read the login. If zero, the default is 4,096, which is Kerberos's
	// own (RFC 3962). If negative or more than 1,000,000, New returns an error.
	MinIterations int
	// Dial opens connections to KDCs. The network is always "tcp". If nil, the default
	// is the DialContext method of a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Clock gives the time for requests and for the expiry of tickets. If nil, the
	// default is the system's clock.
	Clock ports.Clock
	// Run runs the steps of logins. If nil, each step runs on its own goroutine.
	Run sasl.Runner
}

// Authenticator logs in with GSSAPI. Its logins share their tickets. It is safe for
// concurrent use, holds no goroutine, and needs no closing.
type Authenticator struct {
	service string
	domain  string
	client  client
	run     sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)

// client is what a login needs of a *krb5.Client.
type client interface {
	String() string
	Service(name, host string) krb5.Principal
	Ticket(ctx context.Context, server krb5.Principal) (*krb5.Ticket, error)
	Authenticator(t *krb5.Ticket) (types.Authenticator, error)
	Drop(t *krb5.Ticket)
}

// New checks the options and reads krb5.conf and a keytab; it opens no connection. The
// error joins a *sasl.OptionError for each invalid option.
func New(o Options) (*Authenticator, error) {
	k := krb5.Options{
		Principal: o.Principal, Password: o.Password, Keytab: o.Keytab, KeytabData: o.KeytabData,
		TicketCache: o.TicketCache, Config: o.Config, ConfigFile: o.ConfigFile, KDCTimeout: o.KDCTimeout, Dial: o.Dial,
		MinIterations: o.MinIterations,
	}
	if o.Clock != nil {
		k.Now = o.Clock.Now
	}
	c, err := krb5.New(k)
	if err != nil {
		return nil, err
	}
	return &Authenticator{cmp.Or(o.ServiceName, defaultService), o.DomainName, c, o.Run}, nil
}

// Mechanism returns "GSSAPI".
func (a *Authenticator) Mechanism() string { return "GSSAPI" }

// Format prints String for every verb; tickets contain keys.
func (a *Authenticator) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// String returns the mechanism and the principal: "gssapi(alice@EXAMPLE.ORG)".
func (a *Authenticator) String() string { return "gssapi(" + a.client.String() + ")" }
