package probe

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"brokerconn/acceptance/proxies"
)

// Of several brokers the first that answers is used, and each one before it is a warning.
func TestBrokersAreTriedInTurn(t *testing.T) {
	good, _ := fakeKafka(t)
	dead, mute := closedPort(t), silent(t)
	for _, given := range [][]string{
		{"-X", "bootstrap.servers=" + dead + "," + good},
		{dead + "," + good},
		{dead + "," + hangsUp(t) + "," + good + "," + dead},
		{mute + "," + good, "--timeout", "2s"},
	} {
		for _, command := range [][]string{{"apis"}, {"ping", "-c", "1"}, {"check-version"}, {"auth"}} {
			o := probe(t, append(command, given...)...)
			if o.code != exitOK || !strings.Contains(o.stderr, "the next broker is tried") ||
				!strings.Contains(o.stdout+good, good) {
				t.Errorf("%v %v: got exit code %d, %s%s", command, given, o.code, o.stdout, o.stderr)
			}
		}
	}
	o := probe(t, "apis", dead+","+closedPort(t))
	if o.code != exitTCP || strings.Count(o.stderr, "\n") != 3 {
		t.Errorf("got exit code %d and %q, want %d, a warning, an error and its hint", o.code, o.stderr, exitTCP)
	}
	o = probe(t, "tls", dead+","+says(t, "SSH-2.0-x\r\n"))
	if o.code != exitTLS || !strings.Contains(o.stderr, "next broker") || !strings.Contains(o.stderr, "SSH") {
		t.Errorf("got exit code %d and %q, want %d and the second broker's error", o.code, o.stderr, exitTLS)
	}
}

// A broker that is not the last is asked without a login: nothing secret is sent to find out
// whether it answers.
func TestNoLoginWhileChoosing(t *testing.T) {
	good, _ := fakeKafka(t)
	o := probe(t, "apis", closedPort(t)+","+good+","+good, "-X", "security_protocol=SASL_PLAINTEXT",
		"-X", "sasl_mechanism=PLAIN", "-X", "sasl_plain_username=u", "-X", "sasl_plain_password=canary-4711")
	if !strings.Contains(o.stderr, "the next broker is tried") {
		t.Errorf("got %q, want a warning about the first broker", o.stderr)
	}
}

// The protocol that HOST:PORT is written with is the connection's.
func TestSchemeSetsProtocol(t *testing.T) {
	for _, flags := range [][]string{nil, {"-X", "ssl_check_hostname=false"}, {"-X", "client.id=x"},
		{"-X", "client.id=x", "--dialect", "librdkafka"}} {
		var first atomic.Int32
		address := proxies.Listen(t, func(conn net.Conn) {
			b := make([]byte, 1)
			_, _ = io.ReadFull(conn, b)
			first.Store(int32(b[0]))
		})
		probe(t, append([]string{"ping", "-c", "1", "ssl://" + address}, flags...)...)
		if first.Load() != 0x16 {
			t.Errorf("%v: got first byte %#x, want a handshake of TLS", flags, first.Load())
		}
	}
}

// The name of --server-name is sent, whatever address is dialed.
func TestServerNameFlag(t *testing.T) {
	for _, args := range [][]string{
		{"tls", "--server-name", "broker-0.test"},
		{"apis", "--server-name", "broker-0.test", "-X", "security_protocol=SSL"},
		{"apis", "-X", "ssl_server_name=broker-0.test", "-X", "security_protocol=SSL"},
		{"apis", "-X", "ssl.server.name=other.test", "-X", "security.protocol=ssl", "--server-name", "broker-0.test"},
	} {
		o := probe(t, append([]string{args[0], hangsUp(t)}, args[1:]...)...)
		if o.code != exitTLS || !strings.Contains(o.stderr, `the server name "broker-0.test" was sent`) ||
			strings.Contains(o.stderr, "PLAINTEXT") {
			t.Errorf("%v: got exit code %d and %q, want the name that was sent", args, o.code, o.stderr)
		}
	}
}

// A proxy that opens a tunnel before it has reached the broker, and ends it, is named.
func TestTunnelThatEndsNamesProxy(t *testing.T) {
	proxy := proxies.Listen(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1024))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	})
	o := probe(t, "apis", "broker.test:9092", "-X", "proxy_url=http://"+proxy, "--timeout", "4s")
	if o.code != exitProtocol || !strings.Contains(o.stderr, "the tunnel of the proxy "+proxy+" ended") {
		t.Errorf("got exit code %d and %q, want the proxy named", o.code, o.stderr)
	}
}
