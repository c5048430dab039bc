package sim

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestStormIsAsCommitted draws storm.svg, which the README shows, once more: make storm.
func TestStormIsAsCommitted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "storm.svg")
	kafkaprobe(t, "", "storm", "--out", out).check(t, 0,
		"pauses without jitter: attempts: 90,000, per 10 ms at most 10,000, ", "pauses varied by a fifth at random: ")
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("storm.svg")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got another drawing than storm.svg (%v): if that is meant, make storm", err)
	}
	kafkaprobe(t, "", "storm", "--clients", "2", "--json").check(t, 0,
		`{"clients":2,"storms":[{"jitter":false,"attempts":18,`)
}
