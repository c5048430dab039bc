package sim

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/tls"
	"brokerconn/ports"
)

// What happens to single links: TLS, which may fail, and ends and delays at a byte.

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
		r.site(time.Second, simulation.Site{Handshake: s.For, Accept: r.accept})
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
		case n == 0 && ports.WouldBlock(err) || n > 0 && alert == 0:
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

// Break is what happens at a byte of a link: in a text, "2:in:57:reset" is a reset of the second link of the run
// once the client has received 57 bytes, and "1-3:in:57:reset" one of each of the first three. The direction is
// "in", or "out" for what the broker receives. The last part is one of
//
//	fin      the broker closes the connection
//	reset    it is reset
//	300ms    what follows the bytes arrives later; 0s: at the same time, apart from them
type Break struct {
	// Link and Last are the places of the first and the last link that have it, among those that are established,
	// from 1 on; 0: there is no break.
	Link, Last int
	// In is the direction to the client.
	In bool
	// At is how many bytes of it are before the break.
	At int
	// What is "fin" or "reset", or empty: then what follows is Late.
	What string
	Late time.Duration
}

// What a Break may be.
const (
	breakFIN   = "fin"
	breakReset = "reset"
)

// String returns the text of a break.
func (b Break) String() string {
	direction, what := "out", b.What
	if b.In {
		direction = "in"
	}
	if what == "" {
		what = b.Late.String()
	}
	links := strconv.Itoa(b.Link)
	if b.Last > b.Link {
		links += "-" + strconv.Itoa(b.Last)
	}
	return fmt.Sprintf("%s:%s:%d:%s", links, direction, b.At, what)
}

func (b *Break) set(value string) (err error) {
	parts := strings.Split(value, ":")
	if len(parts) != 4 || parts[1] != "in" && parts[1] != "out" {
		return fmt.Errorf("want a link, in or out, a number of bytes, and fin, reset or a duration")
	}
	*b = Break{In: parts[1] == "in"}
	first, last, several := strings.Cut(parts[0], "-")
	if b.Link, err = strconv.Atoi(first); err != nil {
		return err
	}
	if b.Last = b.Link; several {
		if b.Last, err = strconv.Atoi(last); err != nil {
			return err
		}
	}
	if b.At, err = strconv.Atoi(parts[2]); err != nil {
		return err
	}
	if b.What = parts[3]; b.What != breakFIN && b.What != breakReset {
		b.What = ""
		if b.Late, err = time.ParseDuration(parts[3]); err != nil {
			return err
		}
	}
	switch {
	case b.Link < 1 || b.Last < b.Link:
		return fmt.Errorf("the first link is 1, and the last one is not before the first")
	case b.At < 0 || b.Late < 0:
		return errNegative
	case b.Late > longest:
		return fmt.Errorf("the longest time is %v", longest)
	}
	return nil
}

// accept passes a link on to the broker, with the break that it has.
func (r *run) accept(p *simulation.Peer) {
	r.links++
	if b := r.plan.Setup.Break; r.links >= b.Link && r.links <= b.Last && !r.healed {
		r.breaks = p
		p.Break(r.breakOf(b))
	}
	r.broker.Accept(p)
}

func (r *run) breakOf(b Break) *simulation.Break {
	to := &simulation.Break{In: b.In, At: b.At, Late: b.Late}
	if b.What != "" {
		to.Then = func(p *simulation.Peer) {
			r.Faults++
			r.story.broke(b)
			if b.What == breakReset {
				p.Reset()
			} else {
				_ = p.Close()
			}
		}
	}
	return to
}

// healBreak ends a break that was not reached.
func (r *run) healBreak() {
	if r.breaks != nil {
		r.breaks.Break(nil)
	}
}
