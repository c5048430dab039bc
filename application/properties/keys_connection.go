package properties

// The keys of a connection that concern neither TLS nor a login.

var (
	hostKey    = &key{kafkaPython: "host", to: "Config.Host", read: readHost}
	portKey    = &key{kafkaPython: "port", to: "Config.Port", read: readPort, empty: rejected}
	serversKey = &key{kafkaPython: "bootstrap_servers", java: "bootstrap.servers",
		librdkafka: "bootstrap.servers metadata.broker.list", to: "properties.Settings.Servers", read: readServers}
	securityKey = &key{kafkaPython: "security_protocol", java: "security.protocol", librdkafka: "security.protocol",
		to: "properties.Settings.Security"}
	backoffKey = &key{kafkaPython: "reconnect_backoff_ms", java: "reconnect.backoff.ms",
		librdkafka: "reconnect.backoff.ms", to: "Config.ReconnectBackoff"}
	backoffMaxKey = &key{kafkaPython: "reconnect_backoff_max_ms", java: "reconnect.backoff.max.ms",
		librdkafka: "reconnect.backoff.max.ms", to: "Config.ReconnectBackoffMax"}
	requestTimeoutKey = &key{kafkaPython: "request_timeout_ms", java: "request.timeout.ms",
		librdkafka: "socket.timeout.ms", to: "Config.RequestTimeout"}
	// To librdkafka this bounds what a broker may take for a produce request;
	// socket.timeout.ms bounds every request, and is read after it.
	produceTimeoutKey = &key{librdkafka: "request.timeout.ms", to: "Config.RequestTimeout"}
	versionTimeoutKey = &key{kafkaPython: "api_version_auto_timeout_ms",
		librdkafka: "api.version.request.timeout.ms", to: "Config.APIVersionTimeout"}
	askVersionKey = &key{librdkafka: "api.version.request", to: "Config.APIVersion", read: readAskVersion,
		empty: rejected}
	fallbackVersionKey = &key{librdkafka: "broker.version.fallback", to: "Config.APIVersion"}
)

var connectionKeys = []*key{
	hostKey, portKey, serversKey,
	{kafkaPython: "afi", librdkafka: "broker.address.family", to: "tcp.Options.AddressFamily"},
	{kafkaPython: "client_id", java: "client.id", librdkafka: "client.id", to: "Config.ClientID"},
	{kafkaPython: "client_software_name", to: "Config.SoftwareName"},
	{kafkaPython: "client_software_version", to: "Config.SoftwareVersion"},
	backoffKey, backoffMaxKey, produceTimeoutKey, requestTimeoutKey,
	{kafkaPython: "socket_connection_setup_timeout_ms", java: "socket.connection.setup.timeout.ms",
		librdkafka: "socket.connection.setup.timeout.ms", to: "Config.SetupTimeout"},
	{kafkaPython: "max_in_flight_requests_per_connection", java: "max.in.flight.requests.per.connection",
		librdkafka: "max.in.flight.requests.per.connection max.in.flight", to: "Config.MaxInFlight",
		max: 1_000_000},
	{kafkaPython: "receive_message_max_bytes", librdkafka: "receive.message.max.bytes",
		to: "Config.MaxResponseBytes", min: 1000},
	{kafkaPython: "connections_max_idle_ms", java: "connections.max.idle.ms", librdkafka: "connections.max.idle.ms",
		to: "Config.IdleTimeout"},
	{kafkaPython: "receive_buffer_bytes", java: "receive.buffer.bytes", librdkafka: "socket.receive.buffer.bytes",
		to: "tcp.Options.ReceiveBufferBytes", system: true},
	{kafkaPython: "send_buffer_bytes", java: "send.buffer.bytes", librdkafka: "socket.send.buffer.bytes",
		to: "tcp.Options.SendBufferBytes", system: true},
	{kafkaPython: "socket_options", to: "tcp.Options.SocketOptions"},
	{kafkaPython: "proxy_url socks5_proxy", to: "properties.Settings.Proxy"},
	{librdkafka: "socket.nagle.disable", to: "tcp.Options.DisableNoDelay", not: true},
	{librdkafka: "socket.keepalive.enable", to: "tcp.Options.KeepAlive"},
	{kafkaPython: "client_dns_lookup", java: "client.dns.lookup", librdkafka: "client.dns.lookup", read: readLookup},
	{kafkaPython: "api_version", to: "Config.APIVersion"},
	versionTimeoutKey,
	{kafkaPython: "probe_old_releases", java: "probe.old.releases", librdkafka: "probe.old.releases",
		to: "Config.ProbeOldReleases", empty: rejected},
	askVersionKey, fallbackVersionKey,
	{kafkaPython: "metric_group_prefix", to: "properties.Settings.MetricGroupPrefix"},
	securityKey,

	{kafkaPython: "selector", object: "a selector", to: "Config.Selector"},
	{kafkaPython: "state_change_callback", object: "a function", to: "Config.Hooks.StateChanged"},
	{kafkaPython: "metrics", object: "an object", to: "Config.Metrics"},
}
