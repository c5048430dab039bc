package probe

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"brokerconn/acceptance/proxies"
	"brokerconn/application/broker"
)

func TestDemo(t *testing.T) {
	text := probe(t, "demo").succeeded(t)
	d := decode[demoDocument](t, probe(t, "demo", "--json").succeeded(t))
	var names []string
	for _, s := range d.Steps {
		names = append(names, s.Name)
		contains(t, "\n"+text.stdout, "\n"+s.Name+" ")
	}
	const want = "broker resolve dial versions connect metadata create topic produce fetch pipeline restart"
	if got := strings.Join(names, " "); got != want || !d.OK {
		t.Errorf("got steps %q, ok %v, want %q, true", got, d.OK, want)
	}
}

func TestDemoEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	probeWith(t, ctx, nil, "demo").failed(t, exitInterrupted)
	probe(t, "demo", "--timeout", "1ns").failed(t, exitTimeout, "--timeout of 1ns")
}

func TestVersionFlag(t *testing.T) {
	got := decode[buildDocument](t, probe(t, "--version", "--json").succeeded(t)).Version
	if got != broker.Version {
		t.Errorf("got version %q, want %q", got, broker.Version)
	}
}

func TestVersionOfBuild(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	clean := []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "false"}}
	modified := []debug.BuildSetting{revision, {Key: "vcs.modified", Value: "true"}}
	for _, c := range []struct {
		module   string // "-": no build information
		settings []debug.BuildSetting
		want     string // after the version
	}{
		{"-", nil, ""},
		{"(devel)", nil, ", go1.26.0"},
		{"v0.3.0", nil, ", module v0.3.0, go1.26.0"},
		{"v0.0.0-2026", clean, ", commit 0123456789ab, go1.26.0"},
		{"", modified, ", commit 0123456789ab, modified, go1.26.0"},
	} {
		build := debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: c.module}, Settings: c.settings}
		want := name + " " + broker.Version + c.want
		if got := newBuildDocument(&build, c.module != "-").String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestCompletion asks as a shell does that completes "kafkaprobe ch".
func TestCompletion(t *testing.T) {
	contains(t, probe(t, "__complete", "ch").stdout, "check-version\t")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		probe(t, "completion", shell).succeeded(t, "__complete")
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, c := range []string{"demo", "ping", "apis", "request", "check-version", "tls", "auth"} {
		probe(t, "help", c).succeeded(t, "Examples:\n  ", "kafkaprobe "+c)
	}
}

func TestAPIs(t *testing.T) {
	address, _ := fakeKafka(t, kfake.MaxVersions(kversion.V3_0_0()))
	text := probe(t, "apis", address).succeeded(t)
	doc := decode[apisDocument](t, probe(t, "apis", address, "--json").succeeded(t))
	if n := strings.Count(text.stdout, "\n"); n != len(doc.APIs)+1 || n < 20 {
		t.Errorf("got %d lines of text for %d APIs", n, len(doc.APIs))
	}
	for _, r := range doc.APIs {
		if r.Key == 3 && (r.Name != "Metadata" || r.Broker.Max != 11 || *r.Used != 11 || r.Ours.Max <= 11) {
			t.Errorf("got row %+v, want Metadata v11", r)
		}
	}
}

func TestAPIRow(t *testing.T) {
	for _, c := range []struct {
		key    int16
		broker versionRange
		used   int // -1: no version in common
		known  bool
	}{
		{3, versionRange{0, 5}, 5, true},
		{3, versionRange{0, 999}, 13, true},
		{3, versionRange{900, 999}, -1, true},
		{9999, versionRange{0, 1}, -1, false},
	} {
		got := newAPIRow(c.key, c.broker)
		used := -1
		if got.Used != nil {
			used = int(*got.Used)
		}
		if used != c.used || (got.Ours != nil) != c.known {
			t.Errorf("got row %+v, want %+v", got, c)
		}
	}
}

