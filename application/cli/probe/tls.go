package probe

import (
	"context"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

func (a *app) tls() *cobra.Command {
	c := a.command(&cobra.Command{
		Use:   "tls HOST:PORT",
		Short: "Look at the TLS of a broker, and say whether it is verified and why not",
		Long: `tls shakes hands with a broker and tells what there is to see: the version of TLS,
the cipher suite, each certificate with its names and its end, whether a connection
with the same properties would be content with them, whether the broker asks for a
client certificate and demands it, and whether sessions are resumed. The keys of TLS
count with any security protocol, or none, and there is no login. A port that speaks
no TLS is asked in clear what it is.

Where verification fails the handshake goes on, to show the rest. A broker that is
not verified is shown no client certificate, and nothing is sent behind a handshake.
There may be two more handshakes: one that resumes the session, and one without the
client certificate, since only that tells whether it is demanded.

Exit code 0 if a connection with these properties gets through its handshake; 12 if
not, be it for the certificate, for a client certificate that is demanded, or since
the port speaks no TLS; what could be seen is told all the same.

With --json, beside "error" when there is one:
  broker, address, server_name   what was asked for, what answered, whom it must be
  verified, verdict, reason      true or false; in words; why not ("expired", ...)
  checks                         chain, host and revocation, each with passed (null:
                                 not looked at), enforced (false: the properties leave
                                 it out), reason and message
  protocol, cipher_suite, key_exchange
  certificates                   as shown, the broker's own first: subject, issuer,
                                 serial, dns, ip, email, uri, other_names (a number),
                                 not_before, not_after, days_left (less than 0: over),
                                 authority, key, signature, sha256
  trusted_by                     subject of the authority that the chain leads to
  client_certificate             asked, required, configured, shown, accepted (null:
                                 did not show), authorities (whose it may be)
  resumption                     ticket (one was given), resumed (null: not tried)`,
		Example: `  kafkaprobe tls broker-1.example.com:9093
  kafkaprobe tls broker-1.example.com:9093 -X ssl_cafile=ca.pem -X ssl_crlfile=crl.pem
  kafkaprobe tls -F client.properties --json | jq '[.certificates[].days_left] | min'`,
	}, func(ctx context.Context, args []string) error {
		l, err := a.newLook(args[0])
		if err != nil {
			return err
		}
		return l.run(ctx)
	})
	// Before command reads the properties.
	c.PreRun = func(*cobra.Command, []string) { a.properties.onlyTLS = true }
	return c
}

// look is one broker being looked at.
type look struct {
	app       *app
	broker    string
	host      string
	port      uint16
	way       *netlink.Transport
	inspector *tls.Inspector

	endpoint ports.Endpoint // that is looked at
	phase    broker.State
}

func (a *app) newLook(address string) (*look, error) {
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		return nil, usagef("HOST:PORT: %v", err)
	}
	inspector, err := a.settings.Inspector()
	if err != nil {
		return nil, badProperties(err)
	}
	l := &look{app: a, host: host, port: port, way: a.settings.Way(), inspector: inspector}
	l.broker = net.JoinHostPort(host, strconv.Itoa(int(port)))
	return l, nil
}

func (l *look) run(unlimited context.Context) error {
	ctx, cancel := l.app.limited(unlimited)
	defer cancel()
	setup, over := context.WithTimeout(ctx, l.app.setupLimit(l.app.settings.Connection.SetupTimeout))
	seen, err := l.first(setup)
	over()
	if err != nil {
		return err
	}
	err = l.judge(seen)
	if unlimited.Err() != nil {
		return unlimited.Err()
	}
	switch {
	case seen.Silent:
		return l.app.identifyInClear(ctx, err)
	case seen.State.Version == 0:
		return err
	}
	doc := l.newDocument(seen, time.Now())
	l.app.progress.waitFor("looking once more at " + l.endpoint.Address)
	if seen.Shown {
		again, _ := l.inspect(ctx, l.inspector.Anonymous())
		doc.ClientCertificate.Required = required(again)
	}
	if seen.Ticket && seen.Unverified == nil {
		if again, _ := l.inspect(ctx, l.inspector); again != nil && again.State.HandshakeComplete {
			doc.Resumption.Resumed = &again.State.DidResume
		}
	}
	if unlimited.Err() != nil {
		return unlimited.Err()
	}
	doc.Error = describe(err)
	if written := l.app.emit(doc, doc.text()); written != nil {
		return written
	}
	return err
}

// first looks at the first address that is reached. Each has its part of the time
// that is left, as in a connection; the handshake has what the dial leaves of it.
func (l *look) first(ctx context.Context) (seen *tls.Inspection, err error) {
	l.phase = broker.Connecting
	l.app.progress.waitFor("looking up " + l.host)
	endpoints := []ports.Endpoint{{Network: "tcp", Address: l.broker}}
	if l.way.Lookup != nil {
		if endpoints, err = l.way.Lookup(ctx, l.host, l.port); err != nil {
			return nil, l.failure(ctx, broker.ErrResolve, err)
		}
	}
	deadline, _ := ctx.Deadline()
	for i, endpoint := range endpoints {
		l.endpoint = endpoint
		l.endpoint.Host = l.host
		l.app.progress.waitFor("TLS handshake with " + endpoint.Address)
		part, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(endpoints)-i))
		if seen, err = l.inspect(part, l.inspector); err != nil {
			err = l.failure(part, broker.ErrDial, err)
		}
		cancel()
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return seen, err
}

// inspect shakes hands with the endpoint.
func (l *look) inspect(ctx context.Context, with *tls.Inspector) (*tls.Inspection, error) {
	return with.Inspect(netlink.WithEndpoint(ctx, l.endpoint), l.endpoint.Network, l.endpoint.Address)
}

// judge is the error that a connection would end with; nil: none.
func (l *look) judge(seen *tls.Inspection) error {
	l.phase = broker.Handshake
	var failed *tls.Error
	switch {
	case seen.Unverified != nil && !l.app.settings.TLS.AnyCertificate:
		return l.newError(broker.ErrTLS, seen.Unverified)
	case errors.As(seen.Failed, &failed) && failed.Reason == tls.Stalled:
		return l.newError(broker.ErrSetupTimeout, seen.Failed)
	case seen.Failed != nil:
		return l.newError(broker.ErrTLS, seen.Failed)
	}
	return nil
}

// failure is that of something that ctx bounds. Sockets notice the end of a deadline
// on their own, perhaps before ctx does.
func (l *look) failure(ctx context.Context, kind, cause error) error {
	if deadline, bounded := ctx.Deadline(); bounded && !time.Now().Before(deadline) {
		kind = broker.ErrSetupTimeout
	}
	return l.newError(kind, cause)
}

func (l *look) newError(kind, cause error) error {
	e := &broker.Error{Kind: kind, Phase: l.phase, Broker: l.broker, Address: l.endpoint.Address, Cause: cause}
	var hinter ports.Hinter
	if errors.As(cause, &hinter) {
		e.Hint = hinter.Hint()
	}
	return e
}
