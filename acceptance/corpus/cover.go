package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// blocks are blocks of source, as a cover profile names them: the file, where the block begins, where it ends
// and how many statements it has.
type blocks map[string]bool

// parseProfile returns the blocks of a cover profile that were reached. Its lines end with how often.
func parseProfile(text string) (blocks, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if !strings.HasPrefix(lines[0], "mode: ") {
		return nil, fmt.Errorf("a cover profile begins with %.40q", lines[0])
	}
	reached := blocks{}
	for _, line := range lines[1:] {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("a cover profile has the line %q", line)
		}
		if line[at+1:] != "0" {
			reached[line[:at]] = true
		}
	}
	return reached, nil
}

// without returns the blocks that others lacks.
func (b blocks) without(others blocks) blocks {
	rest := maps.Clone(b)
	maps.DeleteFunc(rest, func(block string, _ bool) bool { return others[block] })
	return rest
}

// input is a file that has the arguments of a fuzz target, in Go's form.
type input struct {
	file    string
	text    []byte
	reaches blocks // beyond those of the seeds
}

// choose returns inputs, at most some, that reach all that any of them reaches, and the blocks that are
// missed because there would be too many. The first is the one that reaches most, the next the one that adds most to
// that; among equals it is the smallest. Such a cover is at most a logarithm larger than the least one.
func choose(inputs []input, most int) (chosen []input, missed blocks) {
	missed = blocks{}
	for _, in := range inputs {
		maps.Copy(missed, in.reaches)
	}
	for len(missed) > 0 && len(chosen) < most {
		adds := func(in input) int { return len(in.reaches) - len(in.reaches.without(missed)) }
		best := slices.MinFunc(inputs, func(a, b input) int {
			return cmp.Or(adds(b)-adds(a), len(a.text)-len(b.text), strings.Compare(a.file, b.file))
		})
		chosen = append(chosen, best)
		missed = missed.without(best.reaches)
	}
	return chosen, missed
}
