package probe

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/application/broker"
)

const canary = "canary-4711"

func file(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "client.properties")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Every command that connects takes its broker from properties of any dialect.
func TestBrokerFromProperties(t *testing.T) {
	address, _ := fakeKafka(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	java := file(t, "bootstrap.servers="+address, "key.serializer=x", "acks=all")
	for _, given := range [][]string{
		{"-X", "bootstrap.servers=" + address},
		{"-X", "metadata.broker.list=" + address},
		{"-X", "host=" + host, "-X", "port=" + port},
		{"-F", java},
		{"-F", file(t, "bootstrap.servers=127.0.0.1:1"), "-F", java},
		{"-F", file(t, "bootstrap_servers=127.0.0.1:1"), "-X", "host=" + host, "-X", "port=" + port},
		{"-F", file(t, "bootstrap.servers=127.0.0.1:1"), "-X", "bootstrap.servers=" + address, "--dialect", "librdkafka"},
	} {
		for _, command := range [][]string{{"apis"}, {"ping", "-c", "1"}, {"check-version"}, {"request", "metadata"}} {
			probe(t, append(command, given...)...).succeeded(t)
		}
	}
	// The command line wins.
	probe(t, "apis", address, "-X", "bootstrap.servers=127.0.0.1:1,127.0.0.1:2").succeeded(t)
	probe(t, "request", address, "metadata", "-X", "host=127.0.0.1", "-X", "port=1").succeeded(t)
}

func TestClientIDFromProperties(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, name},
		{[]string{"-X", "client.id=mine"}, "mine"},
		{[]string{"-X", "client.id=mine", "--client-id", "yours"}, "yours"},
		{[]string{"-X", "client.id=mine", "--client-id", name}, name},
	} {
		cfg := configOf(t, append([]string{"apis", "localhost"}, c.args...)...)
		if cfg.ClientID != c.want || cfg.SoftwareName != name {
			t.Errorf("%v: client id %q, software %q", c.args, cfg.ClientID, cfg.SoftwareName)
		}
	}
}

// A name alone does not have the version of kafkaprobe, which is another program.
func TestSoftwareFromProperties(t *testing.T) {
	for _, c := range []struct {
		args          []string
		name, version string
	}{
		{nil, name, broker.Version},
		{[]string{"-X", "client_software_name=mine"}, "mine", ""},
		{[]string{"-X", "client_software_version=7"}, name, "7"},
		{[]string{"-X", "client_software_name=mine", "-X", "client_software_version=7"}, "mine", "7"},
	} {
		cfg := configOf(t, append([]string{"apis", "localhost"}, c.args...)...)
		if cfg.SoftwareName != c.name || cfg.SoftwareVersion != c.version {
			t.Errorf("%v: software %q, version %q", c.args, cfg.SoftwareName, cfg.SoftwareVersion)
		}
	}
}

// What wins is said where it is asked.
func TestHelpSaysWhatWins(t *testing.T) {
	help := probe(t, "help", "ping").stdout
	for _, c := range []struct{ flag, words string }{
		{"--properties FILE", "later files win over earlier ones"},
		{"--property KEY=VALUE", "wins over all of -F"},
		{"--property KEY=VALUE", "given, HOST:PORT, --client-id and --timeout win over both"},
	} {
		_, text, _ := strings.Cut(help, c.flag)
		line, _, _ := strings.Cut(text, "\n")
		if !strings.Contains(line, c.words) {
			t.Errorf("%s: %q is not in %q", c.flag, c.words, line)
		}
	}
}

func TestTimeoutsFromProperties(t *testing.T) {
	for _, c := range []struct {
		args           []string
		request, setup time.Duration
	}{
		{nil, defaultTimeout + time.Minute, defaultTimeout / 2},
		{[]string{"-X", "request.timeout.ms=3000"}, 3 * time.Second, defaultTimeout / 2},
		{[]string{"-X", "socket.connection.setup.timeout.ms=2000"}, defaultTimeout + time.Minute, 2 * time.Second},
		{[]string{"-X", "socket.connection.setup.timeout.ms=60000"}, defaultTimeout + time.Minute, defaultTimeout / 2},
		{[]string{"-X", "request.timeout.ms=3000", "-X", "socket.connection.setup.timeout.ms=1", "--timeout", "8s"}, 8*time.Second + time.Minute, 4 * time.Second},
	} {
		cfg := configOf(t, append([]string{"apis", "localhost"}, c.args...)...)
		if cfg.RequestTimeout != c.request || cfg.SetupTimeout != c.setup {
			t.Errorf("%v: request %v, setup %v", c.args, cfg.RequestTimeout, cfg.SetupTimeout)
		}
	}
}

