package ports

import "errors"

// ErrWouldBlock means: nothing now, ask again later. It is not a failure.
// Implementations return this very value, unwrapped.
var ErrWouldBlock = errors.New("ports: would block")

// ErrInterrupted is what a parked Read or Write of a [Parker] says after
// Interrupt. No byte is lost, and the call can be repeated after Resume.
var ErrInterrupted = errors.New("ports: interrupted")

// ErrSecuring is matched, by errors.Is, by the error of a [Link] that failed to be
// encrypted. That may show after StageEstablished: with TLS 1.3 a broker judges the
// client's certificate when the client has finished its handshake already.
var ErrSecuring = errors.New("ports: not secured")

// Hinter is optional on an error of a [Lookup], a [Link] or an [Exchange]: what its
// reader may try, in a few words that the error itself does not say. It may be empty.
type Hinter interface{ Hint() string }

// Endpoint is one address of a broker, as a Lookup found it.
type Endpoint struct {
	// Host is the name as configured: what a certificate or a Kerberos
	// principal is checked against.
	Host string
	// Network and Address are what the transport dials, in the words of
	// net.Dial ("tcp", "127.0.0.1:9092"). An IPv6 zone is kept.
	Network, Address string
	// Secure says that Open yields an encrypted link.
	Secure bool
}

// Transport finds brokers and opens links to them. It serves many connections,
// from several goroutines at once; what it starts belongs to one connection.
type Transport interface {
	// Resolve starts the lookup of a host. It returns at once.
	Resolve(host string, port uint16) Lookup
	// Open starts a link to one endpoint. It returns at once; a failure shows
	// in Link.Stage.
	Open(Endpoint) Link
}

// Lookup is one lookup under way.
type Lookup interface {
	// Result returns the addresses in the order in which they should be tried:
	// at least one, or an error. ErrWouldBlock while they are not known yet.
	Result() ([]Endpoint, error)
	// Close gives up the lookup and frees what it holds. Idempotent.
	Close()
}

// Stage tells how far a Link has come. It only ever rises.
type Stage uint8

const (
	StageDialing     Stage = iota // the address is being reached
	StageSecuring                 // reached; the TLS handshake is under way
	StageEstablished              // bytes may flow both ways
)

var stageNames = [...]string{"dialling", "securing", "established"}

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown stage"
}

// Link is a stream of bytes to one peer, polled: no call ever blocks. One
// goroutine at a time calls it, except that Close may come at any time. Until it
// is established Send and Recv say ErrWouldBlock, or what the stage failed with.
type Link interface {
	// Stage returns how far the link has come: ErrWouldBlock beside it while it
	// is on its way, nil once it is established, any other error when that stage
	// failed.
	Stage() (Stage, error)
	// Send takes what fits of p and returns how much that was. It says
	// ErrWouldBlock if n < len(p) and the rest may fit later. Bytes taken are on
	// their way; p belongs to the caller again.
	Send(p []byte) (n int, err error)
	// Recv fills p as far as bytes are there. It says ErrWouldBlock with n == 0
	// when none are, and io.EOF only after every byte was handed out.
	Recv(p []byte) (n int, err error)
	// Close frees the link. Idempotent. Parked calls return.
	Close() error
}

// Watcher is optional on a Lookup, a Link or an Exchange: it tells when a call
// that said ErrWouldBlock is worth repeating.
type Watcher interface {
	// Watch asks for one call of f, at most once, never on the caller's stack
	// and under no lock. A later Watch replaces an earlier one that has not
	// fired. Writability is watched only after Send said ErrWouldBlock. Being
	// woken for nothing is allowed; not being woken is a defect.
	Watch(f func())
}

// Checker is optional on a [Parker], once established. Check says, without waiting
// and without taking a byte, whether the peer has closed the link already: io.EOF,
// or the error that a Read would say. nil if it stands, and if that cannot be
// told. It may be called while a Read is parked.
type Checker interface{ Check() error }

// Parker is optional on a Link over blocking I/O. Owners with goroutines prefer
// it to Send and Recv, and use either pair, never both, on one link. At most one
// Read and one Write at a time, only once the link is established.
type Parker interface {
	// Read waits for at least one byte.
	Read(p []byte) (n int, err error)
	// Write waits until all of p is on its way. n < len(p) with ErrInterrupted
	// can be continued with p[n:]; with any other error the stream is broken.
	Write(p []byte) (n int, err error)
	// Interrupt makes the parked or next Read and Write say ErrInterrupted, until
	// Resume. It does not block.
	Interrupt()
	// Resume ends the effect of Interrupt.
	Resume()
}
