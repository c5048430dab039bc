package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

var errLoss = errors.New("a mutant that was killed survives, or is not found and no reason is given")

// compare runs the killed mutants of a record in another checkout. A mutant that does not
// compile there counts as killed: the compiler notices it.
func compare(ctx context.Context, o options, stdout io.Writer) (err error) {
	if len(o.args) != 1 {
		return errors.New(usage)
	}
	found, err := locate(o)
	if err != nil {
		return err
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var packages []string
	for _, f := range found {
		if f.today != nil {
			packages = append(packages, f.today.pkg)
		}
	}
	if !o.list {
		if err := b.prove(ctx, packages); err != nil {
			return err
		}
	}
	before, record, err := openRecord(o.out, "# mutants compare "+filepath.Base(o.args[0])+"\n")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, record.close()) }()
	known := map[string]*result{}
	for i := range before {
		known[before[i].mutant.id] = &before[i]
	}
	return b.compareEach(ctx, o, found, known, record, stdout)
}

// locate finds the killed mutants of the record in the checkout.
func locate(o options) ([]finding, error) {
	all, err := readRecord(o.args[0])
	if err != nil {
		return nil, err
	}
	v, err := readMoves(o.moved)
	if err != nil {
		return nil, err
	}
	var old []*result
	today := map[string][]*mutant{}
	for i, r := range all {
		if r.verdict != killed {
			continue
		}
		old = append(old, &all[i])
		for _, pkg := range append(homes[r.mutant.pkg], r.mutant.pkg) {
			if _, err := os.Stat(filepath.Join(o.dir, filepath.FromSlash(pkg))); err != nil || today[pkg] != nil {
				continue
			}
			if today[pkg], _, err = findMutants(o.dir, pkg); err != nil {
				return nil, err
			}
		}
	}
	found := findAgain(old, today, v)
	for i := range found {
		found[i].reason = v.reason(&found[i].old.mutant)
	}
	return found, nil
}

// compareEach prints a line for each mutant and the sums.
func (b *bench) compareEach(
	ctx context.Context, o options, found []finding, known map[string]*result, record *recorder, stdout io.Writer,
) error {
	const gone, lost, listed = "gone", "lost", "found"
	count := map[string]int{}
	for _, f := range found {
		verdict, detail := "", ""
		switch {
		case f.today == nil && f.reason != "":
			verdict, detail = gone, f.reason
		case f.today == nil:
			verdict, detail = lost, "not found, and the file of moves gives no reason"
		case o.list:
			verdict, detail = listed, f.today.id+" "+f.today.String()
		default:
			r := known[f.today.id]
			if r == nil {
				var err error
				if r, err = b.try(ctx, f.today); err != nil {
					return err
				}
				if err := record.append(r); err != nil {
					return err
				}
			}
			verdict, detail = r.verdict, f.today.String()+"\t"+r.by
		}
		count[verdict]++
		fmt.Fprintf(stdout, "%-8s %s %s\n", verdict, f.old.mutant.id, &f.old.mutant)
		if f.today == nil || f.today.id != f.old.mutant.id || verdict == survived {
			fmt.Fprintf(stdout, "         = %s\n", detail)
		}
	}
	if o.list {
		fmt.Fprintf(stdout, "%d found, %d gone, %d lost\n", count[listed], count[gone], count[lost])
	} else {
		fmt.Fprintf(stdout, "%d found and killed (%d by the compiler), %d found and survived, %d gone, %d lost\n",
			count[killed]+count[invalid], count[invalid], count[survived], count[gone], count[lost])
	}
	if count[survived]+count[lost] > 0 {
		return errLoss
	}
	return nil
}
