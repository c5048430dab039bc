package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// Conn is a *tls.Conn whose handshake fails with an *Error. So may its first Read:
// with TLS 1.3 the client has finished before the broker judges its certificate.
// The broker may have hung up by then, and a Write fail before that Read: it waits
// for the verdict, and has the same error.
type Conn struct {
	*tls.Conn
	wire            *wire
	verifier        *verifier
	lowest, highest uint16 // the versions that are allowed here; 0: no limit but crypto/tls's

	asked, shown bool              // for a client certificate, and one
	own          *x509.Certificate // that was shown; nil: none, or it is not known

	spoken  atomic.Bool // the broker's first bytes are read
	first   sync.Mutex  // whoever holds it reads them, and has what follows
	verdict error       // it came in place of them: an *Error
	early   []byte      // of them, what a Write found
}

func newConn(under net.Conn, config *tls.Config, v *verifier) *Conn {
	c := &Conn{wire: &wire{Conn: under}, verifier: v, lowest: config.MinVersion, highest: config.MaxVersion}
	config.GetClientCertificate = c.answer(config)
	c.Conn = tls.Client(c.wire, config)
	return c
}

// answer notes that a client certificate is asked for, and finds one: as crypto/tls
// does, unless the configuration has its own way.
func (c *Conn) answer(config *tls.Config) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	find, have := config.GetClientCertificate, config.Certificates
	if find == nil {
		find = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			for i := range have {
				if request.SupportsCertificate(&have[i]) == nil {
					return &have[i], nil
				}
			}
			return new(tls.Certificate), nil
		}
	}
	return func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c.asked = true
		certificate, err := find(request)
		if c.shown = certificate != nil && len(certificate.Certificate) > 0; c.shown {
			c.own = certificate.Leaf
		}
		return certificate, err
	}
}

// CertificateAsked reports whether the broker asked for a client certificate. Ask
// after the handshake; one that resumed a session has no such question.
func (c *Conn) CertificateAsked() bool { return c.asked }

// NetConn returns what is under the encryption.
func (c *Conn) NetConn() net.Conn { return c.wire.Conn }

// Handshake is HandshakeContext without an end.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext runs the handshake, once. It fails with an *Error.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if err := c.Conn.HandshakeContext(ctx); err != nil {
		return c.explain(err)
	}
	return nil
}

// Read reads what the broker sends. What fails before the first byte is its verdict
// on the handshake.
func (c *Conn) Read(p []byte) (int, error) {
	if c.spoken.Load() {
		return c.Conn.Read(p)
	}
	c.first.Lock()
	defer c.first.Unlock()
	n, err := c.hear(p)
	if n > 0 {
		c.spoken.Store(true)
	}
	return n, err
}

// Write sends to the broker.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil && !c.spoken.Load() && left(err) {
		if verdict := c.awaitVerdict(); verdict != nil {
			return n, verdict
		}
		err = c.suspect(err)
	}
	return n, err
}

// suspect adds to an end without a verdict what may be the reason. It is none: a
// broker that asks for a certificate need not demand it, and some hang up because they
// do not know a request.
func (c *Conn) suspect(err error) error {
	if c.asked && !c.shown {
		return fmt.Errorf("%w; %s", err, hintAsked)
	}
	return err
}

// awaitVerdict finds out whether the broker left with a verdict. Since it has left, a
// Read that is under way comes to its end.
func (c *Conn) awaitVerdict() error {
	c.first.Lock()
	defer c.first.Unlock()
	if c.verdict == nil && len(c.early) == 0 && !c.spoken.Load() {
		one := make([]byte, 1)
		n, _ := c.hear(one) // what is no verdict is told again
		c.early = one[:n]
	}
	return c.verdict
}

// hear is Read as long as the broker has not spoken. With first held.
func (c *Conn) hear(p []byte) (n int, err error) {
	switch {
	case c.verdict != nil:
		return 0, c.verdict
	case len(c.early) > 0:
		n = copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	n, err = c.Conn.Read(p)
	switch number, alert := alertIn(err); {
	case n > 0:
		c.wire.over()
	case err == nil:
	case !c.ConnectionState().HandshakeComplete:
		c.verdict = c.explain(err)
	case alert:
		c.verdict = c.refused(number, err)
	case c.repeats():
		c.verdict = c.mute(err)
	case hungUp(err):
		err = c.suspect(err)
	}
	if c.verdict != nil {
		return n, c.verdict
	}
	return n, err
}

// left tells from the error of a write that the peer has hung up.
func left(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrClosedPipe)
}

// wire is the connection under the encryption. It keeps what the peer says until the
// handshake is over, and counts it.
type wire struct {
	net.Conn
	heard []byte // not more than maxHeard
	count int
	rest  bool // the handshake is over, and nothing is kept any more
}

// maxHeard is enough for a broker's part of a handshake, twice, with a chain of
// several certificates and the names of a hundred authorities.
const maxHeard = 64 << 10

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 && !w.rest {
		w.count += n
		w.heard = append(w.heard, p[:min(n, maxHeard-len(w.heard))]...)
	}
	return n, err
}

// first is what the peer said first, which tells what it speaks if that is not TLS.
func (w *wire) first() []byte {
	const enough = 64
	return w.heard[:min(len(w.heard), enough)]
}

// over says that the handshake is.
func (w *wire) over() { w.rest, w.heard = true, nil }
