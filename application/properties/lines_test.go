package properties

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/ports/porttest"
)

// What Lines writes in the words of another client is read there as the same settings, but
// for secrets and for settings that client does not have.
func TestLinesMeanTheSame(t *testing.T) {
	dir := filepath.ToSlash(stores(t))
	translated := 0
	for _, c := range readRecorded(t, "testdata/accepted.txt", dir) {
		s, err := readSources(t, c.dialect, "", c.sources...)
		if err != nil {
			t.Fatal(err)
		}
		for d := firstDialect; d <= lastDialect; d++ {
			var text, lost strings.Builder
			explained := false
			for _, line := range s.Lines(d) {
				if line.Key == "" || line.Sets == keyPEMKey.to {
					fmt.Fprintln(&lost, line.Sets)
					explained = explained || line.Why != ""
					continue
				}
				fmt.Fprintf(&text, "%s=%s\n", line.Key, line.Value)
			}
			if d == c.dialect && lost.Len() > 0 && lost.String() != keyPEMKey.to+"\n" && !explained {
				t.Errorf("%v: got no key for %q\nof %q", d, lost.String(), c.sources)
			}
			porttest.NoSecrets(t, "the lines", text.String(), canary)
			again, err := Read(d, written(t, "", text.String()))
			if lost.Len() > 0 && (err == nil || strings.Contains(lost.String(), keyPEMKey.to) ||
				strings.Contains(err.Error(), providerKey.kafkaPython)) {
				continue // what is left is a file by itself, unless it needs what is lost
			}
			if err != nil {
				t.Errorf("%v: got %v of\n%swant the settings of %q", d, err, text.String(), c.sources)
				continue
			}
			translated++
			if got, want := withoutSecrets(again), withoutSecrets(s); !slices.Equal(got, want) {
				t.Errorf("%v: got %q\nwant %q\nof %q as\n%s", d, got, want, c.sources, text.String())
			}
		}
	}
	if translated < 140 {
		t.Errorf("got %d translations, want at least 140", translated)
	}
}

// withoutSecrets is rendered with the names alone of fields that Lines does not show.
func withoutSecrets(s *Settings) (lines []string) {
	for _, line := range rendered(s) {
		name, value, _ := strings.Cut(line, " ")
		if line == "SASL.Kerberos.ServiceName kafka" {
			continue // the default here, which Java needs a line for
		}
		if name == "SASL.Login.Password" || name == "SASL.OAuth.Extensions" || strings.Contains(value, hidden) ||
			strings.Contains(value, "canary-") {
			line = name
		}
		lines = append(lines, line)
	}
	return lines
}

