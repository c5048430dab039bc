package domain

import (
	"math"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Config configures a [Machine]. Its limits are positive unless a comment says what zero
// means: defaults are filled in by the owner, which rejects invalid values.
type Config struct {
	// Host is the host to look up. It is not empty.
	Host string
	// Port is the broker's port. It is not zero.
	Port uint16

	// ClientID is sent with every request. It has at most 32767 bytes.
	ClientID string
	// SoftwareName and SoftwareVersion are sent with ApiVersions v3 and later.
	SoftwareName, SoftwareVersion string
	// ClusterID names the cluster that is expected. If it or NodeID is set, ApiVersions is
	// sent at v5, and another broker rejects it (KIP-1242). If empty, any is accepted.
	ClusterID string
	// NodeID is the broker that is expected. If nil, any is accepted.
	NodeID *int32

	// APIVersion is the release that the broker is assumed to have. The API versions of that
	// release are used, or of the nearest lower known one. If zero, the broker is asked.
	APIVersion release.Release
	// ProbeOldReleases allows probes for a release before 0.10 where the peer does not
	// answer ApiVersions. If false, only a Connect with a Check probes.
	ProbeOldReleases bool

	// Mechanisms are those to log in with; the first that the broker offers is used. If
	// empty, there is no login.
	Mechanisms []Mechanism
	// RequireTLSForPasswords rejects a login whose Mechanism.Exposes over an endpoint that is
	// not Verified.
	RequireTLSForPasswords bool

	// MaxInFlight bounds the requests that wait for a response.
	MaxInFlight int
	// MaxPendingBytes bounds the bytes that wait to be written. One request may be larger.
	MaxPendingBytes int
	// MaxFrameBytes bounds a response. It is at most 2 GiB - 5, so that a frame fits an int
	// of 32 bits.
	MaxFrameBytes int32
	// RequestTimeout bounds a request from admission to the response.
	RequestTimeout time.Duration
	// MaxHold bounds the time for which the broker may hold a request by the request's own
	// fields, which is added to RequestTimeout. If zero, none is added.
	MaxHold time.Duration
	// SetupTimeout bounds a connection attempt from the lookup until requests are admitted,
	// all addresses together.
	SetupTimeout time.Duration
	// VersionsTimeout bounds the negotiation of API versions within SetupTimeout, all
	// connections that it takes together. If zero, it has no limit of its own.
	VersionsTimeout time.Duration
	// MaxThrottle bounds the throttle time of one response.
	MaxThrottle time.Duration
	// IdleTimeout is the time without traffic after which the connection is closed. If zero,
	// there is no limit.
	IdleTimeout time.Duration
	// PingInterval is the time without traffic after which a ping is sent. If zero, there
	// are no pings.
	PingInterval time.Duration
	// StallAfter is the age at which the oldest request in flight is reported as stalled, once;
	// throttled time is not counted. If zero, none is reported.
	StallAfter time.Duration
	// BackoffBase is the pause after the first failure.
	BackoffBase time.Duration
	// BackoffMax is the longest pause, before the jitter. It is at least BackoffBase.
	BackoffMax time.Duration

	// Race opens a link to all addresses of the host at once, of which the transport dials one
	// after the other until one is reached: see [ports.Racer]. If false, they are tried in
	// turn.
	Race bool

	// Rand returns 64 random bits a call, for the jitter. If nil, there is no jitter.
	Rand func() uint64
	// Codec encodes and decodes messages. It is not nil.
	Codec ports.Codec
	// Metrics is called for each event. If nil, there are no metrics.
	Metrics ports.MetricsSink
	// Trace makes Noted outputs for events of the connection.
	Trace bool
	// TraceRequests makes Noted outputs for events of each request.
	TraceRequests bool
	// TraceGivenUp makes a Noted output for the failure of each request that was given up.
	TraceGivenUp bool
}

func (c *Config) check() {
	switch {
	case c.Host == "":
		panic("domain: Config.Host is empty")
	case c.Codec == nil:
		panic("domain: Config.Codec is nil")
	case len(c.ClientID) > 1<<15-1:
		panic("domain: Config.ClientID is longer than 32767 bytes")
	case c.Port == 0, c.MaxInFlight <= 0, c.MaxPendingBytes <= 0, c.MaxFrameBytes <= 0, c.RequestTimeout <= 0,
		c.SetupTimeout <= 0, c.MaxThrottle <= 0, c.BackoffBase <= 0, c.MaxHold < 0, c.VersionsTimeout < 0,
		c.IdleTimeout < 0, c.PingInterval < 0, c.StallAfter < 0:
		panic("domain: a limit in Config is missing or negative")
	case c.MaxFrameBytes > math.MaxInt32-sizeFieldBytes:
		panic("domain: Config.MaxFrameBytes is larger than 2 GiB - 5")
	case c.BackoffMax < c.BackoffBase:
		panic("domain: Config.BackoffMax is less than BackoffBase")
	}
	if c.APIVersion != (release.Release{}) {
		v, _, ok := release.TableOf(c.APIVersion)
		if !ok {
			panic("domain: Config.APIVersion is lower than any that is known")
		}
		if _, _, can := v.Range(ports.KeyAPIVersions); c.PingInterval > 0 && !can {
			panic("domain: Config.PingInterval needs ApiVersions, which the release of Config.APIVersion does not have")
		}
	}
	if c.Metrics == nil {
		c.Metrics = ports.NopMetrics{}
	}
}
