package domain

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"strconv"
)

// frameReader cuts the stream of received bytes into frames: an int32 size and
// as many bytes. The size is validated before a byte is allocated for it, and
// memory runs ahead of what was received only so far:
//
//   - until the peer is trusted (logged in, or Connected without SASL) by
//     64 KiB, the inbox included, and a frame is at most 1 MiB: no answer to a
//     call of the setup comes near that, and a size field costs a hostile peer
//     nothing;
//   - from then on by 4 MiB, or as much again as was received. Memory that is used
//     again (frame_spares.go) does not count: it was made for bytes that came.
//
// Small frames gather in one buffer, many to a read; a large one gets memory of
// its own, into which the link reads directly, and which becomes the body.
type frameReader struct {
	inbox []byte // of firstInboxBytes, made when first needed, and of inboxBytes once these were too few
	r, w  int    // what is received and not yet cut: inbox[r:w]
	need  int    // the whole size of the frame under way, once it was accepted
	large []byte // the large frame under way, with its size field; len is what was received
	lent  bool   // the last space may be written to

	spares spares
}

// frameRules is which frames are accepted.
type frameRules struct {
	least, limit int32 // of a size; 0 is that of a token that is empty
	trusted      bool
	first        bool // no frame has been accepted on this connection
}

const (
	inboxBytes      = 16 << 10
	firstInboxBytes = 4 << 10 // many connections are for small answers only
	aheadUntrusted  = 64<<10 - inboxBytes
	aheadTrusted    = 4 << 20
	setupLimit      = 1 << 20
	minFrame        = 4 // a correlation id
)

// space is where the next bytes belong; never empty. It is valid until advance.
func (r *frameReader) space(trusted bool) []byte {
	r.lent = true
	if r.large != nil {
		if len(r.large) == cap(r.large) {
			r.large = append(make([]byte, 0, room(trusted, r.want(), len(r.large))), r.large...)
		}
		return r.large[len(r.large):r.end()]
	}
	switch {
	case r.r == r.w && r.inbox != nil:
		r.r, r.w = 0, 0
	case r.w == len(r.inbox):
		r.makeRoom()
	}
	return r.inbox[r.w:]
}

// makeRoom makes room in the inbox, which is full or was never made.
func (r *frameReader) makeRoom() {
	got := r.inbox[r.r:r.w]
	switch {
	case r.inbox == nil:
		r.inbox = make([]byte, firstInboxBytes)
	case len(r.inbox) < inboxBytes:
		r.inbox = make([]byte, inboxBytes)
	}
	r.r, r.w = 0, copy(r.inbox, got)
}

// successor is the reader of the next connection. It takes over the inbox, unless that may still be
// written to, and no spares: without a connection nothing would let go of them.
func (r *frameReader) successor() (next frameReader) {
	if !r.lent {
		next.inbox = r.inbox
	}
	return next
}

// end is up to where the memory of the large frame may be filled: a spare may be larger than its frame, and
// the next frame begins behind that.
func (r *frameReader) end() int { return min(cap(r.large), r.want()) }

// advance says that n bytes of space are there now.
func (r *frameReader) advance(n int) {
	if r.large != nil {
		r.large = r.large[:len(r.large)+n]
		return
	}
	r.w += n
}

// idle reports whether next has nothing to say: too few bytes are there.
func (r *frameReader) idle() bool { return r.large == nil && r.w-r.r < max(r.need, sizeFieldBytes) }