// Java's client refuses Kerberos without the name of the service; librdkafka's default is kafka.
func TestLinesNameTheService(t *testing.T) {
	s, err := Read(Librdkafka, written(t, "", "security.protocol=sasl_ssl"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range s.Lines(Java) {
		got = append(got, line.Key+"="+line.Value)
	}
	want := []string{"security.protocol=SASL_SSL", "sasl.mechanism=GSSAPI",
		`sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useTicketCache="true";`,
		"sasl.kerberos.service.name=kafka"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Each client is written its own word for no limit. That of kafka-python 3.0.12 has none: its
// connection is closed at once with 0 or less, so that a time without end is left.
func TestLinesHaveNoLimit(t *testing.T) {
	s, err := Read(Java, Pairs(map[string]string{"connections.max.idle.ms": "-1", "max.hold.ms": "-1"}))
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[Dialect][]string{KafkaPython: {"9223372036854775807", "0"}, Java: {"-1", "-1"},
		Librdkafka: {"0", "0"}} {
		var got []string
		for _, line := range s.Lines(d) {
			got = append(got, line.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	kept := 0
	for _, line := range tuples(t, KafkaPython, "values") {
		if line[0] == "connections_max_idle_ms" && line[2] == "= kept" {
			kept++
		}
		if line[0] == "connections_max_idle_ms" && line[1] == "9223372036854775807" && line[2] != "= kept" {
			t.Errorf("got %q, want a connection that is kept", line)
		}
	}
	if kept == 0 {
		t.Error("got no idle connection that kafka-python keeps, want some")
	}
}

// librdkafka and kafka-python take PEM from files alone, and no line is written that they refuse:
// librdkafka's list has a certificate that it takes with the ends of its lines, and not with \n.
func TestLinesHaveNoPEM(t *testing.T) {
	var certificate string
	for _, line := range tuples(t, Librdkafka, "values") {
		if line[0] == "ssl.ca.pem" && line[2] == "= with ends of lines alone" {
			certificate = line[1]
		}
	}
	s, err := Read(Java, written(t, "", "security.protocol=SSL", "ssl.truststore.type=PEM",
		"ssl.truststore.certificates="+certificate, "ssl.keystore.type=PEM",
		"ssl.keystore.certificate.chain="+certificate, "ssl.keystore.key="+keyText))
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[Dialect][]string{
		KafkaPython: {"ssl_cafile", "ssl_certfile", "ssl_keyfile"},
		Librdkafka:  {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location"},
	} {
		for i, line := range s.Lines(d)[1:] {
			if line.Key != "" || !strings.Contains(line.Why, d.String()) || !strings.HasSuffix(line.Why, want[i]) {
				t.Errorf("%v: got %+v, want no key and %s in the reason", d, line, want[i])
			}
		}
	}
	for _, line := range s.Lines(Java) {
		if line.Key == "" || line.Why != "" {
			t.Errorf("java: got %+v, want a key", line)
		}
	}
}

// No line is written that the client refuses: librdkafka takes at most 300000 here.
func TestLinesAreInTheRange(t *testing.T) {
	s, err := Read(Java, Pairs(map[string]string{"request.timeout.ms": "600000"}))
	if err != nil {
		t.Fatal(err)
	}
	got := s.Lines(Librdkafka)[0]
	if got.Key != "" || got.Value != "10m0s" || !strings.Contains(got.Why, "socket.timeout.ms from 10 to 300000") {
		t.Errorf("got %+v, want no key, and the range", got)
	}
}

func TestLoginOfProxyIsHidden(t *testing.T) {
	for given, want := range map[string]string{
		"http://alice:canary-word@h:1": "http://alice:%5Bredacted%5D@h:1",
		"http://canary-token@h:1":      "http://%5Bredacted%5D@h:1",
		"http://h:1":                   "http://h:1",
	} {
		s, err := Read(Guess, written(t, "", "proxy_url="+given), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Lines(Guess)[0].Value; got != want {
			t.Errorf("the value of %q: got %q, want %q", given, got, want)
		}
	}
}

func TestLinesNameTheirPlaces(t *testing.T) {
	s, err := Read(Guess, written(t, "", "bootstrap.servers=[2001:db8::1]:1,b:2", "client.id=x", "acks=all",
		"security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", "sasl.jaas.config="+plainJAAS,
		"ssl.endpoint.identification.algorithm=", "connections.max.idle.ms=-1"),
		[]Property{{Key: "client.id", Value: Pairs(map[string]string{"": "y"})[0].Value, Where: "-X"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range s.Lines(Guess) {
		got = append(got, fmt.Sprintf("{%s %s %s %s}", line.Key, line.Value, line.Sets, line.Where))
	}
	want := []string{
		"{bootstrap.servers [2001:db8::1]:1 b:2 properties.Settings.Servers test.properties:1}",
		"{client.id y Config.ClientID -X}",
		"{connections.max.idle.ms no limit Config.IdleTimeout test.properties:8}",
		"{security.protocol SASL_SSL properties.Settings.Security test.properties:4}",
		"{ssl.endpoint.identification.algorithm \"\" tls.Options.AnyHost test.properties:7}",
		"{sasl.mechanism PLAIN properties.SASL.Mechanism test.properties:5}",
		"{sasl.jaas.config u scram.Options.Username test.properties:6}",
		"{sasl.jaas.config [redacted] scram.Options.Password test.properties:6}",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if lines := s.Lines(Java); len(lines) != 7 || lines[6].Key != "sasl.jaas.config" {
		t.Errorf("got %v, want one line of each key", lines)
	}
}

// A release that is not given has no line: the clients have no word for it in its place, and librdkafka would not ask
// for the versions.
func TestLinesHaveNoZeroRelease(t *testing.T) {
	for own, key := range map[Dialect]string{KafkaPython: "api_version=auto", Librdkafka: "api.version.request=true"} {
		s, err := Read(own, written(t, "", key))
		if err != nil {
			t.Fatal(err)
		}
		for d := firstDialect; d <= lastDialect; d++ {
			for _, line := range s.Lines(d) {
				if line.Sets == fallbackVersionKey.to {
					t.Errorf("%s as %v: got %+v, want no line", key, d, line)
				}
			}
		}
	}
}
