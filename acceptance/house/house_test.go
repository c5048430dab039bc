package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the checkout's.
const root = "../.."

func TestLinesAreNarrow(t *testing.T) {
	s := must(count(root))
	t.Logf("%d lines of code shipped, %d of tests, %d in programs of acceptance", s.shipped, s.tests, s.acceptance)
	if s.shipped < 1000 || s.tests < 1000 {
		t.Errorf("the walk missed files: %+v", s)
	}
	for _, place := range s.wide {
		t.Error(place)
	}
}

func TestFilesPerFolder(t *testing.T) {
	for _, broken := range overLimit(must(filesIn(root))) {
		t.Error(broken)
	}
}

func TestWords(t *testing.T) {
	for _, u := range must(must(readLanguage()).uses(root, ".")) {
		t.Error(u)
	}
}

// TestExceptionsAreUsed fails for a row of exceptions.txt that nothing needs any longer.
func TestExceptionsAreUsed(t *testing.T) {
	l := must(readLanguage())
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
	dir, tree := t.TempDir(), fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	if err := os.CopyFS(dir, tree); err != nil {
		t.Fatal(err)
	}
	return dir
}

// house runs the command in a checkout, and checks the exit code and that the output has want.
func house(t *testing.T, dir string, code int, want string, args ...string) (out string) {
	t.Helper()
	var b strings.Builder
	got := run(append([]string{"-dir", dir}, args...), &b, &b)
	if got != code || !strings.Contains(b.String(), want) {
		t.Errorf("house %q: got exit code %d, want %d and %q in\n%s", args, got, code, want, b.String())
	}
	return b.String()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
