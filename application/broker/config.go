package broker

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/adapters/tcp"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Version of this library, as told to brokers.
const Version = "0.1.0"

// DefaultPort is Kafka's.
const DefaultPort = 9092

// Config says which broker, and how. The zero value works against
// localhost:9092 over plain TCP. Names in quotes are kafka-python's. A Config is
// read once and may be reused; what it points to may serve many connections.
type Config struct {
	// Host is a name or a literal address, without port: "host". "":
	// "localhost". See ParseAddress for "host:port".
	Host string
	// Port is "port". 0: 9092.
	Port uint16

	// ClientID is "client_id", sent with every request and seen in the broker's
	// logs and quotas. "": "brokerconn-" and the version. At most 249 bytes.
	ClientID string
	// SoftwareName and SoftwareVersion tell brokers from 2.4 on what is
	// connected (KIP-511): letters, digits, '.' and '-', beginning and ending
	// with a letter or digit. "": this library and its version.
	SoftwareName, SoftwareVersion string

	// ClusterID and NodeID name the broker that is meant, for brokers from 4.4
	// on (KIP-1242): one that is another refuses. "" and nil: any.
	ClusterID string
	NodeID    *int32

	// APIVersion is "api_version": the release that the broker is taken for. It is
	// then not asked for its API versions, on any connection; those of that release
	// are used, or of the nearest lower one that is known, with a word to
	// Hooks.Warning. From 0.8.0 on. The zero Release: the broker is asked.
	APIVersion Release
	// ProbeOldReleases sets whether a broker that refuses ApiVersions is probed for a
	// release before 0.10, over several connections with the pauses of the backoff
	// between them, if no login is configured and no broker of the host has answered
	// ApiVersions before. A release found that way is reported to Hooks.Warning. If nil,
	// a Polled and CheckVersion probe, and a Conn does not. If false, none of them does.
	ProbeOldReleases *bool
	// APIVersionTimeout is "api_version_auto_timeout_ms": how long it may take to find
	// out the broker's API versions, within SetupTimeout. One before 0.10 cannot be
	// asked, and takes up to seven connections: see ProbeOldReleases. 0: 2 s.
	APIVersionTimeout time.Duration

	// RequestTimeout is "request_timeout_ms": from the call to the answer, the
	// wait in line included. The clock stands still while the broker throttles, for as
	// long as it says, so only a context bounds that wait. When
	// it passes for a request that was sent, the connection is dropped: answers have
	// no other order than that of the requests. For a single request see
	// WithRequestTimeout and SendWithin. 0: 30 s.
	RequestTimeout time.Duration
	// SetupTimeout is from the lookup of the host until the connection is ready;
	// several addresses share it. 0: 10 s.
	SetupTimeout time.Duration
	// ReconnectBackoff is "reconnect_backoff_ms": the pause after the first
	// failure, doubled by each further one, up to ReconnectBackoffMax,
	// "reconnect_backoff_max_ms"; then 20 % more or less, at random. 0: 50 ms, or
	// the other if that is less; and 1 s. A pause is at least about 1 ms.
	ReconnectBackoff, ReconnectBackoffMax time.Duration
	// IdleTimeout is for how long nothing may be sent or received, with no request in
	// flight, before the connection is closed, cleanly and without backoff: a
	// broker would close it after 10 minutes, and what lies between perhaps sooner
	// and silently. A Conn connects again on demand: Request waits for that, Send is
	// refused once. 0: 9 min for a Conn, none for a Polled. Less than 0: none.
	IdleTimeout time.Duration
	// PingInterval is after how long without traffic the broker is asked for its API
	// versions, so that the connection is kept. 0: never. Less than IdleTimeout. Brokers
	// before 0.10 that probes have found are not asked: they do not know the question.
	PingInterval time.Duration
	// NoReconnect makes a Conn final: once lost it is closed. For proxies, whose
	// peer must learn of the loss. No meaning for Polled.
	NoReconnect bool

	// MaxInFlight is "max_in_flight_requests_per_connection": requests that wait
	// for an answer. 0: 5.
	MaxInFlight int
	// MaxPendingBytes bounds what waits to be written; one request may be
	// larger. 0: 32 MiB.
	MaxPendingBytes int
	// MaxResponseBytes bounds one response; a larger one ends the connection
	// before memory is allocated for it. 0: 100 MiB.
	MaxResponseBytes int32

	// Transport reaches the broker. nil: tcp.New(tcp.Options{}).
	Transport ports.Transport
	// Authenticators log in; the first whose mechanism the broker offers is used. A broker
	// names its mechanisms only when it rejects another one, and then closes the connection,
	// so the first connection may take one attempt more. If empty, there is no login.
	Authenticators []ports.Authenticator
	// RequireTLSForPasswords refuses to log in where the mechanism shows its password
	// or token to whoever reads the link, as PLAIN and OAUTHBEARER do, and the link is
	// not encrypted: ErrAuthentication. false: there is a word to Hooks.Warning, once.
	RequireTLSForPasswords bool
	// Codec knows the messages. nil: kafkacodec, all of kmsg.
	Codec ports.Codec
	// Metrics is told what happens. nil: nobody.
	Metrics ports.MetricsSink
	// Clock tells the time. nil: the system's. With another one, callers whose
	// context can end leave the waiting in the link to goroutines of the Conn's.
	Clock ports.Clock
	// Selector is "selector": how the blocking calls of Polled wait. nil: on the
	// Clock and on what the transport tells. No meaning for Conn.
	Selector ports.Selector
	// Rand gives 64 random bits a call, for the jitter of the backoff; a
	// simulation gives its own. nil: math/rand/v2.
	Rand func() uint64

	// Hooks are told what happens, as it happens. nil: nobody.
	Hooks *Hooks
}

