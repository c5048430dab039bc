package probe

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"brokerconn/application/broker"
)

func TestDemo(t *testing.T) {
	text := probe(t, "demo")
	text.succeeded(t)
	doc := probe(t, "demo", "--json")
	doc.succeeded(t)
	d := decode[demoDocument](t, doc)
	if !d.OK {
		t.Errorf("not ok: %s", doc.stdout)
	}
	var names []string
	for _, s := range d.Steps {
		names = append(names, s.Name)
		if !strings.Contains(text.stdout, "\n"+s.Name+" ") && !strings.HasPrefix(text.stdout, s.Name) {
			t.Errorf("no line of %q in %q", s.Name, text.stdout)
		}
	}
	const want = "broker resolve dial versions connect metadata create topic produce fetch pipeline restart"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("steps %q", got)
	}
}

func TestDemoHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	probeWith(t, ctx, nil, "demo").failed(t, exitInterrupted)
	probe(t, "demo", "--timeout", "1ns").failed(t, exitTimeout, "--timeout of 1ns")
}

func TestVersionOfTheTool(t *testing.T) {
	o := probe(t, "--version", "--json")
	o.succeeded(t)
	if v := decode[buildDocument](t, o); v.Version != broker.Version {
		t.Errorf("version %q, want %q", v.Version, broker.Version)
	}
}

