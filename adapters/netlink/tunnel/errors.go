package tunnel

import (
	"errors"
	"strings"

	"brokerconn/ports"
)

// The kinds of an Error, for errors.Is.
var (
	// ErrUnreachable: there is no connection to the proxy itself.
	ErrUnreachable = errors.New("the proxy cannot be reached")
	// ErrLogin: the proxy wants another login, or one at all.
	ErrLogin = errors.New("the proxy refuses the login")
	// ErrRefused: the proxy understood and says no. The Cause is what it says:
	// a socks5.Reply, a httpconnect.Status.
	ErrRefused = errors.New("the proxy opens no tunnel")
	// ErrGarbage: what answers is no such proxy.
	ErrGarbage = errors.New("what answers is no such proxy")
	// ErrStalled: no answer in time. The Cause is os.ErrDeadlineExceeded if that
	// was the Way's, and an error of package context if the caller gave up.
	ErrStalled = errors.New("the proxy does not answer")
	// ErrCutOff: the connection ended before the tunnel stood.
	ErrCutOff = errors.New("the proxy hangs up")
	// ErrTarget: no proxy can be asked for such an address.
	ErrTarget = errors.New("the proxy cannot be asked for it")
)

// Error is why there is no tunnel. It matches its Kind and its Cause with
// errors.Is and errors.As.
type Error struct {
	Protocol string // "socks5"
	Proxy    string // host:port
	Target   string // what the proxy was to reach
	Kind     error  // one of the Err values of this package
	After    string // what had come before: "the login was sent"; may be empty
	Cause    error  // what lies under it; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Protocol + ": proxy " + e.Proxy + " on the way to " + e.Target + ": " + e.Kind.Error())
	if e.After != "" {
		b.WriteString(" after " + e.After)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

var _ ports.Hinter = (*Error)(nil)

var hints = map[error]string{
	ErrUnreachable: "is the proxy's address right, and does it run?",
	ErrLogin:       "the proxy's own user name and password are meant, not the broker's",
	ErrRefused:     "the proxy's rules and its log tell more; it reaches the broker from where it stands",
	ErrGarbage:     "check the proxy's port, and which protocol it speaks",
	ErrStalled:     "the proxy is silent, or waits for the broker itself: its log tells, and Options.Timeout is how long it may take",
	ErrCutOff:      "the proxy's log tells why",
	ErrTarget:      "give the broker's address as host:port over TCP, without a zone",
}

// Hint is what to try.
func (e *Error) Hint() string {
	var under ports.Hinter
	if errors.As(e.Cause, &under) {
		return under.Hint()
	}
	return hints[e.Kind]
}
