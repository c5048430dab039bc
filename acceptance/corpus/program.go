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
	"strings"
	"time"
)

// seeds is the folder in which go test looks for the inputs of a package's targets.
var seeds = filepath.Join("testdata", "fuzz")

// program is the tests of a package, compiled with counters in the blocks of that package. It runs in a folder
// that mirrors the package's: the folder of the inputs is its own, and all else are links to the checkout.
type program struct {
	binary, folder, profile string
}

// longest is how long one run may take: of inputs that go test -fuzz has run before.
const longest = 5 * time.Minute

// compile compiles the tests of a package, in the folder work.
func compile(ctx context.Context, root, work string, p pkg) (*program, error) {
	folder, err := mirror(root, filepath.Join(work, "checkout"), filepath.Join(p.folder, seeds))
	if err != nil {
		return nil, err
	}
	tests := &program{
		binary: filepath.Join(work, "fuzz.test.exe"), profile: filepath.Join(work, "profile"),
		folder: strings.TrimSuffix(folder, string(filepath.Separator)+seeds),
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-covermode=set", "-coverpkg="+p.path,
		"-o", tests.binary, p.path)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c %s: %w: %.500s", p.path, err, out)
	}
	return tests, nil
}

// mirror makes a folder below to for one below from, and links to all that is beside it or beside a folder
// above it. Tests read files by relative names.
func mirror(from, to, folder string) (string, error) {
	for name := range strings.SplitSeq(folder, string(filepath.Separator)) {
		if err := os.MkdirAll(to, 0o755); err != nil {
			return "", err
		}
		entries, err := os.ReadDir(from)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		for _, entry := range entries {
			if entry.Name() == name {
				continue
			}
			if err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
				return "", err
			}
		}
		from, to = filepath.Join(from, name), filepath.Join(to, name)
	}
	return to, os.MkdirAll(to, 0o755)
}

// errOld is the error of an input whose arguments are not those of the target.
var errOld = errors.New("other arguments")

// refused is what testing prints of such an input.
var refused = regexp.MustCompile(`(wrong number of values|mismatched types) in corpus entry|: unmarshal: `)

// failure is what was printed by a run that failed.
type failure struct{ printed []byte }

func (f *failure) Error() string { return fmt.Sprintf("it fails:\n%.2000s", f.printed) }

// run runs a target on inputs, and returns the blocks that are reached. The part is "" for all, or a pattern of
// the names of inputs, with a slash before it: then the seeds in the source are left out. The error is a
// *failure if the target fails.
func (p *program) run(ctx context.Context, name, part string, inputs []input) (blocks, error) {
	folder := filepath.Join(p.folder, seeds, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	for _, in := range inputs {
		if err := os.Symlink(in.file, filepath.Join(folder, filepath.Base(in.file))); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, p.binary, "-test.run=^"+name+"$"+part, "-test.coverprofile="+p.profile,
		"-test.timeout="+longest.String(), "-test.paniconexit0")
	cmd.Dir, cmd.WaitDelay = p.folder, time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit) && refused.Match(out):
		return nil, errOld
	case errors.As(err, &exit):
		return nil, &failure{bytes.TrimSpace(out)}
	case err != nil:
		return nil, err
	}
	text, err := os.ReadFile(p.profile)
	if err != nil {
		return nil, err
	}
	return parseProfile(string(text))
}
