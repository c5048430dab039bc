package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brokerconn/acceptance/buildcache"
)

// slower is how many times longer than without the mutant a test may take alone.
const slower = 10

// maxKilobytes bounds the memory of a test process. A mutant may allocate without end.
const maxKilobytes = 6 << 20

// trials holds, for each package, the packages whose tests are run, the quickest first.
// The first failure ends the trial. A package that the checkout does not have is left out.
var trials = map[string][]string{
	"domain":             {"domain", "application/sim", "domain/release", "application/broker", "acceptance/lessons"},
	"domain/release":     {"domain/release", "domain", "application/sim", "application/broker"},
	"application/broker": {"application/sim", "application/broker", "acceptance/lessons"},
}

// skipped are tests that read the source of the checkout, which has no mutant in it,
// and tests that take seconds and are about other packages.
const skipped = "^(Test.*(Imports|Pure|Purity|ImportLaw|TopLevel).*|TestReadme.*|TestNoSecret.*)$"

// simulation is the package of the simulation, whose golden traces notice each change, also one that is right.
const (
	simulation      = "application/sim"
	simulationSkips = "|^(TestGolden|TestSameSeedSameTrace)$"
	simulationSeeds = "-sim.seeds=1000"
)

// bench runs mutants of one checkout.
type bench struct {
	root    string        // absolute path
	work    string        // folder for what is built
	cache   string        // of go build
	limit   time.Duration // see options
	workers int
	lacking map[string]bool // by package: it has no tests
	rapid   map[string]bool // by package: its tests use rapid, which is then kept from writing files
}

// newBench prepares trials in a folder of its own, which close removes.
func newBench(o options) (*bench, error) {
	root, err := filepath.Abs(o.dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return nil, fmt.Errorf("not the root of a module: %w", err)
	}
	cache, err := buildcache.New()
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(cache))
	}
	return &bench{root: root, work: work, cache: cache, limit: o.limit, workers: max(o.workers, 1), lacking: map[string]bool{},
		rapid: map[string]bool{}}, nil
}

func (b *bench) close() error { return errors.Join(os.RemoveAll(b.work), os.RemoveAll(b.cache)) }

// testsOf returns the packages of the checkout whose tests are run on mutants of pkg.
func (b *bench) testsOf(pkg string) (packages []string) {
	for _, p := range append(slices.Clone(trials[pkg]), pkg) {
		if !slices.Contains(packages, p) && !b.lacks(p) {
			packages = append(packages, p)
		}
	}
	return packages
}

