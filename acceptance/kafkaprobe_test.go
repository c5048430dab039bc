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
		var out, err bytes.Buffer
		code := probe.Run(t.Context(), c.args, strings.NewReader(""), &out, &err)
		if code != c.code || !strings.Contains(out.String()+err.String(), c.says) {
			t.Errorf("%v: exit %d, want %d and %q\n%s%s", c.args, code, c.code, c.says, &out, &err)
		}
	}
}
