package properties

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

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
	setupTimeoutKey   = &key{kafkaPython: "socket_connection_setup_timeout_ms",
		java: "socket.connection.setup.timeout.ms", librdkafka: "socket.connection.setup.timeout.ms",
		to: "Config.SetupTimeout"}
	idleKey = &key{kafkaPython: "connections_max_idle_ms", java: "connections.max.idle.ms",
		librdkafka: "connections.max.idle.ms", to: "Config.IdleTimeout"}
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
	// Of our own; the number of a node is not node.id, which is a key of brokers.
	{kafkaPython: "expected_cluster_id", java: "expected.cluster.id", librdkafka: "expected.cluster.id",
		to: "Config.ClusterID"},
	{kafkaPython: "expected_node_id", java: "expected.node.id", librdkafka: "expected.node.id", to: "Config.NodeID"},
	{kafkaPython: "client_software_name", librdkafka: "client.software.name", to: "Config.SoftwareName"},
	{kafkaPython: "client_software_version", to: "Config.SoftwareVersion"},
	backoffKey, backoffMaxKey, produceTimeoutKey, requestTimeoutKey,
	setupTimeoutKey,
	{kafkaPython: "max_in_flight_requests_per_connection", java: "max.in.flight.requests.per.connection",
		librdkafka: "max.in.flight.requests.per.connection max.in.flight", to: "Config.MaxInFlight"},
	{kafkaPython: "receive_message_max_bytes", librdkafka: "receive.message.max.bytes",
		to: "Config.MaxResponseBytes"},
	idleKey,
	{kafkaPython: "max_hold_ms", java: "max.hold.ms", librdkafka: "max.hold.ms", to: "Config.MaxHold"},
	{kafkaPython: "max_throttle_ms", java: "max.throttle.ms", librdkafka: "max.throttle.ms", to: "Config.MaxThrottle"},
	{kafkaPython: "receive_buffer_bytes", java: "receive.buffer.bytes", librdkafka: "socket.receive.buffer.bytes",
		to: "tcp.Options.ReceiveBufferBytes", system: true},
	{kafkaPython: "send_buffer_bytes", java: "send.buffer.bytes", librdkafka: "socket.send.buffer.bytes",
		to: "tcp.Options.SendBufferBytes", system: true},
	{kafkaPython: "socket_options", to: "tcp.Options.SocketOptions"},
	{kafkaPython: "proxy_url socks5_proxy", to: "properties.Settings.Proxy"},
	{librdkafka: "socket.nagle.disable", to: "tcp.Options.DisableNoDelay", not: true},
	{librdkafka: "socket.keepalive.enable", to: "tcp.Options.KeepAlive"},
	{kafkaPython: "client_dns_lookup", java: "client.dns.lookup", librdkafka: "client.dns.lookup", read: readLookup,
		empty: rejected},
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

// The values of a connection's keys that have a form of their own.

func readHost(r *reader, p *Property) {
	_, _, err := broker.ParseAddress(value(p))
	switch {
	case hostAlone(value(p)):
		r.s.Servers = append(r.s.Servers, Server{value(p), broker.DefaultPort})
	case strings.Contains(value(p), "@"):
		r.reject(p, "there is an @ in it: a host name or address alone")
	case err != nil:
		r.reject(p, "%s is not a host name or address", quoted(p))
	default:
		r.reject(p, "%s is more than a host name or address: write the port as port=", quoted(p))
	}
}

// hostAlone reports whether text is a host name or an address, with nothing around it. An
// address of IPv6 is one here, where no port can follow, whatever its last group is.
func hostAlone(text string) bool {
	if strings.Contains(text, ":") {
		text = "[" + text + "]"
	}
	host, _, err := broker.ParseAddress(text)
	return err == nil && host == strings.Trim(text, "[]")
}

