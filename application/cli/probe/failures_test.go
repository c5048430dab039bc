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
)

var discarded = log.New(io.Discard, "", 0)

// Half of it is spent on a silent port before it is asked otherwise.
const short = "4s"

func TestPeersThatAreNoBrokers(t *testing.T) {
	for _, c := range []struct {
		name     string
		peer     func(*testing.T) string
		clientID string
		code     int
		words    []string
	}{
		{"silence", silent, "five5", exitTimeout, []string{"timed out", "neither", "HTTP", "TLS"}},
		{"web server, a newline in what it is sent", web, "ten-bytes!", exitProtocol, []string{"HTTP"}},
		{"web server, no newline", web, "five5", exitProtocol, []string{"HTTP"}},
		{"web server with TLS, a newline", webWithTLS, "ten-bytes!", exitTLS, []string{"TLS"}},
		{"web server with TLS", webWithTLS, "five5", exitTLS, []string{"TLS"}},
		{"server of text", answersLines, "five5", exitProtocol, []string{"500 unrecognised command"}},
		{"SSH", func(t *testing.T) string { return says(t, "SSH-2.0-OpenSSH_9.9\r\n") }, "five5", exitProtocol, []string{"SSH"}},
		{"garbage", func(t *testing.T) string { return says(t, "\xff\xfe\x00\x01\x02\x03\x04") }, "five5", exitProtocol, []string{"frame size"}},
		{"a TLS alert", func(t *testing.T) string { return says(t, "\x15\x03\x03\x00\x02\x02\x46") }, "five5", exitTLS, []string{"TLS"}},
		{"hangs up", hangsUp, "five5", exitProtocol, []string{"closed the connection"}},
		{"hangs up, but speaks TLS", hangsUpOnPlaintext, "five5", exitTLS, []string{"TLS"}},
		{"alerts at text", alertsAtText, "five5", exitTLS, []string{"TLS"}},
		{"closed port", closedPort, "five5", exitTCP, []string{"refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"apis", c.peer(t), "--timeout", short, "--client-id", c.clientID}
			text := probe(t, args...)
			text.failed(t, c.code, c.words...)
			if text.stdout != "" {
				t.Errorf("standard output: %q", text.stdout)
			}
			doc := probe(t, append(args, "--json")...)
			doc.failed(t, c.code)
			if e := decode[errorDocument](t, doc).Error; e == nil || e.ExitCode != c.code || e.Kind == "" || e.Broker != args[1] {
				t.Errorf("as JSON: %s", doc.stdout)
			}
			for _, w := range c.words {
				if !strings.Contains(doc.stdout, w) {
					t.Errorf("%q is not in %q", w, doc.stdout)
				}
			}
		})
	}
}

// alertsAtText speaks TLS, has nothing to say to Kafka and an alert for HTTP.
func alertsAtText(t *testing.T) string {
	return listener(t, func(c net.Conn) {
		first := make([]byte, 1)
		if _, err := io.ReadFull(c, first); err == nil && first[0] != 0 {
			io.WriteString(c, "\x15\x03\x03\x00\x02\x02\x46")
		}
		io.Copy(io.Discard, c)
	})
}

