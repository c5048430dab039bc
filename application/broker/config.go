package broker

import (
	"cmp"
	"slices"
	"time"

	"brokerconn/adapters/tcp"
	"brokerconn/domain"
	"brokerconn/ports"
)

// Version is the version of this library, which is sent to brokers.
const Version = "0.1.0"

// DefaultPort is the port on which brokers usually listen.
const DefaultPort = 9092

// Config says which broker to connect to, and how. The zero value works against
// localhost:9092 over plain TCP. A Config is read once and may be reused; what it points
// to may serve many connections. Settings returns its defaults and bounds; a duration is at
// most a hundred years.
type Config struct {
	// Host is the broker's name or address, without the port; see ParseAddress for
	// "host:port". If empty, the default is localhost.
	Host string
	// Port is the broker's port. If zero, the default is 9092.
	Port uint16

	// ClientID is sent with every request; brokers use it in their logs and quotas. It has
	// at most 249 bytes. If empty, the default is brokerconn-0.1.0.
	ClientID string
	// SoftwareName names the program to brokers from 2.4 on (KIP-511). It has letters,
	// digits, '.' and '-', and begins and ends with a letter or digit. If empty, the
	// default is brokerconn.
	SoftwareName string
	// SoftwareVersion is the version of the program, in the same form. If empty, it is
	// Version with the default name, and "unknown" with another one.
	SoftwareVersion string

	// ClusterID names the cluster that is expected, and NodeID the broker in it: brokers from
	// 4.4 on reject a connection that expects another one, behind the login if there is one
	// (KIP-1242). Hooks.Warning reports a broker that does not compare them: an older one,
	// or a controller. Both must be set, or neither. If empty, any broker is accepted.
	ClusterID string
	// NodeID is the number of the broker that is expected. If nil, any broker is accepted.
	NodeID *int32

	// APIVersion is the release that the broker is assumed to have, from 0.8.0 on. The API
	// versions of that release are used, or of the nearest lower known one, which
	// Hooks.Warning reports. If zero, the broker is asked on each connection.
	APIVersion Release
	// ProbeOldReleases sets whether a broker that refuses ApiVersions is probed for a
	// release before 0.10, over several connections with the pauses of the backoff
	// between them, if no login is configured and no broker of the host has answered
	// ApiVersions before. Hooks.Warning reports a release found that way. If nil, a Polled
	// and CheckVersion probe, and a Conn does not. If false, none of them does.
	ProbeOldReleases *bool
	// APIVersionTimeout bounds the question for the API versions, within SetupTimeout. A
	// broker before 0.10 cannot answer it, and takes up to seven connections; see
	// ProbeOldReleases. If zero, a Conn has what is left of SetupTimeout, and a Polled 2 s.
	APIVersionTimeout time.Duration

	// RequestTimeout bounds a request from the call to the response, the time in the wait
	// queue included. Time for which the broker throttles is not counted. If a request was
	// sent and times out, the connection is closed, since responses have no other order than
	// that of the requests. It is longer by the time for which the broker may hold a request;
	// see MaxHold. WithRequestTimeout sets it for one request. If zero, the default is 30 s.
	RequestTimeout time.Duration
	// MaxHold bounds the time for which a request lets the broker hold it by one of its fields:
	// MaxWaitMillis of Fetch, RebalanceTimeoutMillis of JoinGroup, TimeoutMillis of CreateTopics
	// and others. That time is added to RequestTimeout, for the request and for those behind it,
	// since a broker answers in order. A raw request adds none. If zero, the default is 600 s.
	// If negative, there is no such time.
	MaxHold time.Duration
	// SetupTimeout bounds a connection attempt from the lookup of the host until requests are
	// admitted; all addresses of the host share it. If zero, the default is 10 s.
	SetupTimeout time.Duration
	// ReconnectBackoff is the pause after the first failure. Each further failure doubles it,
	// up to ReconnectBackoffMax, and each pause is varied by up to 20 % at random. It is at
	// least 1 ms. If zero, the default is 50 ms, or ReconnectBackoffMax if that is less.
	ReconnectBackoff time.Duration
	// ReconnectBackoffMax is the longest pause, before it is varied. If zero, the default is
	// 1 s, or ReconnectBackoff if that is more.
	ReconnectBackoffMax time.Duration
	// IdleTimeout is the time without traffic and without a request in flight after which the
	// connection is closed, cleanly and without backoff. Brokers close theirs after 10 min,
	// and balancers forget them earlier: those of the large clouds after 240 s or 350 s, some
	// without a word, so that the next request times out. A Conn connects again for the next
	// request. If zero, the default is 3 min for a Conn, and no limit for a Polled. If
	// negative, there is no limit.
	IdleTimeout time.Duration
	// MaxThrottle bounds the throttle time of one response (KIP-219), for which no request is
	// sent. If zero, the default is 60 s.
	MaxThrottle time.Duration
	// PingInterval is the time without traffic after which the broker is asked for its API
	// versions, so that the connection is kept. It is less than IdleTimeout. Brokers before
	// 0.10 do not know the question and are not asked. If zero, there are no pings.
	PingInterval time.Duration
	// StallAfter is the age of the oldest request in flight at which Hooks.Stalled and the
	// metrics report it as stalled; its time in the queue, and that for which the broker throttles or may hold it
	// (see MaxHold), are not counted. The request goes on. If zero, none is reported.
	StallAfter time.Duration
	// NoReconnect closes a Conn for good once its connection is lost, for proxies whose peer
	// must learn of the loss. It has no meaning for a Polled.
	NoReconnect bool

	// MaxInFlight bounds the requests that wait for a response. If zero, the default is 5.
	MaxInFlight int
	// MaxPendingBytes bounds the bytes that wait to be written; one request may be larger. If
	// zero, the default is 32 MiB.
	MaxPendingBytes int
	// MaxResponseBytes bounds one response; a larger one ends the connection before memory is
	// allocated for it. If zero, the default is 100 MiB.
	MaxResponseBytes int32

	// Transport connects to the broker. If nil, the default is TCP: tcp.New(tcp.Options{}).
	Transport ports.Transport
	// Authenticators log in; the first whose mechanism the broker offers is used. A broker
	// names its mechanisms only when it rejects another one, and then closes the connection,
	// so the first connection may take one attempt more. Unless the link is encrypted and the
	// broker verified, one that sends a password or token in clear, as PLAIN and OAUTHBEARER
	// do, is not used if one that does not, as SCRAM and GSSAPI, is before it: the peer could
	// have rejected that one to be shown the secret. If the broker rejects all that it offers,
	// the next attempt, after the backoff, chooses from its last list again. If empty, there is no login.
	Authenticators []ports.Authenticator
	// RequireTLSForPasswords fails a login with ErrAuthentication if its mechanism sends a
	// password or token in clear, as PLAIN and OAUTHBEARER do, and the link is not encrypted,
	// or the broker's certificate or its host is not verified. If false, Hooks.Warning reports
	// such a login once.
	RequireTLSForPasswords bool
	// Codec encodes requests and decodes responses. If nil, the default is kafkacodec, with
	// all messages of kmsg.
	Codec ports.Codec
	// Metrics records events. If nil, none are recorded.
	Metrics ports.MetricsSink
	// Clock measures time. If nil, the default is the system's. With another one, a caller
	// whose context can end is served by a goroutine of the Conn.
	Clock ports.Clock
	// Selector waits in the blocking calls of a Polled. It has no meaning for a Conn. If nil,
	// the default waits for the Clock and for the transport.
	Selector ports.Selector
	// Rand returns 64 random bits, for the jitter of the backoff. If nil, the default is
	// math/rand/v2.
	Rand func() uint64

	// Hooks are called as events happen. If nil, none are called.
	Hooks *Hooks
}

