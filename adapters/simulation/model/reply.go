package model

import (
	"encoding/binary"
	"slices"
	"time"
)

// Reply is the answer to one request, on its way out. What is not changed is as a broker sends it.
// It is valid until the call that it is passed to returns: its memory is used again.
type Reply struct {
	Request
	// Body follows the header.
	Body []byte
	// ID is the correlation id that is sent.
	ID int32
	// Tags are the tagged fields of the header, their count first; nil if it has none.
	Tags []byte
	// Delay is the time from the request to the answer. Later replies wait behind it.
	Delay time.Duration

	// Mute is for how long the broker reads nothing from the connection behind the answer, as it does
	// for a throttle time (KIP-219).
	Mute time.Duration

	// Refused means that the request came within a login. The connection ends behind the answer,
	// which has error 34 if its message has an error code, and no contents.
	Refused bool
	// None means that nothing is sent. It is set for a Produce with acks 0.
	None bool
	// Size, if not nil, is sent as the size of the frame.
	Size *int32
	// Frame, if not nil, is sent instead of the frame: it need not be one.
	Frame []byte
	// Copies is how often it is sent beyond the first time.
	Copies int
	// Overtakes means that it is sent when it is due, whatever is queued before it.
	Overtakes bool
	// Cut, if positive, is how many bytes of the frame are sent before the connection ends.
	Cut int
	// Close means that the connection ends behind it, and Reset that it ends with a reset
	// instead of it.
	Close, Reset bool

	memory []byte // see Memory
}

// Memory returns an empty slice with room for n bytes, for the body. It belongs to the reply.
func (r *Reply) Memory(n int) []byte {
	r.memory = slices.Grow(r.memory[:0], n)
	return r.memory
}

// newReply returns a reply that is zero but for its memory.
func (b *Broker) newReply() *Reply {
	last := len(b.free) - 1
	if last < 0 {
		return new(Reply)
	}
	r := b.free[last]
	b.free = b.free[:last]
	memory := r.memory
	*r = Reply{}
	r.memory = memory
	return r
}

// At returns when the reply is due.
func (r *Reply) due() time.Time { return r.At.Add(r.Delay) }

// answer puts a reply into the queue.
func (c *Conn) answer(r *Reply) {
	if c.b.Think != nil {
		r.Delay += c.b.Think(&r.Request)
	}
	if c.b.Change != nil {
		c.b.Change(r)
	}
	r.Request.Body = nil // its memory is used again
	if c.closed {
		c.b.free = append(c.b.free, r)
		return
	}
	c.queue = append(c.queue, r)
	if r.Delay > 0 {
		c.b.World.At(r.due(), c.flush)
	}
}

// next takes the next reply that is due from the queue. It returns false if no reply is due.
func (c *Conn) next() bool {
	for i, r := range c.queue {
		if (i > 0 && !r.Overtakes) || r.Delay > 0 && r.due().After(c.b.World.Now()) {
			continue
		}
		c.queue = append(c.queue[:i], c.queue[i+1:]...)
		if c.b.Sent != nil {
			c.b.Sent(r)
		}
		c.b.free = append(c.b.free, r)
		if r.Reset {
			c.Reset()
			return false
		}
		c.unsent = r.append(c.unsent)
		if r.Mute > 0 {
			c.muted = c.b.World.Now().Add(r.Mute)
			c.b.World.At(c.muted, c.work)
		}
		c.last = r.Close || r.Cut > 0
		return true
	}
	return false
}

// append appends what is sent for the reply.
func (r *Reply) append(dst []byte) []byte {
	if r.None {
		return dst
	}
	begin := len(dst)
	for range 1 + r.Copies {
		dst = r.appendFrame(dst)
	}
	if r.Cut > 0 {
		dst = dst[:min(len(dst), begin+r.Cut)]
	}
	return dst
}

func (r *Reply) appendFrame(dst []byte) []byte {
	if r.Frame != nil {
		return append(dst, r.Frame...)
	}
	size := int32(4 + len(r.Tags) + len(r.Body))
	if r.Size != nil {
		size = *r.Size
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	dst = binary.BigEndian.AppendUint32(dst, uint32(r.ID))
	dst = append(dst, r.Tags...)
	return append(dst, r.Body...)
}
