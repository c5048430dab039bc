package socks5_test

import (
	"net"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
)

var suite = proxies.Suite{
	Protocol: "socks5",
	New:      socks5.New,
	Check:    socks5.Check,
	Proxy: func(username, password string, dial proxies.DialFunc) func(net.Conn) {
		return (&proxies.Socks5{Username: username, Password: password, Dial: dial}).Serve
	},
}

func TestContract(t *testing.T) { suite.Contract(t) }

func TestMisuse(t *testing.T) {
	suite.Misuse(t, map[string][]tunnel.Login{
		"a user name has 1 to 255 bytes": {
			tunnel.NewLogin("", "x"), tunnel.NewLogin(strings.Repeat("x", 256), ""),
			tunnel.NewLogin("x", strings.Repeat("x", 256)),
		},
	})
}

func TestOptionsArePrintedWithoutLogin(t *testing.T) { suite.HidesLogin(t) }
