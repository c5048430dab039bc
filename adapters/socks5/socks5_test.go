package socks5_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
)

// A script is what a proxy hears, byte for byte, and says: one after the other,
// hearing first.
type script []string

// dialScripted dials through a proxy that plays a script and closes. The bytes that it
// received are compared.
func dialScripted(t *testing.T, s script, o socks5.Options, target string) (net.Conn, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		for i, line := range s {
			if i%2 == 1 {
				if _, err := theirs.Write([]byte(line)); err != nil {
					return // it has received enough: the dial's error is judged
				}
				continue
			}
			received := make([]byte, len(line))
			if _, err := io.ReadFull(theirs, received); err != nil || string(received) != line {
				t.Errorf("line %d: the proxy received %q, %v; want %q", i, received, err, line)
			}
		}
	}()
	t.Cleanup(func() { <-done })
	o.Proxy = "proxy:1080"
	conn, err := socks5.Dial(func(context.Context, string, string) (net.Conn, error) { return ours, nil },
		o)(context.Background(), "tcp", target)
	if err == nil && conn != ours {
		t.Errorf("the tunnel is a %T; want the very connection", conn)
	}
	return conn, err
}

const (
	greets      = "\x05\x01\x00"
	greetsLogin = "\x05\x02\x00\x02"
	login       = "\x01\x05alice\x0aopensesame"
	forName     = "\x05\x01\x00\x03\x06broker\x23\x84"
	allowed     = "\x05\x00"
	granted     = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
)

var (
	none  socks5.Options
	alice = socks5.Options{Login: tunnel.NewLogin("alice", "opensesame")}
)

