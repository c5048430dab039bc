package simtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brokerconn/application/sim"
)

// Failure is how a seed failed, with the least plan that was found.
type Failure struct {
	// Seed is that of the run.
	Seed uint64
	// At is the virtual time since the run began.
	At time.Duration
	// Text is what was wrong.
	Text string
	// Plan has the seed and the faults of Chaos, a line each, as the flag -sim.plan takes it.
	Plan string
	// Journal is what happened, a line each; its last lines if they are many.
	Journal string
	// Chart is the last part of it as a sequence chart.
	Chart string
	// Reproduce is the command that runs it again; empty from Check.
	Reproduce string

	kind   string // what has to be the same while it is shrunk
	faults int    // of the plan before that
	file   string // that was replayed
}

// Error returns the whole report.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d failed at %v: %s\n", f.Seed, f.At, f.Text)
	if f.Reproduce != "" {
		fmt.Fprintf(&b, "\nreproduce it:\n    %s\n", f.Reproduce)
	}
	of := ""
	if f.faults > 0 {
		of = fmt.Sprintf(", the least that was found of %d faults", f.faults)
	}
	section(&b, "plan"+of, f.Plan)
	section(&b, "journal", f.Journal)
	section(&b, "chart", f.Chart)
	return b.String()
}

func section(b *strings.Builder, title, text string) {
	fmt.Fprintf(b, "\n%s:\n", title)
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
}

// fail fails the run, unless it has failed before.
func (w *World) fail(kind, text string) { w.failAt(w.Elapsed(), kind, text) }

func (w *World) failAt(at time.Duration, kind, text string) {
	w.mu.Lock()
	first := w.failure == nil
	if first {
		w.failure = &Failure{Seed: w.seed, At: at, Text: text, kind: kind}
	}
	w.mu.Unlock()
	if !first {
		return
	}
	w.journalMu.Lock()
	if !w.closed {
		w.entries = append(before(w.Elapsed()+1, w.entries), entry{at: at, kind: failed, text: text})
	}
	w.closed = true
	w.journalMu.Unlock()
	w.end()
}

// planHeader explains the lines of a plan.
const planHeader = "# time, fault, broker (0 if there is no number), duration\n"

// fill adds what a report has.
func (f *Failure) fill(w *World) {
	f.Plan = planHeader + sim.Plan{Seed: w.seed, Steps: w.generated}.String()
	f.Journal, f.Chart = w.journalText(), w.chart().Text()
	if strings.HasSuffix(f.kind, "unknown") || !strings.Contains(f.kind, ".go:") {
		return
	}
	f.Text += " (" + f.kind + ")"
}

// save writes the plan to testdata, and returns the command that runs it again.
func (f *Failure) save(t *testing.T) string {
	file := f.file
	if file == "" && f.Plan != "" {
		file = filepath.Join(plansDir(t), fmt.Sprintf("%d.plan", f.Seed))
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = os.WriteFile(file, []byte(f.Plan), 0o644)
		}
		if err != nil {
			file = ""
		}
	}
	with := fmt.Sprintf("-sim.seed=%d", f.Seed)
	if file != "" {
		with = "-sim.plan=" + filepath.ToSlash(file)
	}
	return fmt.Sprintf("go test %s -run '%s' %s", ownFolder(), pattern(t.Name()), with)
}

// pattern is the one for go test that matches one test.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	return strings.Join(parts, "/")
}

// ownFolder is the folder of the test's package, as go test takes it at the module's root.
func ownFolder() string {
	here, err := os.Getwd() // go test runs a test in its folder
	if err != nil {
		return "."
	}
	for root := here; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			relative, _ := filepath.Rel(root, here)
			return "./" + filepath.ToSlash(relative)
		}
		if root == filepath.Dir(root) {
			return "."
		}
	}
}

// plansDir is the folder of a test's plans.
func plansDir(t *testing.T) string {
	return filepath.Join("testdata", "sim", filepath.FromSlash(t.Name()))
}

func plansOf(t *testing.T) []string {
	files, _ := filepath.Glob(filepath.Join(plansDir(t), "*.plan")) // sorted
	return files
}

func readPlan(file string) (sim.Plan, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return sim.Plan{}, fmt.Errorf("simtest: the plan of -sim.plan: %w", err)
	}
	plan, err := sim.ParsePlanOf(string(text), nil)
	if err != nil {
		return sim.Plan{}, fmt.Errorf("simtest: %s: %w", file, err)
	}
	return plan, nil
}
