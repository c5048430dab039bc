package sim

import (
	"errors"
	"io"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/tls"
	"brokerconn/ports"
)

// TLS as stages of a link: a handshake takes its time and may fail, with the errors that
// adapters/tls has. Behind it bytes are as they are before encryption.

// handshakeErrors are how handshakes end that fail: N of "tls-fails" and "tls-alert" counts them.
var handshakeErrors = []error{
	&tls.Error{Reason: tls.Other, Name: host, Detail: `the peer's alert: "internal error"`},
	&tls.Error{Reason: tls.Expired, Name: host},
	&tls.Error{Reason: tls.WrongHost, Name: host},
	&tls.Error{Reason: tls.UnknownAuthority, Name: host},
	&tls.Error{Reason: tls.Revoked, Name: host},
	&tls.Error{Reason: tls.CRLExpired, Name: host},
	&tls.Error{Reason: tls.VersionTooLow, Name: host},
	&tls.Error{Reason: tls.NoCommonCipher, Name: host},
	&tls.Error{Reason: tls.CertificateRequired, Name: host},
	&tls.Error{Reason: tls.CertificateRefused, Name: host},
	&tls.Error{Reason: tls.NotTLS, Name: host},
	&tls.Error{Reason: tls.CutOff, Name: host, Err: io.EOF},
	&tls.Error{Reason: tls.CutOff, Name: host, Err: simulation.ErrReset},
	&tls.Error{Reason: tls.Stalled, Name: host},
}

func handshakeError(n int64) error { return handshakeErrors[n%int64(len(handshakeErrors))] }

// tlsVerbs are faults of links with TLS.
var tlsVerbs = []verb{
	{"tls-fails", func(r *run, s Step) {
		r.site(s.For, simulation.Site{Handshake: r.plan.Setup.Handshake, HandshakeErr: handshakeError(s.N)})
	}},
	{"tls-slow", func(r *run, s Step) {
		r.site(time.Second, simulation.Site{Handshake: s.For, Accept: r.broker.Accept})
	}},
	// With TLS 1.3 the broker may end a handshake that the client has finished.
	{"tls-alert", func(r *run, s Step) {
		if r.plan.Setup.TLS {
			r.each(func(p *simulation.Peer) { p.Alert(handshakeError(s.N)) })
		}
	}},
	{"unverified", func(r *run, s Step) { // the certificate is not verified for a time
		r.name(s.For, simulation.Name{Secure: r.plan.Setup.TLS})
	}},
}

// plainVerbs are faults of links without TLS.
var plainVerbs = []verb{
	// The port expects TLS: it answers the first bytes with the alert N and closes, or with nothing
	// if N is 0.
	{"tls-port", func(r *run, s Step) {
		r.site(s.For, simulation.Site{Accept: func(p *simulation.Peer) {
			r.check.tlsPort = s.N > 0
			expectTLS(p, byte(s.N))
		}})
	}},
}

// expectTLS is a server of TLS with a client that speaks in clear.
func expectTLS(p *simulation.Peer, alert byte) {
	hear := func(p *simulation.Peer) {
		var b [512]byte
		switch n, err := p.Recv(b[:]); {
		case n == 0 && errors.Is(err, ports.ErrWouldBlock) || n > 0 && alert == 0:
		case n == 0:
			_ = p.Close()
		default:
			_, _ = p.Send([]byte{0x15, 3, 3, 0, 2, 2, alert})
			_ = p.Close()
		}
	}
	p.Handle(hear)
	hear(p)
}
