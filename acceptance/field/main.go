// The command field runs the tests that hold reports from the field, and prints a row for
// each report:
//
//	field [-dir checkout] [table ...]
//
// A table has a line per report: its id, what the test is about, the package and the name of
// the test, which may be a subtest, separated by tabs. Lines that begin with # are comments.
// Without a table it is testdata/reports.tsv, of reports that need Go alone.
//
// The exit code is 1 if a test fails, is skipped or does not exist.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// standard is the table without an argument.
const standard = "acceptance/field/testdata/reports.tsv"

var errFailed = errors.New("not every report holds")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir := flag.String("dir", ".", "the checkout")
	flag.Parse()
	tables := flag.Args()
	if len(tables) == 0 {
		tables = []string{standard}
	}
	if err := run(ctx, *dir, tables, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "field:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, tables []string, out io.Writer) error {
	var reports []report
	for _, name := range tables {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		more, err := parse(name, string(text))
		if err != nil {
			return err
		}
		reports = append(reports, more...)
	}
	results, err := runTests(ctx, dir, reports)
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range reports {
		result, ran := results[r.at]
		if !ran {
			result = "none"
		}
		if result != "pass" {
			failed++
		}
		fmt.Fprintf(out, "%-4s %-4s  %s (%s.%s)\n", r.id, result, r.about, r.at.pkg, r.at.test)
	}
	fmt.Fprintf(out, "%d reports, %d hold\n", len(reports), len(reports)-failed)
	if failed > 0 {
		return errFailed
	}
	return nil
}

// report is a line of a table.
type report struct {
	id, about string
	at        place
}

// place is where a test is: its package, relative to the checkout, and its name.
type place struct{ pkg, test string }

func parse(name, text string) (reports []report, err error) {
	seen := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, "\t")
		switch {
		case len(cells) != 4 || strings.Contains(line, "\t\t"):
			return nil, fmt.Errorf("%s:%d: got %d cells, want id, about, package, test", name, n, len(cells))
		case seen[cells[0]]:
			return nil, fmt.Errorf("%s:%d: the id %s occurs twice", name, n, cells[0])
		}
		seen[cells[0]] = true
		reports = append(reports, report{cells[0], cells[1], place{cells[2], cells[3]}})
	}
	return reports, lines.Err()
}

// command is go test in a checkout.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test"}, args...)...)
	cmd.Dir = dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd
}
