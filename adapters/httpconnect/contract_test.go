package httpconnect_test

import (
	"net"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink/tunnel"
)

var suite = proxies.Suite{
	Protocol: "httpconnect",
	New:      httpconnect.New,
	Check:    httpconnect.Check,
	Proxy: func(username, password string, dial proxies.DialFunc) func(net.Conn) {
		return (&proxies.Connect{Username: username, Password: password, Dial: dial}).Serve
	},
}

func TestContract(t *testing.T) { suite.Contract(t) }

func TestMisuse(t *testing.T) {
	suite.Misuse(t, map[string][]tunnel.Login{
		"a colon in the user name": {tunnel.NewLogin("a:b", "x")},
		"control characters":       {tunnel.NewLogin("a", "x\n"), tunnel.NewLogin("\x00", "")},
	})
}

func TestOptionsArePrintedWithoutLogin(t *testing.T) { suite.HidesLogin(t) }