// configOf is the configuration that a command line comes to.
func configOf(t *testing.T, args ...string) broker.Config {
	t.Helper()
	a := &app{}
	var cfg broker.Config
	root := a.root()
	command, _, err := root.Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := command.ParseFlags(args[1:]); err != nil {
		t.Fatal(err)
	}
	if err := root.PersistentPreRunE(command, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.readProperties(); err != nil {
		t.Fatal(err)
	}
	if cfg, err = a.config(args[1]); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// All problems are told, a line each, and nothing is connected to.
func TestBadProperties(t *testing.T) {
	bad := file(t, "bootstrap.servers=localhost:1", "sasl.pasword="+canary, "request.timeout.ms=soon")
	args := []string{"apis", "-F", bad, "-X", "ssl.keystore.pasword=" + canary}
	o := probe(t, args...)
	want := []string{
		"kafkaprobe: " + bad + ":2: sasl.pasword: unknown key",
		"kafkaprobe: -X: ssl.keystore.pasword: unknown key",
		"kafkaprobe: " + bad + ":3: request.timeout.ms: \"soon\"",
	}
	lines := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	if o.code != exitUsage || o.stdout != "" || len(lines) != len(want) {
		t.Fatalf("exit code %d, standard output %q, standard error %q", o.code, o.stdout, o.stderr)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) || strings.Contains(line, canary) {
			t.Errorf("line %q, want %q", line, want[i])
		}
	}
	doc := probe(t, append(args, "--json")...)
	e := decode[errorDocument](t, doc).Error
	if doc.code != exitUsage || e.ExitCode != exitUsage || len(e.Problems) != len(want) || strings.Contains(doc.stdout+doc.stderr, canary) {
		t.Fatalf("%+v", doc)
	}
	if p := e.Problems[0]; p.Key != "sasl.pasword" || p.Where != bad+":2" || !strings.Contains(p.Message, `nearest is "sasl.password"`) {
		t.Errorf("%+v", p)
	}
}

func TestPropertiesThatCannotBe(t *testing.T) {
	several := file(t, "bootstrap.servers=a:1,b:2")
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"apis", "-F", "/no/such/file"}, []string{"/no/such/file"}},
		{[]string{"apis", "localhost", "-X", canary}, []string{"-X takes key=value"}},
		{[]string{"apis", "localhost", "--dialect", "python"}, []string{"--dialect", "kafka-python, java, librdkafka"}},
		{[]string{"apis", "-F", several}, []string{"HOST:PORT", "2 brokers", "a:1, b:2"}},
		{[]string{"apis", "-X", "client.id=x"}, []string{"HOST:PORT", "name no broker"}},
		{[]string{"request", "-F", several}, []string{"needs NAME"}},
		{[]string{"apis", "localhost", "-X", "security.protocol=SASL_SSL", "-X", "sasl.mechanism=GSSAPI", "-X", "sasl.password=" + canary,
			"-X", "sasl.kerberos.principal=a@B", "-X", "sasl.kerberos.keytab=/no/such/keytab"}, []string{"sasl.kerberos.keytab: ", "/no/such/keytab"}},
		{[]string{"apis", "localhost", "-X", "client.id=x", "-X", "host=y"}, []string{"mixed dialects"}},
		{[]string{"demo", "-X", "client.id=x"}, []string{"-X"}},
	} {
		t.Run(strings.ReplaceAll(strings.Join(c.args, " "), canary, "SECRET"), func(t *testing.T) {
			o := probe(t, c.args...)
			o.failed(t, exitUsage, c.words...)
			if strings.Contains(o.stderr, canary) {
				t.Error(o.stderr)
			}
			doc := probe(t, append(c.args, "--json")...)
			doc.failed(t, exitUsage)
			if e := decode[errorDocument](t, doc).Error; e == nil || e.ExitCode != exitUsage {
				t.Errorf("as JSON: %s", doc.stdout)
			}
		})
	}
}

// What was not known in advance is told by the settings too: with a release that
// was given the broker is not asked.
func TestCheckVersionOfAGivenRelease(t *testing.T) {
	address, _ := fakeKafka(t)
	args := []string{"check-version", address, "-X", "api_version=2.8"}
	text := probe(t, args...)
	text.succeeded(t)
	if text.stdout != "2.8\n- the release was configured, and the broker was not asked\n" {
		t.Errorf("%s", text.stdout)
	}
	o := probe(t, append(args, "--json")...)
	o.succeeded(t)
	if doc := decode[versionDocument](t, o); doc.Verdict != "2.8" || doc.Kind != "exact" || doc.Lineage != nil || len(doc.Evidence) != 1 {
		t.Errorf("%s", o.stdout)
	}
}

// Nor does apis call a table of its own the broker's.
func TestAPIsOfAGivenRelease(t *testing.T) {
	address, _ := fakeKafka(t)
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
			t.Errorf("%s: %+v", c.setting, o)
		}
		o := probe(t, append(args, "--json")...)
		doc := decode[map[string]any](t, o)
		asked, told := doc["asked"]
		if !told || (asked == nil) != (c.release != nil) || doc["release"] != c.release {
			t.Errorf("%s: asked %v, release %v", c.setting, asked, doc["release"])
		}
	}
}

// A release that is not known is taken for the nearest, and that is said.
func TestUnknownReleaseIsToldOf(t *testing.T) {
	address, _ := fakeKafka(t)
	probe(t, "request", address, "metadata", "-X", "api_version=4.2").succeeded(t)
	probe(t, "request", address, "metadata", "-X", "api_version=9.9").failed(t, exitOK, "warning", "9.9", "4.4")
}
