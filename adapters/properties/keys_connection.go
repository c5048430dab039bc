package properties

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
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
		field:       "IdleLimit",
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
	askVersionKey,
	fallbackVersionKey,
	{kafkaPython: "metric_group_prefix", read: text(func(r *reader) *string { return &r.s.MetricGroupPrefix })},
	securityKey,

	{kafkaPython: "selector", read: object("a selector", "Config.Selector")},
	{kafkaPython: "state_change_callback", read: object("a function", "Config.Hooks.StateChanged")},
	{kafkaPython: "metrics", read: object("an object", "Config.Metrics")},
	{kafkaPython: "socks5_proxy proxy_url", read: never("this version has no proxies yet: give Config.Transport a dial function in Go, as in netlink.Transport")},
}

func readHost(r *reader, p *Property) {
	host, _, err := broker.ParseAddress(value(p))
	switch {
	case strings.Contains(value(p), "@"):
		r.refuse(p, "there is an @ in it: a host name or address alone")
	case err != nil:
		r.refuse(p, "%s is not a host name or address", quoted(p))
	case host != value(p):
		r.refuse(p, "%s is more than a host name or address: write the port as port=", quoted(p))
	default:
		r.s.Servers = append(r.s.Servers, Server{host, broker.DefaultPort})
	}
}

func readPort(r *reader, p *Property) {
	n, ok := r.whole(p, 1, math.MaxUint16)
	if !ok {
		return
	}
	if len(r.s.Servers) == 0 {
		r.s.Servers = append(r.s.Servers, Server{Host: "localhost"})
	}
	r.s.Servers[0].Port = uint16(n)
}

// readServers reads "host:port, host:port", also in the brackets and quotes of a
// Python list.
func readServers(r *reader, p *Property) {
	text := value(p)
	if r.s.Dialect == KafkaPython {
		text = strings.NewReplacer("['", "", "']", "", `["`, "", `"]`, "", "'", "", `"`, "").Replace(text)
	}
	var found []Server
	for _, item := range list(text) {
		if strings.Contains(item, "@") {
			r.refuse(p, "there is an @ in it: host:port, without a login")
			return
		}
		host, port, err := broker.ParseAddress(item)
		if err != nil {
			r.refuse(p, "%v; host:port, or several separated by commas", err)
			return
		}
		found = append(found, Server{host, port})
	}
	if len(found) == 0 {
		r.refuse(p, "%s names no broker; host:port, or several separated by commas", quoted(p))
		return
	}
	r.s.Servers = found
}

// readFamily knows Python's names and numbers of address families, the latter of
// every system, and librdkafka's.
func readFamily(r *reader, p *Property) {
	families := map[string]tcp.AddressFamily{
		"af_unspec": tcp.Unspecified, "0": tcp.Unspecified, "any": tcp.Unspecified,
		"af_inet": tcp.IPv4, "2": tcp.IPv4, "v4": tcp.IPv4,
		"af_inet6": tcp.IPv6, "10": tcp.IPv6, "23": tcp.IPv6, "30": tcp.IPv6, "v6": tcp.IPv6,
	}
	word := strings.ToLower(value(p))
	family, known := families[word[strings.LastIndex(word, ".")+1:]]
	right := "AF_UNSPEC, AF_INET or AF_INET6"
	if r.s.Dialect == Librdkafka {
		right = "any, v4 or v6"
	}
	if !known {
		r.refuse(p, "%s; %s", quoted(p), right)
		return
	}
	r.s.Sockets.AddressFamily = family
}

// readIdle: 0, and with Java any number below, is no limit.
func readIdle(r *reader, p *Property) {
	n, err := strconv.ParseInt(value(p), 10, 64)
	if err != nil {
		r.refuse(p, "%s; milliseconds, a whole number; 0: no limit", quoted(p))
		return
	}
	r.s.Connection.IdleLimit = -1
	if limit := time.Duration(n) * time.Millisecond; n > 0 && n <= int64(math.MaxInt64/time.Millisecond) {
		r.s.Connection.IdleLimit = limit
	}
}

// readBuffer: Java has -1, and librdkafka 0, for what the system gives.
func readBuffer(to func(*tcp.Options) *int) func(*reader, *Property) {
	return func(r *reader, p *Property) {
		least := map[Dialect]int64{Java: -1, Librdkafka: 0, KafkaPython: 1}[r.s.Dialect]
		if n, ok := r.whole(p, least, math.MaxInt32); ok {
			*to(&r.s.Sockets) = int(max(n, 0))
		}
	}
}

// readLookup: every address of a name is tried here, and no name is replaced by
// its canonical form.
func readLookup(r *reader, p *Property) {
	switch word := value(p); strings.ToLower(word) {
	case "use_all_dns_ips", "default":
		r.ignore(p, "every address of a name is tried")
	case "resolve_canonical_bootstrap_servers_only":
		r.refuse(p, "names are not replaced by their canonical form here: write that name into %s", r.name(serversKey))
	default:
		r.refuse(p, "%s; use_all_dns_ips", quoted(p))
	}
}

// judgeConnection looks for contradictions.
func (r *reader) judgeConnection() {
	base, most := r.given[backoffKey], r.given[backoffMaxKey]
	if c := &r.s.Connection; base != nil && most != nil && !r.bad[backoffKey] && !r.bad[backoffMaxKey] && c.ReconnectBackoff > c.ReconnectBackoffMax {
		r.refuse(most, "%s is less than %s, %s: at least as much, or leave it out", quoted(most), base.Key, quoted(base))
		r.bad[backoffMaxKey] = true
	}
	r.judgeVersion()
	r.judgeConfig()
}

// judgeConfig refuses what broker would, under the keys that gave it.
func (r *reader) judgeConfig() {
	joined, bad := r.s.Connection.Check().(interface{ Unwrap() []error })
	if !bad {
		return
	}
	for _, err := range joined.Unwrap() {
		config := err.(*broker.ConfigError)
		i := slices.IndexFunc(connectionSettings, func(s *setting) bool { return s.field == config.Setting && r.has(s) })
		if i < 0 {
			r.problems = append(r.problems, &Error{Key: config.Setting, Problem: config.Problem})
		} else if s := connectionSettings[i]; !r.bad[s] {
			r.refuse(r.given[s], "%s", config.Problem)
		}
	}
}

// judgeVersion: what asks the broker for its versions, and what tells them.
func (r *reader) judgeVersion() {
	c := &r.s.Connection
	fallback := r.given[fallbackVersionKey]
	switch {
	case r.unasked && fallback == nil:
		c.APIVersion = broker.Release{Minor: 10} // librdkafka's default
	case !r.unasked && fallback != nil && !r.bad[fallbackVersionKey]:
		r.ignore(fallback, "not used unless "+r.name(askVersionKey)+" is false")
		c.APIVersion = broker.Release{}
	}
	if p := r.given[versionTimeoutKey]; p != nil && c.APIVersion != (broker.Release{}) {
		r.ignore(p, "the release is given: no broker is asked")
		c.APIVersionTimeout = 0
	}
}
