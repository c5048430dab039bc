package model

import (
	"encoding/binary"
	"slices"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/ports"
)

// Broker is one broker. Its fields may be changed between events: a connection asks them for each
// request.
type Broker struct {
	// World is the world that it lives in; never nil.
	World *simulation.World
	// APIs are the APIs that it has; see [Table]. Without the one of ApiVersions it is a broker
	// before 0.10.
	APIs []API
	// Unsupported is how it answers an ApiVersions request in a version that it does not have.
	Unsupported Unsupported
	// ClusterID and NodeID are what an ApiVersions request from version 5 on may name (KIP-1242). A broker
	// that has a ClusterID compares them where the client need not log in, and behind the login
	// otherwise; a controller, which has no Metadata, never does.
	ClusterID string
	NodeID    int32
	// AnswersAll means that a Produce with acks 0 is answered too, as by some that are not Apache
	// Kafka.
	AnswersAll bool
	// LeavesUnknown means that a request of an API that it lacks has no answer, as with brokers of
	// 0.9. If false, it ends the connection.
	LeavesUnknown bool
	// Unnamed means that ApiVersions is answered also if it does not name the client's software.
	Unnamed bool
	// Supported and Finalized are its features (KIP-584), for ApiVersions from version 3 on.
	Supported, Finalized []Feature
	// Tags, if not nil, are sent instead of what these make: the tagged fields of the answers to ApiVersions
	// from version 3 on, their count first.
	Tags []byte
	// Login, if not nil, is how clients log in. Without it the listener wants no login.
	Login *Login
	// Dialect is whose logins it has.
	Dialect Dialect
	// MaxRequest is the largest size of a request; 0: 100 MiB. A larger one, and a negative one, ends the
	// connection, as one of more than 512 KiB does before a login and within one.
	MaxRequest int32
	// Think, if not nil, is how long a request takes.
	Think func(*Request) time.Duration
	// Change, if not nil, is called with each reply, also with that to a request that expects
	// none, before it is put into the queue.
	Change func(*Reply)
	// Received, if not nil, is called with each request before it is answered.
	Received func(*Request)
	// Sent, if not nil, is called with each reply when its turn to be sent has come.
	Sent func(*Reply)

	conns   []*Conn
	free    []*Reply // that were sent
	buffers [][]byte // of connections that have ended
}

// Successor returns a zero Broker that takes over the memory of b, which is not used afterwards.
func (b *Broker) Successor() *Broker {
	for _, c := range b.conns {
		c.end()
	}
	return &Broker{free: b.free, buffers: b.buffers}
}

// buffer returns an empty buffer.
func (b *Broker) buffer() (free []byte) {
	last := len(b.buffers) - 1
	if last < 0 {
		return make([]byte, 0, firstBytes)
	}
	free, b.buffers = b.buffers[last], b.buffers[:last]
	return free[:0]
}

// API is one API of a broker.
type API struct {
	Key, Min, Max int16
	// Unlisted means that the API is not in the table of ApiVersions.
	Unlisted bool
	// Silent means that a request has no answer.
	Silent bool
	// FlexibleFrom is the first version whose headers have tagged fields (KIP-482); -1 if none
	// has.
	FlexibleFrom int16
	// Handle sets the body of a reply. If nil, bodies are empty.
	Handle func(*Reply)
}

// Request is one request.
type Request struct {
	Conn         *Conn
	Key, Version int16
	ID           int32 // the correlation id
	ClientID     string
	Body         []byte // valid until the call that it is passed to returns
	Flexible     bool
	At           time.Time // when it had arrived
}

const (
	defaultMaxRequest = 100 << 20
	maxLoginRequest   = 512 << 10
)

// limit returns the largest size of a request now.
func (c *Conn) limit() int32 {
	limit := c.b.MaxRequest
	if limit == 0 {
		limit = defaultMaxRequest
	}
	if l := c.b.Login; l != nil && !l.Open && c.b.Dialect == Kafka && !c.Authenticated() {
		limit = min(limit, maxLoginRequest)
	}
	return limit
}

// Accept is the Accept of a [simulation.Site].
func (b *Broker) Accept(p *simulation.Peer) {
	c := &Conn{b: b, peer: p, in: b.buffer(), unsent: b.buffer()}
	b.conns = append(b.open(), c)
	c.beginBare()
	p.Handle(func(*simulation.Peer) { c.work() })
	c.work() // what came with the last packet of the handshake
}