func TestVersionOfABuild(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "false"}}
	changed := []debug.BuildSetting{commit[0], {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		build *debug.BuildInfo
		want  string // after the version
	}{
		{nil, ""},
		{&debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "(devel)"}}, ", go1.26.0"},
		{&debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v0.3.0"}}, ", module v0.3.0, go1.26.0"},
		{&debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v0.0.0-2026"}, Settings: commit}, ", commit 0123456789ab, go1.26.0"},
		{&debug.BuildInfo{GoVersion: "go1.26.0", Settings: changed}, ", commit 0123456789ab, modified, go1.26.0"},
	} {
		want := name + " " + broker.Version + c.want
		if got := newBuildDocument(c.build, c.build != nil).String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestCompletion asks as a shell does that completes "kafkaprobe ch".
func TestCompletion(t *testing.T) {
	o := probe(t, "__complete", "ch")
	if !strings.HasPrefix(o.stdout, "check-version\t") {
		t.Errorf("got %q, want check-version", o.stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script := probe(t, "completion", shell)
		script.succeeded(t)
		if !strings.Contains(script.stdout, "__complete") {
			t.Errorf("%s: got %q, want a script", shell, script.stdout)
		}
	}
}

func TestHelpOfEveryCommandHasAnExample(t *testing.T) {
	for _, c := range []string{"demo", "ping", "apis", "request", "check-version"} {
		o := probe(t, "help", c)
		o.succeeded(t)
		if !strings.Contains(o.stdout, "Examples:\n  ") || !strings.Contains(o.stdout, "kafkaprobe "+c) {
			t.Errorf("%s: %s", c, o.stdout)
		}
	}
}

func TestAPIs(t *testing.T) {
	address, _ := fakeKafka(t, kfake.MaxVersions(kversion.V3_0_0()))
	text := probe(t, "apis", address)
	text.succeeded(t)
	o := probe(t, "apis", address, "--json")
	o.succeeded(t)
	doc := decode[apisDocument](t, o)
	if n := strings.Count(text.stdout, "\n"); n != len(doc.APIs)+1 || n < 20 {
		t.Errorf("%d lines of text for %d APIs", n, len(doc.APIs))
	}
	for _, r := range doc.APIs {
		if r.Key == 3 && (r.Name != "Metadata" || r.Broker.Max != 11 || *r.Used != 11 || r.Ours.Max <= 11) {
			t.Errorf("%+v", r)
		}
	}
}

func TestAPIRow(t *testing.T) {
	for _, c := range []struct {
		key    int16
		theirs versionRange
		used   int // -1: none
		known  bool
	}{
		{3, versionRange{0, 5}, 5, true},
		{3, versionRange{0, 999}, 13, true},
		{3, versionRange{900, 999}, -1, true},
		{9999, versionRange{0, 1}, -1, false},
	} {
		r := newAPIRow(c.key, c.theirs)
		if (r.Ours != nil) != c.known || (r.Used != nil) != (c.used >= 0) || r.Used != nil && int(*r.Used) != c.used {
			t.Errorf("%+v: %+v", c, r)
		}
	}
}

// kfake has what a client needs of the releases, and none of the rest.
func TestCheckVersion(t *testing.T) {
	for _, c := range []struct {
		versions *kversion.Versions
		nearest  string
	}{
		{kversion.V2_4_0(), "2.4"},
		{kversion.V3_7_0(), "3.7"},
		{kversion.V4_0_0(), "4.0"},
	} {
		address, _ := fakeKafka(t, kfake.MaxVersions(c.versions))
		text := probe(t, "check-version", address)
		text.succeeded(t)
		if !strings.HasPrefix(text.stdout, "custom, nearest "+c.nearest+"\n") || strings.Count(text.stdout, "\n- ") < 2 {
			t.Errorf("want %s: %s", c.nearest, text.stdout)
		}
		o := probe(t, "check-version", address, "--json")
		o.succeeded(t)
		doc := decode[versionDocument](t, o)
		if doc.Verdict != "custom, nearest "+c.nearest || doc.Kind != "custom" || doc.Low != c.nearest || doc.High != c.nearest || doc.Lineage == nil {
			t.Errorf("want %s: %+v", c.nearest, doc)
		}
		if lines := strings.Split(text.stdout, "\n"); lines[1] != *doc.Lineage || lines[2] != "- "+doc.Evidence[0] {
			t.Errorf("%s\n%+v", text.stdout, doc)
		}
	}
}

// TestCheckVersionDiff: two brokers beside each other, and what of them differs.
func TestCheckVersionDiff(t *testing.T) {
	older, _ := fakeKafka(t, kfake.MaxVersions(kversion.V2_4_0()))
	newer, _ := fakeKafka(t, kfake.MaxVersions(kversion.V3_7_0()))
	text := probe(t, "check-version", "--diff", newer, older)
	text.succeeded(t)
	for _, words := range []string{older + ": custom, nearest 2.4\n", newer + ": custom, nearest 3.7\n", "Produce"} {
		if !strings.Contains(text.stdout, words) {
			t.Errorf("%q is not in\n%s", words, text.stdout)
		}
	}
	doc := decode[versionDiff](t, probe(t, "check-version", "--diff", newer, older, "--json"))
	for _, a := range doc.APIs {
		// By the two tables of franz-go, which kfake was given.
		was, _ := kversion.V2_4_0().LookupMaxKeyVersion(a.Key)
		is, _ := kversion.V3_7_0().LookupMaxKeyVersion(a.Key)
		if a.Has[0] != nil && a.Has[0].Max > was || a.Has[1] != nil && a.Has[1].Max > is || a.Has[0] != nil && a.Has[1] != nil && *a.Has[0] == *a.Has[1] {
			t.Errorf("%+v of v%d and v%d", a, was, is)
		}
	}
	if len(doc.APIs) < 10 || doc.Brokers[0].Connections != 1 || doc.Brokers[0].RoundTrips < 1 {
		t.Errorf("%d differences, %+v", len(doc.APIs), doc.Brokers[0])
	}
	same := probe(t, "check-version", "--diff", older, older)
	same.succeeded(t)
	if !strings.HasSuffix(same.stdout, "no difference\n") {
		t.Error(same.stdout)
	}
}

// A ZooKeeper, which people dial who have an old guide, says so by its own word.
func TestCheckVersionOfZooKeeper(t *testing.T) {
	address := listener(t, func(c net.Conn) {
		word := make([]byte, 4)
		if _, err := io.ReadFull(c, word); err == nil && string(word) == "srvr" {
			io.WriteString(c, "Zookeeper version: 3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c, built on 2024-02-12 22:16 UTC\nLatency min/avg/max: 0/0.0/0\n")
		}
		c.Close()
	})
	probe(t, "check-version", address).failed(t, exitProtocol, "ZooKeeper", "dial a broker")
}

func TestRequest(t *testing.T) {
	address, _ := fakeKafka(t)
	body := `{"coordinatorKEYS":["a","b"]}`
	o := probeWith(t, t.Context(), strings.NewReader(body), "request", address, "findcoordinator", "--body", "-", "--json")
	o.succeeded(t)
	type coordinators struct {
		Response struct{ Coordinators []struct{ Key string } }
		Version  int
		API      string
	}
	doc := decode[coordinators](t, o)
	if c := doc.Response.Coordinators; len(c) != 2 || c[0].Key != "a" || c[1].Key != "b" || doc.API != "FindCoordinator" {
		t.Errorf("%s", o.stdout)
	}

	o = probe(t, "request", address, "METADATA", "--version", "1", "--json")
	o.succeeded(t)
	if doc := decode[coordinators](t, o); doc.Version != 1 {
		t.Errorf("version %d", doc.Version)
	}
	if strings.Contains(o.stdout, "UnknownTags") {
		t.Error("the tags are shown")
	}

	o = probe(t, "request", address, "metadata")
	o.succeeded(t)
	if !json.Valid([]byte(o.stdout)) {
		t.Errorf("not JSON: %s", o.stdout)
	}
}

func TestRequestWhoseAnswerHasAnError(t *testing.T) {
	address, _ := fakeKafka(t)
	args := []string{"request", address, "metadata", "--body", `{"Topics":[{"Topic":"letters"},{"Topic":"nope"}]}`}
	text := probe(t, args...)
	text.failed(t, exitFailed, "UNKNOWN_TOPIC_OR_PARTITION", "Topics[1].ErrorCode")
	if !json.Valid([]byte(text.stdout)) {
		t.Errorf("no answer: %q", text.stdout)
	}
	o := probe(t, append(args, "--json")...)
	o.failed(t, exitFailed)
	doc := decode[responseDocument](t, o)
	if doc.Response == nil || doc.Error == nil || doc.Error.ExitCode != exitFailed || doc.Error.Answered[0].Code != 3 {
		t.Errorf("%s", o.stdout)
	}
}

// A broker does not answer a produce request with acks 0.
func TestRequestWithoutAnswer(t *testing.T) {
	address, _ := fakeKafka(t)
	o := probe(t, "request", address, "produce", "--version", "9", "--body", `{"Topics":[]}`, "--json")
	o.succeeded(t)
	if doc := decode[responseDocument](t, o); doc.Response != nil {
		t.Errorf("%s", o.stdout)
	}
}

func TestRequestThatTheBrokerDoesNotHave(t *testing.T) {
	address, _ := fakeKafka(t, kfake.MaxVersions(kversion.V2_4_0()))
	probe(t, "request", address, "DescribeCluster").failed(t, exitFailed, "no version in common")
	probe(t, "request", address, "metadata", "--version", "13").failed(t, exitFailed, "no version in common")
}

func TestPing(t *testing.T) {
	address, _ := fakeKafka(t)
	o := probe(t, "ping", address, "-c", "3", "-i", "1ms", "--json")
	o.succeeded(t)
	d := json.NewDecoder(strings.NewReader(o.stdout))
	for seq := 1; seq <= 3; seq++ {
		var ping pingDocument
		if err := d.Decode(&ping); err != nil || ping.Seq != seq || ping.Address != address || ping.Millis == nil || ping.Error != nil {
			t.Fatalf("ping %d: %+v %v", seq, ping, err)
		}
	}
	var end pingSummaryDocument
	if err := d.Decode(&end); err != nil {
		t.Fatal(err)
	}
	s := end.Summary
	if s.Sent != 3 || s.Answered != 3 || s.Lost != 0 || s.Reconnects != 0 || *s.Min > *s.Avg || *s.Avg > *s.Max || *s.P99 != *s.Max {
		t.Errorf("%s", o.stdout)
	}
}

// The fake broker drops the connection instead of answering the third ApiVersions:
// the first is the connection's own, so the second ping is lost.
func TestPingSurvivesALostConnection(t *testing.T) {
	address, cluster := fakeKafka(t)
	asked := 0
	cluster.ControlKey(18, func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if asked++; asked == 3 {
			return nil, errors.New("dropped"), true
		}
		return nil, nil, false
	})
	o := probe(t, "ping", address, "-c", "4", "-i", "1ms", "--timeout", "10s")
	o.failed(t, exitFailed, "1 of 4 pings were lost")
	if !strings.Contains(o.stdout, "seq=2 lost: ") || !strings.Contains(o.stdout, "4 sent, 3 answered, 1 lost, 1 reconnects\n") {
		t.Errorf("%s", o.stdout)
	}
}

// A refused connection is told of at once, not after --timeout, and again and
// again; the exit code is that of the last failure.
func TestPingToNobody(t *testing.T) {
	address := closedPort(t)
	o := probe(t, "ping", address, "-c", "3", "-i", "1ms", "--timeout", "1h")
	o.failed(t, exitTCP, "refused")
	if strings.Count(o.stdout, "lost: ") != 3 || !strings.Contains(o.stdout, "3 sent, 0 answered, 3 lost, 0 reconnects") {
		t.Errorf("%s", o.stdout)
	}
}

func TestPingToAWebServer(t *testing.T) {
	probe(t, "ping", web(t), "-c", "1", "--client-id", "five5", "--timeout", short).failed(t, exitProtocol, "HTTP")
}
