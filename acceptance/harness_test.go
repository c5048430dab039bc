package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// The tests of the harness that need no Java.

// must returns a function that fails the test if err is not nil, and otherwise returns v.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		fakebroker.Must(t, err)
		return v
	}
}

func TestReleaseOf(t *testing.T) {
	for _, c := range []struct {
		version string
		mode    Mode
		want    Mode
		refusal string
	}{
		{"0.8.0", DefaultMode, ZooKeeper, ""},
		{"0.8.2.2", DefaultMode, ZooKeeper, ""},
		{"2.8.2", DefaultMode, ZooKeeper, ""},
		{"2.8.2", KRaft, KRaft, ""},
		{"3.2.3", DefaultMode, ZooKeeper, ""},
		{"3.3.2", DefaultMode, KRaft, ""},
		{"3.9.2", ZooKeeper, ZooKeeper, ""},
		{"4.0.0", DefaultMode, KRaft, ""},
		{"5.0.1", DefaultMode, KRaft, ""},
		{"4.0.0", ZooKeeper, 0, "Kafka 4.0.0 has no mode ZooKeeper"},
		{"2.7.2", KRaft, 0, "Kafka 2.7.2 has no mode KRaft"},
		{"0.7.2", DefaultMode, 0, "Kafka 0.7.2 is not supported: want 0.8.0 or later"},
		{"four", DefaultMode, 0, `"four" is not a version`},
		{"4.4", DefaultMode, 0, `"4.4" is not a version`},
		{"4.4.0.0.0", DefaultMode, 0, `"4.4.0.0.0" is not a version`},
		{"4.4.-1", DefaultMode, 0, `"4.4.-1" is not a version`},
		{"../../etc", DefaultMode, 0, `"../../etc" is not a version`},
	} {
		rel, err := releaseOf(c.version, c.mode)
		switch {
		case c.refusal != "":
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("%s: got error %v, want %q", c.version, err, c.refusal)
			}
		case err != nil:
			t.Errorf("%s: %v", c.version, err)
		case rel.mode != c.want || (rel.beside != nil) != (c.want == ZooKeeper) || rel.scala == "" ||
			rel.run == nil || rel.ready == "":
			t.Errorf("%s, mode %s: got %+v, want mode %s", c.version, c.mode, rel, c.want)
		}
	}
}

func TestReleaseOfVariant(t *testing.T) {
	for version, want := range map[string]string{
		"0.8.0": "0.8.0", "0.8.2.2": "0.8.2", "0.9.0.1": "0.9.0", "0.10.2.1": "0.10.2", "0.11.0.3": "0.11.0",
		"1.0.2": "1.0", "2.8.1": "2.8", "4.4.0": "4.4",
	} {
		if got := (Variant{Version: version}).Release().String(); got != want {
			t.Errorf("release of %s: got %s, want %s", version, got, want)
		}
	}
}

func TestListenersOfARelease(t *testing.T) {
	for _, c := range []struct {
		version   string
		listeners []Listener
		refusal   string
	}{
		{"0.8.2.2", nil, ""},
		{"0.8.2.2", []Listener{SSL}, "Kafka 0.8.2.2 has no listener SSL"},
		{"0.9.0.1", []Listener{SSL, SASLPlaintext, SASLSSL}, ""},
		{"0.9.0.1", []Listener{SSLClientAuth}, ""},
		{"0.9.0.1", []Listener{SSL, SSLClientAuth}, "cannot have both listeners SSL and SSL_CLIENT_AUTH"},
		{"0.9.0.1", []Listener{SSLClientAuth, SASLSSL}, "demands certificates on all"},
		{"0.10.2.2", []Listener{SSL, SSLClientAuth}, "cannot have both"},
		{"0.11.0.0", []Listener{SSL, SSLClientAuth, SASLPlaintext, SASLSSL}, ""},
		{"2.1.1", []Listener{Reauth}, "Kafka 2.1.1 has no listener REAUTH"},
		{"2.2.0", []Listener{SASLPlaintext, Reauth}, ""},
		{"4.4.0", []Listener{SSL, SSL}, "cannot have both"},
		{"4.4.0", []Listener{Plaintext}, "cannot have both"},
		{"4.4.0", []Listener{"TELNET"}, "no listener TELNET"},
	} {
		rel := must(releaseOf(c.version, DefaultMode))(t)
		err := rel.check(append([]Listener{Plaintext}, c.listeners...))
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("Kafka %s with %s: got error %v, want %q", c.version, c.listeners, err, c.refusal)
		}
	}
}

