package domain

import (
	"cmp"
	"math"
	"time"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Config is what a [Machine] is made of. Zero values mean the defaults named at
// the fields.
type Config struct {
	Host string // as configured; never empty
	Port uint16 // 0: 9092

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

	MaxInFlight     int           // requests that wait for an answer; 0: 5
	MaxPendingBytes int           // bytes that wait to be written, or one request; 0: 32 MiB
	MaxFrameBytes   int32         // of a response; 0: 100 MiB; at most 2 GiB - 5, so that a frame fits an int of 32 bits
	RequestTimeout  time.Duration // from admission to the answer; 0: 30 s
	SetupTimeout    time.Duration // from the lookup to ready, all addresses together; 0: 10 s
	VersionsTimeout time.Duration // of it, to find out the API versions, all connections that it takes together; 0: all of it
	IdleTimeout     time.Duration // without traffic, until the connection is closed; 0: for ever
	PingInterval    time.Duration // without traffic, until the broker is asked for its API versions; 0: never
	BackoffBase     time.Duration // 0: 50 ms; at least 1 ms
	BackoffMax      time.Duration // 0: 1 s; raised to BackoffBase

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
	case c.MaxInFlight < 0, c.MaxPendingBytes < 0, c.MaxFrameBytes < 0, c.RequestTimeout < 0,
		c.SetupTimeout < 0, c.VersionsTimeout < 0, c.IdleTimeout < 0, c.PingInterval < 0, c.BackoffBase < 0, c.BackoffMax < 0:
		panic("domain: a limit in Config is negative")
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
	c.Port = cmp.Or(c.Port, 9092)
	c.MaxInFlight = cmp.Or(c.MaxInFlight, 5)
	c.MaxPendingBytes = cmp.Or(c.MaxPendingBytes, 32<<20)
	c.MaxFrameBytes = min(cmp.Or(c.MaxFrameBytes, 100<<20), math.MaxInt32-sizeFieldBytes)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 30*time.Second)
	c.SetupTimeout = cmp.Or(c.SetupTimeout, 10*time.Second)
	// Without a pause an owner who tries again and again never comes to rest.
	c.BackoffBase = max(cmp.Or(c.BackoffBase, 50*time.Millisecond), time.Millisecond)
	c.BackoffMax = max(cmp.Or(c.BackoffMax, time.Second), c.BackoffBase)
	if c.Metrics == nil {
		c.Metrics = ports.NopMetrics{}
	}
}
