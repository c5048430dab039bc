package main

import (
	"slices"
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	got := difference("a\nb\nc\nd\n", "a\nc\nx\nd\ny\n")
	if want := []string{"- b", "+ x", "+ y"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := difference("a\n", "a\n"); got != nil {
		t.Errorf("got %q, want none", got)
	}
}

// TestAPIOfACheckout changes the API of a small module.
func TestAPIOfACheckout(t *testing.T) {
	files := map[string]string{
		"go.mod":               "module m\n",
		"a/b/b.go":             "// Package b is one.\npackage b\n\n// F does.\nfunc F() {}\n\nfunc g() {}\n",
		"a/internal/i.go":      "package internal\n",
		"acceptance/x.go":      "package x\n",
		"mocks/x.go":           "package x\n",
		"cmd/main.go":          "package main\n\nfunc main() {}\n",
		apiDir + "/gone.txt":   "package gone\n",
		apiDir + "/readme.md":  "",
		"a/b/testdata/data.go": "package data\n",
	}
	dir := plant(t, files)
	out := house(t, dir, 1, "== gone.txt\n- package gone\n", "api")
	if strings.Count(out, "==") != 2 || !strings.Contains(out, "== a.b.txt\n") ||
		!strings.Contains(out, "+ func F()\n") {
		t.Errorf("got\n%s", out)
	}
	house(t, dir, 0, "", "api", "-update")
	house(t, dir, 0, "", "api")
	api, err := committedAPI(dir)
	const want = `package b // import "module/a/b"`
	if text := api["a.b.txt"]; err != nil || len(api) != 1 || !strings.HasPrefix(text, want) {
		t.Errorf("got %q, %v", api, err)
	}
}

// TestAPI shows what a change does to the API: the difference belongs in its commit.
func TestAPI(t *testing.T) {
	if changes := apiChanges(must(committedAPI(root)), must(readAPI(root))); len(changes) > 0 {
		all := strings.Join(changes, "\n")
		t.Errorf("the API differs from %s; commit the difference with make api:\n%s", apiDir, all)
	}
}
