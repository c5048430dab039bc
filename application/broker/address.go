package broker

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseAddress reads "host:port", "host", "[v6]:port" or a bare IPv6 literal, as
// people write brokers. A "SCHEME://" before it is ignored, as Kafka's own
// listener notation has one. Without port it gives 9092.
func ParseAddress(s string) (host string, port uint16, err error) {
	address := s
	if i := strings.Index(address, "://"); i >= 0 {
		address = strings.TrimSuffix(address[i+len("://"):], "/")
	}
	bare := address
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		bare = address[1 : len(address)-1]
	}
	if isLiteral(bare) {
		return bare, DefaultPort, nil
	}
	host = address
	if strings.Contains(address, ":") {
		var portText string
		if host, portText, err = net.SplitHostPort(address); err != nil {
			return "", 0, fmt.Errorf("%q is not host:port", s)
		}
		n, err := strconv.ParseUint(portText, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q: the port must be a number from 1 to 65535", s)
		}
		port = uint16(n)
	}
	if host == "" {
		return "", 0, fmt.Errorf("%q has no host", s)
	}
	if !isHost(host) {
		return "", 0, fmt.Errorf("%q: %q is not the name of a host", s, host)
	}
	return host, cmp.Or(port, DefaultPort), nil
}

// isLiteral reports whether host is a literal address. Package netip takes
// anything for an IPv6 zone.
func isLiteral(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && (a.Zone() == "" || isPlain(a.Zone()))
}

// isHost reports whether s can be the name of a host, or is a literal address.
// What is in it reaches errors and terminals.
func isHost(s string) bool { return isLiteral(s) || isPlain(s) }

func isPlain(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("/:,;[]@?#%\\", r)
	})
}
