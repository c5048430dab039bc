package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/cli/probe"
	engine "brokerconn/application/sim"
)

// outcome is the outcome of one command line.
type outcome struct {
	code           int
	stdout, stderr string
}

func kafkaprobe(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	return with(t, t.Context(), Command, stdin, args...)
}

func with(t *testing.T, ctx context.Context, command probe.Command, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := probe.Run(ctx, append([]string{"sim"}, args...), strings.NewReader(stdin), &stdout, &stderr, command)
	return outcome{code, stdout.String(), stderr.String()}
}

// check checks the exit code, and the words of both outputs.
func (o outcome) check(t *testing.T, code int, words ...string) outcome {
	t.Helper()
	if o.code != code {
		t.Errorf("got exit code %d and %q, want %d", o.code, o.stderr, code)
	}
	for _, w := range words {
		if !strings.Contains(o.stdout+o.stderr, w) {
			t.Errorf("got\n%s%s\nwant %q in it", o.stdout, o.stderr, w)
		}
	}
	if code == 0 && o.stderr != "" {
		t.Errorf("got standard error %q, want none", o.stderr)
	}
	return o
}

// usage checks that a command line is refused with one line that has all the words.
func (o outcome) usage(t *testing.T, words ...string) {
	t.Helper()
	o.check(t, 2, append(words, "--help)")...)
	if o.stdout != "" || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("got %q and %q, want one line on standard error", o.stdout, o.stderr)
	}
}

// hopeless is a plan in which no connection can be made, so that "ends well" does not hold.
const hopeless = "# a nanosecond is too short to connect\n" +
	"set setup-timeout 1ns\nset latency 1ms\n0s send 10\n1s reset\n"

// fails makes a command whose seed 7 fails, and those behind it.
func fails(progress io.Writer) *cobra.Command {
	c := &campaign{terminal: progress, every: time.Second, generate: func(seed uint64) engine.Plan {
		if seed < 7 {
			return engine.Generate(seed)
		}
		p, err := engine.ParsePlan(hopeless)
		if err != nil {
			panic(err)
		}
		return p
	}}
	return c.command()
}

func TestSeedsHold(t *testing.T) {
	kafkaprobe(t, "", "--seeds", "3").check(t, 0, "3 seeds from 0, ", "on average", "every invariant holds\n")
	var doc campaignDocument
	o := kafkaprobe(t, "", "--seeds", "3", "--from", "5", "--json", "--parallel", "3").check(t, 0)
	if err := json.Unmarshal([]byte(o.stdout), &doc); err != nil || !doc.OK || doc.Seeds != 3 || doc.From != 5 {
		t.Errorf("got %s (%v), want 3 seeds from 5", o.stdout, err)
	}
}

func TestLastSeedIsReached(t *testing.T) {
	kafkaprobe(t, "", "--from", "18446744073709551614").check(t, 0, "2 seeds from 18446744073709551614")
}

func TestFirstFailureIsExplained(t *testing.T) {
	for _, parallel := range []string{"1", "8"} {
		o := with(t, t.Context(), fails, "", "--parallel", parallel).check(t, 1,
			"seed 7: sim: ends well does not hold after ", "reproduce: kafkaprobe sim --from 7 --seeds 1\n",
			"seed 0\nset latency 1ms\nset setup-timeout 1ns\n", "owner", "connection", "network", "broker",
			`X "ends well" does not hold: no request was answered`)
		if strings.Count(o.stderr, "\n") != 1 || strings.Contains(o.stdout, "send") {
			t.Errorf("got %s and\n%s\nwant one line, and no step in the shortest plan", o.stderr, o.stdout)
		}
	}
	o := with(t, t.Context(), fails, "", "--json").check(t, 1)
	var doc campaignDocument
	d := json.NewDecoder(strings.NewReader(o.stdout))
	if err := d.Decode(&doc); err != nil || doc.OK || doc.Failure == nil || doc.Failure.Seed != 7 ||
		doc.Failure.Invariant != "ends well" || doc.Failure.Chart == "" || d.More() {
		t.Errorf("got %s (%v), want one document with the failure", o.stdout, err)
	}
}

