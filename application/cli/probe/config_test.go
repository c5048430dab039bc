package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// javaFile is a client's file, with a password.
func javaFile(t *testing.T) string {
	t.Helper()
	return file(t, "bootstrap.servers=a:1,b:2", "acks=all", "security.protocol=SASL_SSL",
		"sasl.mechanism=SCRAM-SHA-256",
		`sasl.jaas.config=x.ScramLoginModule required username="al\u202eice" password="`+canary+`";`,
		"ssl.endpoint.identification.algorithm=", "connections.max.idle.ms=-1", "ssl.enabled.protocols=TLSv1.3",
		"num.stream.threads=2")
}

func TestConfigPrintsSettings(t *testing.T) {
	name := javaFile(t)
	o := probe(t, "config", "-F", name, "-X", "client.id=mine")
	var got []string
	for line := range strings.Lines(o.stdout) {
		got = append(got, strings.ReplaceAll(strings.Join(strings.Fields(line), " "), name, "F"))
	}
	want := []string{
		"dialect: java",
		"bootstrap.servers a:1 b:2 properties.Settings.Servers F:1",
		"client.id mine Config.ClientID -X",
		"connections.max.idle.ms no limit Config.IdleTimeout F:7",
		"security.protocol SASL_SSL properties.Settings.Security F:3",
		`ssl.endpoint.identification.algorithm "" tls.Options.AnyHost F:6`,
		"ssl.enabled.protocols TLS 1.3 tls.Options.MinVersion F:8",
		"ssl.enabled.protocols TLS 1.3 tls.Options.MaxVersion F:8",
		"sasl.mechanism SCRAM-SHA-256 properties.SASL.Mechanism F:4",
		`sasl.jaas.config al\u202eice scram.Options.Username F:5`,
		"sasl.jaas.config [redacted] scram.Options.Password F:5",
		"acks ignored: not a setting of one connection - F:2",
		"num.stream.threads ignored: a key of Kafka Streams alone - F:9",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if o.code != exitOK {
		t.Errorf("got exit code %d, want %d", o.code, exitOK)
	}
	contains(t, o.stderr, "num.stream.threads: ignored")
	doc := decode[configDocument](t, probe(t, "config", "-F", name, "--json"))
	if doc.Dialect != "java" || len(doc.Settings) != 9 || doc.Settings[0].Where != name+":1" || len(doc.Ignored) != 2 {
		t.Errorf("got %+v, want the settings and what is ignored", doc)
	}
}

// TestConfigAs checks that a file in another client's words is one that kafkaprobe reads.
func TestConfigAs(t *testing.T) {
	name := javaFile(t)
	for as, want := range map[string][]string{
		"librdkafka": {"bootstrap.servers=a:1,b:2", "sasl.mechanisms=SCRAM-SHA-256", "sasl.password=[redacted]",
			"ssl.endpoint.identification.algorithm=none", "connections.max.idle.ms=0",
			"# no key for tls.Options.MinVersion = TLS 1.3"},
		"kafka-python": {"bootstrap_servers=a:1,b:2", "sasl_plain_password=[redacted]", "ssl_check_hostname=false"},
		"java":         {"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required"},
	} {
		o := probe(t, "config", "-F", name, "--as", as)
		for _, line := range want {
			contains(t, o.stdout, "\n"+line)
		}
		written := filepath.Join(t.TempDir(), "translated")
		fakebroker.Must(t, os.WriteFile(written, []byte(o.stdout), 0o600))
		if o := probe(t, "config", "-F", written, "--dialect", as); o.code != exitOK {
			t.Errorf("%s: got exit code %d and %s, want %d", as, o.code, o.stderr, exitOK)
		}
	}
	pem := file(t, "security.protocol=SSL", "ssl.truststore.type=PEM",
		"ssl.truststore.certificates=-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----")
	contains(t, probe(t, "config", "-F", pem, "--as", "librdkafka").stdout,
		"\n# no key for tls.Options.CAPEM = PEM of ", "librdkafka takes no PEM in a line", "as ssl.ca.location\n")
	probe(t, "config", "-F", name, "--as", "ruby").failed(t, exitUsage, "--as", "kafka-python, java, librdkafka")
	probe(t, "config").failed(t, exitUsage, "-F FILE")
	probe(t, "config", "-F", name, "--strict").failed(t, exitUsage, "num.stream.threads")
}
