package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcome is what one command line came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// probe runs a command line to its end. What it prints is logged, so that
// acceptance/leaks reads it.
func probe(t *testing.T, args ...string) outcome {
	t.Helper()
	return probeWith(t, t.Context(), strings.NewReader(""), args...)
}

func probeWith(t *testing.T, ctx context.Context, stdin io.Reader, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, args, stdin, &stdout, &stderr)
	t.Logf("exit code %d\n%s%s", code, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// failed checks the exit code, and that standard error has one line with all the
// words.
func (o outcome) failed(t *testing.T, code int, words ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	if strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, "kafkaprobe: ") || !strings.HasSuffix(o.stderr, "\n") {
		t.Errorf("standard error is not one line of kafkaprobe's: %q", o.stderr)
	}
	for _, w := range words {
		if !strings.Contains(o.stderr, w) {
			t.Errorf("%q is not in %q", w, o.stderr)
		}
	}
}

// succeeded checks that it did, in silence on standard error.
func (o outcome) succeeded(t *testing.T) {
	t.Helper()
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("exit code %d, standard error %q", o.code, o.stderr)
	}
}

// decode reads standard output as exactly one JSON document.
func decode[T any](t *testing.T, o outcome) T {
	t.Helper()
	var doc T
	d := json.NewDecoder(strings.NewReader(o.stdout))
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v in %q", err, o.stdout)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("more than one document: %q", o.stdout)
	}
	return doc
}

// fakeKafka starts franz-go's fake broker on loopback.
func fakeKafka(t *testing.T, opts ...kfake.Opt) (address string, cluster *kfake.Cluster) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "letters")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0], cluster
}