// next returns the next whole frame without its size field, nil when more bytes
// are needed. memory is what it lies in, if that is the caller's now; if it is nil, the
// frame is valid until the next call of space.
func (r *frameReader) next(rules frameRules) (frame, memory []byte, err *FrameError) {
	if r.large != nil {
		if len(r.large) < r.want() {
			return nil, nil, nil
		}
		memory, r.large = r.large, nil
		return memory[sizeFieldBytes:], memory, nil
	}
	got := r.inbox[r.r:r.w]
	if len(got) < sizeFieldBytes {
		return nil, nil, nil
	}
	size := int32(binary.BigEndian.Uint32(got))
	if err := rules.validate(size, [4]byte(got)); err != nil {
		return nil, nil, err
	}
	total := sizeFieldBytes + int(size)
	switch {
	case total <= len(got):
		r.r += total
		r.need = 0
		return got[sizeFieldBytes:total], nil, nil
	case total > inboxBytes:
		memory := r.spares.take(total)
		if memory == nil {
			memory = make([]byte, 0, room(rules.trusted, total, len(got)))
		}
		r.large = append(memory, got...)
		r.r, r.w = 0, 0
	default:
		r.need = total
	}
	return nil, nil, nil
}

// want is the whole size of the large frame, size field included.
func (r *frameReader) want() int { return sizeFieldBytes + int(binary.BigEndian.Uint32(r.large)) }

// room is how much memory a large frame may have when so much of it is there.
func room(trusted bool, want, received int) int {
	ahead := aheadUntrusted
	if trusted {
		ahead = max(aheadTrusted, received)
	}
	return min(want, received+ahead)
}

// free is how many bytes advance may say.
func (r *frameReader) free() int {
	if r.large != nil {
		return r.end() - len(r.large)
	}
	return len(r.inbox) - r.w
}

// buffered is how much of an unfinished frame is there.
func (r *frameReader) buffered() int { return len(r.large) + r.w - r.r }

func (r frameRules) validate(size int32, first [4]byte) *FrameError {
	limit := r.limit
	if !r.trusted {
		limit = min(limit, setupLimit)
	}
	if size >= r.least && size <= limit && (!r.first || !printable(first) && !isTLS(first)) {
		return nil
	}
	return &FrameError{Size: size, Limit: limit, First: first, AtStart: r.first}
}

const hintTooLarge = "the response is larger than the limit: " +
	"raise MaxResponseBytes (receive_message_max_bytes) if responses this large are expected"

// FrameError is a size field that was rejected. If these were the first bytes of the
// connection and show what the peer speaks, Error says so.
type FrameError struct {
	Size, Limit int32
	First       [4]byte
	AtStart     bool // these were the first bytes of the connection
}

func (e *FrameError) Error() string {
	if _, what, _ := e.recognise(); what != "" {
		return what
	}
	return fmt.Sprintf("frame size %d is outside %d to %d (first bytes % x)", e.Size, minFrame, e.Limit, e.First)
}

// recognise guesses from the first bytes what the peer speaks.
func (e *FrameError) recognise() (hint, what string, kind error) {
	first := string(e.First[:])
	tooLarge := ""
	if e.Size > e.Limit && e.Size < 1<<30 {
		tooLarge = hintTooLarge
	}
	switch {
	case !e.AtStart:
		return tooLarge, "", ErrFrameSize
	case first == "HTTP", e.First[0] == '<' && printable(e.First):
		// Some web servers answer a request line that they cannot read with the
		// page alone, without a status line.
		return "this looks like a web server: check the port", "the peer answered with HTTP", ErrNotKafka
	case first == "SSH-":
		return "check the port", "the peer answered as an SSH server", ErrNotKafka
	case isTLS(e.First):
		return "the port wants TLS, and this connection is plaintext", "the peer answered with TLS", ErrTLSExpected
	case printable(e.First):
		what = "the peer answered with text: " + strconv.Quote(first)
		return "this is another protocol: check the port", what, ErrNotKafka
	}
	return cmp.Or(tooLarge, "is this a Kafka port?"), "", ErrFrameSize
}

// isTLS reports whether b begins a record of TLS, an alert or a hello. As a size it
// would be one of more than 336 MiB.
func isTLS(b [4]byte) bool { return (b[0] == 0x15 || b[0] == 0x16) && b[1] == 3 }

func printable(b [4]byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}
