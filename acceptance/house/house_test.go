package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the checkout's.
const root = "../.."

func TestLinesAreNarrow(t *testing.T) {
	s, err := count(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lines of code shipped, %d of tests, %d in programs of acceptance", s.shipped, s.tests, s.acceptance)
	if s.shipped < 1000 || s.tests < 1000 {
		t.Errorf("the walk missed files: %+v", s)
	}
	for _, place := range s.wide {
		t.Error(place)
	}
}

func TestFilesPerFolder(t *testing.T) {
	files, err := filesIn(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range overLimit(files) {
		t.Error(broken)
	}
}

func TestWords(t *testing.T) {
	l, err := readLanguage()
	if err != nil {
		t.Fatal(err)
	}
	found, err := l.uses(root, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range found {
		t.Error(u)
	}
}

// TestExceptionsAreUsed fails for a row of exceptions.txt that nothing needs any longer.
func TestExceptionsAreUsed(t *testing.T) {
	l, err := readLanguage()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range l.exceptions {
		all := *l
		all.exceptions = nil
		found, err := all.uses(root, r[0])
		if err != nil || !slices.ContainsFunc(found, func(u use) bool { return strings.EqualFold(u.word, r[1]) }) {
			t.Errorf("exceptions.txt: no use of %q in %s (%v)", r[1], r[0], err)
		}
	}
}

// plant writes a checkout of the named files.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// house runs the command in a checkout.
func house(t *testing.T, dir string, args ...string) (code int, out string) {
	t.Helper()
	var b strings.Builder
	code = run(append([]string{"-dir", dir}, args...), &b, &b)
	return code, b.String()
}
