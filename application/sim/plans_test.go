package sim_test

import (
	"os"
	"path/filepath"
	"testing"

	"brokerconn/application/sim"
)

// TestKeptPlans replays the plans that found a defect. Each begins with a comment that says which.
func TestKeptPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/plans/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d plans (%v), want some", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := sim.ParsePlan(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if f := sim.Run(p).Failure; f != nil {
				t.Error(f)
			}
		})
	}
}
