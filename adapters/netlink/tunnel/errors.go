package tunnel

import (
	"errors"
	"fmt"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"
)

// The kinds of an Error, for errors.Is.
var (
	// ErrUnreachable: the connection to the proxy itself failed.
	ErrUnreachable error = &fault.Kind{Text: "cannot connect to the proxy",
		Hint: "check Options.Proxy (proxy_url), and that the proxy is running"}
	// ErrLogin: the proxy requires a login, or a different one.
	ErrLogin error = &fault.Kind{Text: "the proxy rejects the login",
		Hint: "set Options.Login (in proxy_url) to the proxy's user name and password, not the broker's"}
	// ErrRefused: the proxy refuses to open a tunnel. The Cause is its answer:
	// a socks5.Reply, or a httpconnect.Status and the proxy's own words.
	ErrRefused error = &fault.Kind{Text: "the proxy refuses the tunnel",
		Hint: "see the proxy's rules and log; the proxy must be able to reach the broker"}
	// ErrGarbage: the answer is not of the proxy's protocol.
	ErrGarbage error = &fault.Kind{Text: "the answer is not of this proxy protocol",
		Hint: "check the port of Options.Proxy (proxy_url) and the protocol of the proxy"}
	// ErrStalled: no answer in time. The Cause is os.ErrDeadlineExceeded if that
	// was the Way's Timeout, and an error of package context if the caller gave up.
	ErrStalled error = &fault.Kind{Text: "the proxy does not answer",
		Hint: "see the proxy's log: it may wait for the broker, or speak another protocol; Options.Timeout limits " +
			"the wait"}
	// ErrCutOff: the proxy closed the connection before the tunnel was open.
	ErrCutOff error = &fault.Kind{Text: "the proxy closed the connection",
		Hint: "see the proxy's log: it must reach the broker, and speak the protocol of Options.Proxy (proxy_url)"}
	// ErrTarget: a proxy cannot be asked for such an address.
	ErrTarget error = &fault.Kind{Text: "not an address for a proxy",
		Hint: "give the broker's address as host:port over TCP, without a zone"}
)

// Error reports why there is no tunnel. errors.Is and errors.As match its Kind and
// its Cause.
type Error struct {
	Protocol string // "socks5"
	Proxy    string // host:port
	Target   string // the address requested of the proxy
	Kind     error  // one of the Err values of this package
	After    string // the last step that succeeded: "the greeting"; may be empty
	Cause    error  // the underlying error; may be nil
}

func (e *Error) Error() string {
	kind := e.Kind.Error()
	if e.After != "" {
		kind += " after " + e.After
	}
	where := fmt.Sprintf("proxy %s on the way to %s", e.Proxy, e.Target)
	return fault.Line(e.Protocol, where, kind, fault.Text(e.Cause))
}

// Is reports whether target is ports.ErrFinal and the Kind is ErrLogin, ErrGarbage or ErrTarget:
// until a setting is changed, another attempt fails in the same way. An ErrRefused is final if its
// Cause is: an answer about the proxy's rules or abilities, not about the network behind it.
func (e *Error) Is(target error) bool {
	return target == ports.ErrFinal && (e.Kind == ErrLogin || e.Kind == ErrGarbage || e.Kind == ErrTarget)
}

// Unwrap returns Kind and Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

var _ ports.Hinter = (*Error)(nil)

// Hint returns what to change: the Cause's own hint, or the Kind's.
func (e *Error) Hint() string {
	var hinter ports.Hinter
	if errors.As(e.Cause, &hinter) {
		return hinter.Hint()
	}
	if kind, ok := e.Kind.(*fault.Kind); ok {
		return kind.Hint
	}
	return ""
}
