package tls

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// oldBroker is a server that has no words for what it has against a client's
// certificate: its last message comes again, and the zeros behind it.
func oldBroker(config *tls.Config) func(net.Conn) {
	return func(under net.Conn) {
		repeatingConn := &repeatingConn{Conn: under}
		conn := tls.Server(repeatingConn, config)
		if err := conn.Handshake(); err == nil {
			repeatingConn.agreed = true
			_, _ = io.WriteString(conn, greeting)
			return
		}
		_, _ = under.Write(append(repeatingConn.flight, make([]byte, 500)...))
	}
}

// repeatingConn keeps the last message written, and swallows alerts.
type repeatingConn struct {
	net.Conn
	flight []byte
	agreed bool
}

func (s *repeatingConn) Write(p []byte) (int, error) {
	const alert, ciphertext, short = 21, 23, 40
	if !s.agreed && (p[0] == alert || p[0] == ciphertext && len(p) < short) {
		return len(p), nil
	}
	s.flight = append([]byte(nil), p...)
	return s.Conn.Write(p)
}

func TestBrokerThatRepeatsItself(t *testing.T) {
	ca := newCA("the authority")
	stranger := newCA("a stranger").issue()
	for _, version := range versions {
		server := ca.verifying(version)
		server.SessionTicketsDisabled = true
		address := listen(t, oldBroker(server))
		options := ca.options()
		_, err := reach(t, mustDial(t, plainDial, options), address)
		wantReason(t, err, CertificateRequired, "before 3.2", "ssl.client.auth")
		_, err = reach(t, mustDial(t, plainDial, options.showing(stranger)), address)
		wantReason(t, err, CertificateRefused, "before 3.2", "truststore")

		if _, err = reach(t, mustDial(t, plainDial, options.showing(ca.issue())), address); err != nil {
			t.Error(err)
		}

		// One that has not asked for a certificate has no such excuse.
		server = server.Clone()
		server.ClientAuth = tls.NoClientCert
		server.VerifyConnection = func(tls.ConnectionState) error { return errors.New("for another reason") }
		_, err = reach(t, mustDial(t, plainDial, ca.options()), listen(t, oldBroker(server)))
		if e := new(Error); err == nil || errors.As(err, &e) && e.Reason != Other {
			t.Errorf("%v", err)
		}
	}
}

func TestRepeatsRecord(t *testing.T) {
	record := func(kind byte, size int, fill byte) string {
		return string([]byte{kind, 3, 3, byte(size >> 8), byte(size)}) + strings.Repeat(string(rune(fill)), size)
	}
	hello, certificate, cipher := record(22, 122, 'h'), record(22, 1000, 'c'), record(20, 1, 1)
	for received, want := range map[string]bool{
		"":                                   false,
		hello:                                false,
		hello + certificate:                  false,
		hello + hello:                        true,
		hello + certificate + cipher + hello: true,
		cipher + cipher:                      false,
		hello + certificate + certificate + "\x00\x00":   true,
		hello + certificate + certificate[:500]:          false,
		hello + record(22, 122, 'i'):                     false,
		certificate + record(0, 0, 0) + record(0, 0, 0):  false,
		certificate + "\x00\x00\x00\x00\x00\x00\x00\x00": false,
	} {
		if got := repeatsRecord([]byte(received)); got != want {
			t.Errorf("%d bytes: %v", len(received), got)
		}
	}
}
