// The command mutants measures how much the tests notice. It changes one place of a
// package at a time (a comparison, a constant, an early return, a statement, a
// condition), runs the tests and records whether they failed.
//
//	mutants run [-dir checkout] [-n 300] [-seed 1] [-files pattern] [-out record.tsv | -cache folder] [package ...]
//	mutants compare [-dir checkout] [-moved moved.tsv] [-list] [-out record.tsv] baseline.tsv
//
// The command run draws a sample, in proportion to the lines of each package, and
// appends a line to the record for each mutant. Started again with the same record it
// goes on where it stopped. A mutant that does not compile is recorded as invalid and
// replaced by another draw. With a folder of records, the test that killed a mutant in an
// earlier state of the source is run first. So it is cheap to run the tests of few packages
// first (-tests 2), and then all: only what survived needs more time.
//
// It ends with the score: how many of those that change anything are killed. The exit code is 1 if that is
// below 95 %, or if a mutant survives and testdata/reasons.tsv has no reason.
//
// The command compare looks for every killed mutant of a record in another checkout, by
// its function and its text, and runs it there. It prints what is killed there as well,
// what survives, and what is gone. The exit code is 1 if one survives, or if one
// is gone and the file of moves gives no reason.
//
// The tests of a package need less than half of the limit on a quiet machine. Longer counts
// as a failure if the test that ran then, alone, takes ten times longer than without the
// mutant: a mutant may loop without end or wait for an event that does not come.
//
// The checkout is never written to: go build's -overlay shows a mutant to the compiler
// only. Use nice: a run takes both processors' time for half an hour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

const usage = `usage: mutants run [flags] [package ...]
       mutants compare [flags] baseline.tsv`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the flags that both commands have.
type options struct {
	dir, out, moved string
	cache, files    string
	n, workers      int
	tests           int
	limit           time.Duration
	list            bool
	seed            uint64
	args            []string
}

// run returns the exit code: 0, 1 if compare found a loss, 2 if the command failed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] != "run" && args[0] != "compare" {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	var o options
	flags := flag.NewFlagSet("mutants "+args[0], flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.dir, "dir", ".", "root of the checkout to mutate")
	flags.StringVar(&o.out, "out", "", "record to append to")
	flags.DurationVar(&o.limit, "limit", 20*time.Second, "time that the tests of one package may take")
	if args[0] == "run" {
		flags.IntVar(&o.n, "n", 300, "number of mutants; 0 for all")
		flags.IntVar(&o.tests, "tests", 0, "number of packages whose tests are run, the quickest first; 0 for all")
		flags.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "how many mutants are tried at one time")
		flags.StringVar(&o.cache, "cache", "", "folder of records, one for each package and state of its source")
		flags.StringVar(&o.files, "files", "", "pattern of the names of the files to mutate; empty for all")
		flags.Uint64Var(&o.seed, "seed", 1, "seed of the sample")
	} else {
		flags.StringVar(&o.moved, "moved", "", "file that says where functions moved to")
		flags.BoolVar(&o.list, "list", false, "only print where each mutant is found")
	}
	if flags.Parse(args[1:]) != nil {
		return 2
	}
	o.args = flags.Args()
	command := sample
	if args[0] == "compare" {
		command = compare
	}
	err := command(ctx, o, stdout)
	switch {
	case errors.Is(err, errLoss), errors.Is(err, errScore):
		fmt.Fprintln(stderr, "mutants:", err)
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "mutants:", err)
		return 2
	}
	return 0
}
