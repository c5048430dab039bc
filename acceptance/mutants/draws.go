package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// draws are the mutants of a package that are to be tried, and the verdicts so far. Its methods may be
// called by several goroutines.
type draws struct {
	quota  int // of those that compile
	record *recorder
	stdout io.Writer

	mu       sync.Mutex
	changed  sync.Cond
	left     []*mutant
	underWay int
	count    map[string]int // by verdict
	results  []result
	err      error
}

// newDraws leaves out those whose verdict is known.
func newDraws(mutants []*mutant, quota int, known map[string]result) *draws {
	d := &draws{quota: quota, count: map[string]int{}}
	d.changed.L = &d.mu
	for _, m := range mutants {
		if r, done := known[m.id]; !done {
			d.left = append(d.left, m)
		} else if d.counted() < quota || r.verdict == invalid {
			d.add(r)
		}
	}
	return d
}

func (d *draws) add(r result) {
	d.count[r.verdict]++
	d.results = append(d.results, r)
}

// counted is how many count for the quota.
func (d *draws) counted() int { return d.count[killed] + d.count[survived] }

// next returns the mutant to be tried next; nil if all were. It waits while those under way may fill
// the quota.
func (d *draws) next() *mutant {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.err == nil && d.counted() < d.quota && len(d.left) > 0 {
		if d.counted()+d.underWay < d.quota {
			m := d.left[0]
			d.left = d.left[1:]
			d.underWay++
			return m
		}
		d.changed.Wait()
	}
	return nil
}

// end takes the result of a mutant that next returned.
func (d *draws) end(r *result, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.changed.Broadcast()
	d.underWay--
	if err == nil {
		err = d.record.append(r)
	}
	if err != nil {
		d.err = errors.Join(d.err, err)
		return
	}
	d.add(*r)
	fmt.Fprintf(d.stdout, "%-8s %s\t%s\n", r.verdict, &r.mutant, r.by)
}
