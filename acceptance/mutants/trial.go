package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brokerconn/acceptance/buildcache"
)

// slower is how many times longer than without the mutant a test may take alone.
const slower = 10

// trials holds, for each package, the packages whose tests are run, the quickest first.
// The first failure ends the trial. A package that the checkout does not have is left out.
var trials = map[string][]string{
	"domain":             {"domain", "application/sim", "domain/release", "application/broker", "acceptance/lessons"},
	"domain/release":     {"domain/release", "domain", "application/sim", "application/broker"},
	"application/broker": {"application/sim", "application/broker", "acceptance/lessons"},

	"adapters/kafkacodec":       {"adapters/kafkacodec", "application/sim", "application/broker"},
	"adapters/netlink":          {"adapters/netlink", "adapters/tcp", "adapters/tls"},
	"adapters/sasl":             {"adapters/sasl", "adapters/sasl/plain", "adapters/sasl/scram", "application/sim"},
	"adapters/sasl/plain":       {"adapters/sasl/plain", "application/sim"},
	"adapters/sasl/scram":       {"adapters/sasl/scram", "application/sim"},
	"adapters/sasl/oauthbearer": {"adapters/sasl/oauthbearer", "application/sim"},
}

// bench runs mutants of one checkout.
type bench struct {
	root    string        // absolute path
	work    string        // folder for what is built
	cache   string        // of go build
	limit   time.Duration // see options
	tests   int           // see options
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
	return &bench{root: root, work: work, cache: cache, limit: o.limit, tests: o.tests, workers: max(o.workers, 1),
		lacking: map[string]bool{}, rapid: map[string]bool{}}, nil
}

func (b *bench) close() error { return errors.Join(os.RemoveAll(b.work), os.RemoveAll(b.cache)) }

// testsOf returns the packages of the checkout whose tests are run on mutants of pkg.
func (b *bench) testsOf(pkg string) (packages []string) {
	for _, p := range append(slices.Clone(trials[pkg]), pkg) {
		if !slices.Contains(packages, p) && !b.lacks(p) {
			packages = append(packages, p)
		}
	}
	if b.tests > 0 {
		packages = packages[:min(b.tests, len(packages))]
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
		by, err := b.failure(ctx, program{pkg: pkg, binary: binary}, ".", b.limit)
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
	if err := os.WriteFile(changed, m.apply(source), 0o644); err != nil {
		return "", err
	}
	return buildcache.Overlay(b.work, map[string]string{original: changed})
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
