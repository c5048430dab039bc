package model

import (
	"encoding/binary"

	"brokerconn/ports"
)

const (
	keyProduce            = 0
	keyControlledShutdown = 7
)

var noTags = []byte{0}

// serve answers one request frame, without its size field.
func (c *Conn) serve(frame []byte) {
	if c.login.rawTokens {
		c.rawToken(frame)
		return
	}
	if c.b.LeavesUnknown && len(frame) >= 8 && c.b.api(int16(binary.BigEndian.Uint16(frame))) == nil {
		return
	}
	r := c.b.newReply()
	if c.handle(r, frame); c.closed {
		c.b.free = append(c.b.free, r)
		return
	}
	r.Close = r.Close || r.Refused
	c.answer(r)
}

// handle makes the reply to a request, or closes the connection.
func (c *Conn) handle(r *Reply, frame []byte) {
	api, ok := c.read(r, frame)
	if !ok {
		c.Close()
		return
	}
	if c.b.Received != nil {
		c.b.Received(&r.Request)
	}
	if c.closed || !c.admits(r) {
		return
	}
	r.None = r.None || api.Silent
	switch {
	case r.Key == ports.KeyAPIVersions:
		c.apiVersions(r)
	case api.Silent:
	case r.Key == ports.KeySASLHandshake:
		c.handshake(r)
	case r.Key == ports.KeySASLAuthenticate:
		c.authenticate(r)
	case api.Handle != nil:
		api.Handle(r)
	}
}

// read reads the header of a request, and begins its reply.
func (c *Conn) read(r *Reply, frame []byte) (api *API, ok bool) {
	if len(frame) < 8 {
		return nil, false
	}
	r.Conn, r.At = c, c.b.World.Now()
	r.Key, r.Version = int16(binary.BigEndian.Uint16(frame)), int16(binary.BigEndian.Uint16(frame[2:]))
	r.ID = int32(binary.BigEndian.Uint32(frame[4:]))
	r.Request.ID = r.ID
	api = c.b.api(r.Key)
	if api == nil {
		return nil, false
	}
	if r.Key != ports.KeyAPIVersions && (r.Version < api.Min || r.Version > api.Max) {
		return nil, false
	}
	rest := frame[8:]
	if r.Key != keyControlledShutdown || r.Version > 0 {
		if r.ClientID, rest, ok = c.client(rest); !ok {
			return nil, false
		}
	}
	if r.Flexible = api.FlexibleFrom >= 0 && r.Version >= api.FlexibleFrom; r.Flexible {
		if rest, ok = skipTags(rest); !ok {
			return nil, false
		}
		if r.Key != ports.KeyAPIVersions { // KIP-511
			r.Tags = noTags
		}
	}
	r.Request.Body = rest
	r.None = r.Key == keyProduce && !c.b.AnswersAll && withoutAcks(r.Version, r.Flexible, rest)
	return api, true
}

// withoutAcks reports whether the body of a Produce asks for no answer.
func withoutAcks(version int16, flexible bool, body []byte) bool {
	ok := true
	switch {
	case version < 3:
	case flexible:
		n, size := binary.Uvarint(body)
		if ok = size > 0 && n <= uint64(len(body)); ok {
			body = body[min(len(body), size+max(int(n)-1, 0)):]
		}
	default:
		_, body, ok = nullable(body)
	}
	return ok && len(body) >= 2 && binary.BigEndian.Uint16(body) == 0
}

// client reads the client id, which is the same in all requests of most clients.
func (c *Conn) client(b []byte) (id string, rest []byte, ok bool) {
	is, rest, ok := nullable(b)
	if string(is) != c.clientID {
		c.clientID = string(is)
	}
	return c.clientID, rest, ok
}

// nullable reads a string with a length of two bytes; null is "".
func nullable(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := max(int(int16(binary.BigEndian.Uint16(b))), 0)
	if n > len(b)-2 {
		return nil, nil, false
	}
	return b[2 : 2+n], b[2+n:], true
}

// skipTags returns what follows the tagged fields.
func skipTags(b []byte) (rest []byte, ok bool) {
	uvarint := func() int {
		n, size := binary.Uvarint(b)
		if ok = size > 0 && n < 1<<31; ok {
			b = b[size:]
		}
		return int(n)
	}
	count := uvarint()
	for ; ok && count > 0; count-- {
		uvarint() // the tag
		if !ok {
			break
		}
		n := uvarint()
		if ok = ok && n <= len(b); ok {
			b = b[n:]
		}
	}
	return b, ok
}