// kfake has only some APIs of each release.
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
		text := probe(t, "check-version", address).succeeded(t)
		doc := decode[versionDocument](t, probe(t, "check-version", address, "--json").succeeded(t))
		want := "custom, nearest " + c.nearest
		if doc.Verdict != want || doc.Kind != "custom" || doc.Low != c.nearest || doc.High != c.nearest ||
			doc.Lineage != nil {
			t.Fatalf("got %+v, want %s", doc, want)
		}
		lines := strings.Split(text.stdout, "\n")
		if lines[0] != want || lines[1] != "- "+doc.Evidence[0] || len(doc.Evidence) < 2 {
			t.Errorf("got text %s, want the text of %+v", text.stdout, doc)
		}
	}
}

func TestCheckVersionDiff(t *testing.T) {
	older, _ := fakeKafka(t, kfake.MaxVersions(kversion.V2_4_0()))
	newer, _ := fakeKafka(t, kfake.MaxVersions(kversion.V3_7_0()))
	probe(t, "check-version", "--diff", newer, older).succeeded(t,
		older+": custom, nearest 2.4\n", newer+": custom, nearest 3.7\n", "Produce")
	doc := decode[versionDiff](t, probe(t, "check-version", "--diff", newer, older, "--json"))
	for _, a := range doc.APIs {
		for i, versions := range []*kversion.Versions{kversion.V2_4_0(), kversion.V3_7_0()} {
			highest, _ := versions.LookupMaxKeyVersion(a.Key)
			if got := a.Versions[i]; got != nil && got.Max > highest {
				t.Errorf("%s: got v%d of broker %d, want at most v%d", a.Name, got.Max, i, highest)
			}
		}
		if !(pair[int16]{a.Key, a.Versions}).differs() {
			t.Errorf("%s: got equal versions, want a difference", a.Name)
		}
	}
	if len(doc.APIs) < 10 || doc.Brokers[0].Connections != 1 || doc.Brokers[0].RoundTrips < 1 {
		t.Errorf("got %d differences, want 10 or more; brokers %+v", len(doc.APIs), doc.Brokers)
	}
	probe(t, "check-version", "--diff", older, older).succeeded(t, "\nno difference\n")
}

func TestCheckVersionOfZooKeeper(t *testing.T) {
	address := proxies.Listen(t, func(c net.Conn) {
		word := make([]byte, 4)
		if _, err := io.ReadFull(c, word); err == nil && string(word) == "srvr" {
			io.WriteString(c, "Zookeeper version: 3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c, "+
				"built on 2024-02-12 22:16 UTC\nLatency min/avg/max: 0/0.0/0\n")
		}
		c.Close()
	})
	probe(t, "check-version", address).failed(t, exitProtocol, "ZooKeeper", "dial a broker")
}

func TestRequest(t *testing.T) {
	address, _ := fakeKafka(t)
	type coordinators struct {
		Response struct{ Coordinators []struct{ Key string } }
		Version  int
		API      string
	}
	stdin := strings.NewReader(`{"coordinatorKEYS":["a","b"]}`)
	o := probeWith(t, t.Context(), stdin, "request", address, "findcoordinator", "--body", "-", "--json").succeeded(t)
	doc := decode[coordinators](t, o)
	want := []struct{ Key string }{{"a"}, {"b"}}
	if !slices.Equal(doc.Response.Coordinators, want) || doc.API != "FindCoordinator" {
		t.Errorf("got %s, want the coordinators %v", o.stdout, want)
	}

	o = probe(t, "request", address, "METADATA", "--version", "1", "--json").succeeded(t)
	if doc := decode[coordinators](t, o); doc.Version != 1 || strings.Contains(o.stdout, "UnknownTags") {
		t.Errorf("got %s, want v1 without tags", o.stdout)
	}
	o = probe(t, "request", address, "metadata").succeeded(t)
	if !json.Valid([]byte(o.stdout)) {
		t.Errorf("got %q, want JSON", o.stdout)
	}
	// A produce request with acks 0 has no answer.
	o = probe(t, "request", address, "produce", "--version", "9", "--body", `{"Topics":[]}`, "--json").succeeded(t)
	if doc := decode[responseDocument](t, o); doc.Response != nil {
		t.Errorf("got %s, want no response", o.stdout)
	}
}

