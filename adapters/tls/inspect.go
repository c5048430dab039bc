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

// A handshake for its own sake. Where a connection would end it, for the broker's
// certificate will not do, an inspection goes on, since only later does the broker
// ask for a client certificate. For that it gives away nothing: it shows the client
// certificate to no peer that has not been verified, sends no byte of data behind
// the handshake, and keeps the connection to itself.
//
// With TLS 1.3 (RFC 8446, section 2) the client has finished before the broker looks
// at its certificate, or misses one. What the broker then thinks shows in what it
// sends next: an alert, or a session ticket, which it does not send before it has
// looked (section 4.6.1). A broker that sends neither is told farewell, and what it
// does about that is taken for its answer: it reads what comes in order.

// Inspector looks at handshakes as connections with the same options have them. It
// is safe for many goroutines.
type Inspector struct {
	d         *dialer
	anonymous bool
}

// NewInspector returns an Inspector of what next reaches. The error joins an
// *OptionError for what cannot be used; Options.Config is: crypto/tls would verify
// by it, and end what has to go on.
func NewInspector(next netlink.DialFunc, o Options) (*Inspector, error) {
	if next == nil {
		panic("tls: there is no dial function to inspect with")
	}
	if o.Config != nil {
		return nil, refusal("Config", "an inspection verifies by itself: use the other options")
	}
	d, err := newDialer(next, o)
	if err != nil {
		return nil, err
	}
	return &Inspector{d: d}, nil
}

// Anonymous is an Inspector that shows no client certificate, and resumes no session.
func (i *Inspector) Anonymous() *Inspector { return &Inspector{i.d, true} }

// An Inspection is what one handshake showed.
type Inspection struct {
	Name string // that the certificate has to be for

	// State is how far the handshake came; its Version is 0 if the broker chose none.
	// Its PeerCertificates are what the broker showed, its own first; they are to be
	// trusted only as far as Checks say.
	State tls.ConnectionState
	// Checks say what is to be thought of them. They are empty where no certificate
	// came, and those of today where a session was resumed.
	Checks Checks
	// Unverified is what a connection fails of: the first of Checks, but for Host where
	// AnyHost leaves it out; nil: nothing. With AnyCertificate no connection looks.
	Unverified error

	// Asked: the broker asked for a client certificate, by one of Authorities, DER of
	// names; none: it does not say. Shown: it was shown the one that is configured.
	Asked, Shown bool
	Authorities  [][]byte
	// Accepted: the broker is content with what it was shown, if only nothing.
	Accepted bool
	// Ticket: it gave a session to resume.
	Ticket bool
	// Silent: not a byte came from the broker, be it of TLS or of something else.
	Silent bool
	// Failed is an *Error: why the handshake failed, apart from Unverified, at the
	// latest in the first read behind it. Neither it nor Accepted: the broker hung up
	// without a word, or was silent.
	Failed error
}

// patience is how long a broker may take to say what it thinks of a client that has
// finished, and to answer a farewell.
const patience = time.Second

// Inspect dials, as the DialFunc of Dial does, shakes hands once and hangs up. A
// second call within the life of the Inspector resumes the session of the first, if
// the broker gave one. The error is that of the dial: all that comes later is in the
// Inspection. ctx bounds all of it.
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
		seen.Checks, seen.Unverified = found, found.failed(i.d.o.AnyHost)
	}
	show := r.config.GetClientCertificate
	r.config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		seen.Authorities = request.AcceptableCAs
		if i.anonymous || seen.Unverified != nil || seen.Checks.Path == nil {
			return new(tls.Certificate), nil
		}
		return show(request)
	}
	var conn *Conn
	if cache := r.config.ClientSessionCache; i.anonymous {
		r.config.ClientSessionCache = nil
	} else if cache != nil {
		r.config.ClientSessionCache = &ticketed{cache, func() {
			seen.Ticket = true
			_ = conn.CloseWrite() // in a handshake it does nothing
		}}
	}
	conn = newConn(r.under, r.config, r.verifier)
	seen.Failed = conn.HandshakeContext(ctx)
	// Not before: the handshake has its own way to say that ctx ended it.
	stop := context.AfterFunc(ctx, func() { r.under.Close() })
	defer stop()
	seen.State = conn.ConnectionState()
	seen.Asked, seen.Shown, seen.Silent = conn.asked, conn.shown, conn.wire.count == 0
	switch {
	case seen.Failed != nil:
	case seen.State.Version == tls.VersionTLS12:
		seen.Accepted = true // the broker finishes last
		_ = conn.CloseWrite()
	default:
		seen.listen(conn)
	}
	return seen, nil
}

// listen waits for what the broker does behind a handshake of TLS 1.3. One that did
// not ask has nothing to object, and only its tickets are waited for.
func (s *Inspection) listen(conn *Conn) {
	var farewell atomic.Bool
	leave := func() { farewell.Store(true); _ = conn.CloseWrite() }
	until := time.Now().Add(patience)
	if s.Asked {
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
		s.Failed = err
	case n > 0, s.Ticket, errors.Is(err, io.EOF) && farewell.Load():
		s.Accepted = true
	}
}

// ticketed is a cache of sessions that tells when the broker gives one.
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

// Required reports whether the broker demands a client certificate; not known where
// it asked and was shown one, or where what it thinks did not show.
func (s *Inspection) Required() (required, known bool) {
	var failed *Error
	switch {
	case errors.As(s.Failed, &failed) && failed.Reason == CertificateRequired:
		return true, true
	case !s.State.HandshakeComplete || s.State.DidResume:
		return false, false
	case !s.Asked:
		return false, true
	}
	return false, s.Accepted && !s.Shown
}
