package sim_test

import (
	"slices"
	"strings"
	"testing"

	"brokerconn/application/sim"
)

// TestExplainChangesNothing: a run that is watched is the same run.
func TestExplainChangesNothing(t *testing.T) {
	for seed := range uint64(seeds / 50) {
		p := sim.Generate(seed)
		plain := sim.Run(p)
		watched, story := sim.Explain(p)
		if watched.Trace != plain.Trace || watched.Steps != plain.Steps {
			t.Fatalf("seed %d: the run with a chart differs from the one without", seed)
		}
		if again := story.Text(); len(story.Events) < plain.Requests || strings.Contains(again, "%!") ||
			strings.Contains(again, "canary") {
			t.Fatalf("seed %d: got %d events for %d requests:\n%s", seed, len(story.Events), plain.Requests, again)
		}
	}
}

// chartOf returns the lines of a plan's chart, without the first ones, which name the actors.
func chartOf(t *testing.T, plan string) string {
	t.Helper()
	p, err := sim.ParsePlan(plan)
	if err != nil {
		t.Fatal(err)
	}
	_, c := sim.Explain(p)
	_, text, _ := strings.Cut(c.Text(), " broker\n")
	return text
}

func TestChartShowsWhereBytesAreLost(t *testing.T) {
	got := chartOf(t, "set request-timeout 1s\nset latency 1ms\n0s send\n1s silence\n1s send\n")
	for _, want := range []string{
		"o fault: silence: what is on the way is",
		"|-------- request 2, id 3 ------->|                                 |",
		"| request 2 failed, fully sent:   |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
}

func TestChartShowsBytesOfPartialFrames(t *testing.T) {
	got := chartOf(t, "set take 1\nset login true\nset raw true\n0s send\n500ms send\n506ms reset\n"+
		"900ms cut 5\n900ms send\n2s send\n")
	for _, want := range []string{
		"the first bytes of a token", "-- a token of ", "answer to the token", "request 1 is done",
		"the first bytes of a request, id 3", "the rest of request 1, id 3", "the first 7 bytes of a request",
		"fault: the connection is reset", "of which 5", "end of the stream",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q in it", got, want)
		}
	}
}

// TestEveryVerbHasSentence: a reader of a chart does not know the verbs of plans.
func TestEveryVerbHasSentence(t *testing.T) {
	for _, verb := range sim.Verbs() {
		got := chartOf(t, "0s send\n1s "+verb+" 1 1s\n1s send\n")
		if strings.Contains(got, verb+" 1 1s") {
			t.Errorf("a chart says %q, want a sentence: see the package sentences", verb)
		}
	}
}

// TestPanicIsFailure: a panic of the core is reported with its seed, and shrunk, as any failure.
func TestPanicIsFailure(t *testing.T) {
	p := sim.Plan{Steps: []sim.Step{{Verb: "send"}, {Verb: "jump"}}}
	f := sim.Run(p).Failure
	want := "sim: no panic does not hold after 0s: sim: a plan has the unknown verb jump, " +
		"in brokerconn/application/sim.(*run).do"
	if f == nil || f.Error() != want {
		t.Fatalf("got %v, want %s", f, want)
	}
	if _, c := sim.Explain(p); !c.Events[len(c.Events)-1].Failure {
		t.Errorf("got a chart that does not end with the panic:\n%s", c.Text())
	}
	if got := len(sim.Shrink(p).Steps); got != 1 {
		t.Errorf("got %d steps in the shortest plan, want 1", got)
	}
}

// TestManyStepsAtOneInstant: a plan may have more of them than an instant otherwise.
func TestManyStepsAtOneInstant(t *testing.T) {
	p := sim.Plan{Steps: slices.Repeat([]sim.Step{{Verb: "cancel"}}, 100_002)}
	if r := sim.Run(p); r.Failure != nil {
		t.Errorf("got %v, want every invariant to hold", r.Failure)
	}
}