// prove returns an error if the tests fail without any mutant.
func (b *bench) prove(ctx context.Context, packages []string) error {
	proven := map[string]bool{}
	for _, mutated := range packages {
		for _, pkg := range b.testsOf(mutated) {
			if proven[pkg] {
				continue
			}
			proven[pkg] = true
			binary, err := b.build(ctx, pkg, original(pkg))
			if err != nil {
				return err
			}
			test, err := b.runTests(ctx, program{pkg: pkg, binary: binary}, ".", slower*b.limit)
			if err == nil && test != "" {
				err = fmt.Errorf("%s %s fails without a mutant", pkg, test)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// try runs the tests on a mutant.
func (b *bench) try(ctx context.Context, m *mutant) (*result, error) {
	overlay, err := b.overlay(m)
	if err != nil {
		return nil, err
	}
	for _, pkg := range b.testsOf(m.pkg) {
		binary, err := b.build(ctx, pkg, "mutant.exe", "-overlay", overlay)
		if err != nil && ctx.Err() == nil && b.goCommand(ctx, "build", "-overlay", overlay, "./"+m.pkg) != nil {
			return &result{mutant: *m, verdict: invalid}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m, err)
		}
		by, err := b.failure(ctx, program{pkg: pkg, binary: binary})
		if err != nil {
			return nil, err
		}
		if by != "" {
			return &result{mutant: *m, verdict: killed, by: by}, nil
		}
	}
	return &result{mutant: *m, verdict: survived}, nil
}

// overlay writes the mutant and go build's description of it.
func (b *bench) overlay(m *mutant) (string, error) {
	original := filepath.Join(b.root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(b.work, "mutant.go")
	description, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(b.work, "overlay.json")
	err = os.WriteFile(changed, m.apply(source), 0o644)
	return overlay, errors.Join(err, os.WriteFile(overlay, description, 0o644))
}

// lacks reports whether the checkout has no tests in pkg, and notes whether they use rapid.
func (b *bench) lacks(pkg string) bool {
	if known, ok := b.lacking[pkg]; ok {
		return known
	}
	files, _ := filepath.Glob(filepath.Join(b.root, filepath.FromSlash(pkg), "*_test.go")) // the pattern is valid
	b.lacking[pkg] = len(files) == 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		b.rapid[pkg] = b.rapid[pkg] || err == nil && bytes.Contains(text, []byte(`"pgregory.net/rapid"`))
	}
	return b.lacking[pkg]
}

// original returns the name of the program of pkg's tests without a mutant.
func original(pkg string) string { return strings.ReplaceAll(pkg, "/", "-") + ".exe" }

// build compiles the tests of pkg, without vet.
func (b *bench) build(ctx context.Context, pkg, name string, flags ...string) (binary string, err error) {
	binary = filepath.Join(b.work, name)
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", binary}, flags...)
	return binary, b.goCommand(ctx, append(args, "./"+pkg)...)
}

func (b *bench) goCommand(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.root
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOCACHE="+b.cache)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// program is the tests of a package, compiled.
type program struct {
	pkg, binary string
	skip        string // further tests that are not run, as a pattern that begins with |
	on          int    // the mutant that is switched on, if they are switches
}

// failure returns the test that fails, or "". A failing test is run once more, alone: the
// machine may have been busy. What passes alone may depend on the tests before it, so
// that then all are run once more.
func (b *bench) failure(ctx context.Context, p program) (string, error) {
	test, err := b.runTests(ctx, p, ".", b.limit)
	if err != nil || test == "" {
		return "", err
	}
	again := test
	if name, _, timeout := strings.Cut(test, " "); name != leak {
		alone, within := "^"+name+"$", b.limit
		if timeout {
			start, unchanged := time.Now(), program{pkg: p.pkg, binary: filepath.Join(b.work, original(p.pkg))}
			if _, err := b.runTests(ctx, unchanged, alone, slower*b.limit); err != nil {
				return "", err
			}
			within = max(b.limit/4, slower*time.Since(start))
		}
		again, err = b.runTests(ctx, p, alone, within)
	}
	if err == nil && again == "" {
		again, err = b.runTests(ctx, p, ".", slower*b.limit)
	}
	if err != nil || again == "" {
		return "", err
	}
	return p.pkg + " " + again, nil
}

// leak is the name of a failure after the last test.
const leak = "TestMain"

var (
	began = regexp.MustCompile(`(?m)^=== RUN +([^/\s]+)$`)
	ended = regexp.MustCompile(`(?m)^--- (PASS|SKIP|FAIL): (\S+)`)
)

// runTests returns "" if all tests passed, or the name of the test that failed or ran
// last, with "timeout" after it if the limit passed.
func (b *bench) runTests(ctx context.Context, p program, which string, limit time.Duration) (string, error) {
	args := []string{
		"-test.run=" + which, "-test.skip=" + skipped + p.skip, "-test.failfast", "-test.v", "-test.paniconexit0",
		"-test.timeout=" + limit.String(),
	}
	if p.pkg == simulation {
		args[1] += simulationSkips
		args = append(args, simulationSeeds)
	}
	if b.rapid[p.pkg] {
		args = append(args, "-rapid.nofailfile")
	}
	hard, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(hard, p.binary, args...)
	if sh, err := exec.LookPath("sh"); err == nil {
		script := fmt.Sprintf(`ulimit -v %d 2>/dev/null; exec "$0" "$@"`, maxKilobytes)
		cmd = exec.CommandContext(hard, sh, slices.Concat([]string{"-c", script, p.binary}, args)...)
	}
	cmd.Dir = filepath.Join(b.root, filepath.FromSlash(p.pkg))
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "GOPROXY=off", "MUTANT="+strconv.Itoa(p.on))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case !errors.As(err, &exit) && hard.Err() == nil:
		return "", err
	}
	test := failed(out)
	if hard.Err() != nil || bytes.Contains(out, []byte("panic: test timed out")) {
		test += " timeout"
	}
	return test, nil
}

// failed returns the test that failed by what the tests printed, or else the last one
// that began and did not end.
func failed(out []byte) string {
	over := map[string]bool{}
	for _, e := range ended.FindAllSubmatch(out, -1) {
		if string(e[1]) == "FAIL" {
			return string(e[2])
		}
		over[string(e[2])] = true
	}
	all := began.FindAllSubmatch(out, -1)
	for i := len(all) - 1; i >= 0; i-- {
		if name := string(all[i][1]); !over[name] {
			return name
		}
	}
	return leak
}
