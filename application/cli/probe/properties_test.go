package probe

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

const canary = "canary-4711"

// file writes a file of lines.
func file(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "client.properties")
	fakebroker.Must(t, os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o600))
	return name
}

// TestBrokerFromProperties checks every command that connects, with each dialect.
func TestBrokerFromProperties(t *testing.T) {
	address, _ := fakeKafka(t)
	host, port, _ := net.SplitHostPort(address)
	java := file(t, "bootstrap.servers="+address, "key.serializer=x", "acks=all")
	const wrong = "bootstrap.servers=127.0.0.1:1"
	for _, given := range [][]string{
		{"-X", "bootstrap.servers=" + address},
		{"-X", "metadata.broker.list=" + address},
		{"-X", "host=" + host, "-X", "port=" + port},
		{"-F", java},
		{"-F", file(t, wrong), "-F", java},
		{"-F", file(t, "bootstrap_servers=127.0.0.1:1"), "-X", "host=" + host, "-X", "port=" + port},
		{"-F", file(t, wrong), "-X", "bootstrap.servers=" + address, "--dialect", "librdkafka"},
	} {
		for _, command := range [][]string{{"apis"}, {"ping", "-c", "1"}, {"check-version"}, {"request", "metadata"}} {
			probe(t, append(command, given...)...).succeeded(t)
		}
	}
	// HOST:PORT replaces them.
	probe(t, "apis", address, "-X", wrong+",127.0.0.1:2").succeeded(t)
	probe(t, "request", address, "metadata", "-X", "host=127.0.0.1", "-X", "port=1").succeeded(t)
}

// TestConfigOfCommandLine checks the flags and the properties of a client. The version of
// kafkaprobe is not that of another software name.
func TestConfigOfCommandLine(t *testing.T) {
	type client struct{ id, software, version string }
	for _, c := range []struct {
		args string
		want client
	}{
		{"", client{name, name, broker.Version}},
		{"-X client.id=mine", client{"mine", name, broker.Version}},
		{"-X client.id=mine --client-id yours", client{"yours", name, broker.Version}},
		{"-X client.id=mine --client-id " + name, client{name, name, broker.Version}},
		{"-X client_software_name=mine", client{name, "mine", ""}},
		{"-X client_software_version=7", client{name, name, "7"}},
		{"-X client_software_name=mine -X client_software_version=7", client{name, "mine", "7"}},
	} {
		cfg := configOf(t, c.args)
		if got := (client{cfg.ClientID, cfg.SoftwareName, cfg.SoftwareVersion}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.args, got, c.want)
		}
	}
}

func TestTimeoutsOfCommandLine(t *testing.T) {
	for _, c := range []struct {
		args           string
		request, setup time.Duration
	}{
		{"", defaultTimeout + time.Minute, defaultTimeout / 2},
		{"-X request.timeout.ms=3000", 3 * time.Second, defaultTimeout / 2},
		{"-X socket.connection.setup.timeout.ms=2000", defaultTimeout + time.Minute, 2 * time.Second},
		{"-X socket.connection.setup.timeout.ms=60000", defaultTimeout + time.Minute, defaultTimeout / 2},
		{"-X request.timeout.ms=3000 -X socket.connection.setup.timeout.ms=1 --timeout 8s",
			8*time.Second + time.Minute, 4 * time.Second},
	} {
		cfg := configOf(t, c.args)
		if cfg.RequestTimeout != c.request || cfg.SetupTimeout != c.setup {
			t.Errorf("%s: got request timeout %v, setup timeout %v, want %v, %v",
				c.args, cfg.RequestTimeout, cfg.SetupTimeout, c.request, c.setup)
		}
	}
}

// configOf returns the configuration of "apis localhost" with more arguments.
func configOf(t *testing.T, more string) broker.Config {
	t.Helper()
	a := &app{}
	root := a.root()
	command, _, err := root.Find([]string{"apis"})
	err = errors.Join(err, command.ParseFlags(strings.Fields(more)), root.PersistentPreRunE(command, nil),
		a.readProperties(""))
	fakebroker.Must(t, err)
	return must(a.config("localhost"))
}

// TestKeysOfOtherPrograms checks that keys of brokers, Kafka Streams and Spring, and options
// that a login module ignores, are warnings, and errors with --strict.
func TestKeysOfOtherPrograms(t *testing.T) {
	address, _ := fakeKafka(t)
	args := []string{"apis", address, "-F", file(t, "ssl.client.auth=required", "num.stream.threads=2",
		"spring.kafka.properties.client.id=x", "request.timeout.ms=5000")}
	o := probe(t, args...)
	for _, warning := range []string{":1: ssl.client.auth: ignored: a key of a Kafka broker",
		":2: num.stream.threads: ignored: a key of Kafka Streams",
		":3: spring.kafka.properties.client.id: ignored: a key of Spring alone; of a client it is " +
			"client.id"} {
		contains(t, o.stderr, warning)
	}
	if o.code != exitOK || strings.Count(o.stderr, "warning: ") != 3 {
		t.Errorf("got exit code %d and %q, want three warnings", o.code, o.stderr)
	}
	tls := probe(t, append([]string{"tls", "127.0.0.1:1"}, args[2:]...)...)
	contains(t, tls.stderr, ":1: ssl.client.auth: ignored: a key of a Kafka broker")
	if o = probe(t, append(args, "--strict")...); o.code != exitUsage || strings.Count(o.stderr, "\n") != 3 {
		t.Errorf("got exit code %d and %q, want three errors", o.code, o.stderr)
	}
}

