package relay

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// Fault is what goes wrong on one connection. It begins at a place in what the target sends, or the client if
// FromClient is true: when Frames frames of Kafka's protocol and After more bytes have passed, and the next byte has
// come. Until then, and with the zero value, everything passes.
type Fault struct {
	Kind          Kind
	Frames, After int
	FromClient    bool
	// Bytes are those of Inject and Replace.
	Bytes []byte
	// Pause is the time between two pieces of Slow.
	Pause time.Duration
}

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	FIN       Kind = "fin"        // the stream to the client ends, and the connection to the target is closed
	RST       Kind = "rst"        // the connection is reset
	HalfClose Kind = "half-close" // the stream to the client ends, and the target still receives
	Silence   Kind = "silence"    // all bytes are lost, in either direction, and no end learns of it
	Stall     Kind = "stall"      // nothing is read, in either direction: windows become full
	Slow      Kind = "slow"       // one piece of at most a KiB is read in each Pause, in either direction
	Dribble   Kind = "dribble"    // bytes pass to the client one by one
	Inject    Kind = "inject"     // Bytes are sent before what follows
	Replace   Kind = "replace"    // Bytes are sent in place of as many
	CloseNow  Kind = "close-now"  // the connection is accepted and closed, without a connection to the target
	ResetNow  Kind = "reset-now"  // it is accepted and reset
)

// maxAfter bounds the place of a random fault: the setup of a connection ends before it.
const maxAfter = 1 << 13

// Random returns a fault of one of some kinds, at a place of either direction that is most likely an early one. It
// depends on r alone.
func Random(r *rand.Rand, kinds ...Kind) Fault {
	return Fault{Kind: kinds[r.IntN(len(kinds))], After: r.IntN(1 + r.IntN(maxAfter)), FromClient: r.IntN(2) == 0}
}

// String returns the fault and its place.
func (f Fault) String() string {
	from := "the target"
	if f.FromClient {
		from = "the client"
	}
	return fmt.Sprintf("%s after %d frames and %d bytes of %s", f.Kind, f.Frames, f.After, from)
}

// place counts down to the place of a fault.
type place struct {
	frames, bytes int     // until the place: bytes once no frame is left
	into          int64   // bytes of the next frame that have passed
	head          [4]byte // its size
}

func placeOf(f Fault) place { return place{frames: f.Frames, bytes: f.After} }

func (p *place) reached() bool { return p.frames == 0 && p.bytes == 0 }

// pass counts bytes that pass, and returns how many of them do, up to the place or to what counts the way to it.
func (p *place) pass(b []byte) (n int) {
	if p.frames == 0 {
		n = min(len(b), p.bytes)
		p.bytes -= n
		return n
	}
	if p.into < 4 {
		n = copy(p.head[p.into:], b)
	} else {
		n = int(min(int64(len(b)), p.size()-p.into))
	}
	p.into += int64(n)
	if p.into >= 4 && p.into == p.size() {
		p.frames, p.into = p.frames-1, 0
	}
	return n
}

// size is that of the next frame, with its head.
func (p *place) size() int64 { return 4 + int64(binary.BigEndian.Uint32(p.head[:])) }
