package broker

import (
	"fmt"
	"strings"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// State is where a connection stands.
type State = domain.State

const (
	Disconnected        = domain.Disconnected
	Connecting          = domain.Connecting
	Handshake           = domain.Handshake
	NegotiatingVersions = domain.NegotiatingVersions
	Authenticating      = domain.Authenticating
	Connected           = domain.Connected
	Closed              = domain.Closed
)

// Endpoint is one address of a broker.
type Endpoint = ports.Endpoint

// Versions is a broker's table of API versions.
type Versions = domain.Versions

// Hooks are functions to be told what happens on a connection; each may be nil.
// One Hooks may serve many connections.
//
// They are called in the order of events, under no lock, on whatever goroutine
// is at work, and the connection's work waits for them: they should return soon.
// They may call the connection: Close and Abort take effect when the hook
// returns. They must not wait for it, as Request, Connect, APIVersions,
// CheckVersion, Drain and Future.Wait do. A panic in a hook is contained and given
// to Panicked.
type Hooks struct {
	// StateChanged is "state_change_callback": every move, in order. err is why
	// the connection went down, nil on the way up and after a clean close. On the
	// way down the link is still open while it runs, and requests in flight fail
	// afterwards.
	StateChanged func(from, to State, endpoint Endpoint, err error)

	ResolveStart     func(host string, port uint16)
	ResolveDone      func(endpoints []Endpoint, err error)
	DialStart        func(endpoint Endpoint)
	DialDone         func(endpoint Endpoint, err error)
	TLSHandshakeDone func(endpoint Endpoint, err error) // after the TLS handshake
	Versions         func(endpoint Endpoint, versions *Versions)
	AuthStart        func(endpoint Endpoint, login LoginInfo)
	AuthDone         func(endpoint Endpoint, login LoginInfo, err error)

	// RequestWritten: the last byte was handed to the transport.
	RequestWritten func(RequestInfo)
	// RequestAnswered: the answer is there.
	RequestAnswered func(RequestInfo)
	// RequestFailed: an admitted request ended without an answer.
	RequestFailed func(RequestInfo, error)

	// Throttled: the broker wants nothing more before until.
	Throttled func(endpoint Endpoint, until time.Time)
	// Idle: the connection was closed because nothing happened on it for IdleTimeout.
	// Nothing is wrong. StateChanged comes first.
	Idle func(endpoint Endpoint)
	// Warning: a setting may not mean what was meant. It comes while the Conn or
	// Polled is made; that a password travels in plaintext, with the first login; that a
	// broker was taken for an old release, when it was.
	Warning func(text string)

	// Panicked is given what another hook panicked with.
	Panicked func(v any)
}

// RequestInfo describes one request to a hook. Times not reached are zero.
type RequestInfo = domain.RequestInfo

// LoginInfo describes a login to a hook.
type LoginInfo = domain.LoginInfo

// tracing reports whether any hook needs more of the connection than its states.
func (h *Hooks) tracing() bool {
	return h.ResolveStart != nil || h.ResolveDone != nil || h.DialStart != nil || h.DialDone != nil ||
		h.TLSHandshakeDone != nil || h.Versions != nil || h.AuthStart != nil || h.AuthDone != nil ||
		h.Throttled != nil || h.Idle != nil || h.Warning != nil
}

func (h *Hooks) warn(text string) {
	defer h.contain()
	call(h.Warning, text)
}

func (h *Hooks) contain() {
	if v := recover(); v != nil && h.Panicked != nil {
		defer func() { _ = recover() }() // Panicked is a hook as well
		h.Panicked(v)
	}
}

func (h *Hooks) changed(out domain.Output) {
	if h.StateChanged == nil {
		return
	}
	defer h.contain()
	h.StateChanged(out.From, out.To, out.Endpoint, out.Err)
}

func (h *Hooks) failed(info RequestInfo, err error) {
	if h.RequestFailed == nil {
		return
	}
	defer h.contain()
	h.RequestFailed(info, err)
}

// noted calls the hook that an event is for.
func (h *Hooks) noted(host string, port uint16, e *domain.Event) {
	defer h.contain()
	switch e.Kind {
	case domain.EventResolveStart:
		call2(h.ResolveStart, host, port)
	case domain.EventResolveDone:
		call2(h.ResolveDone, e.Endpoints, e.Err)
	case domain.EventDialStart:
		call(h.DialStart, e.Endpoint)
	case domain.EventDialDone:
		call2(h.DialDone, e.Endpoint, e.Err)
	case domain.EventTLSHandshakeDone:
		call2(h.TLSHandshakeDone, e.Endpoint, e.Err)
	case domain.EventVersions:
		call2(h.Versions, e.Endpoint, e.Versions)
	case domain.EventAuthStart:
		call2(h.AuthStart, e.Endpoint, e.Login)
	case domain.EventAuthDone:
		if h.AuthDone != nil {
			h.AuthDone(e.Endpoint, e.Login, e.Err)
		}
	case domain.EventPlaintextCredentials:
		call(h.Warning, e.Login.Mechanism+": the password or token travels in plaintext to "+e.Endpoint.Address+"; use TLS, or set RequireTLSForPasswords")
	case domain.EventReleaseDetected:
		release, evidence, _ := e.Versions.Detected()
		call(h.Warning, fmt.Sprintf("%s is taken for Kafka %v, which has no ApiVersions, by probes (%s); if it is another, set APIVersion (api_version) or ProbeOldReleases (probe_old_releases)",
			e.Endpoint.Address, release, strings.Join(evidence, "; ")))
	case domain.EventWritten:
		call(h.RequestWritten, e.Request)
	case domain.EventAnswered:
		call(h.RequestAnswered, e.Request)
	case domain.EventThrottled:
		call2(h.Throttled, e.Endpoint, e.Until)
	case domain.EventIdle:
		call(h.Idle, e.Endpoint)
	}
}

func call[A any](hook func(A), a A) {
	if hook != nil {
		hook(a)
	}
}

func call2[A, B any](hook func(A, B), a A, b B) {
	if hook != nil {
		hook(a, b)
	}
}
