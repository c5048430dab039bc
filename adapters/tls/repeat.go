package tls

// Kafka before 3.2 cannot say what it has against a client's certificate. Where Java
// has an alert ready to send, it writes the buffer of its last message out once more,
// with the zeros behind it, and hangs up (KAFKA-13539). With TLS 1.2 that is a second
// hello, with TLS 1.3 a record that cannot be decrypted, which crypto/tls takes for a
// broken peer. Nobody else sends a record twice: no two are encrypted alike, and each
// hello has a random number in it.

// mute says what such a broker would have said. That it asked for a certificate is
// all that can have led to it.
func (c *Conn) mute(err error) *Error {
	e := &Error{Reason: CertificateRequired, Name: c.verifier.name, Certificates: c.ConnectionState().PeerCertificates, Err: err}
	if c.shown {
		e.Reason = CertificateRefused
	}
	e.Detail = "it repeated its last message and hung up, as Kafka before 3.2 does"
	return e
}

// repeats reports whether the broker asked for a certificate, and then sent again what
// it had sent before.
func (c *Conn) repeats() bool { return c.asked && repeatsRecord(c.wire.heard) }

// repeatsRecord looks for a record that came twice. A record has its type in a byte,
// its version in two, its length in two. Short ones are passed over: that the cipher
// is changed is always said alike.
func repeatsRecord(heard []byte) bool {
	const header, short = 5, 32
	seen := make(map[string]bool)
	for len(heard) >= header {
		size := header + int(heard[3])<<8 + int(heard[4])
		if size > len(heard) {
			return false
		}
		record := string(heard[:size])
		if size > short && seen[record] {
			return true
		}
		seen[record] = true
		heard = heard[size:]
	}
	return false
}
