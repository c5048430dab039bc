package sim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/acceptance/cputime"
	"brokerconn/application/sim"
)

var (
	from   = flag.Uint64("sim.from", 0, "the first seed of TestSeeds")
	count  = flag.Uint64("sim.seeds", seeds, "how many seeds TestSeeds runs")
	twice  = flag.Uint64("sim.twice", seeds/10, "how many seeds TestSameSeedSameTrace runs twice")
	update = flag.Bool("update", false, "write the hashes of testdata/golden.txt")
)

// From this many seeds on a campaign hits each cell that is not excluded; from that many on each
// pair of two sides; and those of a state and an event with still fewer.
const (
	seedsForCells  = 1_000_000
	seedsForPairs  = 50_000
	seedsForEvents = 20_000
)

// TestSeeds runs seeds: every invariant holds in each, they are worth it, and they hit what can be
// reached.
func TestSeeds(t *testing.T) {
	begin := time.Now()
	report := sim.Campaign{From: *from, Seeds: *count, Cover: true}.Run(t.Context())
	t.Logf("%v\n%.0f seeds a second", report, float64(report.Seeds)/time.Since(begin).Seconds())
	if report.Failure != nil {
		t.Fatal(story(report))
	}
	if n := report.Seeds; n >= 100 && (report.Steps < 500*n || report.Requests < 100*n || report.Kinds < 3*n) {
		t.Errorf("the seeds have too little; want means of 500 steps, 100 requests and 3 kinds of faults")
	}
	if wrong := report.Coverage.Wrong(); len(wrong) > 0 {
		t.Errorf("%d cells were hit although a rule of unreachable.go excludes them: %v", len(wrong), wrong)
	}
	const neither = "%d are neither hit nor excluded by unreachable.go:\n%v"
	if missing := report.Coverage.Missing(); *count >= seedsForCells && len(missing) > 0 {
		t.Errorf("of the cells, "+neither, len(missing), cellLines(missing))
	}
	missing := slices.DeleteFunc(report.Coverage.MissingPairs(), func(c sim.Cell) bool {
		return *count < seedsForPairs && c.Fault != "*"
	})
	if *count >= seedsForEvents && len(missing) > 0 {
		t.Errorf("of the pairs, "+neither, len(missing), cellLines(missing))
	}
}

func cellLines(cells []sim.Cell) string {
	var b strings.Builder
	for _, c := range cells {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}

// story is how the failure of a campaign is reported: the invariant, the line that repeats it, and
// the least plan.
func story(report sim.Report) string {
	begin := time.Now()
	least := sim.Shrink(sim.Generate(report.Failed))
	return fmt.Sprintf("seed %d: %v\nagain: go test ./application/sim -run '^TestSeeds$' -sim.from %d -sim.seeds 1\n"+
		"the least plan, found in %v:\n%v",
		report.Failed, report.Failure, report.Failed, time.Since(begin).Round(time.Millisecond), least)
}

const golden = "testdata/golden.txt"

// TestGolden compares the traces of the first thousand seeds with those that were committed: they
// are the same on every machine. A change of the core that moves them writes them again, and its
// commit says why: go test ./application/sim -run Golden -update.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for seed := range uint64(1000) {
		sum := sha256.Sum256([]byte(sim.Run(sim.Generate(seed)).Trace))
		fmt.Fprintf(&b, "%d %s\n", seed, hex.EncodeToString(sum[:8]))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(data), "\n"), strings.Split(b.String(), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d", len(got), len(want))
	}
	moved, first := 0, ""
	for i := range got {
		if got[i] != want[i] {
			if moved++; first == "" {
				first = fmt.Sprintf("got %q, want %q", got[i], want[i])
			}
		}
	}
	if moved > 0 {
		t.Errorf("the traces of %d seeds have moved; the first: %s", moved, first)
	}
}

