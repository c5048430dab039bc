package main

import (
	"strings"
	"testing"
)

// word returns a word that this file must not spell.
func word(parts ...string) string { return strings.Join(parts, "") }

func TestWordsArePlanted(t *testing.T) {
	for _, c := range []struct{ path, text, want string }{
		{"a.go", "package a\n\n// f is " + word("to", "ld") + " of it.\nfunc f() {}\n", "a.go:3: "},
		{"a.go", "package a\n\n// f is\n// there for\n// " + word("ev", "er") + ".\nfunc f() {}\n", "a.go:4: "},
		{"a.go", "package a\n\nvar s = `x\na " + word("time", "-out") + "`\n", "a.go:4: "},
		{"a.go", "package a\n\nfunc Test" + word("No", "body") + "Waits() {}\n", "a.go:3: "},
		{"a.go", "package a\n\nfunc TestIt" + word("Is", "None") + "() {}\n", "a.go:3: "},
		{word("no", "body") + "_test.go", "package a\n", "_test.go:1: "},
		{"README.md", "A\n\nB " + word("st", "ands") + " here.\n", "README.md:3: "},
		{"domain/testdata/conversations/x.txt", "# " + word("an", "ew") + "\n", "x.txt:1: "},
		{"domain/a.go", "package a\n\ntype t struct{ " + word("dou", "bt") + " int }\n", "a.go:3: "},
		{"domain/a.go", "package a\n\nfunc f() { for " + word("twi", "ce") + " := range 2 {\n}}\n", "a.go:3: "},
		{"ports/a.go", "package a\n\nfunc f() { for " + word("twi", "ce") + " := range 2 {\n}}\n", ""},
		{"a.go", "package a\n\nfunc " + word("jud", "ge") + "Reply() {}\n", "a.go:3: "},
		{"a.go", "package a\n\nfunc misjudged() {}\n", ""},
		{"a_test.go", "package a\n\nvar " + word("si", "te") + " int\n", "a_test.go:3: "},
		{"a.go", "package a\n\nvar " + word("si", "te") + " int\n", ""},
		{"a.go", "package a\n\n// f waits forever, and standing by is untold.\nfunc f() {}\n", ""},
		{"x/testdata/a.go", "package a\n\n// " + word("an", "ew") + "\n", ""},
	} {
		dir := plant(t, map[string]string{c.path: c.text, "go.mod": "module m\n", "Makefile": "\n"})
		t.Logf("%s\n%s", c.path, c.text)
		house(t, dir, min(len(c.want), 1), c.want, "words")
	}
}

func TestExceptionsApply(t *testing.T) {
	l := must(readLanguage())
	planted := word("an", "ew")
	dir := plant(t, map[string]string{"a/x.md": planted, "ab/x.md": planted})
	l.exceptions = append(l.exceptions, row{"a", planted, "planted"})
	found, err := l.uses(dir, ".")
	if err != nil || len(found) != 1 || found[0].path != "ab/x.md" {
		t.Errorf("got %v, %v, want the use in ab", found, err)
	}
}

func TestSpaced(t *testing.T) {
	for name, want := range map[string]string{
		"HTTPProxyURL_test": "http proxy url test", "f": "f", "isNil": "is nil", "TestA": "test a",
		"sha256Sum": "sha256 sum",
	} {
		if got := spaced(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