// defaultIdleTimeout of a Conn is a minute less than a broker's own
// (connections.max.idle.ms), as in Kafka's Java client.
const defaultIdleTimeout = 9 * time.Minute

// withDefaults checks the settings and fills in the defaults. idle is the one of
// IdleTimeout.
func (c Config) withDefaults(idle time.Duration) (Config, error) {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, idle)
	if err := c.Check(); err != nil {
		return Config{}, err
	}
	c.Host = cmp.Or(c.Host, "localhost")
	c.Port = cmp.Or(c.Port, DefaultPort)
	c.IdleTimeout = max(c.IdleTimeout, 0)
	if most := c.ReconnectBackoffMax; most > 0 && c.ReconnectBackoff == 0 {
		c.ReconnectBackoff = min(most, 50*time.Millisecond)
	}
	c.APIVersionTimeout = cmp.Or(c.APIVersionTimeout, 2*time.Second)
	c.ClientID = cmp.Or(c.ClientID, "brokerconn-"+Version)
	if c.SoftwareName == "" {
		c.SoftwareName = "brokerconn"
		c.SoftwareVersion = cmp.Or(c.SoftwareVersion, Version)
	}
	c.SoftwareVersion = cmp.Or(c.SoftwareVersion, "unknown")
	if c.Transport == nil {
		c.Transport = tcp.New(tcp.Options{})
	}
	if c.Codec == nil {
		c.Codec = kafkacodec.Codec{}
	}
	if c.Clock == nil {
		c.Clock = system.Clock{}
	}
	if c.Rand == nil {
		c.Rand = rand.Uint64
	}
	if c.Hooks == nil {
		c.Hooks = &Hooks{}
	}
	c.warn()
	return c, nil
}

// connection makes the core; park as in domain.NewConnection.
func (c *Config) connection(park bool) *domain.Connection {
	return domain.NewConnection(domain.Config{
		Host:                   c.Host,
		Port:                   c.Port,
		ClientID:               c.ClientID,
		SoftwareName:           c.SoftwareName,
		SoftwareVersion:        c.SoftwareVersion,
		ClusterID:              c.ClusterID,
		NodeID:                 c.NodeID,
		APIVersion:             c.APIVersion,
		ProbeOldReleases:       c.ProbeOldReleases == nil && !park || c.ProbeOldReleases != nil && *c.ProbeOldReleases,
		MaxInFlight:            c.MaxInFlight,
		MaxPendingBytes:        c.MaxPendingBytes,
		MaxFrameBytes:          c.MaxResponseBytes,
		RequestTimeout:         c.RequestTimeout,
		SetupTimeout:           c.SetupTimeout,
		VersionsTimeout:        c.APIVersionTimeout,
		IdleTimeout:            c.IdleTimeout,
		PingInterval:           c.PingInterval,
		RequireTLSForPasswords: c.RequireTLSForPasswords,
		BackoffBase:            c.ReconnectBackoff,
		BackoffMax:             c.ReconnectBackoffMax,
		Rand:                   c.Rand,
		Trace:                  c.Hooks.tracing(),
		TraceRequests:          c.Hooks.RequestWritten != nil || c.Hooks.RequestAnswered != nil,
	}, domain.Ports{
		Transport:      c.Transport,
		Codec:          c.Codec,
		Authenticators: slices.Clone(c.Authenticators),
		Metrics:        c.Metrics,
	}, park)
}
