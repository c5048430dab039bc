package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/proxies"
)

var discarded = log.New(io.Discard, "", 0)

// short is a --timeout. Half of it is spent on a silent port before the port is identified.
const short = "4s"

func TestOtherPeers(t *testing.T) {
	says := func(text string) func(*testing.T) string {
		return func(t *testing.T) string { return says(t, text) }
	}
	kafka := func(t *testing.T) string {
		address, _ := fakeKafka(t)
		return address
	}
	const newline = "apis --client-id ten-bytes!" // its ApiVersions has a newline
	for _, c := range []struct {
		command string
		name    string
		peer    func(*testing.T) string
		code    int
		words   []string
	}{
		{"apis", "silence", silent, exitTimeout, []string{"timed out", "neither", "HTTP", "TLS"}},
		{newline, "web server", web, exitProtocol, []string{"HTTP"}},
		{"apis", "web server", web, exitProtocol, []string{"HTTP"}},
		{newline, "web server with TLS", webWithTLS, exitTLS, []string{"TLS"}},
		{"apis", "web server with TLS", webWithTLS, exitTLS, []string{"TLS"}},
		{"apis", "server of text", answersLines, exitProtocol, []string{"500 unrecognised command"}},
		{"apis", "SSH", says("SSH-2.0-OpenSSH_9.9\r\n"), exitProtocol, []string{"SSH"}},
		{"apis", "garbage", says("\xff\xfe\x00\x01\x02\x03\x04"), exitProtocol, []string{"frame size"}},
		{"apis", "TLS alert", says("\x15\x03\x03\x00\x02\x02\x46"), exitTLS, []string{"TLS"}},
		{"apis", "hangs up", hangsUp, exitProtocol, []string{"closed the connection"}},
		{"apis", "hangs up on plaintext", hangsUpOnPlaintext, exitTLS, []string{"TLS"}},
		{"apis", "alert on text", alertsOnText, exitTLS, []string{"TLS"}},
		{"apis", "closed port", closedPort, exitTCP, []string{"refused"}},

		{"tls", "Kafka without TLS", kafka, exitTLS, []string{"Kafka's ApiVersions in plaintext", "PLAINTEXT"}},
		{"tls", "web server", web, exitTLS, []string{"HTTP/1.1 400 Bad Request", "web server"}},
		{"tls", "server of text", answersLines, exitTLS, []string{"500 unrecognised command", "check the port"}},
		{"tls", "SSH", says("SSH-2.0-OpenSSH_9.9\r\n"), exitTLS, []string{"SSH"}},
		{"tls", "hangs up", hangsUp, exitTLS, []string{"closed the connection",
			`no server name was sent, since "127.0.0.1" is an address`, "ssl_server_name"}},
		{"tls", "alert", says("\x15\x03\x03\x00\x02\x02\x28"), exitTLS, []string{"no cipher suite in common"}},
		{"tls", "incomplete hello", says("\x16\x03\x03\x00\x7a\x02"), exitTimeout, []string{"6 bytes received"}},
		{"tls", "silence", silent, exitTimeout, []string{"timed out",
			`no server name was sent, since "127.0.0.1" is an address`, "in plaintext it answers neither"}},
		{"tls", "closed port", closedPort, exitTCP, []string{"refused"}},
	} {
		t.Run(c.command+", "+c.name, func(t *testing.T) {
			t.Parallel()
			peer := c.peer(t)
			command, flags, _ := strings.Cut(c.command, " ")
			args := []string{command, peer, "--timeout", short, "--client-id", "five5"}
			args = append(args, strings.Fields(flags)...)
			if e := probeFails(t, c.code, args, c.words...); e.Kind == "" || e.Broker != peer {
				t.Errorf("got %+v, want an error of %s", e, peer)
			}
		})
	}
}

// alertsOnText has TLS, does not answer Kafka, and answers HTTP with an alert.
func alertsOnText(t *testing.T) string {
	return proxies.Listen(t, func(c net.Conn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err == nil && first[0] != 0 {
			io.WriteString(c, "\x15\x03\x03\x00\x02\x02\x46")
		}
		io.Copy(io.Discard, c)
	})
}

