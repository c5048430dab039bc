package sim_test

import (
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/application/sim"
)

// TestSeeds runs seeds: every invariant holds in each.
func TestSeeds(t *testing.T) {
	steps, requests, faults := 0, 0, 0
	for seed := range uint64(seeds) {
		p := sim.Generate(seed)
		r := sim.Run(p)
		steps += r.Steps
		requests += r.Requests
		faults += r.Faults
		if r.Failure != nil {
			t.Fatalf("seed %d: %v; the least plan:\n%s", seed, r.Failure, sim.Shrink(p))
		}
	}
	if steps < 500*seeds || requests < 90*seeds || faults < 3*seeds {
		t.Errorf("a seed has too little on average: %d steps, %d requests, %d faults of %d seeds",
			steps, requests, faults, seeds)
	}
	t.Logf("a seed has on average %d steps, %d requests, %d faults", steps/seeds, requests/seeds, faults/seeds)
}

func TestSameSeedSameTrace(t *testing.T) {
	seen := map[[32]byte]uint64{}
	for seed := range uint64(seeds / 10) {
		one, again := sim.Run(sim.Generate(seed)), sim.Run(sim.Generate(seed))
		if one.Trace != again.Trace || one.Steps != again.Steps {
			t.Fatalf("seed %d: two runs differ", seed)
		}
		sum := sha256.Sum256([]byte(one.Trace))
		if other, twice := seen[sum]; twice {
			t.Errorf("seeds %d and %d have one trace", other, seed)
		}
		seen[sum] = seed
	}
}

func TestPlanIsItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sim.Generate(rapid.Uint64().Draw(t, "seed"))
		text := p.String()
		read, err := sim.ParsePlan("# a comment\n\n" + text)
		if err != nil {
			t.Fatal(err)
		}
		if again := read.String(); again != text {
			t.Fatalf("got\n%s\nwant\n%s", again, text)
		}
		if a, b := sim.Run(p), sim.Run(read); a.Trace != b.Trace {
			t.Fatal("the plan that was read runs otherwise")
		}
	})
}

func TestPlanErrors(t *testing.T) {
	for text, want := range map[string]string{
		"seed x":          `sim: line 1 of the plan, "seed x": strconv.ParseUint: parsing "x": invalid syntax`,
		"seed 1\nseed":    `sim: line 2 of the plan, "seed": want seed and a number`,
		"set a":           `sim: line 1 of the plan, "set a": want set, a name and a value`,
		"set window -1":   `sim: line 1 of the plan, "set window -1": negative values are not possible`,
		"set latency -1s": `sim: line 1 of the plan, "set latency -1s": negative values are not possible`,
		"set none 1":      `sim: line 1 of the plan, "set none 1": no setting is named "none"`,
		"1s send x":       `sim: line 1 of the plan, "1s send x": "x" is neither a number nor a duration`,
		"1s send -1":      `sim: line 1 of the plan, "1s send -1": negative values are not possible`,
		"x send":          `sim: line 1 of the plan, "x send": time: invalid duration "x"`,
	} {
		if _, err := sim.ParsePlan(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := sim.ParsePlan("1s jump"); err == nil {
		t.Error("an unknown verb is read")
	}
}

func BenchmarkSeeds(b *testing.B) {
	steps, seed := 0, uint64(0)
	for b.Loop() {
		steps += sim.Run(sim.Generate(seed)).Steps
		seed++
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
	b.ReportMetric(float64(seed)/b.Elapsed().Seconds(), "seeds/s")
}
