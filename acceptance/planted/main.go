// The command planted shows that the simulator notices the defects that clients of Kafka have had. Each
// file of testdata is one: a sentence, its source, a file of the product, the text to replace, which must
// be there exactly once, and what replaces it. The source is a report of the same defect in another
// client, or in this project's own log; where it says that the defect is our own, it names the report
// that comes closest. Each invariant of application/sim has one at least, and none names a defect. All
// were written before they were run.
//
//	go run ./acceptance/planted [-dir checkout] [-seeds 10000] [-lines 10] [-domain] [-p 2] [defect ...]
//
// The command runs the seeds of application/sim over the changed product, by go build's -overlay, and
// prints the seed that finds the defect, the invariant that does not hold, the lines of the least plan,
// and how long it took to find that. With -domain it also runs the tests of package domain, and prints
// whether these pass: then the simulation alone notices it. The last line has the sums.
//
// Without names it plants all defects; make mutants does, with -domain. What it builds is removed at the
// end, and is not added to Go's build cache.
// The exit code is 1 if a defect is not found within the seeds, or the median plan has more lines.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"brokerconn/acceptance/buildcache"
)

func main() {
	dir := flag.String("dir", ".", "root of the checkout")
	lines := flag.Int("lines", 10, "how many lines the median of the least plans may have")
	atOnce := flag.Int("p", runtime.NumCPU(), "how many defects are tried at once")
	var w workshop
	flag.IntVar(&w.seeds, "seeds", 10_000, "how many seeds may be run")
	flag.BoolVar(&w.domain, "domain", false, "run the tests of package domain too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	all, err := run(ctx, &w, *dir, max(*atOnce, 1), flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(2)
	}
	if !summarise(os.Stdout, all, *lines, w.domain) {
		os.Exit(1)
	}
}

// run tries the defects of these names, or all, and prints a line for each. A trial is nil if the
// defect was not found.
func run(ctx context.Context, w *workshop, dir string, atOnce int, names []string) (all []*trial, err error) {
	if w.root, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	files, err := defectFiles(w.root, names)
	if err != nil {
		return nil, err
	}
	if w.domain {
		if err := w.imports(ctx); err != nil {
			return nil, err
		}
	}
	if w.cache, err = buildcache.New(); err != nil {
		return nil, err
	}
	defer os.RemoveAll(w.cache)
	fmt.Printf("%-24s %6s  %-18s %5s  %9s  %s\n", "defect", "seed", "invariant", "lines", "shrunk in", "./domain")
	type outcome struct {
		*trial
		err error
	}
	outcomes, free := make([]chan outcome, len(files)), make(chan bool, atOnce)
	for i := range files {
		outcomes[i] = make(chan outcome, 1)
	}
	go func() {
		for i, file := range files {
			free <- true
			go func() {
				t, err := w.try(ctx, file)
				outcomes[i] <- outcome{t, err}
				<-free
			}()
		}
	}()
	for i, file := range files {
		o := <-outcomes[i]
		var text string
		if o.err != nil {
			o.trial, text = nil, o.err.Error()
		} else {
			text = o.trial.String()
		}
		if ctx.Err() != nil {
			err = ctx.Err() // those under way end soon
			continue
		}
		fmt.Printf("%-24s %s\n", strings.TrimSuffix(filepath.Base(file), ".txt"), strings.TrimRight(text, " "))
		all = append(all, o.trial)
	}
	return all, err
}

// defectFiles returns the files of the defects of these names, or of all.
func defectFiles(root string, names []string) (files []string, err error) {
	folder := filepath.Join(root, "acceptance/planted/testdata")
	for _, name := range names {
		files = append(files, filepath.Join(folder, name+".txt"))
	}
	if len(names) == 0 {
		if files, err = filepath.Glob(filepath.Join(folder, "*.txt")); err == nil && len(files) == 0 {
			err = fmt.Errorf("no defects in %s", folder)
		}
	}
	return files, err
}

// summarise prints the sums, and reports whether all were found, in plans of which the median has at
// most so many lines.
func summarise(out io.Writer, all []*trial, lines int, domain bool) (ok bool) {
	var plans []int
	passes := 0
	for _, t := range all {
		if t == nil {
			continue
		}
		plans = append(plans, t.lines)
		if t.domain == "passes" {
			passes++
		}
	}
	slices.Sort(plans)
	fmt.Fprintf(out, "%d defects, %d found", len(all), len(plans))
	median := 0
	if n := len(plans); n > 0 {
		median = plans[n/2] // of an even number the upper one
		fmt.Fprintf(out, "; the median plan has %d lines, at most %d; the longest has %d", median, lines, plans[n-1])
	}
	if domain {
		fmt.Fprintf(out, "; go test ./domain passes with %d", passes)
	}
	fmt.Fprintln(out)
	return len(plans) == len(all) && median <= lines
}
