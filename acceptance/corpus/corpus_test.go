package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is a function with three branches, and fuzz targets that all call it. Their seed takes the first branch.
var module = map[string]string{
	"go.mod": "module m\n\ngo 1.26\n",
	"a/a.go": `package a

func F(b []byte) (n int) {
	if len(b) > 0 && b[0] == 'a' {
		n++
	}
	if len(b) > 1 && b[1] == 'b' {
		n++
	}
	if len(b) > 2 && b[2] == 'c' {
		n++
	}
	return n
}
`,
	"a/a_test.go": `package a

import (
	"os"
	"testing"
)

func fuzz(f *testing.F) {
	seed, err := os.ReadFile("../b/seed")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		F(b)
		if len(b) > 3 && b[3] == '!' {
			t.Error("a defect")
		}
	})
}

func FuzzCover(f *testing.F)   { fuzz(f) }
func FuzzDefect(f *testing.F)  { fuzz(f) }
func FuzzFull(f *testing.F)    { fuzz(f) }
func FuzzKept(f *testing.F)    { fuzz(f) }
func FuzzNothing(f *testing.F) { fuzz(f) }
`,
	"b/seed": "a",
}

// encoded is an input in Go's form.
func encoded(b string) string { return fmt.Sprintf("go test fuzz v1\n[]byte(%q)\n", b) }

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInputsAreKept: each target has inputs that were found, and some that are kept already.
func TestInputsAreKept(t *testing.T) {
	root, found := t.TempDir(), t.TempDir()
	for name, text := range module {
		write(t, text, root, name)
	}
	// The names are what this test goes by; those that Go gives have 16 digits too.
	hash := func(n int) string { return fmt.Sprintf("%016x", n) }
	targets := []struct {
		name        string
		found, kept map[string]string
		want        []string
		line        string // found, left, old, added, kept
	}{
		{"FuzzCover", map[string]string{
			hash(1): encoded("a"),                                  // what the seed reaches
			hash(2): encoded("-b"),                                 // less than 3
			hash(3): encoded("-bc"),                                // all that the seed does not
			hash(4): encoded("-bcd"),                               // as much as 3, and larger
			hash(5): encoded("-bc" + strings.Repeat("-", 1024)),    // too large
			hash(6): "go test fuzz v1\nstring(\"-bc\")\nint(1)\n",  // other arguments
			hash(7): "go test fuzz v1\nstring(\"-bc\")\n",          // of another type
			hash(8): "go test fuzz v0\n" + encoded("-bc")[16:],     // another form
			hash(9): encoded("--c") + strings.Repeat(" ", 1024-30), // as large as may be, and less than 3
		}, nil, []string{hash(3)}, "9 1 3 1 1"},
		{"FuzzDefect", map[string]string{hash(1): encoded("-bc"), hash(2): encoded("---!")}, nil, nil, ""},
		{"FuzzFull", map[string]string{hash(1): encoded("-b")}, map[string]string{"x": encoded(""), "y": encoded("a")},
			[]string{"x", "y"}, "1 0 0 0 2"},
		{"FuzzKept", map[string]string{hash(1): encoded("-b"), hash(2): encoded("--c")},
			map[string]string{"regression": encoded("-bd")}, []string{hash(2), "regression"}, "2 0 0 1 2"},
		{"FuzzNothing", nil, nil, nil, "0 0 0 0 0"},
	}
	for _, c := range targets {
		for name, text := range c.found {
			write(t, text, found, "m", "a", c.name, name)
		}
		for name, text := range c.kept {
			write(t, text, root, "a", seeds, c.name, name)
		}
	}
	var out strings.Builder
	if code := run(t.Context(), []string{"-dir", root, "-found", found, "-most", "2"}, &out, &out); code != 1 {
		t.Errorf("got the exit code %d, want 1", code)
	}
	lines := map[string]string{}
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); fields[0] == "a" {
			lines[fields[1]] = strings.Join(fields[2:], " ")
		}
	}
	for _, c := range targets {
		var got []string
		kept, _ := readInputs(filepath.Join(root, "a", seeds, c.name))
		for _, in := range kept {
			got = append(got, filepath.Base(in.file))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q are kept, want %q", c.name, got, c.want)
		}
		if !strings.HasPrefix(lines[c.name], c.line) {
			t.Errorf("%s: got the line %q, want it to begin with %q", c.name, lines[c.name], c.line)
		}
	}
	failing := filepath.Join("FuzzDefect", hash(2)) + ": it fails:"
	if got := lines["FuzzDefect"]; !strings.Contains(got, failing) {
		t.Errorf("got %q, want the file of the input that fails: %q", got, failing)
	}
	if got, want := lines["FuzzFull"], " 1"; !strings.HasSuffix(got, want) {
		t.Errorf("got the line %q, want one block that is missed", got)
	}
}