func TestPlanIsReplayed(t *testing.T) {
	plan := kafkaprobe(t, "", "plan", "7").check(t, 0, "seed 7\n").stdout
	one := kafkaprobe(t, plan, "replay", "-").check(t, 0, " steps, ", " trace ", "every invariant holds\n").stdout
	windows := "\ufeff" + strings.ReplaceAll("# a comment\n\n"+plan, "\n", "\r\n")
	if again := kafkaprobe(t, windows, "replay", "-").check(t, 0).stdout; again != one {
		t.Errorf("got %s for a file of Windows, want %s", again, one)
	}
	kafkaprobe(t, plan, "replay", "-", "--trace").check(t, 0, " state Disconnected Connecting\n", one)
}

func TestFailureIsReplayed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hopeless.plan")
	if err := os.WriteFile(file, []byte(hopeless), 0o600); err != nil {
		t.Fatal(err)
	}
	kafkaprobe(t, "", "replay", file).check(t, 1, "ends well does not hold", "owner", `X "ends well"`)
	short := kafkaprobe(t, "", "shrink", file).check(t, 0).stdout
	if want := "seed 0\nset latency 1ms\nset setup-timeout 1ns\n"; short != want {
		t.Errorf("got the plan\n%s\nwant\n%s", short, want)
	}
	kafkaprobe(t, short, "replay", "-").check(t, 1, "ends well does not hold")
	kafkaprobe(t, "seed 1\n", "shrink", "-").check(t, 1, "every invariant holds")
}

func TestChartIsPrinted(t *testing.T) {
	text := kafkaprobe(t, hopeless, "chart", "-", "--events", "20").check(t, 0, "events are left out", "X ").stdout
	if n := strings.Count(text, "\n"); n > 60 {
		t.Errorf("got %d lines for 20 events", n)
	}
	svg := filepath.Join(t.TempDir(), "chart.svg")
	kafkaprobe(t, hopeless, "chart", "-", "--svg", svg).check(t, 0)
	drawing, err := os.ReadFile(svg)
	if err != nil || xml.Unmarshal(drawing, new(struct{})) != nil {
		t.Errorf("got %s (%v), want an SVG document", drawing, err)
	}
	kafkaprobe(t, hopeless, "chart", "-", "--svg", "-").check(t, 0, string(drawing))
	kafkaprobe(t, "", "storm", "--clients", "1", "--out", "-").check(t, 0, "<svg ", "</svg>\n")
	kafkaprobe(t, hopeless, "chart", "-", "--svg", filepath.Join(svg, "in a file")).check(t, 1, "kafkaprobe: open ")
}

func TestUsageIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		stdin, args string
		words       []string
	}{
		{"", "pnig", []string{`no command "pnig"`}},
		{"", "--seeds 0", []string{"at least 1"}},
		{"", "--seeds -1", []string{`"-1"`}},
		{"", "--from x", []string{`"x"`}},
		{"", "--for -1s", []string{"--for -1s", "negative"}},
		{"", "--for 1", []string{"missing unit"}},
		{"", "--parallel 0", []string{"from 1 to 1024"}},
		{"", "--parallel 99999", []string{"from 1 to 1024"}},
		{"", "plan", []string{"needs one seed"}},
		{"", "plan -1", []string{"-1"}},
		{"", "plan 1 2", []string{"needs one seed"}},
		{"", "plan 18446744073709551616", []string{"is no seed"}},
		{"", "replay", []string{"the file of a plan"}},
		{"", "replay a b", []string{`no further argument: "b"`}},
		{"", "replay " + dir, []string{dir}},
		{"", "chart " + filepath.Join(dir, "none"), []string{"none"}},
		{"", "storm x", []string{`no argument: "x"`}},
		{"", "storm --clients 0", []string{"--clients 0", "from 1 to 100000"}},
		{"", "storm --clients 100001", []string{"from 1 to 100000"}},
		{"", "chart - --events -1", []string{"--events -1", "negative"}},
		{"1s send -1", "replay -", []string{"line 1", "negative"}},
		{"\x00\x01\x02", "shrink -", []string{"not a text file"}},
		{"\xff\xfe1\x00", "shrink -", []string{"UTF-16", "save it as UTF-8"}},
		{"1s jump", "shrink -", []string{"line 1", `"1s jump"`, "send"}},
		{strings.Repeat("# filler\n", 2<<20), "replay -", []string{"larger than 16 MiB"}},
	} {
		kafkaprobe(t, c.stdin, strings.Fields(c.args)...).usage(t, c.words...)
	}
	o := kafkaprobe(t, "1s jump", "replay", "-", "--json").check(t, 2)
	if !strings.HasPrefix(o.stdout, `{"error":{"message":"sim: line 1 of the plan`) {
		t.Errorf("got %s, want a document with the error", o.stdout)
	}
}

func TestInterruptSumsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	with(t, ctx, Command, "").check(t, 130, "0 seeds from 0", "kafkaprobe: interrupted\n")
	with(t, ctx, Command, hopeless, "shrink", "-").check(t, 130, "kafkaprobe: interrupted\n")
	in, out := io.Pipe() // nothing is written into it
	defer out.Close()
	var stderr bytes.Buffer
	code := probe.Run(ctx, []string{"sim", "replay", "-"}, in, io.Discard, &stderr, Command)
	if code != 130 || stderr.String() != "kafkaprobe: interrupted\n" {
		t.Errorf("got exit code %d and %q while a plan is read, want an interrupt", code, &stderr)
	}
	kafkaprobe(t, "", "--timeout", "1ns").check(t, 15, "--timeout of 1ns has passed")
	kafkaprobe(t, "", "--for", "1ns").check(t, 0, "0 seeds from 0")
}

// closed is a standard output that is closed.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestClosedOutputIsReported(t *testing.T) {
	for _, args := range []string{"sim --seeds 1", "sim plan 1", "sim plan 1 --json"} {
		var stderr bytes.Buffer
		code := probe.Run(t.Context(), strings.Fields(args), nil, closed{}, &stderr, Command)
		if code != 1 || !strings.Contains(stderr.String(), "file already closed") {
			t.Errorf("%s: got exit code %d and %q, want 1 and the error", args, code, &stderr)
		}
	}
}

func TestProgressShowsRateAndTime(t *testing.T) {
	c := &campaign{seeds: 1000}
	c.done.Store(300)
	if got, want := c.progress(3*time.Second), "300 seeds, 100/s, 7s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.limit = 5 * time.Second
	if got, want := c.progress(3*time.Second), "300 seeds, 100/s, 2s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProgressOfTerminalIsWiped(t *testing.T) {
	var terminal bytes.Buffer
	command := func(io.Writer) *cobra.Command {
		c := &campaign{terminal: &terminal, every: time.Millisecond}
		return c.command()
	}
	with(t, t.Context(), command, "", "--seeds", "50").check(t, 0)
	lines := strings.Split(terminal.String(), "\r")
	n := len(lines)
	if n < 3 || !strings.Contains(lines[0], " seeds, ") || strings.TrimSpace(lines[n-2]+lines[n-1]) != "" {
		t.Errorf("got %q, want lines of progress, and the last one wiped", lines)
	}
	plain := func(io.Writer) *cobra.Command {
		c := &campaign{every: time.Millisecond / seldom}
		return c.command()
	}
	o := with(t, t.Context(), plain, "", "--seeds", "50")
	if !strings.HasPrefix(o.stderr, "kafkaprobe: ") || !strings.HasSuffix(o.stderr, " left\n") {
		t.Errorf("got %q, want lines of progress", o.stderr)
	}
}

func TestHelpHasExamples(t *testing.T) {
	kafkaprobe(t, "", "--help").check(t, 0, "Examples:\n  kafkaprobe sim", "--seeds", "--for", "--parallel")
	for _, c := range []string{"plan", "replay", "shrink", "chart", "storm"} {
		kafkaprobe(t, "", c, "--help").check(t, 0, "Examples:\n  kafkaprobe sim "+c)
	}
}
