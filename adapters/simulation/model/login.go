package model

import (
	"encoding/binary"
	"slices"
	"time"

	"brokerconn/ports"
)

// Login is how clients log in.
type Login struct {
	// Mechanisms are those that the broker offers.
	Mechanisms []Mechanism
	// Lifetime is that of a session (KIP-368); 0: sessions do not end, and cannot be renewed: error 34.
	Lifetime time.Duration
	// Bare means that the tokens of the first mechanism come at once, in frames of their own and with
	// no SaslHandshake before them, as GSSAPI's do at brokers of 0.9.
	Bare bool
	// Token, if not nil, is called with each token of a client, before it is answered, and with the
	// name of its mechanism.
	Token func(c *Conn, mechanism string, token []byte)
	// Open means that clients need not log in, and that none can. It serves for [Kfake] and [Tansu], which
	// answer a SaslHandshake all the same.
	Open bool
	// TooSoon means that each renewal of a session is refused as one that comes too soon: by error 34, and the
	// session goes on.
	TooSoon bool
	// Unheeded means that a login succeeds and has no effect: the first request behind it ends the
	// connection, as for a principal that no rule maps to a name.
	Unheeded bool
}

// Mechanism is one mechanism. Begin returns the broker's side of a new login.
type Mechanism struct {
	Name  string
	Begin func() Exchange
}

// Exchange takes a token of the client. It returns the next challenge, which may be empty, and
// with the last one who the client is. An error is the broker's text of a refusal. Brokers that
// exchange raw tokens send no answer for a challenge that is nil, as behind the last token of GSSAPI.
type Exchange func(token []byte) (challenge []byte, principal string, err error)

const (
	errUnsupportedMechanism = 33
	errIllegalState         = 34
	errAuthenticationFailed = 58
)

// minRelogin is how long a broker refuses another renewal of a session.
const minRelogin = time.Second

// loginState is what a connection knows of its login.
type loginState struct {
	exchange         Exchange // under way
	mechanism        string
	principal        string // "": not logged in
	versioned        bool   // ApiVersions was answered before the login
	rawTokens        bool   // tokens come in frames of their own, as before Kafka 1.0
	until            time.Time
	reauthenticating bool      // this exchange renews the session
	reauthenticated  time.Time // when the last renewal began
	foreign          bool      // the renewal names another mechanism
}

// admits reports whether the login permits a request. If it does not, the connection ends, as
// brokers do it: without a byte, or within a login behind an answer.
func (c *Conn) admits(r *Reply) bool {
	if c.b.Login == nil || c.b.Login.Open {
		return true
	}
	s, ok := &c.login, true
	switch {
	case c.b.Dialect != Kafka && (s.principal == "" || s.exchange != nil):
		ok = c.b.Dialect.admits(r.Key, s.exchange != nil)
	case s.exchange != nil:
		r.Refused = r.Key != ports.KeySASLAuthenticate
	case r.Key == ports.KeySASLHandshake:
	case r.Key == ports.KeyAPIVersions:
		ok = !s.versioned // a broker expects it once before a login
		if s.principal != "" {
			ok = !c.b.Login.Unheeded
		}
	case s.principal == "", c.b.Login.Unheeded:
		ok = false
	case !s.until.IsZero() && !r.At.Before(s.until):
		ok = false
	}
	if !ok {
		c.Close()
	}
	return ok
}

// ExpireSession ends the session of a login now, as if its lifetime were over: the next request ends
// the connection, unless the client logs in again before. Without a login it has no effect.
func (c *Conn) ExpireSession() {
	if c.login.principal != "" {
		c.login.until = c.b.World.Now()
	}
}

// beginBare begins a login without a SaslHandshake.
func (c *Conn) beginBare() {
	if l := c.b.Login; l != nil && l.Bare {
		c.login.exchange, c.login.mechanism = l.Mechanisms[0].Begin(), l.Mechanisms[0].Name
		c.login.rawTokens = true
	}
}

// handshake answers SaslHandshake.
func (c *Conn) handshake(r *Reply) {
	read, _, ok := nullable(r.Request.Body)
	name := string(read)
	switch s := &c.login; {
	case !ok:
		c.Close()
	case c.b.Login == nil, r.Refused:
		r.Body = handshakeBody(errIllegalState)
	case c.refuses(r, name):
	case s.principal != "" && (c.b.Login.TooSoon || s.until.IsZero() ||
		!s.reauthenticated.IsZero() && r.At.Before(s.reauthenticated.Add(minRelogin))):
		r.Body = handshakeBody(errIllegalState)
	default:
		i := c.b.Login.index(name)
		if i < 0 {
			if s.principal != "" {
				c.Close()
				return
			}
			r.Body, r.Close = c.handshakeBody(errUnsupportedMechanism), true
			return
		}
		s.reauthenticating, s.foreign = s.principal != "", s.principal != "" && s.mechanism != name
		if s.reauthenticating {
			s.reauthenticated = r.At
		}
		s.exchange, s.mechanism = c.b.Login.Mechanisms[i].Begin(), name
		s.rawTokens = r.Version == 0
		r.Body = c.taken(name)
	}
}

