package ports

import (
	"errors"
	"time"
)

// ErrWouldBlock means that a call cannot proceed yet and can be repeated later. It is
// not a failure. Implementations return this value itself, unwrapped.
var ErrWouldBlock error = &wouldBlock{"ports: would block"}

type wouldBlock struct{ text string }

func (e *wouldBlock) Error() string { return e.text }

// WouldBlock reports whether err is ErrWouldBlock, as [errors.Is] does. It takes less time, for what is
// asked with each read.
func WouldBlock(err error) bool {
	_, itself := err.(*wouldBlock)
	return itself || errors.Is(err, ErrWouldBlock)
}

// ErrInterrupted is returned by a Read or Write of a [Parker] after Interrupt. No
// byte is lost, and the call can be repeated after Resume.
var ErrInterrupted = errors.New("ports: interrupted")

// ErrUnread is returned by the Check of a [Checker] while there are bytes to read.
var ErrUnread = errors.New("ports: unread bytes")

// ErrSecuring matches, by errors.Is, the error of a [Link] whose TLS handshake
// failed. The error may come after StageEstablished: with TLS 1.3 a broker verifies
// the client's certificate after the client has finished its side of the handshake.
var ErrSecuring = errors.New("ports: not secured")

// ErrFinal matches, by errors.Is, the error of a [Link] that a repeated attempt has again until
// a setting is changed, here or there: the peer rejects the client's certificate or requires
// one, a proxy rejects the login or its rules do not allow the address.
var ErrFinal = errors.New("ports: refused for good")

// Hinter is optional on an error of a [Lookup], a [Link] or an [Exchange]. Hint
// returns a short advice that the error text does not contain; it may be empty.
//
// It is optional on a [Link], too: what may have closed it, other than the peer, such as a proxy
// on the way; empty if there is nothing. It is called when the link fails.
//
// It is optional on an [Exchange], too: what to check if the broker refuses the login, or
// closes the connection in place of it. It is called after each Result without an error.
type Hinter interface{ Hint() string }

// Endpoint is one address of a broker, as a Lookup found it.
type Endpoint struct {
	// Host is the configured name. Certificates and Kerberos principals are checked
	// against it.
	Host string
	// Network and Address are the arguments of net.Dial ("tcp", "127.0.0.1:9092").
	// An IPv6 zone is kept.
	Network, Address string
	// Secure reports that Open returns an encrypted link.
	Secure bool
	// Verified reports that Open returns an encrypted link to a peer that has proved to be
	// Host, for instance by a certificate whose chain and name were verified. A Verified
	// endpoint is Secure. Without it a password is sent to any server at the address.
	Verified bool
}

// Transport resolves hosts and opens links to brokers. It serves many connections and
// is safe for concurrent use; each Lookup and Link belongs to one connection.
type Transport interface {
	// Resolve starts the lookup of a host. It returns at once.
	Resolve(host string, port uint16) Lookup
	// Open starts a link to one endpoint. It returns at once; Link.Stage reports
	// a failure.
	Open(Endpoint) Link
}

// Racer is optional on a [Transport]. An owner that can have several dials at a time prefers
// Race to Open.
type Racer interface {
	// Race starts a link to one of the endpoints, in the manner of RFC 8305, section 5: it
	// dials the first one, and the next one whenever the delay has passed or a dial has failed.
	// The first that is reached becomes the link, and the other dials are given up. If all
	// fail, so does the link, in StageDialing. It returns at once.
	Race(eps []Endpoint, delay time.Duration) RacingLink
}

// RacingLink is a [Link] of a [Racer].
type RacingLink interface {
	Link
	// Tries returns what happened to the dials since the last call, in order. The news of the
	// endpoint that is reached comes before the stage rises, that of the last failure before
	// Stage returns it. A [Watcher] reports news of tries, too.
	Tries() []Try
}

// Preparer is optional on a [Racer], for owners that wait for the link anyway and can run its dial and
// its handshake on their own goroutine.
type Preparer interface {
	// Prepare is Race of a link that does nothing before Drive or Watch is called; its first Tries
	// are there at once. It returns nil if the owner is to call Race: for several endpoints, or if the
	// functions that dial may not return when the link is closed.
	Prepare(eps []Endpoint, delay time.Duration) DrivenLink
}

// DrivenLink is a [Link] of a [Preparer].
type DrivenLink interface {
	RacingLink
	Watcher
	// Drive runs the dial, and when it is called again the handshake, on the caller's goroutine. It
	// returns once the stage has risen or failed, or the link was closed, which may be while Drive
	// runs; at once if Watch has begun the work. more: it is to be called again, after Stage.
	Drive() (more bool)
}