func TestTunnels(t *testing.T) {
	long := strings.Repeat("n", 255)
	for _, c := range []struct {
		name   string
		script script
		o      socks5.Options
		target string
	}{
		{"a name", script{greets, allowed, forName, granted + "tunnel"}, none, "broker:9092"},
		{"IPv4", script{greets, allowed, "\x05\x01\x00\x01\xc0\x00\x02\x07\x23\x84", granted + "tunnel"},
			none, "192.0.2.7:9092"},
		{"IPv6", script{greets, allowed, "\x05\x01\x00\x04\x20\x01\x0d\xb8" + strings.Repeat("\x00", 11) +
			"\x07\x23\x84", granted + "tunnel"},
			none, "[2001:db8::7]:9092"},
		{"the longest name", script{greets, allowed, "\x05\x01\x00\x03\xff" + long + "\x23\x84", granted + "tunnel"},
			none, long + ":9092"},
		{"with a login", script{greetsLogin, "\x05\x02", login, "\x01\x00", forName, granted + "tunnel"}, alice,
			"broker:9092"},
		{"with a login that is not wanted", script{greetsLogin, allowed, forName, granted + "tunnel"}, alice,
			"broker:9092"},
		{"bound to IPv6", script{greets, allowed, forName, "\x05\x00\x00\x04" + strings.Repeat("\x00", 18) +
			"tunnel"}, none, "broker:9092"},
		{"bound to a name", script{greets, allowed, forName, "\x05\x00\x00\x03\xff" + long + "\x00\x07tunnel"}, none,
			"broker:9092"},
		{"bound to an empty name", script{greets, allowed, forName, "\x05\x00\x00\x03\x00\x00\x07tunnel"}, none,
			"broker:9092"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := proxies.Must(dialScripted(t, c.script, c.o, c.target))(t)
			defer conn.Close()
			if got, err := io.ReadAll(conn); string(got) != "tunnel" || err != nil {
				t.Errorf("through the tunnel came %q, %v", got, err)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	type test struct {
		name   string
		script script
		o      socks5.Options
		kind   error
		cause  error
		says   string
	}
	const asked = "after the request was sent"
	inside := io.ErrUnexpectedEOF
	rejected, garbage, cutOff, refused := tunnel.ErrLogin, tunnel.ErrGarbage, tunnel.ErrCutOff, tunnel.ErrRefused
	tests := []test{
		{"wants a login, has none", script{greets, "\x05\xff"}, none, rejected, nil,
			"it requires one, and none is configured"},
		{"wants another login", script{greetsLogin, "\x05\xff"}, alice, rejected, nil,
			"neither user name and password nor no login"},
		{"wrong login", script{greetsLogin, "\x05\x02", login, "\x01\x01"}, alice, rejected, nil,
			"user name or password is wrong (status 1)"},
		{"a method that was not offered", script{greets, "\x05\x02", forName, granted}, none,
			garbage, nil, "method 2, which was not offered"},
		{"GSSAPI", script{greetsLogin, "\x05\x01"}, alice, garbage, nil, "method 1, which was not offered"},
		{"login of another version", script{greetsLogin, "\x05\x02", login, "\x05\x00"}, alice, garbage, nil,
			"in version 5 of its own protocol, not 1"},
		{"reply of another version", script{greets, allowed, forName, "\x04\x00\x00\x01"}, none,
			garbage, nil, "in version 4, not 5"},
		{"reserved byte", script{greets, allowed, forName, "\x05\x00\x07\x01"}, none, garbage,
			nil, "reserved byte of its answer is 7"},
		{"address type", script{greets, allowed, forName, "\x05\x00\x00\x05"}, none, garbage, nil, "address of type 5"},
		{"SSH", script{greets, "SSH-2.0-OpenSSH_9.2p1\r\n"}, none, garbage, nil, `"SS": an SSH server`},
		{"HTTP", script{greets, "HTTP/1.1 400 Bad Request\r\n\r\n"}, none, garbage, nil, `"HT": a web server`},
		{"TLS", script{greets, "\x15\x03\x01\x00\x02\x02\x46"}, none, garbage, nil,
			"TLS: connect to the proxy over TLS"},
		{"SOCKS4", script{greets, "\x00\x5b\x00\x00"}, none, garbage, nil, "SOCKS4"},
		{"closed at once", script{greets}, none, cutOff, io.EOF, "closed the connection after the greeting: EOF"},
		{"closed within the method", script{greets, "\x05"}, none, cutOff, inside, "after the greeting"},
		{"closed at the login", script{greetsLogin, "\x05\x02", login}, alice, cutOff, io.EOF,
			"after the login was sent; it may be wrong"},
		// OpenSSH 9.2's ssh -D, of a target that it cannot reach.
		{"closed without a reply", script{greets, allowed, forName}, none, cutOff, io.EOF,
			asked + ": it could not reach the target, and gave no reply: EOF"},
		{"closed without a reply to a login", script{greetsLogin, "\x05\x02", login, "\x01\x00", forName}, alice,
			cutOff, io.EOF, "it could not reach the target"},
		{"closed within the reply", script{greets, allowed, forName, granted[:9]}, none, cutOff, inside, asked},
		{"closed before the name's size", script{greets, allowed, forName, "\x05\x00\x00\x03"}, none,
			cutOff, io.EOF, asked},
		{"closed within the name", script{greets, allowed, forName, "\x05\x00\x00\x03\x02ab\x00"}, none,
			cutOff, inside, asked},
		{"a short refusal", script{greets, allowed, forName, "\x05\x02"}, none, refused,
			socks5.NotAllowed, "rules do not allow it (reply 2)"},
		{"an unknown reply", script{greets, allowed, forName, "\x05\x5d\x00\x01"}, none,
			refused, socks5.Reply(0x5d), "unknown reply 93"},
	}
	for reply, says := range map[socks5.Reply]string{
		socks5.GeneralFailure: "general failure (reply 1)", socks5.NotAllowed: "rules do not allow it (reply 2)",
		socks5.NetworkUnreachable:      "network is unreachable (reply 3)",
		socks5.HostUnreachable:         "host is unreachable, or its name unknown (reply 4)",
		socks5.ConnectionRefused:       "refuses the connection (reply 5)",
		socks5.TTLExpired:              "not reached in time (TTL expired) (reply 6)",
		socks5.CommandNotSupported:     "command CONNECT (reply 7)",
		socks5.AddressTypeNotSupported: "type of address (reply 8)",
	} {
		tests = append(tests, test{fmt.Sprintf("reply %d", reply),
			script{greets, allowed, forName, "\x05" + string([]byte{byte(reply)}) + granted[2:]},
			none, refused, reply, says})
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			conn, err := dialScripted(t, c.script, c.o, "broker:9092")
			suite.WantFailure(t, conn, err, "proxy:1080", c.kind, c.cause, c.says)
		})
	}
}

// TestAnswersInPieces: a proxy may say every byte by itself.
func TestAnswersInPieces(t *testing.T) {
	said := bytes.Join([][]byte{[]byte("\x05\x02"), []byte("\x01\x00"), []byte(granted)}, nil)
	conn := &proxies.Said{Rest: append(said, "tunnel"...), Pieces: 1}
	o := alice
	o.Proxy = "proxy:1080"
	if _, err := socks5.Dial(conn.Dial, o)(context.Background(), "tcp", "broker:9092"); err != nil {
		t.Fatal(err)
	}
	if string(conn.Rest) != "tunnel" {
		t.Errorf("left for the tunnel: %q", conn.Rest)
	}
}
