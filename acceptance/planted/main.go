// The command planted shows that the simulator notices defects. Each file of testdata is one: a
// sentence, a file of the core, the text to replace, which must be there exactly once, and what
// replaces it. Each invariant of application/sim has one at least. The command runs the seeds of
// application/sim over the changed core, by go build's -overlay, and prints the seed that finds it, the
// invariant that does not hold, the lines of the least plan, and how long it took to find that.
//
//	go run ./acceptance/planted [-dir checkout] [-seeds 20000] [-lines 8] [defect ...]
//
// Without names it plants all defects, which is make planted. What it builds is removed at the end, and
// is not added to Go's build cache.
// The exit code is 1 if a defect is not found within the seeds, or its plan has more lines.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"brokerconn/acceptance/buildcache"
)

func main() {
	dir := flag.String("dir", ".", "root of the checkout")
	seeds := flag.Int("seeds", 20_000, "how many seeds may be run")
	lines := flag.Int("lines", 8, "how many lines the least plan may have")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, *dir, *seeds, *lines, flag.Args())
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(2)
	case failed:
		os.Exit(1)
	}
}

// run plants the defects of these names, or all, and reports whether one was not found, or in a plan
// that is too long.
func run(ctx context.Context, dir string, seeds, lines int, names []string) (failed bool, err error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return false, err
	}
	defects := filepath.Join(root, "acceptance/planted/testdata")
	var files []string
	for _, name := range names {
		files = append(files, filepath.Join(defects, name+".txt"))
	}
	if len(names) == 0 {
		if files, err = filepath.Glob(filepath.Join(defects, "*.txt")); err != nil || len(files) == 0 {
			return false, fmt.Errorf("no defects in %s", defects)
		}
	}
	cache, err := buildcache.New()
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(cache)
	fmt.Printf("%-24s %6s  %-18s %5s  %s\n", "defect", "seed", "invariant", "lines", "shrunk in")
	for _, file := range files {
		found, err := try(ctx, root, cache, file, seeds)
		var text string
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err != nil:
			text, failed = err.Error(), true
		case found.lines > lines:
			text, failed = fmt.Sprintf("%v: more than %d lines", found, lines), true
		default:
			text = found.String()
		}
		fmt.Printf("%-24s %s\n", strings.TrimSuffix(filepath.Base(file), ".txt"), text)
	}
	return failed, nil
}

// finding is how a defect was found.
type finding struct {
	seed, invariant, took string
	lines                 int
}

func (f *finding) String() string {
	return fmt.Sprintf("%6s  %-18s %5d  %s", f.seed, f.invariant, f.lines, f.took)
}

var failure = regexp.MustCompile(`seed (\d+): sim: (.*) does not hold after (?:[^\n]*\n)+?` +
	`[ \t]*the least plan, found in (\S+):\n((?:[ \t]+[^\s][^\n]*\n)+)`)

// try runs seeds over the core with one defect in it.
func try(ctx context.Context, root, cache, file string, seeds int) (*finding, error) {
	d, err := readDefect(file)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "planted")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	overlay, err := d.overlay(root, work)
	if err != nil {
		return nil, err
	}
	tests := filepath.Join(work, "sim.test.exe")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", tests,
		"./application/sim")
	build.Dir, build.Env = root, append(os.Environ(), "GOCACHE="+cache)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c: %w: %.500s", err, out)
	}
	cmd := exec.CommandContext(ctx, tests, "-test.timeout=1h", "-test.run=^TestSeeds$", "-sim.seeds", fmt.Sprint(seeds))
	cmd.Dir = filepath.Join(root, "application/sim")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil, fmt.Errorf("not found within %d seeds", seeds)
	}
	m := failure.FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("no seed failed: %w: %.500s", err, out)
	}
	return &finding{string(m[1]), string(m[2]), string(m[3]), bytes.Count(m[4], []byte("\n"))}, nil
}
