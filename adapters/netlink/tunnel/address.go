package tunnel

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"
)

// splitAddress reads host:port. What is in it ends up in a request to a proxy and
// in errors, so that nothing may be there which ends a line.
func splitAddress(address string) (host string, port uint16, err error) {
	if at := strings.LastIndexByte(address, '@'); at >= 0 { // who writes that means user:password@
		return "", 0, fmt.Errorf("there is something before %q: a login goes into Login", address[at:])
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

// checkTarget says why a proxy cannot be asked for an address.
func checkTarget(network, target string) error {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fmt.Errorf("network %q: proxies reach TCP only", network)
	}
	host, _, err := splitAddress(target)
	switch {
	case err != nil:
		return err
	case strings.Contains(host, "%"):
		return errors.New("an IPv6 zone means something on this machine only")
	case len(host) > 255:
		return errors.New("a name has at most 255 bytes")
	}
	return nil
}