// TestSameSeedSameTrace runs each seed twice, with the memory of the runs before and without: the two runs are
// the same, and no two seeds are.
func TestSameSeedSameTrace(t *testing.T) {
	var mu sync.Mutex
	var workers sync.WaitGroup
	var next, differ atomic.Uint64
	seen := map[[32]byte]uint64{}
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1) - 1; seed < *twice; seed = next.Add(1) - 1 {
				one, again := sim.Run(sim.Generate(seed)), sim.RunAlone(sim.Generate(seed))
				if one.Trace != again.Trace || one.Steps != again.Steps {
					differ.Add(1)
					t.Errorf("seed %d: two runs differ", seed)
				}
				sum := sha256.Sum256([]byte(one.Trace))
				mu.Lock()
				if other, twice := seen[sum]; twice {
					t.Errorf("seeds %d and %d have one trace", other, seed)
				}
				seen[sum] = seed
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	t.Logf("%d seeds run twice, %d differences", *twice, differ.Load())
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
		"seed x":             `sim: line 1 of the plan, "seed x": strconv.ParseUint: parsing "x": invalid syntax`,
		"seed 1\nseed":       `sim: line 2 of the plan, "seed": want seed and a number`,
		"set a":              `sim: line 1 of the plan, "set a": want set, a name and a value`,
		"set window -1":      `sim: line 1 of the plan, "set window -1": negative values are not possible`,
		"set latency -1s":    `sim: line 1 of the plan, "set latency -1s": negative values are not possible`,
		"set old 7":          `sim: line 1 of the plan, "set old 7": want 8 or 9`,
		"set addresses 1001": `sim: line 1 of the plan, "set addresses 1001": there are at most 1000`,
		"set jitter 1001h":   `sim: line 1 of the plan, "set jitter 1001h": the longest time is 1000h0m0s`,
		"1001h send":         `sim: line 1 of the plan, "1001h send": the longest time is 1000h0m0s`,
		"1s late 1001h":      `sim: line 1 of the plan, "1s late 1001h": the longest time is 1000h0m0s`,
		"1s send 16777217":   `sim: line 1 of the plan, "1s send 16777217": the largest body has 16777216 bytes`,
		"set none 1":         `sim: line 1 of the plan, "set none 1": no setting is named "none"`,
		"1s send x":          `sim: line 1 of the plan, "1s send x": "x" is neither a number nor a duration`,
		"1s send -1":         `sim: line 1 of the plan, "1s send -1": negative values are not possible`,
		"set polled true\nset idle-timeout 2s\nset ping-interval 3s": "sim: the settings of the plan: config: " +
			"PingInterval: 3s is not less than IdleTimeout, 2s",
		"set polled true\nset login true\nset mechanism PLAIN,PLAIN": "sim: the settings of the plan: " +
			"the mechanisms PLAIN,PLAIN: one of them is there twice",
		"set polled true\nset old 9\nset login true\nset ping-interval 1s": "sim: the settings of the plan: config: " +
			"PingInterval: a broker of APIVersion 0.9.0 cannot be asked for its API versions; 0, or a release " +
			"from 0.10.0 on",
		"x send": `sim: line 1 of the plan, "x send": time: invalid duration "x"`,
	} {
		if _, err := sim.ParsePlan(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := sim.ParsePlan("1s jump"); err == nil {
		t.Error("an unknown verb is read")
	}
}

// BenchmarkSeeds reports steps and seeds per second of processor time, all invariants checked.
func BenchmarkSeeds(b *testing.B) {
	b.ReportAllocs()
	begin := cputime.Used()
	r := sim.Campaign{Seeds: uint64(b.N), Parallel: 1}.Run(b.Context())
	used := (cputime.Used() - begin).Seconds()
	if r.Failure != nil {
		b.Fatal(r.Failure)
	}
	b.ReportMetric(float64(r.Steps)/used, "steps/cpu-s")
	b.ReportMetric(float64(r.Seeds)/used, "seeds/cpu-s")
	b.ReportMetric(float64(r.Steps)/float64(r.Seeds), "steps/seed")
}
