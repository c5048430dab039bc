package gssapi

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports"
)

// One login (RFC 4752, section 3.1):
//
//	client                          broker
//	ticket and authenticator    ->
//	                            <-   proof of the key of its principal
//	an empty token              ->
//	                            <-   offer of security layers, wrapped
//	the choice of none, wrapped ->
//
// The login is done then: the last SaslAuthenticate response has no token, and a broker
// that exchanges raw tokens sends no response.

// Begin starts a login with the broker's principal on the endpoint's host. It refuses
// an endpoint without a host if Options.DomainName is empty.
func (a *Authenticator) Begin(e ports.Endpoint) ports.Exchange {
	host := cmp.Or(a.domain, e.Host)
	if strings.TrimSuffix(host, ".") == "" {
		return sasl.Refuse(failure(UnknownService, a.service, "the endpoint %q has no host name: set DomainName",
			e.Address))
	}
	l := &login{Authenticator: a, server: a.client.Service(a.service, host)}
	l.turn = l.begin
	return sasl.WithHint(sasl.Begin(a.run, l.step), l.hint)
}

// hint returns whose ticket was sent for which service, and the keys that it needs: Kafka has
// one text for a login that it refuses, whatever the reason.
func (l *login) hint() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.context == nil {
		return ""
	}
	t := l.context.ticket
	key := krb5.TypeName(t.Raw.EncPart.EType)
	if t.Raw.EncPart.KVNO > 0 {
		key += ", version " + strconv.Itoa(t.Raw.EncPart.KVNO)
	}
	hint := "the ticket of " + t.Client.String() + " is for " + t.Server.String() + ": the broker's keytab must have " +
		"its key of type " + key
	if t.Key.KeyType != t.Raw.EncPart.EType {
		hint += ", and the broker must permit the session key's type, " + krb5.TypeName(t.Key.KeyType)
	}
	return hint + "; check the host's name and the clocks"
}

type login struct {
	*Authenticator
	server  krb5.Principal
	turn    func(ctx context.Context, challenge []byte) (response []byte, done bool, err error)
	context *securityContext
	keep    func() bool // stops the AfterFunc that drops the ticket

	mu     sync.Mutex  // held by a step: Close does not wait for it
	forget func() bool // stops the AfterFunc that clears the keys
}

// step takes one turn. The keys of a login are cleared when it is done, has failed or is
// abandoned.
func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return nil, false, ctx.Err()
	}
	response, done, err = l.turn(ctx, challenge)
	switch {
	case l.context == nil:
	case done || err != nil:
		if l.forget != nil {
			l.forget()
		}
		l.context.forget()
	case l.forget == nil:
		l.forget = context.AfterFunc(ctx, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.context.forget()
		})
	}
	return response, done, err
}

func (l *login) begin(ctx context.Context, _ []byte) ([]byte, bool, error) {
	t, err := l.client.Ticket(ctx, l.server)
	if err != nil {
		return nil, false, err
	}
	sent, err := l.client.Authenticator(t)
	if err != nil {
		return nil, false, err
	}
	l.context = newContext(t, sent)
	token, err := l.context.request()
	if err != nil {
		return nil, false, &Error{Reason: EncryptionTypes, Principal: t.Server.String(), Err: err}
	}
	// Kafka hangs up when it rejects a ticket, as Java's GSS-API gives no reason. The
	// broker's key may have changed, and this ticket would be useless for hours.
	l.keep = context.AfterFunc(ctx, func() { l.client.Drop(t) })
	l.turn = l.prove
	return token, false, nil
}

func (l *login) prove(_ context.Context, challenge []byte) ([]byte, bool, error) {
	l.keep()
	if err := l.context.verify(challenge); err != nil {
		l.client.Drop(l.context.ticket)
		return nil, false, err
	}
	l.turn = l.choose
	return []byte{}, false, nil
}

func (l *login) choose(_ context.Context, challenge []byte) ([]byte, bool, error) {
	response, err := l.context.choose(challenge)
	return response, err == nil, err
}