func TestChoose(t *testing.T) {
	of := func(file string, size int, reaches ...string) input {
		in := input{file, make([]byte, size), blocks{}}
		for _, block := range reaches {
			in.reaches[block] = true
		}
		return in
	}
	for _, c := range []struct {
		name   string
		inputs []input
		most   int
		want   string
		missed int
	}{
		{"none", nil, 3, "", 0},
		{"the smaller of two", []input{of("large", 9, "a"), of("small", 8, "a")}, 3, "small", 0},
		{"the first name of two", []input{of("y", 8, "a"), of("x", 8, "a")}, 3, "x", 0},
		{"one for all", []input{of("x", 1, "a"), of("y", 1, "b"), of("all", 100, "a", "b")}, 3, "all", 0},
		{"what adds most", []input{of("x", 1, "a", "b", "c"), of("y", 1, "b", "c"), of("z", 9, "d")}, 3, "x z", 0},
		{"too many", []input{of("x", 1, "a"), of("y", 1, "b", "c"), of("z", 1, "d")}, 2, "y x", 1},
		{"room for none", []input{of("x", 1, "a")}, -1, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			chosen, missed := choose(c.inputs, c.most)
			var got []string
			for _, in := range chosen {
				got = append(got, in.file)
			}
			if strings.Join(got, " ") != c.want || len(missed) != c.missed {
				t.Errorf("got %q and %d blocks missed, want %q and %d", got, len(missed), c.want, c.missed)
			}
		})
	}
}

// The form is in golang.org/x/tools/cover: name.go:line.column,line.column numberOfStatements count.
func TestParseProfile(t *testing.T) {
	for _, c := range []struct{ name, text, want, err string }{
		{"reached", "mode: set\nm/a.go:3.27,4.33 2 1\nm/a.go:5.3,6.2 1 0\n", "m/a.go:3.27,4.33 2", ""},
		{"none reached", "mode: set\nm/a.go:5.3,6.2 1 0\n", "", ""},
		{"no blocks", "mode: set\n", "", ""},
		{"empty", "", "", "begins with"},
		{"a cut line", "mode: set\nm/a.go:5.3,6.2\n", "", "has the line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached, err := parseProfile(c.text)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got the error %v, want one with %q", err, c.err)
				}
				return
			}
			got := strings.Join(slices.Collect(maps.Keys(reached)), " ")
			if err != nil || got != c.want {
				t.Errorf("got %q and %v, want %q", got, err, c.want)
			}
		})
	}
}

// TestPortable: an int of Go has 32 bits at least.
func TestPortable(t *testing.T) {
	for argument, want := range map[string]bool{
		"int(2147483647)": true, "int(2147483648)": false, "int(-2147483648)": true, "int(-2147483649)": false,
		"uint(1)": true, "uint(18446744073709551615)": false, "int64(9223372036854775807)": true,
		`string("int(2147483648)")`: true,
	} {
		if got := portable([]byte("go test fuzz v1\nbool(true)\n" + argument + "\n")); got != want {
			t.Errorf("%s: got %v, want %v", argument, got, want)
		}
	}
}

func TestFailures(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown flag": {"-x"},
		"no module":    {"-dir", t.TempDir()},
	} {
		var out strings.Builder
		if code := run(t.Context(), args, &out, &out); code != 2 || out.Len() == 0 {
			t.Errorf("%s: got the exit code %d and %q, want 2 and a reason", name, code, out.String())
		}
	}
}
