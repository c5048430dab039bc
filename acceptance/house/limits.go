package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// How many non-test Go files a folder may have: what a reader can take in at once.
const (
	maxFiles       = 30
	maxDomainFiles = 40
)

// filesIn returns the number of non-test Go files of each folder.
func filesIn(root string) (map[string]int, error) {
	files, err := readGo(root)
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for _, f := range files {
		if !f.isTest() {
			n[f.dir()]++
		}
	}
	return n, nil
}

// overLimit returns a line for each folder with too many files.
func overLimit(files map[string]int) (broken []string) {
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		limit := maxFiles
		if dir == "domain" {
			limit = maxDomainFiles
		}
		if files[dir] > limit {
			broken = append(broken, fmt.Sprintf("%s: %d files that are no tests, at most %d", dir, files[dir], limit))
		}
	}
	return broken
}

func printLimits(root string, out io.Writer) error {
	files, err := filesIn(root)
	if err != nil {
		return err
	}
	for _, dir := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(out, "%4d  %s\n", files[dir], dir)
	}
	return printBroken(out, overLimit(files))
}

// printBroken prints broken rules and returns errBroken if there are any.
func printBroken(out io.Writer, broken []string) error {
	for _, b := range broken {
		fmt.Fprintln(out, b)
	}
	if len(broken) > 0 {
		return errBroken
	}
	return nil
}
