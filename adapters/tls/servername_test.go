package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// router is a router by server name: it hands what it knows on to TLS, and does else with the
// rest, as Envoy and nginx (which close the connection) and the gateway of Kroxylicious 0.12
// (which reads the hello and is silent) do.
func router(known string, config *tls.Config, otherwise func(net.Conn), sent *atomic.Value) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		config := config.Clone()
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			sent.Store(hello.ServerName)
			if hello.ServerName != known {
				otherwise(conn)
			}
			return nil, nil
		}
		_ = tls.Server(conn, config).Handshake()
	}
}

func dialRouted(otherwise func(net.Conn), host, serverName string, ca *testCA) error {
	var name atomic.Value
	serve := router("broker.test", ca.server(tls.VersionTLS13), otherwise, &name)
	next := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serve(theirs)
		return ours, nil
	}
	o := ca.options()
	o.ServerName = serverName
	_, err := broker.Dial(context.Background(), broker.Config{Host: host, NoReconnect: true,
		Transport: must(New(&netlink.Transport{Dial: next}, o))})
	return err
}

// A router by server name that does not know the name: the error says which one was sent, and
// nothing advises to give up TLS.
func TestUnroutedNameIsShown(t *testing.T) {
	closes := func(conn net.Conn) { _ = conn.Close() }
	stays := func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }
	for name, c := range map[string]struct {
		otherwise func(net.Conn)
		host      string
		own       string
		want      string
	}{
		"hangs up on a name":     {closes, "other.test", "", `the server name "other.test" was sent`},
		"hangs up on an address": {closes, "192.0.2.7", "", `no server name was sent, since "192.0.2.7" is an address`},
		"hangs up on IPv6":       {closes, "2001:db8::1", "", `since "2001:db8::1" is an address`},
		"silent on a name":       {stays, "other.test", "", `the server name "other.test" was sent`},
		"silent on an address":   {stays, "192.0.2.7", "", `no server name was sent, since "192.0.2.7"`},
		"hangs up on one's own": {closes, "broker.test", "own.test",
			`the server name "own.test" was sent`},
	} {
		t.Run(name, func(t *testing.T) {
			ca := newCA("the authority")
			synctest.Test(t, func(t *testing.T) {
				err := dialRouted(c.otherwise, c.host, c.own, ca)
				var e *broker.Error
				if !errors.As(err, &e) || !strings.Contains(e.Hint, c.want) ||
					!strings.Contains(e.Hint, "ssl_server_name") {
					t.Errorf("got %v, want the hint %q, and the setting", err, c.want)
				}
				if strings.Contains(err.Error()+e.Hint, "PLAINTEXT") {
					t.Errorf("%v advises to give up TLS", err)
				}
			})
		})
	}
}

// The name of the options is sent, and verified, in place of the address that is dialed.
func TestServerNameIsSent(t *testing.T) {
	for _, name := range []string{"broker.test", "broker.test."} {
		ca := newCA("the authority")
		var sent atomic.Value
		address := listen(t, router("broker.test", ca.server(tls.VersionTLS13), func(net.Conn) {}, &sent))
		o := ca.options()
		o.ServerName = name
		dial := must(Dial(new(net.Dialer).DialContext, o))
		conn := must(dial(netlink.WithEndpoint(t.Context(), ports.Endpoint{Host: "127.0.0.1"}), "tcp", address))
		err := conn.(*Conn).HandshakeContext(t.Context())
		if got, _ := sent.Load().(string); got != "broker.test" || err != nil {
			t.Errorf("%s: got the server name %q, want broker.test (%v)", name, got, err)
		}
		_ = conn.Close()
	}
}

func TestServerNameIsChecked(t *testing.T) {
	for name, ok := range map[string]bool{
		"broker.test": true, "192.0.2.7": true, "2001:db8::1": true, "[2001:db8::1]": true,
		"broker.test:9093": false, "SSL://broker.test": false, "a b": false, "a,b": false, "a\x00": false} {
		_, err := Dial(new(net.Dialer).DialContext, Options{CAPEM: newCA("the authority").pem(), ServerName: name})
		if (err == nil) != ok {
			t.Errorf("%q: got %v, want valid: %v", name, err, ok)
		}
	}
}

// What a server without a certificate for the name answers: Go's (internal_error), and others
// with handshake_failure or unrecognized_name, differ; the name is shown with each.
func TestAlertShowsServerName(t *testing.T) {
	for alert, host := range map[byte]string{112: "broker.test", 80: "broker.test", 40: "192.0.2.7"} {
		synctest.Test(t, func(t *testing.T) {
			next := func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					_, _ = theirs.Read(make([]byte, 4096))
					_, _ = theirs.Write([]byte{0x15, 3, 3, 0, 2, 2, alert})
					silent(theirs)
				}()
				return ours, nil
			}
			_, err := broker.Dial(t.Context(), broker.Config{Host: host, NoReconnect: true,
				Transport: must(New(&netlink.Transport{Dial: next}, Options{CAPEM: newCA("the authority").pem()}))})
			if err == nil || !strings.Contains(err.Error(), "server name") || !strings.Contains(err.Error(), host) {
				t.Errorf("alert %d: got %v, want the server name of %s", alert, err, host)
			}
		})
	}
}
