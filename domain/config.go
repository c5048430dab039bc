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
	Host string // as configured; never empty
	Port uint16

	ClientID string // sent with every request; at most 32767 bytes
	// SoftwareName and SoftwareVersion are sent with ApiVersions v3 and later.
	SoftwareName, SoftwareVersion string
	// ClusterID and NodeID name the broker that is meant. With either set,
	// ApiVersions is asked at v5, and a broker that is another one refuses.
	// "" and a nil NodeID: any.
	ClusterID string
	NodeID    *int32

	// APIVersion is the release that the broker is taken for: it is not asked for
	// its API versions, and the table of that release is used, or of the nearest
	// lower known. The zero Release: it is asked.
	APIVersion release.Release
	// ProbeOldReleases allows probes for a release before 0.10 where the peer does not
	// answer ApiVersions. If false, only a Connect with a Check probes.
	ProbeOldReleases bool

	// Mechanisms are those to log in with; the first that the broker offers is used.
	// Empty: no login.
	Mechanisms []Mechanism
	// RequireTLSForPasswords refuses to log in where Mechanism.Exposes and the endpoint is not
	// Secure.
	RequireTLSForPasswords bool

	MaxInFlight     int           // requests that wait for an answer
	MaxPendingBytes int           // bytes that wait to be written, or one request
	MaxFrameBytes   int32         // of a response; at most 2 GiB - 5, so that a frame fits an int of 32 bits
	RequestTimeout  time.Duration // from admission to the answer
	SetupTimeout    time.Duration // from the lookup to ready, all addresses together
	VersionsTimeout time.Duration // within SetupTimeout, to find out the API versions, on all connections; 0: no own limit
	IdleTimeout     time.Duration // without traffic, until the connection is closed; 0: no limit
	PingInterval    time.Duration // without traffic, until the broker is asked for its API versions; 0: no pings
	BackoffBase     time.Duration // the pause after the first failure
	BackoffMax      time.Duration // at least BackoffBase

	Rand    func() uint64     // 64 random bits a call, for the jitter; nil: no jitter
	Codec   ports.Codec       // never nil
	Metrics ports.MetricsSink // nil: none
	// Trace makes Noted outputs of what happens to the connection, TraceRequests of
	// what happens to each request.
	Trace, TraceRequests bool
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
		c.SetupTimeout <= 0, c.BackoffBase <= 0, c.VersionsTimeout < 0, c.IdleTimeout < 0, c.PingInterval < 0:
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
