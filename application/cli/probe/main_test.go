package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outcome is the outcome of one command line.
type outcome struct {
	code           int
	stdout, stderr string
}

// probe runs a command line.
func probe(t *testing.T, args ...string) outcome {
	t.Helper()
	return probeWith(t, t.Context(), strings.NewReader(""), args...)
}

// probeWith runs a command line, whose output must not have a secret: all secrets of these
// tests contain "canary". The output is logged, so that acceptance/leaks reads it.
func probeWith(t *testing.T, ctx context.Context, stdin io.Reader, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(ctx, args, stdin, &stdout, &stderr)
	t.Logf("exit code %d\n%s%s", code, &stdout, &stderr)
	o := outcome{code, stdout.String(), stderr.String()}
	if strings.Contains(o.stdout+o.stderr, "canary") {
		t.Error("got output with a secret")
	}
	return o
}

// failed checks the exit code, and that standard error is one line with all the words, and
// perhaps one more with a hint.
func (o outcome) failed(t *testing.T, code int, words ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Errorf("got exit code %d, want %d", o.code, code)
	}
	lines := strings.Split(strings.TrimSuffix(o.stderr, "\n"), "\n")
	hinted := len(lines) == 2 && strings.HasPrefix(lines[1], "kafkaprobe: hint: ")
	if len(lines) != 1 && !hinted || !strings.HasPrefix(o.stderr, "kafkaprobe: ") ||
		!strings.HasSuffix(o.stderr, "\n") {
		t.Errorf("got standard error %q, want one line of kafkaprobe and perhaps a hint", o.stderr)
	}
	contains(t, o.stderr, words...)
	return o
}

// succeeded checks the exit code, that standard error is empty, and that standard output
// has all the words.
func (o outcome) succeeded(t *testing.T, words ...string) outcome {
	t.Helper()
	if o.code != exitOK || o.stderr != "" {
		t.Fatalf("got exit code %d and standard error %q, want success", o.code, o.stderr)
	}
	contains(t, o.stdout, words...)
	return o
}

func contains(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("got %q, want %q in it", text, w)
		}
	}
}

// probeFails runs a command line that fails, as text and with --json, and checks both. It
// returns the error of the document.
func probeFails(t *testing.T, code int, args []string, words ...string) *errorInfo {
	t.Helper()
	text := probe(t, args...).failed(t, code, words...)
	if text.stdout != "" {
		t.Errorf("got standard output %q, want none", text.stdout)
	}
	doc := probe(t, append(args, "--json")...).failed(t, code)
	e := decode[errorDocument](t, doc).Error
	if e == nil || e.ExitCode != code {
		t.Fatalf("got document %s, want an error with exit code %d", doc.stdout, code)
	}
	contains(t, e.Message+" "+e.Hint, words...)
	return e
}

// decode reads standard output as exactly one JSON document.
func decode[T any](t *testing.T, o outcome) T {
	t.Helper()
	var doc T
	d := json.NewDecoder(strings.NewReader(o.stdout))
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("got %q, want one document: %v", o.stdout, err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("got %q, want one document", o.stdout)
	}
	return doc
}

// with returns a command line with properties.
func with(args []string, properties ...string) []string {
	args = slices.Clip(args)
	for _, p := range properties {
		args = append(args, "-X", p)
	}
	return args
}

// must returns v, and panics if a step of the test's own failed.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fakeKafka starts franz-go's fake broker on loopback.
func fakeKafka(t *testing.T, opts ...kfake.Opt) (address string, cluster *kfake.Cluster) {
	t.Helper()
	cluster = must(kfake.NewCluster(append(opts, kfake.NumBrokers(1), kfake.SeedTopics(1, "letters"))...))
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0], cluster
}
