package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
)

// One side has TLS and the other has not, or the port is one of something else. In
// a bubble the time is exact: an immediate error is reported at time 0.

// speaks answers whatever comes first, and then neither says more nor hangs up.
func speaks(text string) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
		silent(conn)
	}
}

// greets does the same without being spoken to.
func greets(text string) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		go silent(conn) // a pipe holds nothing
		_, _ = io.WriteString(conn, text)
		_, _ = conn.Read(make([]byte, 1))
	}
}

// hangsUp is a broker's port in clear that reads a hello of TLS as a size, and one
// with TLS that reads a request.
func hangsUp(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 4096))
	_ = conn.Close()
}

// cryptoTLS is a Go program with TLS: it sends no alert to who speaks in clear.
func cryptoTLS(conn net.Conn) {
	_ = tls.Server(conn, &tls.Config{}).Handshake()
	_ = conn.Close()
}

func TestMismatch(t *testing.T) {
	const web = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		name   string
		secure bool // the client
		peer   func(net.Conn)
		reason Reason // of the Error, for a client with TLS
		is     error
		says   []string
		dials  int // without and
		known  int // with a release that is configured
	}{
		{"TLS, and Kafka in clear hangs up", true, hangsUp, CutOff, broker.ErrTLS,
			[]string{"closed the connection", `the server name "broker.test" was sent`, "so does a port without TLS"},
			1, 1},
		{"TLS, and Kafka in clear answers", true, speaks("\x00\x00\x00\x0a\x00\x00\x00\x00\x00\x23"), NotTLS,
			broker.ErrTLS, []string{"Kafka's protocol", "use PLAINTEXT or SASL_PLAINTEXT"}, 1, 1},
		{"TLS, and a web server", true, speaks(web), NotTLS, broker.ErrTLS,
			[]string{"HTTP/1.1 400", "web server without TLS"}, 1, 1},
		{"TLS, and an SSH server", true, greets("SSH-2.0-OpenSSH_9.6\r\n"), NotTLS, broker.ErrTLS,
			[]string{"SSH server", "check the port"}, 1, 1},
		{"TLS, and a mail server", true, greets("220 mail.test ESMTP\r\n"), NotTLS, broker.ErrTLS,
			[]string{"220 mail.test", "another protocol"}, 1, 1},

		{"in clear, and an alert of TLS", false, speaks("\x15\x03\x03\x00\x02\x02\x0a"), 0, broker.ErrTLSExpected,
			[]string{"answered with TLS", "wants TLS"}, 1, 1},
		{"in clear, and TLS that hangs up", false, hangsUp, 0, broker.ErrConnection, []string{"EOF", "a port for TLS"},
			2, 1},
		{"in clear, and crypto/tls", false, cryptoTLS, 0, broker.ErrConnection, []string{"EOF", "a port for TLS"}, 2,
			1},
		{"in clear, and a web server", false, speaks(web), 0, broker.ErrNotKafka, []string{"HTTP", "web server"}, 1, 1},
		{"in clear, and an SSH server", false, greets("SSH-2.0-OpenSSH_9.6\r\n"), 0, broker.ErrNotKafka,
			[]string{"SSH server", "check the port"}, 1, 1},
	} {
		for how, ask := range askers {
			for _, release := range []broker.Release{{}, {Major: 2, Minor: 8}} {
				name, dials := fmt.Sprint(c.name, ", ", how), c.dials
				if release.Major > 0 {
					name, dials = name+", "+release.String(), c.known
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var dialed atomic.Int32
						transport := &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
							dialed.Add(1)
							ours, theirs := net.Pipe()
							go c.peer(theirs)
							return ours, nil
						}}
						if c.secure {
							transport = must(New(transport, Options{CAPEM: newCA("the authority").pem()}))
						}
						began := time.Now()
						_, err := ask(t, broker.Config{Host: "broker.test", Transport: transport, APIVersion: release})
						if took := time.Since(began); took != 0 {
							t.Errorf("failed after %v", took)
						}
						if !errors.Is(err, c.is) {
							t.Fatalf("%v, want %v", err, c.is)
						}
						if c.secure {
							wantReason(t, err, c.reason)
						}
						var e *broker.Error
						if !errors.As(err, &e) || e.Hint == "" {
							t.Errorf("no hint in %+v", err)
						}
						for _, word := range c.says {
							if !strings.Contains(err.Error()+e.Hint, word) {
								t.Errorf("%q is not in %v", word, err)
							}
						}
						if n := int(dialed.Load()); n != dials {
							t.Errorf("%d connections, want %d", n, dials)
						}
					})
				})
			}
		}
	}
}
