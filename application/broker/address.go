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
// people write brokers. A bare literal whose last group may be a port is ambiguous, which is
// an error. A "SCHEME://" before it, as in Kafka's own notation of listeners, is left out:
// see [Scheme]. "http" and "https" are errors. Without port it gives 9092.
func ParseAddress(s string) (host string, port uint16, err error) {
	scheme, address := splitScheme(s)
	if strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https") {
		return "", 0, fmt.Errorf("%q is the URL of a web server: write a broker as host:port, or as SSL://host:port", s)
	}
	if scheme != "" {
		address = strings.TrimSuffix(address, "/")
	}
	bare := address
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		bare = address[1 : len(address)-1]
	}
	before, after := cutLast(address, ':')
	bracketed := fmt.Sprintf("[%s]:%s", before, after)
	mayBePort := isPort(after) && strings.Contains(before, ":") && isLiteral(before)
	switch {
	case mayBePort && isLiteral(address):
		return "", 0, fmt.Errorf("%q is ambiguous: write %q if %s is the port, and %q if not", s, bracketed, after,
			fmt.Sprintf("[%s]:%d", address, DefaultPort))
	case mayBePort:
		return "", 0, fmt.Errorf("%q is not host:port: write %q", s, bracketed)
	case isLiteral(bare):
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

// Scheme returns what is before "://" in the address of a broker: the security protocol in
// Kafka's own notation, "SSL://host:port", or the name of a listener. It is empty if
// there is no scheme.
func Scheme(address string) string {
	scheme, _ := splitScheme(address)
	return scheme
}

func splitScheme(s string) (scheme, address string) {
	if before, after, ok := strings.Cut(s, "://"); ok {
		return before, after
	}
	return "", s
}

// cutLast cuts s at the last sep; without one, all is before it.
func cutLast(s string, sep byte) (before, after string) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// isPort reports whether text is the number of a port, in decimal.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
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
