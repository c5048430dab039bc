package properties

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// The values of a connection's keys that have a form of their own.

func readHost(r *reader, p *Property) {
	host, _, err := broker.ParseAddress(value(p))
	switch {
	case strings.Contains(value(p), "@"):
		r.reject(p, "there is an @ in it: a host name or address alone")
	case err != nil:
		r.reject(p, "%s is not a host name or address", quoted(p))
	case host != value(p):
		r.reject(p, "%s is more than a host name or address: write the port as port=", quoted(p))
	default:
		r.s.Servers = append(r.s.Servers, Server{host, broker.DefaultPort})
	}
}

func readPort(r *reader, p *Property) {
	n, err := whole(p, 1, math.MaxUint16)
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
	text := value(p)
	if r.s.Dialect == KafkaPython {
		text = strings.NewReplacer("['", "", "']", "", `["`, "", `"]`, "", "'", "", `"`, "").Replace(text)
	}
	var found []Server
	for _, item := range list(text) {
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
	if (broker.Config{APIVersion: r}).Check() != nil {
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
	on, err := boolean(p)
	if r.unasked = !on; err != nil {
		r.reject(p, "%v", err)
	}
}
