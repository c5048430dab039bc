// The command planted shows that the simulator notices defects. Each file of testdata is one: a
// sentence, a file of the core, the text to replace, which must be there exactly once, and what
// replaces it. The command runs the seeds of application/sim over the changed core, by go build's
// -overlay, and prints the seed that finds it, the invariant that does not hold, the lines of the
// least plan, and how long it took to find that.
//
//	go run ./acceptance/planted [-dir checkout] [-seeds 20000] [-lines 8] [defect ...]
//
// Without names it plants all defects, which is make planted.
// The exit code is 1 if a defect is not found within the seeds, or its plan has more lines.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	dir := flag.String("dir", ".", "root of the checkout")
	seeds := flag.Int("seeds", 20_000, "how many seeds may be run")
	lines := flag.Int("lines", 8, "how many lines the least plan may have")
	flag.Parse()
	root, err := filepath.Abs(*dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(2)
	}
	files, err := filepath.Glob(filepath.Join(root, "acceptance/planted/testdata/*.txt"))
	if err != nil || len(files) == 0 {
		fmt.Fprintln(os.Stderr, "planted: no defects in", root)
		os.Exit(2)
	}
	failed := false
	fmt.Printf("%-24s %6s  %-18s %5s  %s\n", "defect", "seed", "invariant", "lines", "shrunk in")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), name) {
			continue
		}
		found, err := try(root, file, *seeds)
		switch {
		case err != nil:
			fmt.Printf("%-24s %v\n", name, err)
			failed = true
		case found.lines > *lines:
			fmt.Printf("%-24s %v: more than %d lines\n", name, found, *lines)
			failed = true
		default:
			fmt.Printf("%-24s %v\n", name, found)
		}
	}
	if failed {
		os.Exit(1)
	}
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
func try(root, file string, seeds int) (*finding, error) {
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
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-timeout", "1h", "-overlay", overlay,
		"-run", "^TestSeeds$", "./application/sim", "-sim.seeds", fmt.Sprint(seeds))
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil, fmt.Errorf("not found within %d seeds", seeds)
	}
	m := failure.FindSubmatch(out)
	if m == nil {
		return nil, fmt.Errorf("no seed failed: %v: %.500s", err, out)
	}
	return &finding{string(m[1]), string(m[2]), string(m[3]), bytes.Count(m[4], []byte("\n"))}, nil
}
