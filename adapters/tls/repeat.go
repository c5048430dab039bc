package tls

// Kafka before 3.2 cannot report a rejected client certificate. Instead of the alert it
// writes the buffer of its last message again, with the zeros after it, and closes the
// connection (KAFKA-13539). With TLS 1.2 that is a second hello, with TLS 1.3 a record
// that cannot be decrypted, which crypto/tls reports as a broken peer. No other peer sends
// a record twice: no two are encrypted alike, and each hello has a random number.

// mute returns the Error that such a broker could not report. Only its request for a
// certificate leads there.
func (c *Conn) mute(err error) *Error {
	e := c.failure(CertificateRequired, err)
	if c.certSent {
		e.Reason = CertificateRefused
	}
	e.Detail = "it repeated its last message and closed the connection, as Kafka before 3.2 does"
	return e
}

// repeats reports whether the broker requested a certificate and then repeated a record.
func (c *Conn) repeats() bool { return c.certRequested && repeatsRecord(c.wire.received) }

// repeatsRecord reports whether a record was received twice. A record has its type in one
// byte, its version in two, its length in two. Short ones are skipped:
// change_cipher_spec is always the same.
func repeatsRecord(received []byte) bool {
	const header, short = 5, 32
	seen := make(map[string]bool)
	for len(received) >= header {
		size := header + int(received[3])<<8 + int(received[4])
		if size > len(received) {
			return false
		}
		record := string(received[:size])
		if size > short && seen[record] {
			return true
		}
		seen[record] = true
		received = received[size:]
	}
	return false
}