// firstBytes is the room that a connection begins with, in each direction: enough for small frames.
const firstBytes = 1024

// mostBytes is how many are read at once. What a broker has not read as it closes a connection makes
// a reset of the close, so that must not depend on the room that there happens to be.
const mostBytes = 512

// keptBytes is the largest buffer that is kept for another connection.
const keptBytes = 64 << 10

// Conns returns the connections that are open.
func (b *Broker) Conns() []*Conn { return slices.Clone(b.open()) }

// open drops the connections that have ended from conns.
func (b *Broker) open() []*Conn {
	b.conns = slices.DeleteFunc(b.conns, func(c *Conn) bool { return c.closed })
	return b.conns
}

// Stop ends all connections as a broker does whose process ends: with a reset if it is killed.
func (b *Broker) Stop(killed bool) {
	for _, c := range b.Conns() {
		if killed {
			c.Reset()
		} else {
			c.Close()
		}
	}
}

func (b *Broker) api(key int16) *API {
	for i := range b.APIs {
		if b.APIs[i].Key == key {
			return &b.APIs[i]
		}
	}
	return nil
}

// Conn is a connection, as the broker sees it.
type Conn struct {
	b        *Broker
	peer     *simulation.Peer
	clientID string    // of the last request
	in       []byte    // received and not parsed yet
	queue    []*Reply  // in the order of the requests
	muted    time.Time // until when nothing is read
	unsent   []byte    // of the reply that is being sent
	last     bool      // unsent is followed by the end of the connection
	closed   bool
	login    loginState
}

// Peer returns the end of the link.
func (c *Conn) Peer() *simulation.Peer { return c.peer }

// Authenticated reports whether the client is logged in, and no other login is under way.
func (c *Conn) Authenticated() bool { return c.login.principal != "" && c.login.exchange == nil }

// SessionEnds returns when the session of the last login ends; zero: it does not.
func (c *Conn) SessionEnds() time.Time { return c.login.until }

// Close ends the connection. Replies in the queue are lost, as in a broker.
func (c *Conn) Close() {
	c.end()
	_ = c.peer.Close()
}

// Reset ends the connection with a reset.
func (c *Conn) Reset() {
	c.end()
	c.peer.Reset()
}

func (c *Conn) end() {
	if !c.closed { // the caller may still read what is in them: they are used for the next connection
		for _, b := range [...][]byte{c.in, c.unsent} {
			if cap(b) >= firstBytes && cap(b) <= keptBytes {
				c.b.buffers = append(c.b.buffers, b)
			}
		}
	}
	c.b.free = append(c.b.free, c.queue...)
	c.closed, c.queue, c.unsent, c.in = true, nil, nil, nil
}

// isMuted reports whether the broker reads nothing from the connection now.
func (c *Conn) isMuted() bool { return !c.muted.IsZero() && c.b.World.Now().Before(c.muted) }

// work does what there is to do: it is called for every event of the link.
func (c *Conn) work() {
	for !c.closed && !c.isMuted() {
		c.in = slices.Grow(c.in, mostBytes)
		n, err := c.peer.Recv(c.in[len(c.in) : len(c.in)+mostBytes])
		if n > 0 {
			c.in = c.in[:len(c.in)+n]
			c.parse()
		}
		if ports.WouldBlock(err) {
			break
		}
		if err != nil {
			c.Close() // a broker that reads the end of a connection drops what it would have answered
			return
		}
	}
	c.flush()
}

// parse serves the requests that are complete.
func (c *Conn) parse() {
	for !c.closed && len(c.in) >= 4 {
		size := int32(binary.BigEndian.Uint32(c.in))
		if size < 0 || size > c.limit() {
			c.Close()
			return
		}
		if len(c.in)-4 < int(size) {
			return
		}
		frame := c.in[4 : 4+size]
		c.serve(frame)
		if !c.closed {
			c.in = c.in[:copy(c.in, c.in[4+size:])]
		}
	}
}

// flush sends the replies that are due, in order.
func (c *Conn) flush() {
	for !c.closed {
		if len(c.unsent) > 0 {
			n, err := c.peer.Send(c.unsent)
			c.unsent = c.unsent[:copy(c.unsent, c.unsent[n:])]
			if err != nil && !ports.WouldBlock(err) {
				c.Close()
			}
			if err != nil {
				return // until there is room
			}
		}
		if c.last {
			c.Close()
			return
		}
		if !c.next() {
			return
		}
	}
}
