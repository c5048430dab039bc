package gssapi

import (
	"cmp"
	"context"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports"
)

// One login (RFC 4752, section 3.1):
//
//	client                          broker
//	ticket and authenticator   ->
//	                           <-   proof that it has the key of its principal
//	nothing                    ->
//	                           <-   offer of security layers, wrapped
//	the choice of none, wrapped ->
//
// Nothing is needed after that: what SaslAuthenticate answers is empty, and a broker
// that exchanges raw tokens answers with nothing at all.

// Begin starts a login to the principal of the endpoint's host. It refuses an
// endpoint without a host if there is no DomainName.
func (a *Authenticator) Begin(e ports.Endpoint) ports.Exchange {
	host := cmp.Or(a.domain, e.Host)
	if strings.TrimSuffix(host, ".") == "" {
		return sasl.Refuse(failure(UnknownService, a.service, "the endpoint %q has no host that the broker's principal could have: set DomainName", e.Address))
	}
	l := &login{Authenticator: a, server: a.client.Service(a.service, host)}
	l.turn = l.begin
	return sasl.Begin(a.run, l.step)
}

type login struct {
	*Authenticator
	server  krb5.Principal
	turn    func(ctx context.Context, challenge []byte) (response []byte, done bool, err error)
	context *securityContext
	proven  func() bool // stops what drops the ticket when the login is given up
}

func (l *login) step(ctx context.Context, challenge []byte) ([]byte, bool, error) {
	return l.turn(ctx, challenge)
}

func (l *login) begin(ctx context.Context, _ []byte) ([]byte, bool, error) {
	t, err := l.client.Ticket(ctx, l.server)
	if err != nil {
		return nil, false, err
	}
	l.context = newContext(t, l.client.Authenticator(t))
	token, err := l.context.request()
	if err != nil {
		return nil, false, &Error{Reason: EncryptionTypes, Principal: t.Server.String(), Err: err}
	}
	// Java, and so Kafka, does not say what it has against a ticket: it hangs up. Its
	// key may be another one by now, and this ticket useless for hours.
	l.proven = context.AfterFunc(ctx, func() { l.client.Drop(t) })
	l.turn = l.prove
	return token, false, nil
}

func (l *login) prove(_ context.Context, challenge []byte) ([]byte, bool, error) {
	l.proven()
	if err := l.context.proved(challenge); err != nil {
		l.client.Drop(l.context.ticket)
		return nil, false, err
	}
	l.turn = l.choose
	return []byte{}, false, nil
}

func (l *login) choose(_ context.Context, challenge []byte) ([]byte, bool, error) {
	defer l.context.forget()
	response, err := l.context.chosen(challenge)
	return response, err == nil, err
}