func TestHelpHasPrecedence(t *testing.T) {
	help := probe(t, "help", "ping").stdout
	for _, c := range []struct{ flag, want string }{
		{"--properties FILE", "later files replace earlier ones"},
		{"--property KEY=VALUE", "replaces those of all -F"},
		{"--property KEY=VALUE", "HOST:PORT, --client-id and --timeout, if given, replace both"},
	} {
		_, text, _ := strings.Cut(help, c.flag)
		line, _, _ := strings.Cut(text, "\n")
		contains(t, line, c.want)
	}
}

// TestBadProperties checks that all problems are reported, one per line.
func TestBadProperties(t *testing.T) {
	rejected := file(t, "bootstrap.servers=localhost:1", "sasl.pasword="+canary, "request.timeout.ms=soon")
	args := []string{"apis", "-F", rejected, "-X", "ssl.keystore.pasword=" + canary}
	o := probe(t, args...)
	want := []string{
		"kafkaprobe: " + rejected + ":2: sasl.pasword: unknown key",
		"kafkaprobe: -X: ssl.keystore.pasword: unknown key",
		"kafkaprobe: " + rejected + ":3: request.timeout.ms: \"soon\"",
	}
	got := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	if o.code != exitUsage || o.stdout != "" || !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got exit code %d, standard output %q, lines %q, want %q", o.code, o.stdout, got, want)
	}
	doc := probe(t, append(args, "--json")...)
	e := decode[errorDocument](t, doc).Error
	if doc.code != exitUsage || e.ExitCode != exitUsage || len(e.Problems) != len(want) {
		t.Fatalf("got exit code %d and %+v, want %d problems", doc.code, e, len(want))
	}
	p := e.Problems[0]
	if p.Key != "sasl.pasword" || p.Where != rejected+":2" {
		t.Errorf("got problem %+v, want that of sasl.pasword", p)
	}
	contains(t, p.Message, `nearest is "sasl.password"`)
}

// TestConfiguredRelease checks that with a release the broker is not asked, and that no
// command presents the table of the release as the broker's.
func TestConfiguredRelease(t *testing.T) {
	address, _ := fakeKafka(t)
	args := []string{"check-version", address, "-X", "api_version=2.8"}
	text := probe(t, args...).succeeded(t)
	if want := "2.8\n- the release was configured, and the broker was not asked\n"; text.stdout != want {
		t.Errorf("got %q, want %q", text.stdout, want)
	}
	doc := decode[versionDocument](t, probe(t, append(args, "--json")...).succeeded(t))
	if doc.Verdict != "2.8" || doc.Kind != "exact" || doc.Lineage != nil || len(doc.Evidence) != 1 {
		t.Errorf("got %+v, want exactly 2.8", doc)
	}
	for _, c := range []struct {
		setting, line string
		release       any // JSON
	}{
		{"api_version=2.8", "not asked: the versions of release 2.8, as configured\n", "2.8"},
		{"api_version=2.8.9", "not asked: the versions of release 2.8, as configured\n", "2.8"},
		{"api.version.request=false", "not asked: the versions of release 0.10.0, as configured\n", "0.10.0"},
		{"api_version=9.9", "not asked: the versions of release 4.4, the nearest to 9.9, as configured\n", "4.4"},
		{"api_version=auto", "KEY", nil},
	} {
		args := []string{"apis", address, "-X", c.setting}
		if o := probe(t, args...); o.code != exitOK || !strings.HasPrefix(o.stdout, c.line) {
			t.Errorf("%s: got exit code %d and %q, want %q", c.setting, o.code, o.stdout, c.line)
		}
		doc := decode[map[string]any](t, probe(t, append(args, "--json")...))
		asked, ok := doc["asked"]
		if !ok || (asked == nil) != (c.release != nil) || doc["release"] != c.release {
			t.Errorf("%s: got asked %v, release %v, want release %v", c.setting, asked, doc["release"], c.release)
		}
	}
	// For an unknown release the nearest is used, with a warning.
	probe(t, "request", address, "metadata", "-X", "api_version=4.2").succeeded(t)
	probe(t, "request", address, "metadata", "-X", "api_version=9.9").failed(t, exitOK, "warning", "9.9", "4.4")
}