func TestAnswerWithErrorCode(t *testing.T) {
	address, _ := fakeKafka(t)
	args := []string{"request", address, "metadata", "--body", `{"Topics":[{"Topic":"letters"},{"Topic":"nope"}]}`}
	text := probe(t, args...).failed(t, exitFailed, "UNKNOWN_TOPIC_OR_PARTITION", "Topics[1].ErrorCode")
	if !json.Valid([]byte(text.stdout)) {
		t.Errorf("got standard output %q, want the answer", text.stdout)
	}
	o := probe(t, append(args, "--json")...).failed(t, exitFailed)
	doc := decode[responseDocument](t, o)
	if doc.Response == nil || doc.Error == nil || doc.Error.ExitCode != exitFailed || doc.Error.Answered[0].Code != 3 {
		t.Errorf("got %s, want a response and error code 3", o.stdout)
	}
}

func TestRequestWithoutCommonVersion(t *testing.T) {
	address, _ := fakeKafka(t, kfake.MaxVersions(kversion.V2_4_0()))
	probe(t, "request", address, "DescribeCluster").failed(t, exitFailed, "no version in common")
	probe(t, "request", address, "metadata", "--version", "13").failed(t, exitFailed, "no version in common")
}

func TestPing(t *testing.T) {
	address, _ := fakeKafka(t)
	o := probe(t, "ping", address, "-c", "3", "-i", "1ms", "--json").succeeded(t)
	d := json.NewDecoder(strings.NewReader(o.stdout))
	for seq := 1; seq <= 3; seq++ {
		var p pingDocument
		err := d.Decode(&p)
		if err != nil || p.Seq != seq || p.Address != address || p.Millis == nil || p.Error != nil {
			t.Fatalf("got ping %+v (%v), want ping %d", p, err, seq)
		}
	}
	var end pingSummaryDocument
	err := d.Decode(&end)
	s := end.Summary
	if err != nil || s.Sent != 3 || s.Answered != 3 || s.Lost != 0 || s.Reconnects != 0 ||
		s.Min <= 0 || s.Min > s.Avg || s.Avg > s.Max || s.P99 != s.Max {
		t.Errorf("got summary %+v (%v), want 3 answered pings", s, err)
	}
}

// The fake broker closes the connection instead of answering the third ApiVersions. The
// first is the connection's own, so the second ping is lost.
func TestPingAfterLostConnection(t *testing.T) {
	address, cluster := fakeKafka(t)
	requests := 0
	cluster.ControlKey(18, func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if requests++; requests == 3 {
			return nil, errors.New("closed"), true
		}
		return nil, nil, false
	})
	o := probe(t, "ping", address, "-c", "4", "-i", "1ms", "--timeout", "10s").
		failed(t, exitFailed, "1 of 4 pings were lost")
	contains(t, o.stdout, "seq=2 lost: ", "4 sent, 3 answered, 1 lost, 1 reconnects\n")
}

// A refused connection is a lost ping at once, not after --timeout.
func TestPingToClosedPort(t *testing.T) {
	o := probe(t, "ping", closedPort(t), "-c", "3", "-i", "1ms", "--timeout", "1h").failed(t, exitTCP, "refused")
	contains(t, o.stdout, "seq=3 lost: ", "3 sent, 0 answered, 3 lost, 0 reconnects")
}

func TestPingToWebServer(t *testing.T) {
	probe(t, "ping", web(t), "-c", "1", "--client-id", "five5", "--timeout", short).failed(t, exitProtocol, "HTTP")
}
