package sim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/application/sim"
)

// TestShrunkPlanFailsAsBefore plants a failure: the least plan of a seed fails by the same invariant,
// is no longer, can be written and read, and cannot be shrunk again.
func TestShrunkPlanFailsAsBefore(t *testing.T) {
	defer sim.PlantFailure()()
	tried := 0
	for seed := uint64(0); tried < int(seeds/500)+1; seed++ {
		p := sim.Generate(seed)
		before := sim.Run(p).Failure
		if before == nil {
			continue
		}
		tried++
		least := sim.Shrink(p)
		if after := sim.Run(least).Failure; after == nil || after.Invariant != before.Invariant {
			t.Fatalf("seed %d: got the failure %v, want %v, of\n%v", seed, after, before, least)
		}
		text := least.String()
		if got, most := strings.Count(text, "\n"), 8; got > most {
			t.Errorf("seed %d: got %d lines, want %d at most:\n%s", seed, got, most, text)
		}
		if read, err := sim.ParsePlan(text); err != nil || read.String() != text {
			t.Errorf("seed %d: got %v (%v) from the text\n%s", seed, read, err, text)
		}
		if again := sim.Shrink(least).String(); again != text {
			t.Errorf("seed %d: got\n%s\nwant what was shrunk before:\n%s", seed, again, text)
		}
	}
}

// TestShrinkByFindsNeededSteps draws what fails: some steps, in their order, each with a least number
// and time, and a pause before one of them. They, and nothing else, are in the least plan.
func TestShrinkByFindsNeededSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sim.Plan{Seed: rapid.Uint64().Draw(t, "seed"), Setup: sim.Setup{TLS: true, Latency: time.Second}}
		verbs := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 60).Draw(t, "verbs")
		for i, verb := range verbs {
			p.Steps = append(p.Steps, sim.Step{At: time.Duration(i) * time.Second, Verb: verb, N: 5, For: time.Hour})
		}
		needed := rapid.IntRange(1, min(3, len(verbs))).Draw(t, "needed")
		from := rapid.IntRange(0, len(verbs)-needed).Draw(t, "from")
		want := verbs[from : from+needed]
		calls := 0
		fails := func(p sim.Plan) bool {
			calls++
			rest := want
			for _, s := range p.Steps {
				at := time.Duration(needed-len(rest)) * time.Second
				if len(rest) > 0 && s.Verb == rest[0] && s.N >= 1 && s.At >= at {
					rest = rest[1:]
				}
			}
			return len(rest) == 0 && p.Setup.TLS
		}
		least := sim.ShrinkBy(p, 5000, fails)
		var got []string
		for i, s := range least.Steps {
			got = append(got, s.Verb)
			if at := time.Duration(i) * time.Second; s.N != 1 || s.For != 0 || s.At != at {
				t.Errorf("got the step %v, want it with 1 at %v", s, at)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got the steps %v, want %v", got, want)
		}
		if want := (sim.Setup{TLS: true}); least.Setup != want || least.Seed != p.Seed {
			t.Errorf("got seed %d and %+v, want %d and %+v", least.Seed, least.Setup, p.Seed, want)
		}
		if calls > 5000 {
			t.Errorf("got %d runs, want 5000 at most", calls)
		}
	})
}

// TestShrinkByStaysWithinItsRuns: a shrinker that may run little leaves a plan that fails.
func TestShrinkByStaysWithinItsRuns(t *testing.T) {
	p := sim.Plan{Steps: slices.Repeat([]sim.Step{{Verb: "send", N: 100}}, 100)}
	for most := range 50 {
		calls := 0
		fails := func(p sim.Plan) bool { calls++; return len(p.Steps) >= 7 }
		if least := sim.ShrinkBy(p, most, fails); calls > most || len(least.Steps) < 7 {
			t.Fatalf("got %d runs and %d steps, want %d runs at most", calls, len(least.Steps), most)
		}
	}
}

// TestShrunkPlanOfSoundRunIsItself: there is nothing to shrink without a failure.
func TestShrunkPlanOfSoundRunIsItself(t *testing.T) {
	p := sim.Generate(1)
	if got := sim.Shrink(p).String(); got != p.String() {
		t.Errorf("got another plan:\n%s", got)
	}
}
