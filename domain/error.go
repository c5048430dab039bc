package domain

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sent says how much of a request had been handed to the transport.
type Sent uint8

const (
	SentNothing Sent = iota // not a byte: the broker cannot have seen it
	SentPartly              // cut off: the broker cannot have acted on it, but may have seen bytes
	SentFully               // the broker may have acted on it
	SentUnknown             // a writer has its bytes, or will have them: any number of them may have left
)

var sentNames = [...]string{"not sent", "partly sent", "fully sent", "perhaps sent"}

func (s Sent) String() string { return nameOf(sentNames[:], int(s), "unknown") }

// Error is a failure that explains itself. It matches its Kind and its Cause
// with errors.Is and errors.As.
type Error struct {
	Kind    error  // one of the Err values of this package
	Phase   State  // where the connection stood
	Broker  string // host:port as configured
	Address string // the address in use; "" before one was known
	Attempt int    // the attempts since the connection was last ready, from 1; 0 before the first
	Cause   error  // what lies under it; may be nil
	Hint    string // what to try; may be empty

	// Of a request; a failure of the connection has an empty API, and then these are zero.

	API          string        // the name of its API; "API 3" where the codec has none
	Version      int16         // -1 before it was chosen
	Sent         Sent          // how much of it was
	RequestBytes int           // of its frame; 0 before it was encoded
	Queued       time.Duration // in the owner's wait queue
	QueuedBehind int           // the requests before it when it joined that queue, those in flight included

	// Of the connection at that time; zero without one. The response is that of the
	// request, if there is one.

	ResponseBytes  int           // of the response that was due: those received
	OldestInFlight time.Duration // the age of the oldest request in flight
	SinceLastByte  time.Duration // since a byte was last received; 0 if none was

	unproven  bool // the peer had answered nothing behind the login
	continues bool // see Continues

	byPeer bool // the peer closed the connection within this request, or that of a failed connection
}