// hangsUpOnPlaintext speaks TLS, and closes without an alert when the first byte
// is none of it, as Kafka does.
func hangsUpOnPlaintext(t *testing.T) string {
	return listener(t, func(c net.Conn) {
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
	t.Parallel()
	o := probe(t, "apis", "no-such-host.invalid", "--timeout", "5s")
	// Where there is no resolver the question may go unanswered instead.
	if o.code != exitTimeout {
		o.failed(t, exitDNS, "no-such-host.invalid", "cannot resolve the host")
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{nil, []string{"no command", "kafkaprobe --help"}},
		{[]string{"pnig"}, []string{`"pnig"`, `nearest is "ping"`}},
		{[]string{"help", "pnig"}, []string{`"pnig"`}},
		{[]string{"ping"}, []string{"needs HOST:PORT", "kafkaprobe ping --help"}},
		{[]string{"request", "localhost"}, []string{"needs NAME"}},
		{[]string{"apis", "a", "b"}, []string{`"b"`}},
		{[]string{"demo", "b"}, []string{`"b"`}},
		{[]string{"apis", "localhost:0"}, []string{"1 to 65535"}},
		{[]string{"apis", "localhost:99999"}, []string{"1 to 65535"}},
		{[]string{"apis", "localhost:kafka"}, []string{"1 to 65535"}},
		{[]string{"apis", "a b"}, []string{"HOST:PORT"}},
		{[]string{"ping", "a b"}, []string{"HOST:PORT"}},
		{[]string{"apis", ":9092"}, []string{"no host"}},
		{[]string{"apis", "localhost", "--timeout", "0s"}, []string{"--timeout"}},
		{[]string{"apis", "localhost", "--timeout", "soon"}, []string{"soon"}},
		{[]string{"apis", "localhost", "--bogus"}, []string{"--bogus"}},
		{[]string{"apis", "localhost", "--client-id", "a\nb"}, []string{"--client-id"}},
		{[]string{"ping", "localhost", "-c", "-1"}, []string{"negative"}},
		{[]string{"request", "localhost", "metadta"}, []string{`nearest is "Metadata"`}},
		{[]string{"request", "localhost", "metadata", "--version", "99"}, []string{"--version 99", "v13"}},
		{[]string{"request", "localhost", "metadata", "--version", "-1"}, []string{"--version -1"}},
		{[]string{"request", "localhost", "metadata", "--body", "hello"}, []string{"not JSON"}},
		{[]string{"request", "localhost", "metadata", "--body", ""}, []string{"ends too early"}},
		{[]string{"request", "localhost", "metadata", "--body", "-"}, []string{"ends too early"}},
		{[]string{"request", "localhost", "metadata", "--body", "@/no/such/file"}, []string{"/no/such/file"}},
		{[]string{"request", "localhost", "metadata", "--body", `{"Topcs":[]}`}, []string{`"Topcs"`, `nearest is "Topics"`}},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			text := probe(t, c.args...)
			text.failed(t, exitUsage, c.words...)
			if text.stdout != "" {
				t.Errorf("standard output: %q", text.stdout)
			}
			doc := probe(t, append(c.args, "--json")...)
			doc.failed(t, exitUsage)
			if e := decode[errorDocument](t, doc).Error; e == nil || e.ExitCode != exitUsage {
				t.Errorf("as JSON: %s", doc.stdout)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	address, _ := fakeKafka(t)
	fetch := `{"MaxWaitMillis":60000,"MinBytes":1,"Topics":[{"Topic":"letters","Partitions":[{"PartitionMaxBytes":1000}]}]}`
	for _, c := range []struct {
		name string
		args []string
	}{
		{"a silent port", []string{"apis", silent(t)}},
		{"a ping to a silent port", []string{"ping", silent(t)}},
		{"between pings", []string{"ping", address, "-c", "0", "-i", "1h"}},
		{"standard input", []string{"request", address, "metadata", "--body", "-"}},
		{"a request in flight", []string{"request", address, "fetch", "--version", "12", "--body", fetch}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// How far it is by then is chance; that it ends at once is not.
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			stdin, w := io.Pipe()
			defer w.Close()
			o := probeWith(t, ctx, stdin, append(c.args, "--timeout", "1h")...)
			o.failed(t, exitInterrupted, "interrupted")
			if sum := strings.Contains(o.stdout, " lost, "); sum != (c.args[0] == "ping") {
				t.Errorf("standard output: %q", o.stdout)
			}
		})
	}
}

// A body that never ends is given up after --timeout.
func TestStandardInputIsBounded(t *testing.T) {
	stdin, w := io.Pipe()
	defer w.Close()
	o := probeWith(t, t.Context(), stdin, "request", "127.0.0.1:1", "metadata", "--body", "-", "--timeout", "50ms")
	o.failed(t, exitTimeout, "standard input", "--timeout of 50ms")
}

func TestRequestWithoutAnswerTimesOut(t *testing.T) {
	address, _ := fakeKafka(t)
	o := probe(t, "request", address, "fetch", "--version", "12", "--timeout", short, "--body",
		`{"MaxWaitMillis":60000,"MinBytes":1,"Topics":[{"Topic":"letters","Partitions":[{"PartitionMaxBytes":1000}]}]}`)
	o.failed(t, exitTimeout, "--timeout of "+short, "fully sent")
}