func TestToolVersions(t *testing.T) {
	for out, want := range map[string]string{
		`openjdk version "17.0.15" 2025-04-15`: "17",
		`openjdk version "25" 2025-09-16`:      "25",
		`java version "1.8.0_402"`:             "8",
	} {
		if found := javaVersion.FindStringSubmatch(out); found == nil || found[1] != want {
			t.Errorf("%s: got %q, want %s", out, found, want)
		}
	}
	out := "\x1b[1mApache Maven 3.8.7\x1b[m\nMaven home: /usr/share/maven\n"
	if found := mavenVersion.FindStringSubmatch(out); found == nil || found[1] != "3.8" {
		t.Errorf("%q: got %q, want 3.8", out, found)
	}
	for _, order := range [][2]string{{"3.6", "3.10"}, {"3.9", "4.0"}, {"2.11", "3.0"}} {
		less, more := compareMinor(order[0], order[1]), compareMinor(order[1], order[0])
		if same := compareMinor(order[0], order[0]); less >= 0 || more <= 0 || same != 0 {
			t.Errorf("order of %q, both ways, and of the first with itself: got %d, %d, %d; want -1, 1, 0",
				order, less, more, same)
		}
	}
}

func TestGateOnABareMachine(t *testing.T) {
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", t.TempDir())
	for value, want := range map[string]struct {
		status int
		lines  int
		say    []string
	}{
		"":         {0, 4, []string{"ACCEPTANCE SKIPPED", "needs Java and Maven: no java: ", "no mvn: "}},
		"required": {1, 1, []string{"ACCEPTANCE FAILED: ", "no java: ", "no mvn: "}},
		"yes":      {1, 1, []string{"ACCEPTANCE FAILED: ", "ACCEPTANCE=yes"}},
	} {
		t.Setenv("ACCEPTANCE", value)
		var banner bytes.Buffer
		run, status := Gate(&banner)
		if run || status != want.status {
			t.Errorf("ACCEPTANCE=%s: got run %t, status %d, want false, %d", value, run, status, want.status)
		}
		if n := strings.Count(banner.String(), "\n"); n != want.lines {
			t.Errorf("ACCEPTANCE=%s: got %d lines, want %d:\n%s", value, n, want.lines, &banner)
		}
		for _, say := range want.say {
			if !strings.Contains(banner.String(), say) {
				t.Errorf("ACCEPTANCE=%s: got\n%s\nwant %q in it", value, &banner, say)
			}
		}
	}
}

func TestUnusableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	fakebroker.Must(t, os.WriteFile(file, nil, 0o666))
	t.Setenv("BROKERCONN_CACHE", filepath.Join(file, "cache"))
	_, err := Fetch(t.Context(), Newest)
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "BROKERCONN_CACHE") {
		t.Errorf("a cache inside a file: got %v, want an error that names %s and BROKERCONN_CACHE", err, file)
	}
}

func TestLock(t *testing.T) {
	t.Setenv("BROKERCONN_CACHE", t.TempDir())
	c := must(openCache())(t)
	unlock := must(c.lock(t.Context()))(t)
	given, giveUp := context.WithCancel(t.Context())
	giveUp()
	_, err := Fetch(given, Newest)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a fetch while another process fetches: got %v, want context.Canceled", err)
	}
	unlock()
	unlock, err = c.lock(given)
	if err != nil {
		t.Fatalf("lock after its release: got %v", err)
	}
	unlock()
}

func TestJarsOutsideTheCache(t *testing.T) {
	c := cache(t.TempDir())
	if err := c.store(Newest, []string{filepath.Join(c.m2(), "..", "stray.jar")}); err == nil {
		t.Error("a jar outside the cache: got no error")
	}
}

