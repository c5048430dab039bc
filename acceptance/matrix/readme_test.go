package matrix

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("matrix.update", false, "write the table of the README")

// The lines of the README before and behind the table.
const (
	tableBegins = "<!-- the fault matrix -->\n"
	tableEnds   = "<!-- the end of the fault matrix -->\n"
)

// TestReadmeHasTheMatrix: its table is the one of the rows; -matrix.update writes it.
func TestReadmeHasTheMatrix(t *testing.T) {
	const file = "../../README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), tableBegins)
	got, behind, found := strings.Cut(rest, tableEnds)
	if !found {
		t.Fatalf("got a README without the lines %q and %q", tableBegins, tableEnds)
	}
	want := table()
	if *update {
		if err := os.WriteFile(file, []byte(before+tableBegins+want+tableEnds+behind), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("got\n%s\nwant\n%s\n(go test ./acceptance/matrix -matrix.update writes it)", got, want)
	}
}

// table has a letter for each engine that runs a cell of a row and a phase.
func table() string {
	var b strings.Builder
	b.WriteString("\n| fault |")
	for i := range len(Phases) {
		fmt.Fprintf(&b, " %c |", Phases[i])
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(Phases)) + "\n")
	for _, row := range Rows() {
		fmt.Fprintf(&b, "| %s |", row.Fault)
		for i := range len(Phases) {
			b.WriteString(" " + letters(row, Phases[i]) + " |")
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

func letters(row Row, phase byte) (text string) {
	list, _ := row.at(phase)
	for _, e := range engines {
		for _, c := range list {
			if e.has(c) {
				text += e.name[:1]
				break
			}
		}
	}
	return text
}
