package main

import (
	"fmt"
	"go/format"
	"go/scanner"
	"go/token"
	"io"
	"maps"
	"slices"
	"strings"
)

// A line counts if a part of it is neither blank nor comment after gofmt. A line of a raw
// string counts if it is not blank. A line that is too wide counts as the lines of
// maxColumns that it fills, so that breaking it changes no sum.

// maxColumns is how wide a line may be. A tab counts as four columns.
const (
	maxColumns = 120
	tabColumns = 4
)

// sizes are lines of code by what the code is for.
type sizes struct {
	shipped    int            // neither test nor in acceptance, mocks or findings
	layers     map[string]int // shipped, by the folder at the top
	tests      int            // in _test.go files, wherever they are
	acceptance int            // programs of acceptance
	generated  int            // mocks
	wide       []string
}

// count returns the sizes of a checkout and the places of lines that are too wide.
func count(root string) (s sizes, err error) {
	files, err := readGo(root)
	if err != nil {
		return s, err
	}
	s.layers = map[string]int{}
	for _, f := range files {
		text, err := format.Source(f.text)
		if err != nil {
			return s, fmt.Errorf("%s: %w", f.path, err)
		}
		n := codeLines(text)
		switch {
		case f.isTest():
			s.tests += n
		case within(f.path, "acceptance"), within(f.path, "findings"):
			s.acceptance += n
		case within(f.path, "mocks"):
			s.generated += n
			continue
		default:
			s.shipped += n
			layer, _, _ := strings.Cut(f.path, "/")
			s.layers[layer] += n
		}
		s.wide = append(s.wide, wideLines(f.path, text)...)
	}
	return s, nil
}

// codeLines returns how many lines of a file hold code.
func codeLines(text []byte) (n int) {
	lines := map[int]bool{}
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		if tok == token.SEMICOLON && literal == "\n" {
			continue // not in the text
		}
		first := file.Line(pos)
		for i, line := range strings.Split(literal, "\n") {
			if i == 0 || strings.TrimSpace(line) != "" {
				lines[first+i] = true
			}
		}
	}
	number := 0
	for line := range strings.Lines(string(text)) {
		if number++; lines[number] {
			n += 1 + max(columns(line)-1, 0)/maxColumns
		}
	}
	return n
}

// columns returns the width of a line.
func columns(line string) int {
	line = strings.TrimSuffix(line, "\n")
	return len([]rune(line)) + (tabColumns-1)*strings.Count(line, "\t")
}

// wideLines returns the places of the lines over maxColumns.
func wideLines(path string, text []byte) (places []string) {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if n := columns(line); n > maxColumns {
			places = append(places, fmt.Sprintf("%s:%d: %d columns", path, number, n))
		}
	}
	return places
}

// printCount prints the sizes. Wide lines are no error here: the test holds them.
func printCount(root string, out io.Writer) error {
	s, err := count(root)
	if err != nil {
		return err
	}
	for _, place := range s.wide {
		fmt.Fprintln(out, place)
	}
	fmt.Fprintf(out, `lines of code, without blank lines and comments:
  shipped             %6d
`, s.shipped)
	for _, layer := range slices.Sorted(maps.Keys(s.layers)) {
		fmt.Fprintf(out, "    %-17s %6d\n", layer, s.layers[layer])
	}
	_, err = fmt.Fprintf(out, `  tests               %6d
  acceptance programs %6d
  mocks               %6d
lines over %d columns (a tab is %d): %d
`, s.tests, s.acceptance, s.generated, maxColumns, tabColumns, len(s.wide))
	return err
}
