package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// defaultPackages are mutated if none is named.
var defaultPackages = []string{"domain", "application/broker"}

// sample draws mutants and runs them. The draw of a package depends on the seed and the
// package's source only.
func sample(ctx context.Context, o options, stdout io.Writer) (err error) {
	packages := o.args
	if len(packages) == 0 {
		packages = defaultPackages
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.prove(ctx, packages); err != nil {
		return err
	}
	mutants, quotas, err := draw(b.root, packages, o)
	if err != nil {
		return err
	}
	reasons, err := readReasons(filepath.Join(b.root, "acceptance/mutants/testdata/reasons.tsv"))
	if err != nil {
		return err
	}
	start, out, top := time.Now(), o.out, header(ctx, b, o, packages)
	var all []result
	for i, pkg := range packages {
		var killer map[string]string
		if o.cache != "" {
			if out, err = b.cached(o.cache, pkg); err != nil {
				return err
			}
			if killer, err = killers(o.cache, pkg); err != nil {
				return err
			}
		}
		results, err := b.recorded(ctx, mutants[i], quotas[i], killer, out, top, stdout)
		if err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
		all = append(all, results...)
	}
	fmt.Fprintf(stdout, "in all %v\n", time.Since(start).Round(time.Second))
	return score(all, reasons, stdout)
}

// cached returns the record of a package in a folder. Its name depends on the text of the package, and of all
// whose tests are run, with what these read.
func (b *bench) cached(dir, pkg string) (file string, err error) {
	sum := sha256.New()
	for _, of := range append(b.testsOf(pkg), pkg) {
		names, err := inputsOf(filepath.Join(b.root, filepath.FromSlash(of)))
		if err != nil {
			return "", err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(name), len(text), text)
		}
	}
	return filepath.Join(dir, recordName(pkg, fmt.Sprintf("%.8x", sum.Sum(nil)))), os.MkdirAll(dir, 0o755)
}

// inputsOf returns the files of the package in a folder, and all in its testdata.
func inputsOf(folder string) (names []string, err error) {
	if names, err = filepath.Glob(filepath.Join(folder, "*.go")); err != nil {
		return nil, err
	}
	err = filepath.WalkDir(filepath.Join(folder, "testdata"), func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // most packages have none
		err = nil
	}
	return names, err
}

// recordName returns the name of the record of a package in a state.
func recordName(pkg, state string) string {
	return strings.ReplaceAll(pkg, "/", "-") + "-" + state + ".tsv"
}

// killers returns the test that killed each mutant, by id, in the records of any state of a package.
func killers(dir, pkg string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, recordName(pkg, strings.Repeat("[0-9a-f]", 16))))
	if err != nil {
		return nil, err
	}
	killer := map[string]string{}
	for _, name := range names {
		results, err := readRecord(name)
		if err != nil {
			return nil, err
		}
		for _, r := range results {
			if r.verdict == killed {
				killer[r.mutant.id] = r.by
			}
		}
	}
	return killer, nil
}

// recorded runs mutants of one package, but for those whose verdict the record has.
func (b *bench) recorded(
	ctx context.Context, mutants []*mutant, quota int, killer map[string]string, file, header string, stdout io.Writer,
) (results []result, err error) {
	before, record, err := openRecord(file, header)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, record.close()) }()
	known := map[string]result{}
	for _, r := range before {
		known[r.mutant.id] = r
	}
	return b.sampleOf(ctx, mutants, quota, known, killer, record, stdout)
}

// draw returns the mutants of each package in a random order, and how many of
// each are wanted.
func draw(root string, packages []string, o options) (mutants [][]*mutant, quotas []int, err error) {
	wanted, err := regexp.Compile(o.files)
	if err != nil {
		return nil, nil, err
	}
	lines, all := make([]int, len(packages)), 0
	for i, pkg := range packages {
		found, n, err := findMutants(root, pkg)
		if err != nil {
			return nil, nil, err
		}
		found = slices.DeleteFunc(found, func(m *mutant) bool { return !wanted.MatchString(path.Base(m.file)) })
		r := rand.New(rand.NewPCG(o.seed, uint64(crc32.ChecksumIEEE([]byte(pkg)))))
		r.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		mutants = append(mutants, found)
		lines[i], all = n, all+n
	}
	if o.n == 0 {
		for _, of := range mutants {
			quotas = append(quotas, len(of))
		}
		return mutants, quotas, nil
	}
	rest := o.n
	for i, n := range lines {
		quota := min(rest, (o.n*n+all/2)/all)
		if i == len(lines)-1 {
			quota = rest
		}
		quotas, rest = append(quotas, quota), rest-quota
	}
	return mutants, quotas, nil
}

// manyMutants is from how many on it takes less time to compile all mutants of a package as switches.
const manyMutants = 20

// sampleOf runs the mutants mutants of one package until the quota is full.
func (b *bench) sampleOf(
	ctx context.Context, mutants []*mutant, quota int, known map[string]result, killer map[string]string,
	record *recorder, stdout io.Writer,
) ([]result, error) {
	if len(mutants) == 0 {
		return nil, nil
	}
	start, d := time.Now(), newDraws(mutants, quota, known)
	d.record, d.stdout = record, stdout
	var s *switched
	if min(quota-d.counted(), len(d.left)) > manyMutants {
		var err error
		if s, err = b.switches(ctx, mutants[0].pkg, d.left); err != nil {
			return nil, err
		}
		s.killer = killer
		if quota == len(mutants) { // all will be tried: first those that need no compiler
			slices.SortStableFunc(d.left, func(x, y *mutant) int { return min(s.number[y], 1) - min(s.number[x], 1) })
		}
		fmt.Fprintf(stdout, "%s: %d of %d mutants are compiled at once; %v\n", mutants[0].pkg, len(s.number),
			len(d.left), time.Since(start).Round(time.Second))
	}
	var alone sync.Mutex // such a mutant is written to the same files as others
	var workers sync.WaitGroup
	for range b.workers {
		workers.Go(func() {
			for m := d.next(); m != nil; m = d.next() {
				if s != nil && s.number[m] > 0 {
					d.end(b.tryOn(ctx, m, s))
					continue
				}
				alone.Lock()
				r, err := b.try(ctx, m)
				alone.Unlock()
				d.end(r, err)
			}
		})
	}
	workers.Wait()
	fmt.Fprintf(stdout, "%s: %d killed, %d survived, %d did not compile; %v\n", mutants[0].pkg,
		d.count[killed], d.count[survived], d.count[invalid], time.Since(start).Round(time.Second))
	return d.results, d.err
}

// header returns the comment at the top of a record.
func header(ctx context.Context, b *bench, o options, packages []string) string {
	commit := "unknown"
	cmd := exec.CommandContext(ctx, "git", "rev-parse", "HEAD")
	cmd.Dir = b.root
	if out, err := cmd.Output(); err == nil {
		commit = strings.TrimSpace(string(out))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# mutants run -n %d -seed %d %s\n", o.n, o.seed, strings.Join(packages, " "))
	fmt.Fprintf(&text, "# commit %s\n", commit)
	fmt.Fprintf(&text, "# tests not run: %s\n# limit for the tests of one package: %v\n", skipped, b.limit)
	for _, pkg := range packages {
		fmt.Fprintf(&text, "# tests of %s mutants: %s\n", pkg, strings.Join(b.testsOf(pkg), ", then "))
	}
	return text.String()
}
