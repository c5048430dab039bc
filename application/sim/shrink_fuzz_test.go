package sim_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"brokerconn/application/sim"
)

// FuzzShrinkBy shrinks any plan that is read of a text, for a failure that some steps of it make: what is left fails,
// is no longer, is read again as it is written, and the calls are bounded.
func FuzzShrinkBy(f *testing.F) {
	for seed := range uint64(6) {
		p := sim.Generate(seed)
		p.Steps = p.Steps[:min(len(p.Steps), 12)]
		f.Add(p.String(), uint8(seed), uint8(3*seed))
	}
	f.Add("0s send 9223372036854775807 1000h\n1s send\n1s cancel 3\n", uint8(0), uint8(2))
	f.Add("10s send\n0s cancel\n", uint8(0), uint8(1)) // not in the order of time
	f.Fuzz(func(t *testing.T, text string, first, second uint8) {
		p, err := sim.ParsePlan(text)
		if err != nil || len(p.Steps) == 0 || len(p.Steps) > 40 {
			return
		}
		one, two := p.Steps[int(first)%len(p.Steps)], p.Steps[int(second)%len(p.Steps)]
		const most = 2000
		calls := 0
		fails := func(p sim.Plan) bool {
			calls++
			at := slices.IndexFunc(p.Steps, func(s sim.Step) bool { return s.Verb == one.Verb && s.N >= min(one.N, 3) })
			return at >= 0 && slices.ContainsFunc(p.Steps, func(s sim.Step) bool { return s.Verb == two.Verb })
		}
		if !fails(p) {
			t.Fatal("the plan does not fail")
		}
		least := sim.ShrinkBy(p, most, fails)
		written := least.String()
		if calls > most+100 {
			t.Fatalf("got %d calls, want %d at most", calls, most)
		}
		if !fails(least) || strings.Count(written, "\n") > strings.Count(p.String(), "\n") {
			t.Fatalf("got\n%s\nwant a shorter plan that fails as\n%s", written, p)
		}
		if again, err := sim.ParsePlan(written); err != nil || again.String() != written || !fails(again) {
			t.Fatalf("got\n%s\n(%v) of\n%s", again, err, written)
		}
	})
}

// FuzzTrace runs any plan that is read of a text: the trace is the same in another run and in one without the memory of
// earlier ones, its lines begin with times that do not go back, and the chart of it is drawn in narrow ASCII.
func FuzzTrace(f *testing.F) {
	for seed := range uint64(12) {
		p := sim.Generate(seed)
		p.Steps = p.Steps[:min(len(p.Steps), 8)]
		f.Add(p.String())
	}
	for i, verb := range sim.Verbs() {
		f.Add("0s send\n0s " + verb + " " + strconv.Itoa(i) + " 1s\n1s send 1000\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := sim.ParsePlan(text)
		if err != nil || !quick(p) {
			return
		}
		first, alone := sim.Run(p), sim.RunAlone(p)
		if string(first.Trace) != string(alone.Trace) || first.Steps != alone.Steps {
			t.Fatalf("got two traces of\n%s", p)
		}
		last := int64(0)
		for line := range strings.Lines(string(first.Trace)) {
			word, _, _ := strings.Cut(line, " ")
			at, err := strconv.ParseInt(word, 10, 64)
			if err != nil || at < last {
				t.Fatalf("got the line %q after %d", line, last)
			}
			last = at
		}
		again, chart := sim.Explain(p)
		if again.Steps != first.Steps {
			t.Fatalf("got %d steps as it is explained, want %d", again.Steps, first.Steps)
		}
		for line := range strings.Lines(chart.Shortened(100).Text()) {
			line = strings.TrimSuffix(line, "\n")
			if len(line) > 120 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("got %q, want narrow ASCII", line)
			}
		}
	})
}
