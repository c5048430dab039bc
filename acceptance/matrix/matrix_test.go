package matrix

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine runs cells.
type engine struct {
	name string
	has  func(Cell) bool
	run  func(*testing.T, Cell) []string
}

var engines = []engine{
	{"exact", func(Cell) bool { return true }, func(_ *testing.T, c Cell) []string { return exact(c) }},
}

// TestMatrix runs every cell in every engine that has it. With -v it prints all of them, and the counts.
func TestMatrix(t *testing.T) {
	cells, absent, runs := 0, 0, map[string]int{}
	for _, row := range Rows() {
		for i := range len(Phases) {
			phase := Phases[i]
			list, reason := row.at(phase)
			switch {
			case len(list) == 0 && reason == "":
				t.Errorf("row %d, %s: got neither a cell nor a reason", row.Number, row.Fault)
			case len(list) > 0 && reason != "":
				t.Errorf("row %d, %s, %s: got cells and a reason", row.Number, row.Fault, phaseNames[i])
			case reason != "":
				absent++
				say("%3d %-17s does not exist: %s", row.Number, phaseNames[i], reason)
			}
			for _, c := range list {
				cells++
				var results []string
				for _, e := range engines {
					if !e.has(c) {
						continue
					}
					runs[e.name]++
					result := "ok"
					if wrong := e.run(t, c); wrong != nil {
						result = "WRONG"
						t.Errorf("row %d, %s, %s, %s, engine %s:\n\t%s\nplan:\n%s", row.Number, row.Fault,
							phaseNames[i], c.Fault, e.name, strings.Join(wrong, "\n\t"), c.Plan())
					}
					results = append(results, e.name+" "+result)
				}
				say("%3d %-17s %s; %s: %v", row.Number, phaseNames[i], row.Fault, c.Fault, strings.Join(results, ", "))
			}
		}
	}
	say("%d cells, %d that do not exist; run: %v", cells, absent, runs)
}

// say prints a line where the matrix is asked for.
func say(format string, args ...any) {
	if testing.Verbose() {
		fmt.Printf(format+"\n", args...)
	}
}
