package probe

import (
	"cmp"
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
		Use: "tls HOST:PORT", Short: "Inspect the TLS of a broker and verify its certificate",
		Long: `tls performs a TLS handshake with a broker and prints the TLS version, the cipher suite,
each certificate with its names and its expiry, whether a connection with the same
properties would accept the certificates, whether the broker requests or requires a
client certificate, and whether sessions are resumed. The keys for TLS apply with any
security protocol, or none, and there is no login. A port that does not speak TLS is
identified in plaintext.

If verification fails, the handshake continues, to show the rest. An unverified broker
receives no client certificate, and no data follow a handshake. There may be two more
handshakes: one that resumes the session, and one without the client certificate, which
shows whether it is required.

The exit code is 0 if a connection with these properties completes its handshake, and 12
if not: because of the broker's certificate, because a client certificate is required, or
because the port does not speak TLS. The details are printed in either case.

With --json, beside "error" if there is one:
  broker, address, server_name   as given; that answered; that the certificate must name
  verified, verdict, reason      true or false; as text; why not ("expired", ...)
  checks                         chain, host and revocation, each with passed (null:
                                 not checked), enforced (false: not required by the
                                 properties), reason and message
  protocol, cipher_suite, key_exchange
  certificates                   as sent, the broker's own first: subject, issuer,
                                 serial, dns, ip, email, uri, other_names (a number),
                                 not_before, not_after, days_left (negative: expired),
                                 authority, key, signature, sha256
  trusted_by                     subject of the authority at the end of the chain
  client_certificate             asked, required, configured, shown, accepted (null:
                                 not known), authorities (that may have signed it)
  resumption                     ticket (one was issued), resumed (null: not tried)`,
		Example: `  kafkaprobe tls broker-1.example.com:9093
  kafkaprobe tls broker-1.example.com:9093 -X ssl_cafile=ca.pem -X ssl_crlfile=crl.pem
  kafkaprobe tls -F client.properties --json | jq '[.certificates[].days_left] | min'`,
	}, func(ctx context.Context, args []string) error {
		p, err := a.newTLSProbe(args[0])
		if err != nil {
			return err
		}
		return p.run(ctx)
	})
	// PreRun is called before the properties are read.
	c.PreRun = func(*cobra.Command, []string) { a.properties.onlyTLS = true }
	return c
}

// tlsProbe is one run of tls.
type tlsProbe struct {
	app          *app
	broker, host string
	port         uint16
	transport    *netlink.Transport
	inspector    *tls.Inspector

	endpoint ports.Endpoint // that is inspected
	phase    broker.State
}

func (a *app) newTLSProbe(address string) (*tlsProbe, error) {
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		return nil, usagef("HOST:PORT: %v", err)
	}
	inspector, err := a.settings.Inspector()
	if err != nil {
		return nil, badProperties(err)
	}
	for _, i := range a.settings.Ignored {
		if i.Suspect { // the answer has the checks that are switched off
			a.warn(i.String())
		}
	}
	return &tlsProbe{app: a, broker: net.JoinHostPort(host, strconv.Itoa(int(port))), host: host, port: port,
		transport: a.settings.Way(), inspector: inspector}, nil
}

func (p *tlsProbe) run(unlimited context.Context) error {
	ctx, cancel := p.app.limited(unlimited)
	defer cancel()
	setup, setupDone := context.WithTimeout(ctx, p.app.setupLimit(p.app.settings.Connection.SetupTimeout))
	seen, err := p.inspectFirst(setup)
	setupDone()
	if err != nil {
		return err
	}
	err = p.handshakeError(seen)
	if unlimited.Err() != nil {
		return unlimited.Err()
	}
	switch {
	case seen.NothingReceived:
		return p.app.identifyPlaintext(ctx, err)
	case seen.State.Version == 0:
		return err
	}
	doc := p.newDocument(seen, time.Now())
	p.app.progress.waitFor("another handshake with " + p.endpoint.Address)
	if seen.ClientCertSent {
		if again, err := p.inspect(ctx, p.inspector.Anonymous()); err == nil {
			doc.ClientCertificate.Required = required(again)
		}
	}
	if seen.SessionTicket && seen.VerifyErr == nil {
		if again, err := p.inspect(ctx, p.inspector); err == nil && again.State.HandshakeComplete {
			doc.Resumption.Resumed = &again.State.DidResume
		}
	}
	if unlimited.Err() != nil {
		return unlimited.Err()
	}
	doc.Error = describe(err)
	return cmp.Or(p.app.emit(doc, doc.text()), err)
}

// inspectFirst inspects the first address that is reached. They are tried in turn, and each
// gets an equal share of the remaining time, for its dial and its handshake.
func (p *tlsProbe) inspectFirst(ctx context.Context) (seen *tls.Inspection, err error) {
	p.phase = broker.Connecting
	p.app.progress.waitFor("looking up " + p.host)
	endpoints := []ports.Endpoint{{Network: "tcp", Address: p.broker}}
	if p.transport.Lookup != nil {
		if endpoints, err = p.transport.Lookup(ctx, p.host, p.port); err != nil {
			return nil, p.failure(ctx, broker.ErrResolve, err)
		}
	}
	deadline, _ := ctx.Deadline()
	for i, endpoint := range endpoints {
		p.endpoint = endpoint
		p.endpoint.Host = p.host
		p.app.progress.waitFor("TLS handshake with " + endpoint.Address)
		share, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(endpoints)-i))
		if seen, err = p.inspect(share, p.inspector); err != nil {
			err = p.failure(share, broker.ErrDial, err)
		}
		cancel()
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return seen, err
}

// inspect performs one handshake with the endpoint.
func (p *tlsProbe) inspect(ctx context.Context, with *tls.Inspector) (*tls.Inspection, error) {
	return with.Inspect(netlink.WithEndpoint(ctx, p.endpoint), p.endpoint.Network, p.endpoint.Address)
}

// handshakeError returns the error of a connection after such a handshake; nil: none.
func (p *tlsProbe) handshakeError(seen *tls.Inspection) error {
	p.phase = broker.Handshake
	switch failed, ok := errors.AsType[*tls.Error](seen.HandshakeErr); {
	case seen.VerifyErr != nil && !p.app.settings.TLS.AnyCertificate:
		return p.newError(broker.ErrTLS, seen.VerifyErr)
	case ok && failed.Reason == tls.Stalled:
		return p.newError(broker.ErrSetupTimeout, seen.HandshakeErr)
	case seen.HandshakeErr != nil:
		return p.newError(broker.ErrTLS, seen.HandshakeErr)
	}
	return nil
}

// failure returns the error of an operation that ctx limits. A socket may time out shortly
// before ctx ends.
func (p *tlsProbe) failure(ctx context.Context, kind, cause error) error {
	if deadline, bounded := ctx.Deadline(); bounded && !time.Now().Before(deadline) {
		kind = broker.ErrSetupTimeout
	}
	return p.newError(kind, cause)
}

func (p *tlsProbe) newError(kind, cause error) error {
	e := &broker.Error{Kind: kind, Phase: p.phase, Broker: p.broker, Address: p.endpoint.Address, Cause: cause}
	var hinter ports.Hinter
	if errors.As(cause, &hinter) {
		e.Hint = hinter.Hint()
	}
	return e
}
