package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// workshop is where defects are tried.
type workshop struct {
	root, cache string
	seeds       int
	domain      bool            // the tests of package domain are run too
	imported    map[string]bool // by these tests: folders
}

// trial is what became of one defect.
type trial struct {
	seed      uint64
	invariant string
	lines     int // of the least plan
	took      time.Duration
	domain    string // what the tests of package domain do: pass, or fail; "" if they are not run
}

func (t *trial) String() string {
	took := t.took.Round(time.Millisecond)
	return fmt.Sprintf("%6d  %-18s %5d  %9v  %s", t.seed, t.invariant, t.lines, took, t.domain)
}

// try runs seeds over the product with one defect in it.
func (w *workshop) try(ctx context.Context, file string) (*trial, error) {
	d, err := readDefect(file)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "planted")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	overlay, err := d.overlay(w.root, work)
	if err != nil {
		return nil, err
	}
	t, err := w.campaign(ctx, overlay, work)
	if err == nil && w.domain {
		t.domain, err = w.domainTests(ctx, d, overlay, work)
	}
	return t, err
}

// longest is how long the seeds may take, and the least plan: with a defect a connection may never rest.
const longest = 10 * time.Minute

// campaign runs the seeds until one fails.
func (w *workshop) campaign(ctx context.Context, overlay, work string) (*trial, error) {
	program := filepath.Join(work, "seeds.exe")
	if err := w.build(ctx, "build", "acceptance/planted/seeds", overlay, program); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, longest)
	defer stop()
	out, err := exec.CommandContext(ctx, program, "-seeds", fmt.Sprint(w.seeds)).Output()
	var found *struct {
		Seed            uint64
		Invariant, Plan string
		Took            time.Duration
	}
	if err = cmp.Or(err, json.Unmarshal(out, &found)); err != nil {
		return nil, fmt.Errorf("the seeds: %w: %.500s", err, out)
	}
	if found == nil {
		return nil, fmt.Errorf("not found within %d seeds", w.seeds)
	}
	return &trial{seed: found.Seed, invariant: found.Invariant, took: found.Took,
		lines: strings.Count(found.Plan, "\n")}, nil
}

// domainTests runs the tests of package domain, and returns whether they pass with the defect. Those
// that do not import its package do.
func (w *workshop) domainTests(ctx context.Context, d defect, overlay, work string) (verdict string, err error) {
	if !w.imported[filepath.Join(w.root, filepath.Dir(d.file))] {
		return "passes", nil
	}
	tests := filepath.Join(work, "domain.test.exe")
	if err := w.build(ctx, "test", "domain", overlay, tests); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, tests, "-test.failfast", "-test.timeout=2m")
	cmd.Dir = filepath.Join(w.root, "domain")
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		return "passes", nil
	case errors.As(err, &exit) && ctx.Err() == nil:
		return "fails", nil
	default:
		return "", err
	}
}

// imports finds the folders of the packages that the tests of package domain import.
func (w *workshop) imports(ctx context.Context) error {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-test", "-f", "{{.Dir}}", "./domain")
	list.Dir = w.root
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	w.imported = map[string]bool{}
	for _, folder := range strings.Fields(string(out)) {
		w.imported[folder] = true
	}
	return nil
}

// build builds the program of a folder, or its tests, with a defect.
func (w *workshop) build(ctx context.Context, what, folder, overlay, to string) error {
	args := []string{"build"}
	if what == "test" {
		args = []string{"test", "-c", "-vet=off"}
	}
	args = append(args, "-ldflags=-s -w", "-overlay", overlay, "-o", to, "./"+folder)
	build := exec.CommandContext(ctx, "go", args...)
	build.Dir, build.Env = w.root, append(os.Environ(), "GOCACHE="+w.cache)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %.500s", args[0], err, out)
	}
	return nil
}
