// The command corpus keeps what fuzzing has found. The inputs that go test -fuzz finds interesting stay in
// Go's cache, on one machine, until the cache is cleaned. Of these the command copies a few small ones into
// testdata/fuzz beside the fuzz target, where go test runs them as seeds: together they reach each block of
// the tested package that any small input of the cache reaches. The go command has no such option
// (https://go.dev/issue/49290).
//
//	go run ./acceptance/corpus [-dir checkout] [-found folder] [-most 20] [-bytes 1024] [-p 2] [package ...]
//
// What is in testdata/fuzz already stays: it may be the regression of a defect. An input is added only if it
// reaches a block that neither the seeds of the target nor the inputs before it reach, and the one that
// reaches most such blocks comes first, among equals the smallest.
//
// Without packages it takes all of the module; make corpus does. It prints a line for each target: how many
// inputs were found; how many of them are left out, because they are larger than -bytes or have an int that needs
// 64 bits; how many have the arguments of an older target; how many are added and how many are there now; their
// bytes; the blocks that the target reaches with them, and those that it misses because of -most. The exit code
// is 1 if an input fails: that is a defect, and nothing is added to its target.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0, 1 if an input fails, 2 if the command does.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.root, "dir", ".", "root of the checkout")
	flags.StringVar(&o.found, "found", "", "folder of the inputs found; empty for the one of Go's cache")
	flags.IntVar(&o.most, "most", 20, "how many inputs a target may have")
	flags.IntVar(&o.bytes, "bytes", 1024, "how many bytes the file of an input may have")
	flags.IntVar(&o.atOnce, "p", runtime.GOMAXPROCS(0), "how many packages are worked on at once")
	if flags.Parse(args) != nil {
		return 2
	}
	defective, err := keepAll(ctx, o, flags.Args(), stdout)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "corpus:", err)
		return 2
	case defective:
		return 1
	}
	return 0
}

// outcome is what became of the targets of a package.
type outcome struct {
	results []*result
	err     error
}

// keepAll keeps inputs for each target of these packages, and reports whether an input fails.
func keepAll(ctx context.Context, o options, patterns []string, out io.Writer) (defective bool, err error) {
	if o.root, err = filepath.Abs(o.root); err != nil {
		return false, err
	}
	if o.found == "" {
		cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
		if err != nil {
			return false, fmt.Errorf("go env GOCACHE: %w", err)
		}
		o.found = filepath.Join(strings.TrimSpace(string(cache)), "fuzz")
	}
	packages, err := findTargets(ctx, o.root, patterns)
	if err != nil {
		return false, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	outcomes, free := make([]chan outcome, len(packages)), make(chan bool, max(o.atOnce, 1))
	for i, p := range packages {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			free <- true
			results, err := o.keepPackage(ctx, p)
			<-free
			outcomes[i] <- outcome{results, err}
		}()
	}
	fmt.Fprintln(out, heading)
	var targets, kept, added, bytes int
	for i := range packages {
		done := <-outcomes[i]
		if err == nil && done.err != nil {
			err = done.err
			stop()
		}
		for _, r := range done.results {
			targets, kept, added, bytes = targets+1, kept+r.kept, added+r.added, bytes+r.bytes
			defective = defective || r.failure != nil
			fmt.Fprintln(out, r)
		}
	}
	if err == nil {
		fmt.Fprintf(out, "%d targets: %d inputs are kept, %d of them new, %d bytes in all\n",
			targets, kept, added, bytes)
	}
	return defective, err
}
