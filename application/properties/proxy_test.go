package properties

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/netlink"
)

// TestProxyIsUsed: the connection goes through the proxy, with its login, and the
// name is looked up where it should be.
func TestProxyIsUsed(t *testing.T) {
	for _, c := range []struct {
		scheme string
		here   bool // the name is looked up here
	}{{"socks5", true}, {"socks5h", false}, {"http", false}} {
		t.Run(c.scheme, func(t *testing.T) {
			asked := make(chan string, 1)
			dial := func(_, address string) (net.Conn, error) {
				asked <- address
				ours, theirs := net.Pipe()
				go func() {
					_, _ = io.WriteString(theirs, "broker") // who reads it judges
					_ = theirs.Close()
				}()
				return ours, nil
			}
			serve := (&proxies.Socks5{Username: "u@d", Password: canary, Dial: dial}).Serve
			if c.scheme == "http" {
				serve = (&proxies.Connect{Username: "u@d", Password: canary, Dial: dial}).Serve
			}
			url := c.scheme + "://u%40d:" + canary + "@" + proxies.Listen(t, serve)
			_, cfg := configured(t, Guess, "", "proxy_url="+url, "host=localhost", "port=7", "afi=AF_INET")
			transport := cfg.Transport.(*netlink.Transport)
			want := "localhost:7"
			if c.here {
				eps, err := transport.Lookup(context.Background(), cfg.Host, cfg.Port)
				saslpeer.Succeed(t, err)
				want = eps[0].Address
				if !strings.HasPrefix(want, "127.") {
					t.Errorf("localhost is %s", want)
				}
			} else if transport.Lookup != nil {
				t.Error("names are looked up here")
			}
			conn, err := transport.Dial(context.Background(), "tcp", want)
			saslpeer.Succeed(t, err)
			defer conn.Close()
			if got, err := io.ReadAll(conn); string(got) != "broker" || err != nil {
				t.Errorf("read %q, %v", got, err)
			}
			if got := <-asked; got != want {
				t.Errorf("the proxy was asked for %s, want %s", got, want)
			}
		})
	}
}
