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

	"brokerconn/ports"
)

// Conn is a *tls.Conn whose handshake fails with an *Error. So may its first Read: with
// TLS 1.3 the client finishes before the broker checks its certificate. A Write after the
// broker closed the connection may fail before that Read: it waits for the broker's alert
// and returns the same error.
type Conn struct {
	*tls.Conn
	wire            *wire
	renegotiates    bool // the broker may ask for another handshake, with TLS 1.2
	verifier        *verifier
	files           *loader // nil with Options.Config
	lowest, highest uint16  // the versions that are allowed here; 0: no limit but crypto/tls's

	certRequested, certSent bool              // for a client certificate, and one
	own                     *x509.Certificate // that was shown or held back; nil: none, or it is not known
	acceptable              [][]byte          // the authorities that the broker named, if they did not issue own

	spoken  atomic.Bool // the broker's first application bytes are read
	first   sync.Mutex  // held to read them, and guards the fields below
	verdict error       // it came in place of them: an *Error
	early   []byte      // of them, what a Write found
}

func newConn(under net.Conn, config *tls.Config, v *verifier) *Conn {
	c := &Conn{wire: &wire{Conn: under}, verifier: v, lowest: config.MinVersion, highest: config.MaxVersion}
	c.renegotiates = config.Renegotiation != tls.RenegotiateNever
	config.GetClientCertificate = c.answer(config)
	config.DynamicRecordSizingDisabled = true // a request is of use as a whole, and see sealer
	c.Conn = tls.Client(c.wire, config)
	return c
}

// answer records that the broker requests a client certificate, and selects one: as
// crypto/tls does, unless the configuration has its own function.
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
		c.certRequested = true
		certificate, err := find(request)
		c.certSent = certificate != nil && len(certificate.Certificate) > 0
		candidate := certificate
		if !c.certSent && len(have) > 0 {
			candidate = &have[0]
		}
		c.compare(candidate, request)
		return certificate, err
	}
}

// ClientCertRequested reports whether the broker asked for a client certificate. It is
// valid after the handshake, and false for a resumed session.
func (c *Conn) ClientCertRequested() bool { return c.certRequested }

// Warnings returns what the owner of the configuration should know and no handshake fails
// of: changed files that cannot be used, certificates that were skipped, verification that
// is left out, and the same of the connection under it. Each is returned
// once, by one of the connections with the same Options. It may be called at any time.
func (c *Conn) Warnings() (all []string) {
	if c.files != nil {
		all = c.files.takeWarnings()
	}
	if under, ok := c.wire.Conn.(ports.Warner); ok { // TLS to a proxy
		all = append(all, under.Warnings()...)
	}
	return all
}

// NetConn returns the connection under TLS.
func (c *Conn) NetConn() net.Conn { return c.wire.Conn }

// Handshake is HandshakeContext without a deadline.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext runs the handshake, once. It fails with an *Error.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if err := c.Conn.HandshakeContext(ctx); err != nil {
		return c.explain(err)
	}
	return nil
}

// Read reads from the broker. An error before the first byte is the broker's answer to
// the handshake.
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

// Write writes to the broker.
func (c *Conn) Write(p []byte) (n int, err error) {
	if s := c.wire.sealer; s != nil {
		n, err = s.write(c.Conn, p)
	} else {
		n, err = c.Conn.Write(p)
	}
	if err != nil && !c.spoken.Load() && left(err) {
		if verdict := c.awaitVerdict(); verdict != nil {
			return n, verdict
		}
		err = c.suspect(err)
	}
	return n, err
}

// suspect adds a possible cause to a connection that ended without an alert. It is no
// Reason: a broker that requests a certificate need not require it, and some brokers close
// the connection on an unknown request.
func (c *Conn) suspect(err error) error {
	if hint := c.hintAsked(); hint != "" {
		return fmt.Errorf("%w; %s", err, hint)
	}
	return err
}

// awaitVerdict returns the alert that the broker sent before it closed the connection, or
// nil. A concurrent Read ends, because the connection is closed.
func (c *Conn) awaitVerdict() error {
	c.first.Lock()
	defer c.first.Unlock()
	if c.verdict == nil && len(c.early) == 0 && !c.spoken.Load() {
		one := make([]byte, 1)
		n, _ := c.hear(one) // anything but an alert is returned again by Read
		c.early = one[:n]
	}
	return c.verdict
}

// hear is Read before the broker's first byte. first is held.
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

// left reports whether the error of a Write means that the peer closed the connection.
func left(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrClosedPipe)
}

// wire is the connection under TLS. It keeps and counts the bytes received during the
// handshake.
type wire struct {
	net.Conn
	sealer   *sealer      // it has what is written; nil: it is written at once
	received []byte       // not more than maxReceived
	count    atomic.Int64 // Waiting reads it, too
	rest     bool         // the handshake is over: stop recording
}

// maxReceived is enough for a broker's part of a handshake, twice, with a chain of
// several certificates and the names of a hundred authorities.
const maxReceived = 64 << 10

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 && !w.rest {
		w.count.Add(int64(n))
		w.received = append(w.received, p[:min(n, maxReceived-len(w.received))]...)
	}
	return n, err
}

// first returns the first bytes received, which identify another protocol.
func (w *wire) first() []byte {
	const enough = 64
	return w.received[:min(len(w.received), enough)]
}

// over ends the recording.
func (w *wire) over() { w.rest, w.received = true, nil }
