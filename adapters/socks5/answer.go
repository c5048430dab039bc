package socks5

import (
	"errors"
	"fmt"

	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/ports"
)

// The answers of a proxy, in order (RFC 1928, sections 3 and 6; RFC 1929):
//
//	05 method          the login method
//	01 status          if that is user name and password
//	05 reply 00 type   and by type 4, 16 or 1+n bytes of address, and a port
const (
	version      = 5
	loginVersion = 1

	methodNone     = 0x00
	methodPassword = 0x02
	methodRefused  = 0xff

	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4
)

// Reply is why a proxy refuses the tunnel (RFC 1928, section 6).
type Reply byte

const (
	GeneralFailure          Reply = 1
	NotAllowed              Reply = 2 // by the proxy's rules
	NetworkUnreachable      Reply = 3
	HostUnreachable         Reply = 4 // some also say so of a name that they cannot resolve
	ConnectionRefused       Reply = 5 // by the broker's host
	TTLExpired              Reply = 6 // some say so of a connection that timed out
	CommandNotSupported     Reply = 7
	AddressTypeNotSupported Reply = 8 // of names, or of IPv6
)

var replies = [...]string{
	GeneralFailure:          "general failure",
	NotAllowed:              "its rules do not allow it",
	NetworkUnreachable:      "the network is unreachable",
	HostUnreachable:         "the host is unreachable, or its name unknown",
	ConnectionRefused:       "the host refuses the connection",
	TTLExpired:              "the host was not reached in time (TTL expired)",
	CommandNotSupported:     "it does not support the command CONNECT",
	AddressTypeNotSupported: "it does not support that type of address",
}

func (r Reply) Error() string {
	if r > 0 && int(r) < len(replies) {
		return fmt.Sprintf("%s (reply %d)", replies[r], byte(r))
	}
	return fmt.Sprintf("unknown reply %d", byte(r))
}

// Is reports whether target is ports.ErrFinal and r is about the proxy's rules or abilities.
func (r Reply) Is(target error) bool {
	return target == ports.ErrFinal && (r == NotAllowed || r == CommandNotSupported || r == AddressTypeNotSupported)
}

// stage is the progress of the negotiation.
type stage uint8

const (
	greeting stage = iota
	loggingIn
	asking
	replying
	standing
)

var afterwards = [...]string{
	greeting:  "the greeting",
	loggingIn: "the login was sent; it may be wrong",
	asking:    "the request was sent",
	replying:  "the request was sent, within the reply",
	standing:  "the tunnel was granted",
}

// parse parses all bytes that the proxy has sent. The error is nil while they are valid;
// login reports whether a login was offered.
func parse(said []byte, login bool) (stage, *tunnel.Error) {
	if len(said) > 0 && said[0] != version {
		return greeting, garbage(tunnel.Unlike(said, false))
	}
	if len(said) < 2 {
		return greeting, nil
	}
	method, said := said[1], said[2:]
	switch {
	case method == methodNone:
	case method == methodPassword && login:
		if len(said) > 0 && said[0] != loginVersion {
			return loggingIn, garbage(fmt.Errorf("the login was answered in version %d of its own protocol, not 1",
				said[0]))
		}
		if len(said) < 2 {
			return loggingIn, nil
		}
		if status := said[1]; status != 0 {
			return loggingIn, rejected(fmt.Sprintf("user name or password is wrong (status %d)", status))
		}
		said = said[2:]
	case method == methodRefused && login:
		return greeting, rejected("it accepts neither user name and password nor no login")
	case method == methodRefused:
		return greeting, rejected("it requires one, and none is configured")
	default:
		return greeting, garbage(fmt.Errorf("it chose the login method %d, which was not offered", method))
	}
	return parseReply(said)
}

func parseReply(said []byte) (stage, *tunnel.Error) {
	switch {
	case len(said) > 0 && said[0] != version:
		return replying, garbage(fmt.Errorf("the request was answered in version %d, not 5", said[0]))
	case len(said) > 1 && said[1] != 0:
		// The code comes before the rest, which some proxies leave out.
		return replying, &tunnel.Error{Kind: tunnel.ErrRefused, Cause: Reply(said[1])}
	case len(said) == 0:
		return asking, nil
	case len(said) < 4:
		return replying, nil
	}
	reserved, kind, address := said[2], said[3], said[4:]
	size, known := map[byte]int{typeIPv4: 4, typeIPv6: 16, typeName: 1}[kind]
	switch {
	case reserved != 0:
		return replying, garbage(fmt.Errorf("the reserved byte of its answer is %d", reserved))
	case !known:
		return replying, garbage(fmt.Errorf("its answer has an address of type %d", kind))
	case kind == typeName && len(address) > 0:
		size += int(address[0])
	}
	if len(address) < size+2 {
		return replying, nil
	}
	return standing, nil
}

func garbage(cause error) *tunnel.Error { return &tunnel.Error{Kind: tunnel.ErrGarbage, Cause: cause} }

func rejected(why string) *tunnel.Error {
	return &tunnel.Error{Kind: tunnel.ErrLogin, Cause: errors.New(why)}
}
