package kafkacodec

import (
	"encoding/binary"
	"errors"
	"math"
)

// A layout describes the encoding of a response in one version, as far as is needed to
// find its end in one pass that allocates nothing. Decoding afterwards never runs past
// the body. kmsg alone would
//
//   - ignore bytes after the end, so that a reader out of step is not detected;
//   - allocate a struct of up to 350 bytes for each byte received, since its
//     only check of an array's count is that as many bytes follow;
//   - loop four thousand million times for an invalid count of tags, since the loop
//     continues after the last byte.
//
// The encodings are those of https://kafka.apache.org/protocol#protocol_types.
// Non-flexible versions have lengths of 2 bytes before strings and of 4 bytes
// before bytes and arrays, -1 for null. Flexible ones (KIP-482) have a varint of
// the length + 1, 0 for null, and end every struct with tagged fields.
type layout struct {
	known    bool // false: could not be learned, accepts every body
	flexible bool
	steps    []step
	throttle throttle
}

type step struct {
	op   op
	size int    // opFixed: how many bytes
	sub  []step // opArray: one element; opNullable: the struct
	tags []tag  // opTags: the tags that kmsg reads; all others are opaque
}

type tag struct {
	key   uint32
	steps []step
}

type op uint8

const (
	opFixed    op = iota // size bytes
	opString             // text
	opBytes              // bytes
	opArray              // a count, then the elements
	opNullable           // one byte, -1 for null, else the struct follows
	opTags               // the tagged fields at the end of a struct
)

var (
	errShort = errors.New("too short")
	errLong  = errors.New("bytes are left over at the end")
)

// measure reports whether body is exactly one response.
func (l *layout) measure(body []byte) error {
	if !l.known {
		return nil
	}
	r := reader{rest: body, flexible: l.flexible}
	switch r.skip(l.steps); {
	case r.bad:
		return errShort
	case len(r.rest) > 0:
		return errLong
	}
	return nil
}

type reader struct {
	rest     []byte
	flexible bool
	bad      bool
}

func (r *reader) skip(steps []step) {
	for i := range steps {
		if r.bad {
			return
		}
		switch s := &steps[i]; s.op {
		case opFixed:
			r.take(s.size)
		case opString:
			r.take(r.length(2))
		case opBytes:
			r.take(r.length(4))
		case opArray:
			r.array(s)
		case opNullable:
			if present := r.take(1); !r.bad && int8(present[0]) != -1 {
				r.skip(s.sub)
			}
		case opTags:
			r.tags(s)
		}
	}
}

func (r *reader) array(s *step) {
	count := r.length(4)
	if count > len(r.rest) { // as kmsg does, which bounds the loop
		r.bad = true
		return
	}
	row := 0 // bytes before the tagged fields of an element that has nothing else, as in ApiVersions
	if len(s.sub) == 2 && s.sub[0].op == opFixed && s.sub[1].op == opTags {
		row = s.sub[0].size
	}
	for range count {
		if row > 0 && row < len(r.rest) && r.rest[row] == 0 {
			r.rest = r.rest[row+1:]
		} else if r.skip(s.sub); r.bad {
			return
		}
	}
}

func (r *reader) tags(s *step) {
	if len(r.rest) > 0 && r.rest[0] == 0 { // as in most structs
		r.rest = r.rest[1:]
		return
	}
	for range r.uvarint() {
		key := r.uvarint()
		value := r.take(r.uvarint())
		if r.bad {
			return
		}
		for i := range s.tags {
			if s.tags[i].key == uint32(key) {
				r.within(value, s.tags[i].steps)
			}
		}
	}
}

// within reports whether value is exactly steps.
func (r *reader) within(value []byte, steps []step) {
	after := r.rest
	r.rest = value
	r.skip(steps)
	r.bad = r.bad || len(r.rest) > 0
	r.rest = after
}

// length reads a length of n bytes, or a compact one. Null has no bytes.
func (r *reader) length(n int) int {
	if r.flexible {
		return max(r.uvarint()-1, 0)
	}
	switch p := r.take(n); {
	case r.bad:
		return 0
	case n == 2:
		return max(int(int16(binary.BigEndian.Uint16(p))), 0)
	default:
		return max(int(int32(binary.BigEndian.Uint32(p))), 0)
	}
}

// uvarint reads at most 32 bits. A length that an int of 32 bits cannot hold is longer
// than any body.
func (r *reader) uvarint() int {
	u, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 5 || u > math.MaxInt32 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return int(u)
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad = true
		return nil
	}
	p := r.rest[:n]
	r.rest = r.rest[n:]
	return p
}