// TestSums: jars that are changed, missing or unknown are refused.
func TestSums(t *testing.T) {
	dir := t.TempDir()
	jar := func(name, content string) string {
		path := filepath.Join(dir, name)
		fakebroker.Must(t, os.WriteFile(path, []byte(content), 0o666))
		return path
	}
	// printf a | sha256sum; printf b | sha256sum
	const sums = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a.jar\n" +
		"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b.jar\n"
	a, b, c := jar("a.jar", "a"), jar("b.jar", "b"), jar("c.jar", "c")
	changed := filepath.Join(dir, "changed", "b.jar")
	fakebroker.Must(t, os.Mkdir(filepath.Dir(changed), 0o777))
	jar(filepath.Join("changed", "b.jar"), "a")
	for _, test := range []struct {
		paths []string
		says  string
	}{
		{[]string{b, a}, ""},
		{[]string{a, changed}, changed + " has the SHA-256 sum ca978112"},
		{[]string{a}, "mvn names no b.jar"},
		{[]string{a, b, c}, "c.jar has the SHA-256 sum"},
		{[]string{a, b, filepath.Join(dir, "gone.jar")}, "gone.jar"},
	} {
		err := checkSums(test.paths, sums)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: got %v, want %q", test.paths, err, test.says)
		}
	}
}

func TestFormatProperties(t *testing.T) {
	got := formatProperties(map[string]string{
		"b.path":     `C:\kafka`,
		"a.list":     "x,y = z",
		"c.lines":    "one\ntwo",
		"d.space":    "  led by two",
		"e.unicode":  "é😀",
		"f.nothing":  "",
		"g.comment#": "#!",
	})
	want := `a.list=x,y = z
b.path=C:\\kafka
c.lines=one\u000atwo
d.space=\  led by two
e.unicode=\u00e9\ud83d\ude00
f.nothing=
g.comment#=#!
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestFreePorts(t *testing.T) {
	for range 20 {
		a := must(freePorts([]Listener{Plaintext, SSL}))(t)
		all := []int{a.aux, a.ports[Plaintext], a.ports[SSL]}
		slices.Sort(all)
		if len(slices.Compact(all)) != 3 || all[0] < firstPort || all[2] > lastPort {
			t.Errorf("got ports %v and %d, want three in %d to %d", a.ports, a.aux, firstPort, lastPort)
		}
	}
}

func TestAccepts(t *testing.T) {
	a := must(freePorts([]Listener{Plaintext}))(t)
	l := must(net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", a.ports[Plaintext])))(t)
	if !accepts(l.Addr().String()) {
		t.Error("got false for a listener, want true")
	}
	l.Close()
	if accepts(l.Addr().String()) {
		t.Error("got true for a closed listener, want false")
	}
}

func TestTail(t *testing.T) {
	if got := tail(" short\n"); got != "short" {
		t.Errorf("got %q, want %q", got, "short")
	}
	got := tail(strings.Repeat("a line\n", tailSize))
	if len(got) > tailSize+len("...\n") || !strings.HasPrefix(got, "...\na line\n") {
		t.Errorf("got %d bytes, %.20q; want at most %d after an ellipsis", len(got), got, tailSize)
	}
}

func TestMavenError(t *testing.T) {
	failed := errors.New("exit status 1")
	for output, want := range map[string]string{
		"[WARNING] w\n\x1b[0m[ERROR] no such jar -> [Help 1]\n[ERROR] more\n": "mvn: exit status 1: no such jar",
		"something else\n": "mvn: exit status 1: something else",
	} {
		if err := mavenError(context.Background(), failed, output); err.Error() != want || !errors.Is(err, failed) {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, exec.Command("/no/such/program")); !errors.Is(err, context.Canceled) {
		t.Errorf("run with a canceled context: got %v", err)
	}
	if err := run(t.Context(), exec.Command("/no/such/program")); err == nil {
		t.Error("run of a missing program: got no error")
	}
}
