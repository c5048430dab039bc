package matrix

import (
	"fmt"
	"strings"
	"sync"
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
	{"exact", func(c Cell) bool { return c.NotExact == "" }, func(_ *testing.T, c Cell) []string { return exact(c) }},
	{"bubble", func(c Cell) bool { return c.NotBubble == "" }, bubble},
	{"sockets", func(c Cell) bool { return c.Wire != "" }, sockets},
}

// TestMatrix runs every cell in every engine that has it. With -v it prints all of them, and the counts.
func TestMatrix(t *testing.T) {
	rows := Rows()
	results := runAll(t, rows)
	cells, absent, single, runs := 0, 0, 0, map[string]int{}
	for _, row := range rows {
		for i := range len(Phases) {
			list, reason := row.at(Phases[i])
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
				line, note := "", ""
				if missing := c.NotExact + c.NotBubble; missing != "" {
					single++
					note = "; in one engine: " + missing
				}
				for _, e := range engines {
					if !e.has(c) {
						continue
					}
					runs[e.name]++
					line += ", " + e.name + " ok"
					if wrong := results[e.name][c.key(row)]; len(wrong) != 0 {
						line = strings.TrimSuffix(line, "ok") + "WRONG"
						t.Errorf("row %d, %s, %s, %s, engine %s:\n\t%s\nplan:\n%s", row.Number, row.Fault,
							phaseNames[i], c.Fault, e.name, strings.Join(wrong, "\n\t"), c.Plan())
					}
				}
				say("%3d %-17s %s; %s: %v", row.Number, phaseNames[i], row.Fault, c.Fault, line[2:]+note)
			}
		}
	}
	say("%d cells, %d that do not exist; run: %v; in one of exact and bubble, with a reason: %d", cells, absent, runs,
		single)
}

// key identifies a cell.
func (c Cell) key(r Row) string {
	return fmt.Sprint(r.Number, c.Phase, c.Fault, c.Wire, c.Proxy, c.judged())
}

// runAll runs all cells at the same time, and returns what was wrong, by engine and cell.
func runAll(t *testing.T, rows []Row) map[string]map[string][]string {
	var mu sync.Mutex
	var all sync.WaitGroup
	turns := make(chan struct{}, 16)
	results := map[string]map[string][]string{}
	for _, e := range engines {
		results[e.name] = map[string][]string{}
	}
	for _, e := range engines {
		for _, r := range rows {
			for _, c := range r.Cells {
				if !e.has(c) {
					continue
				}
				mu.Lock()
				results[e.name][c.key(r)] = []string{"the run did not end"}
				mu.Unlock()
				all.Go(func() {
					turns <- struct{}{}
					defer func() { <-turns }()
					wrong := e.run(t, c)
					mu.Lock()
					defer mu.Unlock()
					results[e.name][c.key(r)] = wrong
				})
			}
		}
	}
	all.Wait()
	return results
}

// say prints a line where the matrix is asked for.
func say(format string, args ...any) {
	if testing.Verbose() {
		fmt.Printf(format+"\n", args...)
	}
}
