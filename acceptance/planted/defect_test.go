package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDefectsCanBePlanted: each has a source, and the text that it replaces is in the product.
func TestDefectsCanBePlanted(t *testing.T) {
	files, err := defectFiles("../..", nil)
	if err != nil || len(files) < 60 {
		t.Fatalf("got %d defects and %v, want 60 at least", len(files), err)
	}
	for _, file := range files {
		d, err := readDefect(file)
		if err == nil {
			_, err = d.overlay("../..", t.TempDir())
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestReadDefect(t *testing.T) {
	const change = "-- domain/future.go\nold\n-- with\nnew\n"
	for _, c := range []struct{ name, text, want string }{
		{"whole", "It fails.\nSource: a report\n" + change, ""},
		{"no source", "It fails.\n" + change, "its source"},
		{"an empty source", "It fails.\nSource: \n" + change, "its source"},
		{"no sentence", "Source: a report\n" + change, "its source"},
		{"no file", "It fails.\nSource: a report\n-- with\nnew\n", "-- FILE"},
		{"no new text", "It fails.\nSource: a report\n-- domain/future.go\nold\n-- new\n", "-- with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "it.txt")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			d, err := readDefect(file)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got the error %v, want one with %q", err, c.want)
				}
				return
			}
			want := defect{source: "a report", file: "domain/future.go", old: "old", new: "new"}
			if err != nil || d != want {
				t.Errorf("got %+v and %v, want %+v", d, err, want)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	of := func(lines int, domain string) *trial { return &trial{lines: lines, domain: domain} }
	for _, c := range []struct {
		name   string
		trials []*trial
		ok     bool
		want   string
	}{
		{"all found", []*trial{of(3, "passes"), of(12, "fails"), of(5, "passes")}, true,
			"3 defects, 3 found; the median plan has 5 lines, at most 10; the longest has 12; " +
				"go test ./domain passes with 2\n"},
		{"one not found", []*trial{of(3, "fails"), nil}, false,
			"2 defects, 1 found; the median plan has 3 lines, at most 10; the longest has 3; " +
				"go test ./domain passes with 0\n"},
		{"long plans", []*trial{of(3, "fails"), of(11, "fails")}, false,
			"2 defects, 2 found; the median plan has 11 lines, at most 10; the longest has 11; " +
				"go test ./domain passes with 0\n"},
		{"none found", []*trial{nil}, false, "1 defects, 0 found; go test ./domain passes with 0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if ok := summarise(&out, c.trials, 10, true); ok != c.ok || out.String() != c.want {
				t.Errorf("got %v and\n%swant %v and\n%s", ok, out.String(), c.ok, c.want)
			}
		})
	}
}
