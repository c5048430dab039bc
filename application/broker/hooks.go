package broker

import (
	"fmt"
	"strings"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// State is the state of a connection.
//
//	Down() bool                     there is neither a connection nor an attempt: Disconnected, Closed
//	SettingUp() bool                an attempt is in progress: Connecting to Authenticating
//	String() string                 the name of the constant
//	MarshalText() ([]byte, error)   the name, for JSON
type State = domain.State

const (
	// Disconnected is the first state, and the one after a loss.
	Disconnected = domain.Disconnected
	// Connecting is the lookup of the host, and dialing.
	Connecting = domain.Connecting
	// Handshake is the TLS handshake.
	Handshake = domain.Handshake
	// NegotiatingVersions is the request for the broker's API versions, or the probes of an old broker.
	NegotiatingVersions = domain.NegotiatingVersions
	// Authenticating is the SASL login.
	Authenticating = domain.Authenticating
	// Connected is the state in which requests are admitted.
	Connected = domain.Connected
	// Closed is the last state, after Conn.Close.
	Closed = domain.Closed
)

// Endpoint is one address of a broker.
//
//	Host string      the configured host, which certificates are verified against
//	Network string   the network for net.Dial: "tcp"
//	Address string   the address for net.Dial: "127.0.0.1:9092"
//	Secure bool      the link is encrypted
//	Verified bool    the link is encrypted, and the peer has proved to be the Host
type Endpoint = ports.Endpoint

// Versions is the table of a broker's API versions and features. It does not change and may
// be shared. A nil *Versions has no API.
//
//	Range(key int16) (min, max int16, ok bool)  the versions of one API; ok is false if the broker lacks it
//	Ranges() []ports.APIRange                   all of them, sorted by key
//	LeftOut() []ports.APIRange                  rows that are not used: a key twice, or an invalid range
//	Supported() []ports.Feature                 the features that the broker supports (KIP-584)
//	Finalized() []ports.Feature                 the features that the cluster has enabled (KIP-584)
//	RequestVersion() int16                      the version of the response; -1 for the table of a release
//	Detected() (r Release, evidence []string, ok bool)  the release identified by probes; ok is false without
//	RoundTrips() (connections, roundTrips int)  how many of both it took to get the table
//	OfController() bool                         the table is that of a KRaft controller, which takes no records
type Versions = domain.Versions

// Hooks are functions that are called for events of a connection; each may be nil. One Hooks
// may serve many connections.
//
// They are called in the order of events, without a lock held, by the goroutine that does
// the connection's work, which waits for them: they should return soon. They may call the
// connection; Close and Abort take effect when the hook returns. They must not wait for it,
// as Request, Connect, APIVersions, CheckVersion, Drain and Future.Wait do. A panic in a hook
// is passed to Panicked.
type Hooks struct {
	// StateChanged is called for every change of state. err is why the connection went down;
	// it is nil on the way up and after a clean close, of which Idle and IdleLost report some. On
	// the way down the link is still open during the call, and requests in flight fail
	// afterwards.
	StateChanged func(from, to State, endpoint Endpoint, err error)

	// ResolveStart is called before the lookup of the host.
	ResolveStart func(host string, port uint16)
	// ResolveDone is called after the lookup, with the addresses in the order in which they are tried.
	ResolveDone func(endpoints []Endpoint, err error)
	// DialStart is called when an address is dialed. A Conn may dial several at a time.
	DialStart func(endpoint Endpoint)
	// DialDone is called after an address was dialed. err is nil for the one that is used, and
	// ports.ErrLostRace for one that is given up because another one was reached.
	DialDone func(endpoint Endpoint, err error)
	// TLSHandshakeDone is called after a TLS handshake.
	TLSHandshakeDone func(endpoint Endpoint, err error)
	// Versions is called when the API versions of the broker are known.
	Versions func(endpoint Endpoint, versions *Versions)
	// AuthStart is called before a login and a reauthentication.
	AuthStart func(endpoint Endpoint, login LoginInfo)
	// AuthDone is called after a login and a reauthentication.
	AuthDone func(endpoint Endpoint, login LoginInfo, err error)

	// RequestWritten is called when the last byte of a request was passed to the transport.
	RequestWritten func(RequestInfo)
	// RequestAnswered is called when a response was received.
	RequestAnswered func(RequestInfo)
	// RequestFailed is called when an admitted request ended without a response.
	RequestFailed func(RequestInfo, error)

	// Throttled is called when the broker throttles the connection until a time (KIP-219).
	Throttled func(endpoint Endpoint, until time.Time)
	// Stalled is called when the oldest request in flight has reached the age of
	// Config.StallAfter, once for each request.
	Stalled func(endpoint Endpoint, oldest RequestInfo)
	// Idle is called, after StateChanged, when the connection was closed by IdleTimeout.
	Idle func(endpoint Endpoint)
	// IdleLost is called, after StateChanged, when a connection was lost that was idle for at
	// least ReconnectBackoffMax and had answered a request before: most often the broker, or a
	// balancer, has closed it by a limit of its own. Like IdleTimeout that is a clean close, and
	// no failure.
	IdleLost func(endpoint Endpoint, err error)
	// Warning is called for a setting that may not have the intended effect: while the Conn or
	// Polled is made, also for a Transport that does not verify the broker; before the first
	// login, for a password that is sent without TLS or to a broker that is not verified; when
	// probes have identified the broker as one before 0.10; when a broker lists an API twice or
	// with an invalid range; and for changed files of certificates that cannot be used.
	Warning func(text string)

	// Panicked is called with the value of a panic in another hook.
	Panicked func(v any)
}

// RequestInfo describes one request to a hook. Times that were not reached are zero.
//
//	Key, Version int16       the API key, and the version of the request
//	CorrelationID int32      the number of the request on its connection
//	Timing ports.Timing      the four times that follow, as one value
//	Queued time.Time         when the request was passed in
//	Written time.Time        when its last byte was passed to the transport
//	FirstByte time.Time      when the first byte of the response was received
//	Completed time.Time      when the request was done
//	Latency() time.Duration  the time from Queued to Completed; 0 before that
//	Split() (writing, waiting, receiving time.Duration)  Latency, divided at Written and at FirstByte
type RequestInfo = domain.RequestInfo

// LoginInfo describes a login to a hook.
//
//	Mechanism string         the SASL mechanism, such as SCRAM-SHA-512
//	Again bool               it authenticates a connection again (KIP-368)
//	Lifetime time.Duration   how long the session lasts, for AuthDone; 0 if the broker sets no limit
type LoginInfo = domain.LoginInfo

// tracing reports whether a hook needs events other than changes of state.
func (h *Hooks) tracing() bool {
	return h.ResolveStart != nil || h.ResolveDone != nil || h.DialStart != nil || h.DialDone != nil ||
		h.TLSHandshakeDone != nil || h.Versions != nil || h.AuthStart != nil || h.AuthDone != nil ||
		h.Throttled != nil || h.Stalled != nil || h.Idle != nil || h.IdleLost != nil || h.Warning != nil
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

func (h *Hooks) changed(out *domain.Output) {
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

// noted calls the hook of an event.
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
		what, use := "travels in plaintext to ", "use TLS"
		if e.Endpoint.Secure {
			what, use = "is shown to a broker that is not verified, ", "verify its certificate and host"
		}
		call(h.Warning, e.Login.Mechanism+": the password or token "+what+e.Endpoint.Address+"; "+use+
			", or set RequireTLSForPasswords")
	case domain.EventReleaseDetected:
		release, evidence, _ := e.Versions.Detected()
		call(h.Warning, fmt.Sprintf("%s is taken for Kafka %v, which has no ApiVersions, by probes (%s); if it is "+
			"another, set APIVersion (api_version) or ProbeOldReleases (probe_old_releases)",
			e.Endpoint.Address, release, strings.Join(evidence, "; ")))
	case domain.EventAPIsLeftOut:
		call(h.Warning, e.Endpoint.Address+" lists API versions that cannot be used, and these APIs are taken for "+
			"missing: "+leftOut(e.Versions))
	case domain.EventWritten:
		call(h.RequestWritten, e.Request)
	case domain.EventAnswered:
		call(h.RequestAnswered, e.Request)
	case domain.EventFailed:
		call2(h.RequestFailed, e.Request, e.Err)
	case domain.EventThrottled:
		call2(h.Throttled, e.Endpoint, e.Until)
	case domain.EventStalled:
		call2(h.Stalled, e.Endpoint, e.Request)
	case domain.EventWarning:
		call(h.Warning, e.Text)
	case domain.EventIdle:
		call(h.Idle, e.Endpoint)
	case domain.EventIdleLost:
		call2(h.IdleLost, e.Endpoint, e.Err)
	}
}

// maxLeftOut is how many rows of a broker's answer a warning has.
const maxLeftOut = 8

// leftOut lists the rows of an answer that are not used.
func leftOut(v *Versions) string {
	var rows []string
	for i, r := range v.LeftOut() {
		if i == maxLeftOut {
			rows = append(rows, "...")
			break
		}
		rows = append(rows, fmt.Sprintf("%d (v%d to v%d)", r.Key, r.Min, r.Max))
	}
	return strings.Join(rows, ", ")
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