// defaultIdleTimeout of a Conn is less than the shortest limit that the large clouds publish, the
// 240 s of Azure, which advises 3 min for clients of Kafka.
const defaultIdleTimeout = 3 * time.Minute

// polledVersionTimeout of a Polled is kafka-python's. A Conn has no such default: a broker under
// load would answer each connection too late, however often it is asked.
const polledVersionTimeout = 2 * time.Second

// defaultTransport has no state of a connection.
var defaultTransport = tcp.New(tcp.Options{})

// withDefaults checks the settings and fills in the defaults; idle is that of IdleTimeout, and versions that of
// APIVersionTimeout.
func (c Config) withDefaults(idle, versions time.Duration) (Config, error) {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, idle)
	c.APIVersionTimeout = cmp.Or(c.APIVersionTimeout, versions)
	if err := c.Check(); err != nil {
		return Config{}, err
	}
	base, longest := c.ReconnectBackoff, c.ReconnectBackoffMax
	if c.SoftwareName == "" {
		c.SoftwareVersion = cmp.Or(c.SoftwareVersion, Version)
	}
	rows.Fill(&c)
	switch { // the one that is given bounds the other's default
	case base == 0 && longest > 0:
		c.ReconnectBackoff = min(c.ReconnectBackoff, c.ReconnectBackoffMax)
	case longest == 0:
		c.ReconnectBackoffMax = max(c.ReconnectBackoff, c.ReconnectBackoffMax)
	}
	c.IdleTimeout, c.MaxHold = max(c.IdleTimeout, 0), max(c.MaxHold, 0)
	if c.Transport == nil {
		c.Transport = defaultTransport
	}
	if c.Hooks == nil {
		c.Hooks = &Hooks{}
	}
	if c.NodeID != nil {
		c.NodeID = new(*c.NodeID) // its owner may change it
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
		MaxHold:                c.MaxHold,
		SetupTimeout:           c.SetupTimeout,
		VersionsTimeout:        c.APIVersionTimeout,
		MaxThrottle:            c.MaxThrottle,
		IdleTimeout:            c.IdleTimeout,
		PingInterval:           c.PingInterval,
		StallAfter:             c.StallAfter,
		RequireTLSForPasswords: c.RequireTLSForPasswords,
		BackoffBase:            c.ReconnectBackoff,
		BackoffMax:             c.ReconnectBackoffMax,
		Rand:                   c.Rand,
		Trace:                  c.Hooks.tracing() || park, // Dial reports the tries of a race
		TraceRequests:          c.Hooks.RequestWritten != nil || c.Hooks.RequestAnswered != nil,
		TraceGivenUp:           c.Hooks.RequestFailed != nil,
	}, domain.Ports{
		Transport:      c.Transport,
		Codec:          c.Codec,
		Authenticators: slices.Clone(c.Authenticators),
		Metrics:        c.Metrics,
	}, park)
}
