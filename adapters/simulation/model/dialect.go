package model

import "brokerconn/ports"

// Dialect is whose logins a broker has. All were measured on the real ones.
type Dialect uint8

const (
	// Kafka is Apache Kafka.
	Kafka Dialect = iota
	// Kfake is kfake of franz-go, September 2026. A mechanism that it has is accepted without a list; one
	// that it lacks is refused with its list, and the connection stays open. ApiVersions is answered at any
	// time, also within a login, and is compared with the names of the broker before one. Any other
	// request within a login, and a refused token, end the connection without a byte. With [Login.Open] a
	// login begins, and its first token ends the connection.
	Kfake
	// Tansu is Tansu 0.6.0. Each answer to a SaslHandshake has a list of one mechanism, which is that of the
	// request. One that it lacks ends the connection without a byte; with [Login.Open] all are refused by
	// error 33. A refused token leaves the connection open. An answer to a token has the text "NONE" if it
	// has no error, and the lifetime of the session also if it is not the last one.
	Tansu
)

// admits reports whether a request is answered before a login, or within one.
func (d Dialect) admits(key int16, within bool) bool {
	switch key {
	case ports.KeyAPIVersions:
		return true
	case ports.KeySASLHandshake:
		return d == Tansu || !within
	case ports.KeySASLAuthenticate:
		return d == Tansu || within
	}
	return false
}

// illegal is the text of error 34 for a token without a login.
func (d Dialect) illegal() string {
	switch d {
	case Kfake:
		return ""
	case Tansu:
		return "Request is not valid given the current SASL state."
	}
	return "SaslAuthenticate request received after successful authentication"
}

// success is the text of an answer to a token that has no error.
func (d Dialect) success() string {
	if d == Tansu {
		return "NONE"
	}
	return ""
}

// refuses answers a SaslHandshake that a server that is not Apache Kafka refuses in its own way.
func (c *Conn) refuses(r *Reply, name string) bool {
	l, s := c.b.Login, &c.login
	lacks := l.index(name) < 0
	switch c.b.Dialect {
	case Kfake:
		switch {
		case s.exchange != nil, s.principal != "" && s.until.IsZero():
			r.Body = handshakeBody(errIllegalState)
			return true
		case lacks:
			r.Body = c.handshakeBody(errUnsupportedMechanism)
			return true
		}
	case Tansu:
		switch {
		case l.Open:
			r.Body = handshakeBody(errUnsupportedMechanism, name)
			return true
		case lacks:
			c.Close()
			return true
		}
	}
	return false
}

// taken is the answer to a SaslHandshake for a mechanism that is offered.
func (c *Conn) taken(name string) []byte {
	switch c.b.Dialect {
	case Kfake:
		return handshakeBody(0)
	case Tansu:
		return handshakeBody(0, name)
	}
	return c.handshakeBody(0)
}

// deny answers a token that is refused.
func (c *Conn) deny(r *Reply, err error) {
	switch c.b.Dialect {
	case Kfake:
		c.Close()
	case Tansu:
		r.Body = c.authenticateBody(r, errAuthenticationFailed, "SASL Authentication failed.", nil)
	default:
		r.Body, r.Close = c.authenticateBody(r, errAuthenticationFailed, err.Error(), nil), true
	}
}
