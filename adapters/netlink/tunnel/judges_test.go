package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/need"
	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	"brokerconn/application/broker"
)

// Programs of others as judges: proxies that people run, of what the adapters say,
// and curl of the proxies in proxies. Each is used where it is installed.

// real are proxies: how each is started on a port of loopback, with the login
// alice:opensesame.
var real = []struct {
	program string
	args    func(t *testing.T, port string) []string
	over    func(proxy string, login tunnel.Login) *netlink.Transport
}{
	{"microsocks", func(t *testing.T, port string) []string {
		return []string{"-i", "127.0.0.1", "-p", port, "-u", "alice", "-P", "opensesame"}
	}, overSocks5},
	{"tinyproxy", func(t *testing.T, port string) []string {
		file := filepath.Join(t.TempDir(), "tinyproxy.conf")
		text := "Port " + port + "\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth alice opensesame\nLogLevel Critical\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"-d", "-c", file}
	}, overConnect},
}

func overSocks5(proxy string, login tunnel.Login) *netlink.Transport {
	return socks5.New(overTCP, socks5.Options{Proxy: proxy, Login: login})
}

func overConnect(proxy string, login tunnel.Login) *netlink.Transport {
	return httpconnect.New(overTCP, httpconnect.Options{Proxy: proxy, Login: login})
}

func TestRealProxies(t *testing.T) {
	s := newNetwork(t)
	_, port, err := broker.ParseAddress(s.plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range real {
		t.Run(r.program, func(t *testing.T) {
			proxy := start(t, r.program, r.args)
			alice := tunnel.NewLogin("alice", "opensesame")
			for _, host := range []string{"127.0.0.1", "localhost"} {
				asks(t, broker.Config{Host: host, Port: port, Transport: r.over(proxy, alice)})
			}
			for _, c := range []struct {
				name  string
				login tunnel.Login
				to    string
				kind  error
			}{
				{"wrong login", tunnel.NewLogin("alice", "wrong-canary"), s.plain, tunnel.ErrLogin},
				{"no login", tunnel.Login{}, s.plain, tunnel.ErrLogin},
				{"no listener", alice, vacant(t), tunnel.ErrRefused},
			} {
				_, err := r.over(proxy, c.login).Dial(context.Background(), "tcp", c.to)
				var e *tunnel.Error
				if !errors.As(err, &e) || e.Kind != c.kind {
					t.Errorf("%s: %v; want %v", c.name, err, c.kind)
				}
			}
		})
	}
}

// vacant is an address of loopback without a listener.
func vacant(t *testing.T) string {
	t.Helper()
	l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
	_ = l.Close()
	return l.Addr().String()
}

// start runs a proxy until the test ends, and returns once it accepts.
func start(t *testing.T, program string, args func(*testing.T, string) []string) (address string) {
	t.Helper()
	path := installed(t, program)
	address = vacant(t)
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(path, args(t, port)...)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-ended
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, output.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen at %s", program, address)
		}
	}
}

// installed returns the path of a program, or skips the test where it is not installed.
func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	need.Extra{Name: program, Variable: "PROXIES", Untested: "No software of another author took part."}.Test(t, err)
	return path
}

// TestCurl: package proxies serve a client of another author.
func TestCurl(t *testing.T) {
	curl := installed(t, "curl")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello from %s", r.Host)
	}))
	t.Cleanup(page.Close)
	s := &network{plain: page.Listener.Addr().String()}
	open, locked := "", "alice:opensesame@"
	for _, c := range []struct {
		scheme string
		login  string
		serve  func(net.Conn)
		exit   int // 0: the page comes
	}{
		{"socks5h://", open, (&proxies.Socks5{Dial: s.dial}).Serve, 0},
		{"socks5h://", locked, (&proxies.Socks5{Dial: s.dial, Username: "alice", Password: "opensesame"}).Serve, 0},
		{"socks5h://", "alice:wrong-canary@", (&proxies.Socks5{Username: "alice", Password: "opensesame"}).Serve, 97},
		{"socks5h://", open, (&proxies.Socks5{Username: "alice", Password: "opensesame"}).Serve, 97},
		{"socks5h://", open, (&proxies.Socks5{Dial: nowhere}).Serve, 97},
		{"http://", open, (&proxies.Connect{Dial: s.dial}).Serve, 0},
		{"http://", locked, (&proxies.Connect{Dial: s.dial, Username: "alice", Password: "opensesame"}).Serve, 0},
		{"http://", "alice:wrong-canary@", (&proxies.Connect{Username: "alice", Password: "opensesame"}).Serve, 56},
		{"http://", open, (&proxies.Connect{Dial: nowhere}).Serve, 56},
	} {
		proxy := c.scheme + c.login + proxies.Listen(t, c.serve)
		cmd := exec.Command(curl, "--silent", "--noproxy", "", "--proxytunnel", "--max-time", "20", "--proxy", proxy,
			"http://example.com:9092/")
		out, err := cmd.Output()
		var ended *exec.ExitError
		switch {
		case c.exit == 0 && (err != nil || string(out) != "hello from example.com:9092"):
			t.Errorf("%s: %q, %v", proxy, out, err)
		case c.exit != 0 && (!errors.As(err, &ended) || ended.ExitCode() != c.exit):
			t.Errorf("%s: %q, %v; want exit status %d", proxy, out, err, c.exit)
		}
	}
}

func nowhere(string, string) (net.Conn, error) { return nil, io.EOF }
