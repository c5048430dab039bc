package properties

import (
	"math"
	"time"

	"brokerconn/adapters/tcp"
)

// The settings of a connection that are neither of TLS nor of a login. What is
// not given has this library's default, in every dialect.

var (
	hostKey    = &setting{kafkaPython: "host", read: readHost}
	portKey    = &setting{kafkaPython: "port", read: readPort, empty: refused}
	serversKey = &setting{
		kafkaPython: "bootstrap_servers",
		java:        "bootstrap.servers",
		librdkafka:  "bootstrap.servers metadata.broker.list",
		read:        readServers,
	}
	securityKey = &setting{
		kafkaPython: "security_protocol",
		java:        "security.protocol",
		librdkafka:  "security.protocol",
		read: choice(func(r *reader, word string) {
			for p, name := range protocolNames {
				if name == word {
					r.s.Security = Protocol(p)
				}
			}
		}, protocolNames[:]...),
	}
	backoffKey = &setting{
		kafkaPython: "reconnect_backoff_ms",
		java:        "reconnect.backoff.ms",
		librdkafka:  "reconnect.backoff.ms",
		empty:       refused,
		field:       "ReconnectBackoff",
		read:        millis(0, func(r *reader, d time.Duration) { r.s.Connection.ReconnectBackoff = max(d, time.Millisecond) }),
	}
	backoffMaxKey = &setting{
		kafkaPython: "reconnect_backoff_max_ms",
		java:        "reconnect.backoff.max.ms",
		librdkafka:  "reconnect.backoff.max.ms",
		empty:       refused,
		field:       "ReconnectBackoffMax",
		read:        millis(0, func(r *reader, d time.Duration) { r.s.Connection.ReconnectBackoffMax = max(d, time.Millisecond) }),
	}
	requestTimeoutKey = &setting{
		kafkaPython: "request_timeout_ms",
		java:        "request.timeout.ms",
		librdkafka:  "socket.timeout.ms",
		empty:       refused,
		field:       "RequestTimeout",
		read:        millis(1, func(r *reader, d time.Duration) { r.s.Connection.RequestTimeout = d }),
	}
	// To librdkafka this is how long a broker may take over a produce request;
	// socket.timeout.ms is what bounds every request, and wins.
	produceTimeoutKey = &setting{
		librdkafka: "request.timeout.ms",
		empty:      refused,
		field:      "RequestTimeout",
		read: millis(1, func(r *reader, d time.Duration) {
			if !r.has(requestTimeoutKey) {
				r.s.Connection.RequestTimeout = d
			}
		}),
	}
	versionKey        = &setting{kafkaPython: "api_version", field: "APIVersion", read: readRelease}
	versionTimeoutKey = &setting{
		kafkaPython: "api_version_auto_timeout_ms",
		librdkafka:  "api.version.request.timeout.ms",
		empty:       refused,
		field:       "APIVersionTimeout",
		read:        millis(1, func(r *reader, d time.Duration) { r.s.Connection.APIVersionTimeout = d }),
	}
	probeKey = &setting{
		kafkaPython: "probe_old_releases",
		java:        "probe.old.releases",
		librdkafka:  "probe.old.releases",
		empty:       refused,
		field:       "ProbeOldReleases",
		read:        boolean(func(r *reader, on bool) { r.s.Connection.ProbeOldReleases = &on }),
	}
	askVersionKey      = &setting{librdkafka: "api.version.request", empty: refused, field: "APIVersion", read: boolean(func(r *reader, on bool) { r.unasked = !on })}
	fallbackVersionKey = &setting{librdkafka: "broker.version.fallback", field: "APIVersion", read: readRelease}
)

