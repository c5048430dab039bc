package properties

import (
	"math"
	"strconv"
	"strings"
	"time"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// How the values of a connection's settings are read, where they have a form of
// their own.

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
	r.s.Connection.IdleTimeout = -1
	if limit := time.Duration(n) * time.Millisecond; n > 0 && n <= int64(math.MaxInt64/time.Millisecond) {
		r.s.Connection.IdleTimeout = limit
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
