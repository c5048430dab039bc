package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// options are the flags.
type options struct {
	root, found string
	most        int // inputs of a target
	bytes       int // of an input
	atOnce      int
}

// together is how many inputs run at once at most. Few reach a block that the seeds do not, so that most are
// run just once.
const together = 64

// result is what became of a target.
type result struct {
	target           string
	found, left, old int // inputs; left are those outside the limits
	added, kept      int
	bytes            int // of those kept
	blocks, missed   int
	failure          error // of an input; nothing is added then
}

const heading = "target                                              found  left  old added kept  bytes blocks missed"

func (r *result) String() string {
	if r.failure != nil {
		return fmt.Sprintf("%-51s %v", r.target, r.failure)
	}
	return fmt.Sprintf("%-51s %5d %5d %4d %5d %4d %6d %6d %6d",
		r.target, r.found, r.left, r.old, r.added, r.kept, r.bytes, r.blocks, r.missed)
}

// keepPackage keeps inputs for each target of a package.
func (o *options) keepPackage(ctx context.Context, p pkg) (results []*result, err error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	work, err := os.MkdirTemp("", "corpus")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	tests, err := compile(ctx, o.root, work, p)
	if err != nil {
		return nil, err
	}
	for _, name := range p.targets {
		r := &result{target: filepath.ToSlash(p.folder) + " " + name}
		err := o.keep(ctx, r, tests, filepath.Join(o.found, filepath.FromSlash(p.path), name),
			filepath.Join(o.root, p.folder, seeds, name), name)
		if failed := new(failure); errors.As(err, &failed) {
			r.failure, err = err, nil
		}
		if err != nil {
			return results, fmt.Errorf("%s: %w", r.target, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// keep copies some of the inputs that were found for a target to where they are kept.
func (o *options) keep(ctx context.Context, r *result, tests *program, found, kept, name string) error {
	before, err := readInputs(kept)
	if err != nil {
		return err
	}
	all, err := readInputs(found)
	if err != nil {
		return err
	}
	r.found = len(all)
	all = slices.DeleteFunc(all, func(in input) bool { return len(in.text) > o.bytes || !portable(in.text) })
	r.left = r.found - len(all)
	base, err := tests.run(ctx, name, "", before)
	if err != nil {
		return fmt.Errorf("the seeds and what is in %s: %w", kept, err)
	}
	var useful []input
	for group := range slices.Chunk(all, together) {
		some, err := r.reach(ctx, tests, name, base, group)
		if err != nil {
			return err
		}
		useful = append(useful, some...)
	}
	added, missed := choose(useful, o.most-len(before))
	for _, in := range added {
		if err := os.MkdirAll(kept, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(kept, filepath.Base(in.file)), in.text, 0o644); err != nil {
			return err
		}
		maps.Copy(base, in.reaches)
	}
	r.added, r.kept, r.blocks, r.missed = len(added), len(before)+len(added), len(base), len(missed)
	for _, in := range slices.Concat(before, added) {
		r.bytes += len(in.text)
	}
	return nil
}

// native is an argument whose size is the machine's.
var native = regexp.MustCompile(`(?m)^u?int\((-?[0-9]+)\)$`)

// portable reports whether a machine of 32 bits can read an input. Go fails a test that has one it cannot.
func portable(text []byte) bool {
	return !slices.ContainsFunc(native.FindAllSubmatch(text, -1), func(argument [][]byte) bool {
		_, err := strconv.ParseInt(string(argument[1]), 10, 32)
		return err != nil
	})
}

// readInputs returns the files of a folder, if it exists.
func readInputs(folder string) (all []input, err error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, entry := range entries {
		in := input{file: filepath.Join(folder, entry.Name())}
		if in.text, err = os.ReadFile(in.file); err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	return all, err
}

// reach returns those inputs that reach blocks beyond base. While a group of them does, or fails, its halves
// are run.
func (r *result) reach(
	ctx context.Context, tests *program, name string, base blocks, group []input,
) ([]input, error) {
	reached, err := tests.run(ctx, name, "/^[0-9a-f]{16}$", group)
	fresh, failed := reached.without(base), new(failure)
	bad := errors.Is(err, errOld) || errors.As(err, &failed)
	switch single := len(group) == 1; {
	case err != nil && !bad, err == nil && len(fresh) == 0:
		return nil, err
	case single && errors.Is(err, errOld):
		r.old++
		return nil, nil
	case single && bad:
		return nil, fmt.Errorf("%s: %w", group[0].file, err)
	case single:
		return []input{{group[0].file, group[0].text, fresh}}, nil
	}
	first, err := r.reach(ctx, tests, name, base, group[:len(group)/2])
	if err != nil {
		return nil, err
	}
	second, err := r.reach(ctx, tests, name, base, group[len(group)/2:])
	return append(first, second...), err
}
