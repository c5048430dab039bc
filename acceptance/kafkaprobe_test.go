//go:build acceptance

package acceptance

import (
	"bytes"
	"strings"
	"testing"

	"brokerconn/application/cli/probe"
)

// TestKafkaprobe runs the commands against a real broker, and against the ports
// of it that are not for clients.
func TestKafkaprobe(t *testing.T) {
	b := sharedBroker(t)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"ping", b.Addr(), "-c", "3", "-i", "1ms"}, 0, "3 sent, 3 answered, 0 lost"},
		{[]string{"apis", b.Addr()}, 0, "DescribeTopicPartitions"},
		{[]string{"check-version", b.Addr()}, 0, "4.4\nKRaft broker"},
		{[]string{"check-version", b.Addr(), "--json"}, 0, `"metadata.version"`},
		{[]string{"request", b.Addr(), "DescribeCluster", "--json"}, 0, b.ClusterID()},
		{[]string{"request", b.Addr(), "metadata", "--version", "1"}, 0, `"Brokers"`},
		{[]string{"request", b.Addr(), "metadata", "--body", `{"Topics":[{"Topic":"no such topic"}]}`}, 1,
			"INVALID_TOPIC_EXCEPTION"},
		{[]string{"request", b.Addr(), "OffsetFetch", "--version", "0"}, 1, "API 9"},
		{[]string{"tls", b.Addr()}, 12, "Kafka's ApiVersions in plaintext"},
	} {
		kafkaprobe(t, c.args, c.code, c.says)
	}
}

// kafkaprobe runs a command line and checks its exit code and that its output has all the words.
func kafkaprobe(t *testing.T, args []string, code int, words ...string) {
	t.Helper()
	var out, err bytes.Buffer
	if got := probe.Run(t.Context(), args, strings.NewReader(""), &out, &err); got != code {
		t.Errorf("%v: got exit code %d, want %d\n%s%s", args, got, code, &out, &err)
	}
	for _, want := range words {
		if !strings.Contains(out.String()+err.String(), want) {
			t.Errorf("%v: got\n%s%s\nwant %q in it", args, &out, &err, want)
		}
	}
}

// TestKafkaprobeAuth runs the command auth at listeners with and without
// reauthentication, at one without SASL, and with a wrong password.
func TestKafkaprobeAuth(t *testing.T) {
	b := secured(t, Newest)
	login := func(l Listener, password string) []string {
		return []string{"auth", b.AddrOf(l), "-X", "security_protocol=SASL_PLAINTEXT",
			"-X", "sasl_mechanism=SCRAM-SHA-256",
			"-X", "sasl_plain_username=" + ScramUser, "-X", "sasl_plain_password=" + password}
	}
	mechanisms := "mechanisms  " + strings.Join(b.Mechanisms(), " ")
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"renewed": {login(Reauth, ScramPassword), 0, []string{mechanisms, "login       SCRAM-SHA-256, in ",
			"session     3s; reauthentication", "renewal     on the same connection"}},
		"not renewed": {login(SASLPlaintext, ScramPassword), 0, []string{mechanisms,
			"session     no limit", "not supported by the broker"}},
		"a wrong password": {login(SASLPlaintext, wrongPassword), 14, []string{mechanisms,
			"SASL_AUTHENTICATION_FAILED"}},
		"the list alone": {[]string{"auth", b.AddrOf(SASLPlaintext)}, 0, []string{mechanisms,
			"not tried: none is configured"}},
		"no login there": {[]string{"auth", b.Addr()}, 14, []string{"ILLEGAL_SASL_STATE"}},
	} {
		t.Run(name, func(t *testing.T) { kafkaprobe(t, c.args, c.code, c.says...) })
	}
}