// index returns the place of a mechanism, -1 if it is not offered.
func (l *Login) index(name string) int {
	return slices.IndexFunc(l.Mechanisms, func(m Mechanism) bool { return m.Name == name })
}

func (c *Conn) handshakeBody(code int16) []byte {
	var names []string
	if c.b.Login != nil {
		for _, m := range c.b.Login.Mechanisms {
			names = append(names, m.Name)
		}
	}
	return handshakeBody(code, names...)
}

func handshakeBody(code int16, names ...string) []byte {
	body := binary.BigEndian.AppendUint32(appendInt16s(nil, code), uint32(len(names)))
	for _, name := range names {
		body = append(appendInt16s(body, int16(len(name))), name...)
	}
	return body
}

// authenticate answers SaslAuthenticate.
func (c *Conn) authenticate(r *Reply) {
	token, ok := tokenOf(r.Request.Body, r.Flexible)
	switch {
	case !ok || c.login.foreign:
		c.Close()
		return
	case c.login.exchange == nil:
		r.Body = c.authenticateBody(r, errIllegalState, c.b.Dialect.illegal(), nil)
		return
	}
	challenge, err := c.step(token)
	if err != nil {
		c.deny(r, err)
		return
	}
	r.Body = c.authenticateBody(r, 0, c.b.Dialect.success(), challenge)
}

// step gives a token to the exchange.
func (c *Conn) step(token []byte) (challenge []byte, err error) {
	s := &c.login
	if c.b.Login.Token != nil {
		c.b.Login.Token(c, s.mechanism, token)
	}
	challenge, principal, err := s.exchange(token)
	if err == nil && c.b.Login.Open {
		err = errOpen
	}
	if err == nil && s.reauthenticating && principal != "" && principal != s.principal {
		err = errOtherPrincipal
	}
	switch {
	case err != nil:
		s.exchange, s.rawTokens = nil, false
	case principal != "":
		now := c.b.World.Now()
		s.exchange, s.principal, s.rawTokens = nil, principal, false
		if s.until = (time.Time{}); c.b.Login.Lifetime > 0 {
			s.until = now.Add(c.b.Login.Lifetime)
		}
	}
	return challenge, err
}

// authenticateBody has the lifetime of the session from version 1 on, in the last answer of a
// login.
func (c *Conn) authenticateBody(r *Reply, code int16, text string, challenge []byte) []byte {
	body := appendInt16s(nil, code)
	if r.Flexible {
		if text == "" && c.b.Dialect == Kfake {
			body = append(body, 0) // null
		} else {
			body = append(binary.AppendUvarint(body, uint64(len(text)+1)), text...)
		}
		body = append(binary.AppendUvarint(body, uint64(len(challenge)+1)), challenge...)
	} else {
		if text == "" && c.b.Dialect == Kfake {
			body = appendInt16s(body, -1)
		} else {
			body = append(appendInt16s(body, int16(len(text))), text...)
		}
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(challenge))), challenge...)
	}
	if r.Version > 0 {
		left := int64(0)
		if code == 0 && (c.login.exchange == nil || c.b.Dialect == Tansu) && c.b.Login.Lifetime > 0 {
			left = c.b.Login.Lifetime.Milliseconds()
		}
		body = binary.BigEndian.AppendUint64(body, uint64(left))
	}
	if r.Flexible {
		body = append(body, 0)
	}
	return body
}

// rawToken answers a token that comes as a frame of its own. A refusal ends the connection.
func (c *Conn) rawToken(token []byte) {
	challenge, err := c.step(token)
	if err != nil {
		c.Close()
		return
	}
	r := c.b.newReply()
	r.Conn, r.Key, r.At = c, ports.KeySASLAuthenticate, c.b.World.Now()
	r.None = challenge == nil
	r.Frame = append(binary.BigEndian.AppendUint32(nil, uint32(len(challenge))), challenge...)
	c.answer(r)
}

// tokenOf reads the one field of SaslAuthenticate.
func tokenOf(body []byte, flexible bool) (token []byte, ok bool) {
	if flexible {
		n, size := binary.Uvarint(body)
		if size <= 0 || n == 0 || n-1 > uint64(len(body)-size) {
			return nil, false
		}
		return body[size : size+int(n-1)], true
	}
	if len(body) < 4 || int64(binary.BigEndian.Uint32(body)) > int64(len(body)-4) {
		return nil, false
	}
	return body[4 : 4+binary.BigEndian.Uint32(body)], true
}
