package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"brokerconn/adapters/netlink"
)

// An inspection is a handshake without a connection. Where a connection would stop at
// the broker's certificate, an inspection continues, because the broker asks for a client
// certificate only later. It sends the client certificate to verified peers only, and no
// application data.
//
// With TLS 1.3 (RFC 8446, section 2) the client finishes before the broker checks its
// certificate, or misses one. The broker's next record shows the result: an alert, or a
// session ticket, which it does not send before the check (section 4.6.1). A broker that
// sends neither receives close_notify; since it reads in order, its answer to that is its
// result.

// Inspector performs handshakes as connections with the same options do. It is safe for
// many goroutines.
type Inspector struct {
	d         *dialer
	anonymous bool
}

// NewInspector returns an Inspector for the peers that next dials. The error joins an
// *OptionError for each invalid option. Options.Config is invalid here, because crypto/tls
// would verify by it and stop at the certificate.
func NewInspector(next netlink.DialFunc, o Options) (*Inspector, error) {
	if next == nil {
		panic("tls: NewInspector: next is nil")
	}
	if o.Config != nil {
		return nil, refusal("Config", "not supported by an inspection: use the other options")
	}
	d, err := newDialer(next, o)
	if err != nil {
		return nil, err
	}
	return &Inspector{d: d}, nil
}

// Anonymous returns an Inspector that sends no client certificate and resumes no session.
func (i *Inspector) Anonymous() *Inspector { return &Inspector{i.d, true} }

// Inspection is the result of one handshake.
type Inspection struct {
	// Name is the host that the certificate must be for.
	Name string

	// State is crypto/tls's, as far as the handshake got. Its Version is 0 if the broker
	// chose none. Its PeerCertificates are the broker's, its own first; Checks say how
	// far to trust them.
	State tls.ConnectionState
	// Checks are the results of verification. They are empty if the broker sent no
	// certificate, and computed again for a resumed session.
	Checks Checks
	// VerifyErr is the error a connection would return for Checks: the first of them,
	// without HostErr if Options.AnyHost is set; nil: none. With AnyCertificate a
	// connection would ignore it.
	VerifyErr error

	// ClientCertRequested reports whether the broker asked for a client certificate, and
	// ClientCertSent whether it received the configured one.
	ClientCertRequested, ClientCertSent bool
	// AcceptableCAs are the names, in DER, of the authorities that the broker asked for;
	// empty: it named none.
	AcceptableCAs [][]byte
	// ClientAccepted reports whether the broker accepted the client, with or without a
	// certificate.
	ClientAccepted bool
	// SessionTicket reports whether the broker sent a session to resume.
	SessionTicket bool
	// NothingReceived reports whether the broker sent no byte at all.
	NothingReceived bool
	// HandshakeErr is an *Error: why the handshake failed, apart from VerifyErr, up to
	// the first read after it. If it is nil and ClientAccepted is false, the broker
	// closed the connection or was silent.
	HandshakeErr error
}

// patience is how long to wait for the broker's answer to the client's last handshake
// message, and again for its answer to close_notify.
const patience = time.Second

// Inspect dials as the DialFunc of Dial does, performs one handshake and closes the
// connection. A second call resumes the session of the first, if the broker sent a
// ticket. The error is that of the dial; a failed handshake is part of the Inspection.
// ctx bounds the whole call.
func (i *Inspector) Inspect(ctx context.Context, network, address string) (*Inspection, error) {
	r, err := i.d.reach(ctx, network, address)
	if err == nil && r == nil {
		err = errors.New("tls: the dial function returned neither a connection nor an error")
	}
	if err != nil {
		return nil, err
	}
	defer r.under.Close()

	seen := &Inspection{Name: r.verifier.name}
	r.verifier.found = func(found Checks) {
		seen.Checks, seen.VerifyErr = found, found.failed(i.d.o.AnyHost)
	}
	show := r.config.GetClientCertificate
	r.config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		seen.AcceptableCAs = request.AcceptableCAs
		if i.anonymous || seen.VerifyErr != nil || seen.Checks.Path == nil {
			return new(tls.Certificate), nil
		}
		return show(request)
	}
	var conn *Conn
	if cache := r.config.ClientSessionCache; i.anonymous {
		r.config.ClientSessionCache = nil
	} else if cache != nil {
		r.config.ClientSessionCache = &ticketed{cache, func() {
			seen.SessionTicket = true
			_ = conn.CloseWrite() // in a handshake it does nothing
		}}
	}
	conn = newConn(r.under, r.config, r.verifier)
	seen.HandshakeErr = conn.HandshakeContext(ctx)
	// After the handshake, which reports the end of ctx itself.
	stop := context.AfterFunc(ctx, func() { r.under.Close() })
	defer stop()
	seen.State = conn.ConnectionState()
	seen.ClientCertRequested, seen.ClientCertSent, seen.NothingReceived = conn.certRequested, conn.certSent,
		conn.wire.count.Load() == 0
	switch {
	case seen.HandshakeErr != nil:
	case seen.State.Version == tls.VersionTLS12:
		seen.ClientAccepted = true // the broker finishes last
		_ = conn.CloseWrite()
	default:
		seen.listen(conn)
	}
	return seen, nil
}

// listen waits for the broker's answer after a handshake of TLS 1.3. A broker that
// requested no certificate only sends tickets.
func (s *Inspection) listen(conn *Conn) {
	var closing atomic.Bool
	leave := func() { closing.Store(true); _ = conn.CloseWrite() }
	until := time.Now().Add(patience)
	if s.ClientCertRequested {
		until = until.Add(patience)
		timer := time.AfterFunc(patience, leave)
		defer timer.Stop()
	} else {
		leave()
	}
	_ = conn.SetReadDeadline(until)
	n, err := conn.Read(make([]byte, 1))
	var failed *Error
	switch {
	case errors.As(err, &failed):
		s.HandshakeErr = err
	case n > 0, s.SessionTicket, errors.Is(err, io.EOF) && closing.Load():
		s.ClientAccepted = true
	}
}

// ticketed is a session cache that calls given for each session of the broker.
type ticketed struct {
	tls.ClientSessionCache
	given func()
}

func (t *ticketed) Put(key string, session *tls.ClientSessionState) {
	t.ClientSessionCache.Put(key, session)
	if session != nil {
		t.given()
	}
}

var _ tls.ClientSessionCache = (*ticketed)(nil)

// Required reports whether the broker requires a client certificate. known is false if
// the broker received one, and if its answer did not arrive.
func (s *Inspection) Required() (required, known bool) {
	var failed *Error
	switch {
	case errors.As(s.HandshakeErr, &failed) && failed.Reason == CertificateRequired:
		return true, true
	case !s.State.HandshakeComplete || s.State.DidResume:
		return false, false
	case !s.ClientCertRequested:
		return false, true
	}
	return false, s.ClientAccepted && !s.ClientCertSent
}
