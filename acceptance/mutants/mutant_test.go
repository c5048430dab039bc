package main

import (
	"slices"
	"strings"
	"testing"
)

// changes returns what the mutants of a function's body look like, as "operator: body".
func changes(t *testing.T, body string) (all []string) {
	t.Helper()
	source := []byte("package a\n\nfunc f() {\n" + body + "\n}\n")
	found, err := mutantsOf("a", "a/a.go", source)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		changed := strings.TrimSuffix(strings.TrimPrefix(string(m.apply(source)), "package a\n\nfunc f() {\n"), "\n}\n")
		all = append(all, m.operator+": "+changed)
	}
	return all
}

func TestOperators(t *testing.T) {
	for body, want := range map[string][]string{
		"_ = a < b":                    {"delete: ", "compare: _ = a <= b"},
		"a := b <= c":                  {"compare: a := b < c"},
		"a := b > c":                   {"compare: a := b >= c"},
		"a := b >= c":                  {"compare: a := b > c"},
		"a := b == c":                  {"compare: a := b != c"},
		"a := b != c":                  {"compare: a := b == c"},
		"a := b + c":                   nil,
		"a := 0x10":                    {"plus: a := (0x10+1)", "minus: a := (0x10-1)"},
		"a := 'x' + 1.5":               nil,
		"if a { g := b; return g }":    {"negate: if !(a) { g := b; return g }", "return: if a {}"},
		"if a == b { return }":         {"return: if a == b {}", "compare: if a != b { return }"},
		"if a { return } else { h }":   {"negate: if !(a) { return } else { h }", "delete: if a { return } else {  }"},
		"for a {}":                     {"negate: for !(a) {}"},
		"for i = a; ; i++ {}":          nil,
		"for {}":                       nil,
		"f()":                          {"delete: "},
		"defer f()":                    {"delete: "},
		"i++":                          {"delete: "},
		"c <- i":                       {"delete: "},
		"switch { case a: b = c }":     {"delete: switch { case a:  }"},
		"select { case b = <-c: f() }": {"delete: select { case b = <-c:  }"},
	} {
		if got := changes(t, body); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", body, got, want)
		}
	}
}

func TestMutantsAreNamed(t *testing.T) {
	dir := plant(t, map[string]string{
		"a/a.go":      "package a\n\ntype T struct{}\n\nfunc (t *T) M() { f(); f() }\n\nvar x, y = 1, 2\n",
		"a/b.go":      "package a\n\nfunc G[E any](e E) bool {\n\treturn len(x) ==\n\t\t3\n}\n",
		"a/a_test.go": "package a\n\nvar z = 1\n",
	})
	found, lines, err := findMutants(dir, "a")
	if err != nil || lines != 13 {
		t.Errorf("got %d lines, %v, want 13", lines, err)
	}
	var got []string
	ids := map[string]bool{}
	for _, m := range found {
		ids[m.id] = true
		got = append(got, m.String()+" "+string(rune('0'+m.ordinal)))
	}
	want := []string{
		"a/a.go:5:19 delete T.M: f() 0",
		"a/a.go:5:24 delete T.M: f() 1",
		"a/a.go:7:12 plus var x: x, y = 1, 2 0",
		"a/a.go:7:12 minus var x: x, y = 1, 2 0",
		"a/a.go:7:15 plus var x: x, y = 1, 2 1",
		"a/a.go:7:15 minus var x: x, y = 1, 2 1",
		"a/b.go:4:16 compare G: len(x) == 3 0",
		"a/b.go:5:3 plus G: 3 0",
		"a/b.go:5:3 minus G: 3 0",
	}
	if !slices.Equal(got, want) || len(ids) != len(want) {
		t.Errorf("got %d ids of\n%s\nwant\n%s", len(ids), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	moved := plant(t, map[string]string{
		"a/c.go": "package a\n\n// T is.\ntype T struct{}\n\nfunc (t T) M() {\n\tf()\n}\n",
	})
	again, _, err := findMutants(moved, "a")
	if err != nil || len(again) != 1 || again[0].id != found[0].id {
		t.Errorf("in another file: got %v, %v, want the id %s", again, err, found[0].id)
	}
	if _, _, err := findMutants(dir, "none"); err == nil {
		t.Error("a folder without Go files: got no error")
	}
}