// Try is news of one dial of a race: it began, or it is Done. Then Err is nil if the endpoint
// was reached, and [ErrLostRace] if another one was.
type Try struct {
	Endpoint Endpoint
	Done     bool
	Err      error
}

// ErrLostRace is the Err of a [Try] that was given up because another endpoint was reached.
var ErrLostRace = errors.New("ports: another address was reached first")

// Warner is optional on a [Transport] and on a [Link]. The Warnings of a Transport are a
// sentence for each of its settings that is valid and not safe, such as a certificate that
// is not verified; they are passed to the user when a connection is made. Those of a Link
// are news since the last call that does not fail it, such as a changed file that cannot be
// used; it is called when the stage of the link changes or fails.
type Warner interface{ Warnings() []string }

// Lookup is one lookup in progress.
type Lookup interface {
	// Result returns the addresses in the order in which they should be tried:
	// at least one, or an error. The error is ErrWouldBlock until they are known.
	Result() ([]Endpoint, error)
	// Close ends the lookup and frees its resources. It is idempotent.
	Close()
}

// Stage is the progress of a Link. It never decreases.
type Stage uint8

const (
	StageDialing     Stage = iota // the address is being dialed
	StageSecuring                 // dialed; the TLS handshake is in progress
	StageEstablished              // bytes can be sent and received
)

var stageNames = [...]string{"dialing", "securing", "established"}

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown stage"
}

// Link is a stream of bytes to one peer, polled: no call blocks. One goroutine at a
// time calls it, except that Close may be called at any time. Until it is established
// Send and Recv return ErrWouldBlock, or the error of the stage that failed.
type Link interface {
	// Stage returns the current stage. The error is ErrWouldBlock until the link is
	// established, nil from then on, and any other error if that stage failed.
	Stage() (Stage, error)
	// Send sends as much of p as fits and returns the number of bytes sent. It
	// returns ErrWouldBlock if n < len(p) and the rest may fit later. It does not
	// keep p.
	Send(p []byte) (n int, err error)
	// Recv fills p with the bytes that have arrived. It returns ErrWouldBlock with
	// n == 0 if there are none, and io.EOF only after every byte was returned.
	// ErrWouldBlock with n > 0 is allowed and says that these were the last: it saves
	// the owner the call that finds none.
	Recv(p []byte) (n int, err error)
	// Close frees the link; parked calls return. It is idempotent.
	Close() error
}

// Watcher is optional on a Lookup, a Link or an Exchange. It reports when a call that
// returned ErrWouldBlock may succeed.
type Watcher interface {
	// Watch requests one call of f, never within Watch and with no lock held. A
	// later Watch replaces an earlier one whose f was not called yet. Writability is
	// watched only after Send returned ErrWouldBlock. A call of f without progress is
	// allowed; a missing call is a defect.
	Watch(f func())
}

// Waiter is optional on a [Link]. Waiting describes, as an error, what a link that is not
// established waits for: a proxy and its step, a peer and the name that it was sent. It
// returns nil if the link knows no more than its Stage. If it ends the attempt by a time
// limit, the owner reports it as the cause. It may be called at any time.
type Waiter interface{ Waiting() error }

// Checker is optional on an established [Parker]. Check reports, without waiting and
// without consuming a byte, whether the peer has closed the link: it returns io.EOF or
// the error that a Read would return, and nil if the link is open or its condition
// cannot be determined. [ErrUnread] means that something lies there to be read, behind
// which the end may be. It may be called while a Read is parked.
type Checker interface{ Check() error }

// VectorWriter is optional on a [Parker] that can write bytes from several places with one call, as writev
// does. A large body is then not copied.
type VectorWriter interface {
	// Gathers reports whether WriteVector is of use. It is called once the link is established, and does not
	// block.
	Gathers() bool
	// WriteVector is Write of head and body, one behind the other; n counts the bytes of both. After
	// ErrInterrupted it can be continued as a Write can.
	WriteVector(head, body []byte) (n int, err error)
}

// Parker is optional on a Link over blocking I/O. Owners with goroutines prefer it to
// Send and Recv; on one link they use either pair, never both. There is at most one
// Read and one Write at a time, and only after the link is established.
type Parker interface {
	// Read waits for at least one byte.
	Read(p []byte) (n int, err error)
	// Write waits until all of p is sent. If n < len(p) and the error is
	// ErrInterrupted, it can be continued with p[n:], with or without more behind it: a
	// part of that may be encrypted already. After any other error the stream is broken.
	Write(p []byte) (n int, err error)
	// Interrupt makes the parked or next Read and Write return ErrInterrupted, until
	// Resume. It does not block.
	Interrupt()
	// Resume ends the effect of Interrupt.
	Resume()
}
