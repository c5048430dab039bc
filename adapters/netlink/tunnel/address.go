package tunnel

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// splitAddress parses host:port. Both become part of a request to a proxy and of errors,
// so that no line ends are allowed.
func splitAddress(address string) (host string, port uint16, err error) {
	if at := strings.LastIndexByte(address, '@'); at >= 0 { // user:password@
		return "", 0, fmt.Errorf("unexpected text before %q: set the login in Options.Login", address[at:])
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("%q is not host:port", address)
	}
	n, err := strconv.ParseUint(text, 10, 16)
	switch {
	case err != nil || n == 0:
		return "", 0, fmt.Errorf("%q: the port must be a number from 1 to 65535", address)
	case host == "":
		return "", 0, fmt.Errorf("%q has no host", address)
	case strings.ContainsFunc(host, func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune(`/?#\`, r)
	}):
		return "", 0, fmt.Errorf("%q: %q is not the name of a host", address, host)
	}
	return host, uint16(n), nil
}

// checkTarget returns why a proxy does not accept an address, or nil.
func checkTarget(network, target string) error {
	host, _, err := splitAddress(target)
	switch {
	case network != "tcp" && network != "tcp4" && network != "tcp6":
		return fmt.Errorf("network %q: proxies reach TCP only", network)
	case err != nil:
		return err
	case strings.Contains(host, "%"):
		return errors.New("an IPv6 zone is valid on this machine only")
	case len(host) > 255:
		return errors.New("a name has at most 255 bytes")
	}
	return nil
}
