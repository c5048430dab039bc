package main

import (
	"bytes"
	"context"
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
)

// maxKilobytes bounds the memory of a test process. A mutant may allocate without end.
const maxKilobytes = 6 << 20

// skipped are tests that read the source of the checkout, which has no mutant in it,
// tests that take seconds and are about other packages, and one that takes most of the time of domain/release and
// killed none of the first 120 mutants that others did not.
const skipped = "^(Test.*(Imports|Pure|Purity|ImportLaw|TopLevel).*|TestReadme.*|TestNoSecret.*|TestIdentifyVariants)$"

// simulation is the package of the simulation, whose golden traces notice each change, also one that is right.
// Tests of how it shrinks, explains and counts take most of its time and are about itself.
const (
	simulation      = "application/sim"
	simulationSkips = "|^(TestGolden|TestSameSeedSameTrace|Test.*Shr[iu]nk.*|Test(Explain|Coverage)ChangesNothing)$"
	simulationSeeds = "-sim.seeds=1000"
)

// program is the tests of a package, compiled.
type program struct {
	pkg, binary string
	on          int    // the mutant that is switched on, if they are switches
	seen        string // a file that gets the numbers of the switches that the tests come to, if not empty
}

// failure returns the test that fails among those of a pattern, or "". A failing test is run once more,
// alone: the machine may have been busy. What passes alone may depend on the tests before it, so
// that then all are run once more.
func (b *bench) failure(ctx context.Context, p program, which string, limit time.Duration) (string, error) {
	test, err := b.runTests(ctx, p, which, limit)
	if err != nil || test == "" {
		return "", err
	}
	again := test
	if name, _, timeout := strings.Cut(test, " "); name != leak {
		single, within := alone(name), b.limit
		if timeout {
			start, unchanged := time.Now(), program{pkg: p.pkg, binary: filepath.Join(b.work, original(p.pkg))}
			if _, err := b.runTests(ctx, unchanged, single, slower*b.limit); err != nil {
				return "", err
			}
			within = max(b.limit/4, slower*time.Since(start))
		}
		again, err = b.runTests(ctx, p, single, within)
	}
	if err == nil && again == "" {
		again, err = b.runTests(ctx, p, which, slower*b.limit)
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
		"-test.run=" + which, "-test.skip=" + skipped, "-test.failfast", "-test.v", "-test.paniconexit0",
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
	cmd.Env = append(os.Environ(), "GOPROXY=off", "MUTANT="+strconv.Itoa(p.on), "MUTANTS_SEEN="+p.seen)
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
