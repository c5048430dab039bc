package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCodeLines(t *testing.T) {
	const text = "// Package a.\npackage a\n\n/* one\ntwo */\nvar x = 1 /* three\nfour */ + 2\n\n" +
		"var s = `a\n\nb`\n\n// f is.\nfunc f() {\n\t// nothing\n}\n"
	if got := codeLines([]byte(text)); got != 7 {
		t.Errorf("got %d lines, want 7", got)
	}
	wide := "package a\n\nvar s = \"" + strings.Repeat("x", 2*maxColumns) + "\"\n"
	if got := codeLines([]byte(wide)); got != 4 {
		t.Errorf("wide line: got %d lines, want 4", got)
	}
}

func TestCount(t *testing.T) {
	wide := "package a\n\n// " + strings.Repeat("x", maxColumns) + "\n"
	dir := plant(t, map[string]string{
		"a/a.go": wide, "a/a_test.go": "package a\n\nvar x int\n", "a/testdata/t.go": "package t\n",
		"b/c/b.go": "package c\n", "b/d.go": "package b\n", "acceptance/c.go": "package c\n",
		"acceptance/c_test.go": "package c\n", "mocks/m.go": "package m\nvar y int\n", ".git/x.go": "package x\n",
	})
	s, err := count(dir)
	if err != nil || s.shipped != 3 || s.tests != 3 || s.acceptance != 1 || s.generated != 2 {
		t.Errorf("got %+v, %v, want 3, 3, 1, 2", s, err)
	}
	if want := []string{"a/a.go:3: 123 columns"}; !slices.Equal(s.wide, want) {
		t.Errorf("got %q, want %q", s.wide, want)
	}
	house(t, dir, 0, "shipped                  3\n"+
		"    a                      1\n    b                      2\n", "count")
}

func TestLimits(t *testing.T) {
	files := map[string]string{}
	for i := range 41 {
		files[fmt.Sprintf("domain/f%d.go", i)] = "package domain\n"
		files[fmt.Sprintf("a/f%d_test.go", i)] = "package a\n"
		if i < 30 {
			files[fmt.Sprintf("a/f%d.go", i)] = "package a\n"
		}
	}
	dir := plant(t, files)
	out := house(t, dir, 1, "domain: 41 files that are no tests, at most 40\n", "limits")
	if strings.Contains(out, "a: ") {
		t.Errorf("got\n%s", out)
	}
}

func TestUsage(t *testing.T) {
	wrong := [][]string{{}, {"x"}, {"count", "x"}, {"api", "x"}, {"words", "x"}, {"-x"}, {"words", "-pkg", "none"}}
	for _, args := range wrong {
		house(t, t.TempDir(), 2, "", args...)
	}
}