// hangsUpOnPlaintext has TLS, and closes without an alert when the first byte is not that
// of a handshake, as Kafka does.
func hangsUpOnPlaintext(t *testing.T) string {
	return proxies.Listen(t, func(c net.Conn) {
		defer c.Close()
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err != nil || first[0] != 0x16 {
			return
		}
		hello := io.MultiReader(bytes.NewReader(first), c)
		tls.Server(readsFrom{c, hello}, &tls.Config{}).Handshake() // no certificate: an alert
	})
}

type readsFrom struct {
	net.Conn
	r io.Reader
}

func (c readsFrom) Read(p []byte) (int, error) { return c.r.Read(p) }

func TestUnknownHost(t *testing.T) {
	for _, command := range []string{"apis", "tls"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			o := probe(t, command, "no-such-host.invalid", "--timeout", "5s")
			if o.code != exitTimeout { // of a machine without a resolver
				o.failed(t, exitDNS, "no-such-host.invalid", "cannot resolve the host")
			}
		})
	}
}

func TestUsage(t *testing.T) {
	several := file(t, "bootstrap.servers=a:1,b:2")
	metadata := func(args ...string) []string { return append([]string{"request", "localhost", "metadata"}, args...) }
	set := func(command string, properties ...string) []string {
		return with([]string{command, "localhost"}, properties...)
	}
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{nil, []string{"no command", "kafkaprobe --help"}},
		{[]string{"pnig"}, []string{`"pnig"`, `nearest is "ping"`}},
		{[]string{"help", "pnig"}, []string{`"pnig"`}},
		{[]string{"ping"}, []string{"needs HOST:PORT", "kafkaprobe ping --help"}},
		{[]string{"tls"}, []string{"needs HOST:PORT"}},
		{[]string{"request", "localhost"}, []string{"needs NAME"}},
		{[]string{"apis", "a", "b"}, []string{`"b"`}},
		{[]string{"demo", "b"}, []string{`"b"`}},
		{[]string{"apis", "localhost:0"}, []string{"1 to 65535"}},
		{[]string{"apis", "localhost:99999"}, []string{"1 to 65535"}},
		{[]string{"apis", "localhost:kafka"}, []string{"1 to 65535"}},
		{[]string{"apis", "a b"}, []string{"HOST:PORT"}},
		{[]string{"ping", "a b"}, []string{"HOST:PORT"}},
		{[]string{"tls", "a b"}, []string{"HOST:PORT"}},
		{[]string{"apis", ":9092"}, []string{"HOST:PORT", "no host"}},
		{[]string{"tls", ":9093"}, []string{"HOST:PORT", "no host"}},
		{[]string{"apis", "localhost", "--timeout", "0s"}, []string{"--timeout"}},
		{[]string{"apis", "localhost", "--timeout", "soon"}, []string{"soon"}},
		{[]string{"apis", "localhost", "--bogus"}, []string{"--bogus"}},
		{[]string{"apis", "localhost", "--client-id", "a\nb"}, []string{"--client-id"}},
		{[]string{"ping", "localhost", "-c", "-1"}, []string{"negative"}},
		{[]string{"request", "localhost", "metadta"}, []string{`nearest is "Metadata"`}},
		{metadata("--version", "99"), []string{"--version 99", "0 to 13"}},
		{metadata("--version", "-1"), []string{"--version -1"}},
		{metadata("--body", "hello"), []string{"not JSON"}},
		{metadata("--body", ""), []string{"ends too early"}},
		{metadata("--body", "-"), []string{"ends too early"}},
		{metadata("--body", "@/no/such/file"), []string{"/no/such/file"}},
		{metadata("--body", `{"Topcs":[]}`), []string{`"Topcs"`, `nearest is "Topics"`}},

		{[]string{"apis", "-F", "/no/such/file"}, []string{"/no/such/file"}},
		{[]string{"apis", "localhost", "--dialect", "python"}, []string{"--dialect", "kafka-python, java, librdkafka"}},
		{[]string{"apis", "SASL_SSL://a:1"}, []string{"security_protocol=SASL_SSL needs one"}},
		{[]string{"apis", "a:1, b:0,"}, []string{"HOST:PORT", "1 to 65535"}},
		{[]string{"apis", "2001:db8::1:9092"}, []string{"HOST:PORT", "ambiguous", "[2001:db8::1]:9092"}},
		{[]string{"apis", "localhost", "--server-name", "a"}, []string{"--server-name", "not used with PLAINTEXT"}},
		{[]string{"tls", "localhost", "--server-name", "a:1"}, []string{"--server-name", "name of a host alone"}},
		{with([]string{"apis", "SSL://localhost"}, "security_protocol=PLAINTEXT"),
			[]string{"contradicts security_protocol=PLAINTEXT"}},
		{[]string{"apis", "-X", "client.id=x"}, []string{"HOST:PORT", "name no broker"}},
		{[]string{"request", "-F", several}, []string{"needs NAME"}},
		{[]string{"demo", "-X", "client.id=x"}, []string{"-X"}},
		{set("apis", canary), []string{"-X takes key=value"}},
		{set("apis", "security.protocol=SASL_SSL", "sasl.mechanism=GSSAPI", "sasl.password="+canary,
			"sasl.kerberos.principal=a@B", "sasl.kerberos.keytab=/no/such/keytab"),
			[]string{"sasl.kerberos.keytab: ", "/no/such/keytab"}},
		{set("apis", "client.id=x", "host=y"), []string{"mixed dialects"}},
		{set("tls", "ssl_cafile=/nowhere"), []string{"ssl_cafile", "/nowhere"}},
		{set("tls", "ssl_ciphers=NONE-SUCH"), []string{"ssl_ciphers"}},
	} {
		t.Run(strings.ReplaceAll(strings.Join(c.args, " "), canary, "SECRET"), func(t *testing.T) {
			probeFails(t, exitUsage, c.args, c.words...)
		})
	}
}