func readPort(r *reader, p *Property) {
	n, err := r.whole(p, 1, math.MaxUint16)
	if err != nil {
		r.reject(p, "%v", err)
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
	var found []Server
	for _, item := range r.serverItems(p) {
		if strings.Contains(item, "@") {
			r.reject(p, "there is an @ in it: host:port, without a login")
			return
		}
		host, port, err := broker.ParseAddress(item)
		if err != nil {
			r.reject(p, "%v; host:port, or several separated by commas", err)
			return
		}
		found = append(found, Server{host, port})
	}
	if len(found) == 0 {
		r.reject(p, "%s names no broker; host:port, or several separated by commas", quoted(p))
		return
	}
	r.s.Servers = found
}

func (r *reader) serverItems(p *Property) []string {
	text := value(p)
	if r.s.Dialect == KafkaPython {
		text = strings.NewReplacer("['", "", "']", "", `["`, "", `"]`, "", "'", "", `"`, "").Replace(text)
	}
	return list(text)
}

// validateSchemes compares the protocols that servers are written with, as in "SSL://host:9093",
// with the security protocol, and sets it if it is not given. To Java such a prefix means
// nothing; librdkafka leaves out a broker whose prefix contradicts security.protocol.
func (r *reader) validateSchemes() {
	p := r.given[serversKey]
	if p == nil || r.rejected[serversKey] || r.rejected[securityKey] {
		return
	}
	setBy := ""
	for _, item := range r.serverItems(p) {
		protocol, ok := ProtocolOf(item)
		switch {
		case !ok || protocol == r.s.Security:
		case r.has(securityKey):
			r.reject(p, "%q contradicts %s=%v", item, r.given[securityKey].Key, r.s.Security)
		case setBy != "":
			r.reject(p, "%q contradicts %q: a connection has one protocol", item, setBy)
		}
		if ok && setBy == "" && !r.has(securityKey) {
			r.s.Security, setBy = protocol, item
		}
	}
}

// addressFamily reads Python's names and numbers of address families, the latter of
// every system, and librdkafka's words.
func addressFamily(p *Property, d Dialect) (tcp.AddressFamily, error) {
	families := map[string]tcp.AddressFamily{
		"af_unspec": tcp.Unspecified, "0": tcp.Unspecified, "any": tcp.Unspecified,
		"af_inet": tcp.IPv4, "2": tcp.IPv4, "v4": tcp.IPv4,
		"af_inet6": tcp.IPv6, "10": tcp.IPv6, "23": tcp.IPv6, "30": tcp.IPv6, "v6": tcp.IPv6,
	}
	word := strings.ToLower(value(p))
	family, known := families[word[strings.LastIndex(word, ".")+1:]]
	if !known {
		return 0, fmt.Errorf("%s; %s", quoted(p), grammars[d].families)
	}
	return family, nil
}

// aRelease is how Kafka's releases are written: "2.8", "2.8.1", "0.10.2.2"; what follows
// the third number does not change the protocol.
var aRelease = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4})(?:\.\d{1,4})?)?$`)

// release reads a release, also as Python's tuple "(0, 10)". "auto" asks the broker, as
// it did in early kafka-python.
func release(p *Property) (r broker.Release, err error) {
	text := value(p)
	if text == "auto" {
		return r, nil
	}
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		text = strings.Join(list(text[1:len(text)-1]), ".")
	}
	n := aRelease.FindStringSubmatch(text)
	if n == nil {
		return r, fmt.Errorf("%s; a release of Kafka, such as 2.8.1 or 0.10.2", quoted(p))
	}
	for i, part := range []*int{&r.Major, &r.Minor, &r.Patch} {
		*part, _ = strconv.Atoi(n[i+1]) // four digits at most; without any it is 0
	}
	if r == (broker.Release{}) || (broker.Config{APIVersion: r}).Check() != nil {
		return broker.Release{}, fmt.Errorf("%s; 0.8.0 is the first known release", quoted(p))
	}
	return r, nil
}

// readLookup sets nothing: every address of a name is tried, and a name is never replaced
// by its canonical form.
func readLookup(r *reader, p *Property) {
	switch word := value(p); strings.ToLower(word) {
	case "use_all_dns_ips", "default":
		r.ignore(p, "every address of a name is tried")
	case "resolve_canonical_bootstrap_servers_only":
		r.reject(p, "names are not replaced by their canonical form: write that name into %s", r.name(serversKey))
	default:
		r.reject(p, "%s; use_all_dns_ips", quoted(p))
	}
}

func readAskVersion(r *reader, p *Property) {
	on, err := r.boolean(p)
	if r.unasked = !on; err != nil {
		r.reject(p, "%v", err)
	}
}

// validateConnection looks for contradictions.
func (r *reader) validateConnection() {
	base, longest := r.given[backoffKey], r.given[backoffMaxKey]
	c := &r.s.Connection
	if base != nil && longest != nil && !r.rejected[backoffKey] && !r.rejected[backoffMaxKey] &&
		c.ReconnectBackoff > c.ReconnectBackoffMax {
		r.reject(longest, "%s is less than %s, %s: at least as much, or leave it out", quoted(longest), base.Key,
			quoted(base))
		r.rejected[backoffMaxKey] = true
	}
	r.validateVersion()
	r.validateConfig()
}

// validateConfig rejects what broker does, under the keys that gave it.
func (r *reader) validateConfig() {
	for _, err := range unjoined(r.s.Connection.Check()) {
		problem := err.(*broker.ConfigError)
		i := slices.IndexFunc(connectionKeys, func(k *key) bool {
			return k.to == "Config."+problem.Setting && r.has(k)
		})
		switch {
		case i < 0:
			r.problems = append(r.problems, &Error{Key: problem.Setting, Problem: problem.Problem})
		case !r.rejected[connectionKeys[i]]:
			r.reject(r.given[connectionKeys[i]], "%s", problem.Problem)
		}
	}
}

// validateVersion looks at the keys that give the release of the broker.
func (r *reader) validateVersion() {
	c := &r.s.Connection
	fallback := r.given[fallbackVersionKey]
	switch {
	case r.unasked && fallback == nil:
		c.APIVersion = broker.Release{Minor: 10} // librdkafka's default
	case !r.unasked && fallback != nil && !r.rejected[fallbackVersionKey]:
		r.ignore(fallback, "not used unless "+r.name(askVersionKey)+" is false")
		c.APIVersion = broker.Release{}
	}
	if p := r.given[versionTimeoutKey]; p != nil && c.APIVersion != (broker.Release{}) {
		r.ignore(p, "the release is given: the broker is not asked for its API versions")
		c.APIVersionTimeout = 0
	}
}