var connectionSettings = []*setting{
	hostKey,
	portKey,
	serversKey,
	{kafkaPython: "afi", librdkafka: "broker.address.family", read: readFamily},
	{
		kafkaPython: "client_id",
		java:        "client.id",
		librdkafka:  "client.id",
		field:       "ClientID",
		read:        text(func(r *reader) *string { return &r.s.Connection.ClientID }),
	},
	{kafkaPython: "client_software_name", field: "SoftwareName", read: text(func(r *reader) *string { return &r.s.Connection.SoftwareName })},
	{kafkaPython: "client_software_version", field: "SoftwareVersion", read: text(func(r *reader) *string { return &r.s.Connection.SoftwareVersion })},
	backoffKey,
	backoffMaxKey,
	requestTimeoutKey,
	produceTimeoutKey,
	{
		kafkaPython: "socket_connection_setup_timeout_ms",
		java:        "socket.connection.setup.timeout.ms",
		librdkafka:  "socket.connection.setup.timeout.ms",
		empty:       refused,
		field:       "SetupTimeout",
		read:        millis(1, func(r *reader, d time.Duration) { r.s.Connection.SetupTimeout = d }),
	},
	{
		kafkaPython: "max_in_flight_requests_per_connection",
		java:        "max.in.flight.requests.per.connection",
		librdkafka:  "max.in.flight.requests.per.connection max.in.flight",
		empty:       refused,
		field:       "MaxInFlight",
		read:        number(1, 1_000_000, func(r *reader, n int64) { r.s.Connection.MaxInFlight = int(n) }),
	},
	{
		kafkaPython: "receive_message_max_bytes",
		librdkafka:  "receive.message.max.bytes",
		empty:       refused,
		field:       "MaxResponseBytes",
		read:        number(1000, math.MaxInt32, func(r *reader, n int64) { r.s.Connection.MaxResponseBytes = int32(n) }),
	},
	{
		kafkaPython: "connections_max_idle_ms",
		java:        "connections.max.idle.ms",
		librdkafka:  "connections.max.idle.ms",
		empty:       refused,
		field:       "IdleTimeout",
		read:        readIdle,
	},
	{
		kafkaPython: "receive_buffer_bytes",
		java:        "receive.buffer.bytes",
		librdkafka:  "socket.receive.buffer.bytes",
		empty:       refused,
		read:        readBuffer(func(o *tcp.Options) *int { return &o.ReceiveBufferBytes }),
	},
	{
		kafkaPython: "send_buffer_bytes",
		java:        "send.buffer.bytes",
		librdkafka:  "socket.send.buffer.bytes",
		empty:       refused,
		read:        readBuffer(func(o *tcp.Options) *int { return &o.SendBufferBytes }),
	},
	{kafkaPython: "socket_options", read: readSocketOptions},
	proxyKey,
	{
		librdkafka: "socket.nagle.disable",
		empty:      refused,
		read:       boolean(func(r *reader, on bool) { r.s.Sockets.DisableNoDelay = !on }),
	},
	{
		librdkafka: "socket.keepalive.enable",
		empty:      refused,
		read: boolean(func(r *reader, on bool) {
			if r.s.Sockets.KeepAlive.Enable = on; on {
				// The pauses are the system's.
				r.s.Sockets.KeepAlive.Idle, r.s.Sockets.KeepAlive.Interval, r.s.Sockets.KeepAlive.Count = -1, -1, -1
			}
		}),
	},
	{
		kafkaPython: "client_dns_lookup",
		java:        "client.dns.lookup",
		librdkafka:  "client.dns.lookup",
		read:        readLookup,
	},
	versionKey,
	versionTimeoutKey,
	probeKey,
	askVersionKey,
	fallbackVersionKey,
	{kafkaPython: "metric_group_prefix", read: text(func(r *reader) *string { return &r.s.MetricGroupPrefix })},
	securityKey,

	{kafkaPython: "selector", read: object("a selector", "Config.Selector")},
	{kafkaPython: "state_change_callback", read: object("a function", "Config.Hooks.StateChanged")},
	{kafkaPython: "metrics", read: object("an object", "Config.Metrics")},
}