// oversized reports whether the peer may accept no request of that size.
func (e *Error) oversized() bool {
	return e.byPeer && e.Sent == SentPartly && e.RequestBytes >= largeRequest
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Continues reports whether the attempt to connect goes on with another address, mechanism or
// question: it has not failed yet.
func (e *Error) Continues() bool { return e.continues }

// Error returns one line of at most 300 characters: the broker, the request and how much of
// it was sent, the kind, the phase and the cause. Each address is in it once. Of a longer
// text the middle is left out.
func (e *Error) Error() string {
	return clip(shown(e.where() + ": " + e.summary()))
}

// where is the broker, and the address in use unless the cause lists that among others.
func (e *Error) where() string {
	if e.Address == "" || e.Address == e.Broker || e.listsAddress() {
		return e.Broker
	}
	return e.Broker + " (" + e.Address + ")"
}

// listsAddress reports whether the cause has the address in a list of addresses, as that of a race has:
// "connection refused (10.0.0.1:9092, 10.0.0.2:9092)".
func (e *Error) listsAddress() bool {
	if e.Cause == nil || e.Address == "" {
		return false
	}
	text := e.cause()
	for _, before := range [...]string{"(", ", "} {
		for _, behind := range [...]string{")", ", "} {
			if strings.Contains(text, before+e.Address+behind) {
				return true
			}
		}
	}
	return false
}

// longestError bounds the text of an Error, in characters. keptEnd of them are its end, which
// has the root cause and what a broker writes last, such as the id of an entry in its log.
const longestError, keptEnd = 300, 100

func clip(text string) string {
	const gap = "..."
	if len(text) <= longestError {
		return text
	}
	all := []rune(text)
	if len(all) <= longestError {
		return text
	}
	return string(all[:longestError-keptEnd-len(gap)]) + gap + string(all[len(all)-keptEnd:])
}

// summary is the text behind the address, and without it.
func (e *Error) summary() string {
	text := e.Kind.Error()
	if e.API != "" {
		text = e.request() + " (" + e.Sent.String() + "): " + text
	}
	if e.Phase.SettingUp() || e.Phase == Connected {
		text += " while " + e.Phase.String()
	}
	if e.Attempt > 1 {
		text += " (attempt " + strconv.Itoa(e.Attempt) + ")"
	}
	if round(e.Queued) > 0 && e.Sent == SentNothing {
		text += fmt.Sprintf(", queued for %v behind %d", round(e.Queued), e.QueuedBehind)
	}
	if e.ResponseBytes > 0 {
		text += fmt.Sprintf(", %d bytes into the response", e.ResponseBytes)
	}
	if e.Cause != nil {
		text += ": " + e.cause()
	}
	if !e.listsAddress() {
		text = withoutAddress(text, e.Address)
	}
	return withoutAddress(text, e.Broker)
}

func (e *Error) request() string {
	if e.Version < 0 {
		return e.API
	}
	return e.API + " v" + strconv.Itoa(int(e.Version))
}

// cause is the text of the Cause, without the address of an Error in it that has the same.
func (e *Error) cause() string {
	text := e.Cause.Error()
	var inner *Error
	if errors.As(e.Cause, &inner) && inner.Broker == e.Broker {
		text = strings.Replace(text, inner.Error(), inner.within(e), 1)
	}
	return text
}

// bareCause is the text of the Cause without the address, which it has with the port of this
// machine: two connections have different texts.
func (e *Error) bareCause() string { return withoutAddress(e.Cause.Error(), e.Address) }

// within is the text of an Error in that of another one of the same broker.
func (e *Error) within(other *Error) string {
	if e.Address != other.Address && e.Address != "" && e.Address != e.Broker {
		return e.Address + ": " + e.summary()
	}
	return e.summary()
}

// networks are the words before an address in the errors of package net.
var networks = [...]string{"tcp", "tcp4", "tcp6", "unix"}

// withoutAddress replaces an address that the text repeats by "it", or leaves it out with the
// start of an error of package net: "dial tcp 127.0.0.1:9092: connect: connection refused".
func withoutAddress(text, address string) string {
	if !strings.ContainsAny(address, ":/") || !strings.Contains(text, address) {
		return text
	}
	words := strings.Split(text, " ")
	kept := words[:0]
	for _, w := range words {
		before, after, found := strings.Cut(w, address)
		switch n := len(kept); {
		case !found || after != "" && isDigit(after[0]) || before != "" && isDigit(before[len(before)-1]):
			kept = append(kept, w)
		case n > 1 && after == ":" && slices.Contains(networks[:], kept[n-1]):
			kept = kept[:n-2] // and the operation, which the phase has
		default:
			kept = append(kept, before+"it"+after)
		}
	}
	return strings.Join(kept, " ")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Explain returns all that is known, on several lines and without a limit of length: what
// Error says, what of the request and of the connection is known, and the hint.
func (e *Error) Explain() string {
	var b strings.Builder
	line := func(what, format string, v ...any) {
		fmt.Fprintf(&b, "\n  %-11s %s", what, shown(fmt.Sprintf(format, v...)))
	}
	b.WriteString(shown(e.where() + ": " + e.summary()))
	if e.RequestBytes > 0 {
		line("request", "%s, %d bytes, %v", e.request(), e.RequestBytes, e.Sent)
	}
	if e.Queued > 0 {
		line("queue", "it waited %v, behind %d requests", round(e.Queued), e.QueuedBehind)
	}
	if e.OldestInFlight > 0 {
		line("in flight", "the oldest request for %v", round(e.OldestInFlight))
	}
	if e.SinceLastByte > 0 {
		line("last byte", "received %v before", round(e.SinceLastByte))
	}
	if e.Hint != "" {
		line("hint", "%s", e.Hint)
	}
	return b.String()
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// LogValue returns Error as "msg" and the fields that are set, as a group for log/slog.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("msg", e.Error()), slog.String("kind", e.Kind.Error()),
		slog.String("phase", e.Phase.String())}
	add := func(set bool, a slog.Attr) {
		if set {
			attrs = append(attrs, a)
		}
	}
	add(e.Broker != "", slog.String("broker", e.Broker))
	add(e.Address != "", slog.String("address", shown(e.Address)))
	add(e.Attempt > 0, slog.Int("attempt", e.Attempt))
	add(e.API != "", slog.String("api", e.API))
	add(e.API != "" && e.Version >= 0, slog.Int("version", int(e.Version)))
	add(e.API != "", slog.String("sent", e.Sent.String()))
	add(e.RequestBytes > 0, slog.Int("request_bytes", e.RequestBytes))
	add(e.ResponseBytes > 0, slog.Int("response_bytes", e.ResponseBytes))
	add(e.Queued > 0, slog.Duration("queued", e.Queued))
	add(e.Queued > 0, slog.Int("queued_behind", e.QueuedBehind))
	add(e.OldestInFlight > 0, slog.Duration("oldest_in_flight", e.OldestInFlight))
	add(e.SinceLastByte > 0, slog.Duration("since_last_byte", e.SinceLastByte))
	add(e.Hint != "", slog.String("hint", shown(e.Hint)))
	return slog.GroupValue(attrs...)
}