const longFetch = `{"MaxWaitMillis":60000,"MinBytes":1,` +
	`"Topics":[{"Topic":"letters","Partitions":[{"PartitionMaxBytes":1000}]}]}`

func TestInterrupted(t *testing.T) {
	address, _ := fakeKafka(t)
	ca := newAuthority(t, "an authority")
	// With a request for a certificate, tls waits for the server after the handshake.
	waiting, _ := secureServer(t, &tls.Config{
		Certificates: []tls.Certificate{ca.issue()}, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true,
	})
	for _, c := range []struct {
		name string
		args []string
	}{
		{"silent port", []string{"apis", silent(t)}},
		{"ping to a silent port", []string{"ping", silent(t)}},
		{"between pings", []string{"ping", address, "-c", "0", "-i", "1h"}},
		{"standard input", []string{"request", address, "metadata", "--body", "-"}},
		{"request in flight", []string{"request", address, "fetch", "--version", "12", "--body", longFetch}},
		{"TLS handshake", []string{"tls", silent(t), "-X", "ssl_cafile=" + ca.file()}},
		{"after the TLS handshake", []string{"tls", waiting, "-X", "ssl_cafile=" + ca.file()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// The command may be at any point by then.
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			stdin, w := io.Pipe()
			defer w.Close()
			o := probeWith(t, ctx, stdin, append(c.args, "--timeout", "1h")...).
				failed(t, exitInterrupted, "interrupted")
			if got, want := strings.Contains(o.stdout, " lost, "), c.args[0] == "ping"; got != want {
				t.Errorf("got standard output %q, want a summary: %v", o.stdout, want)
			}
		})
	}
}

func TestRequestTimesOut(t *testing.T) {
	stdin, w := io.Pipe()
	defer w.Close()
	probeWith(t, t.Context(), stdin, "request", "127.0.0.1:1", "metadata", "--body", "-", "--timeout", "50ms").
		failed(t, exitTimeout, "standard input", "--timeout of 50ms")

	address, _ := fakeKafka(t)
	probe(t, "request", address, "fetch", "--version", "12", "--timeout", short, "--body", longFetch).
		failed(t, exitTimeout, "--timeout of "+short, "fully sent")
}
