package sim_test

import (
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"

	"brokerconn/application/sim"
)

// plantedVariable makes a process of this test plant the failure too.
const plantedVariable = "BROKERCONN_SIM_PLANTED"

// TestMain collects garbage less often than usual: what a run leaves is garbage at its end, and the
// memory in use is small.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	if os.Getenv(plantedVariable) != "" {
		sim.PlantFailure()
	}
	os.Exit(m.Run())
}

// TestPrintedLineReproducesFailure plants a failure, carries out the line that the report of a
// campaign has, and runs the plan that it has.
func TestPrintedLineReproducesFailure(t *testing.T) {
	defer sim.PlantFailure()()
	report := sim.Campaign{Seeds: 500}.Run(t.Context())
	if report.Failure == nil {
		t.Fatal("the planted failure was not found")
	}
	text := story(report)
	line := regexp.MustCompile(`(?m)^again: go test ./application/sim -run '([^']*)' (.*)$`).FindStringSubmatch(text)
	if line == nil {
		t.Fatalf("the report has no line that repeats it:\n%s", text)
	}
	again := exec.Command(os.Args[0], append([]string{"-test.run", line[1]}, strings.Fields(line[2])...)...)
	again.Env = append(os.Environ(), plantedVariable+"=1")
	out, err := again.CombinedOutput()
	if want, _, _ := strings.Cut(text, "\n"); err == nil || !strings.Contains(string(out), want) {
		t.Errorf("got %v:\n%s\nwant %s", err, out, want)
	}
	_, least, _ := strings.Cut(text, "the least plan, found in ")
	_, least, _ = strings.Cut(least, "\n")
	plan, err := sim.ParsePlan(least)
	if err != nil {
		t.Fatal(err)
	}
	if f := sim.Run(plan).Failure; f == nil || f.Invariant != report.Failure.Invariant {
		t.Errorf("the least plan: got %v, want %v", f, report.Failure)
	}
	if n := len(plan.Steps); n > 8 {
		t.Errorf("the least plan has %d steps:\n%s", n, least)
	}
}
