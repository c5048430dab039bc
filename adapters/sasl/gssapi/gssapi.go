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

// Authenticator logs in to brokers. Its logins share their tickets. It is safe for
// concurrent use, holds no goroutine, and needs no closing.
type Authenticator struct {
	who     string
	service string
	domain  string
	client  client
	run     sasl.Runner
}

var _ ports.Authenticator = (*Authenticator)(nil)

// client is what a login needs of a *krb5.Client.
type client interface {
	Service(name, host string) krb5.Principal
	Ticket(ctx context.Context, server krb5.Principal) (*krb5.Ticket, error)
	Authenticator(t *krb5.Ticket) types.Authenticator
	Drop(t *krb5.Ticket)
}

// New checks the options and reads krb5.conf and a keytab; it opens no connection. The
// error joins a *sasl.OptionError for each invalid option.
func New(o Options) (*Authenticator, error) {
	k := krb5.Options{
		Principal: o.Principal, Password: o.Password, Keytab: o.Keytab, KeytabData: o.KeytabData, TicketCache: o.TicketCache,
		Config: o.Config, ConfigFile: o.ConfigFile, KDCTimeout: o.KDCTimeout, Dial: o.Dial,
	}
	if o.Clock != nil {
		k.Now = o.Clock.Now
	}
	c, err := krb5.New(k)
	if err != nil {
		return nil, err
	}
	return &Authenticator{who: c.String(), service: cmp.Or(o.ServiceName, defaultService), domain: o.DomainName, client: c, run: o.Run}, nil
}

// Mechanism returns "GSSAPI".
func (a *Authenticator) Mechanism() string { return "GSSAPI" }

// Format prints who logs in, whatever the verb; tickets have keys in them.
func (a *Authenticator) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// String is who logs in: "gssapi(alice@EXAMPLE.ORG)".
func (a *Authenticator) String() string { return "gssapi(" + a.who + ")" }
