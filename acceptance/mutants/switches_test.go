package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// forms has each operator, alone and within others, and what cannot be a switch.
const forms = `package a

import (
	"fmt"
	"time"
)

type level int8

const most = 3

var table = [...]string{0: "none", 1: "one", 2: "two"}

var start = len(table) - 1

func raised(l level, by int) level {
	if l > 2 && by != 0 || l == most-1 {
		return l - 1
	}
	if (l < 1) == (by < 1) { // one within another
		l += 2
	}
	l++
	return l
}

func wait(n int) time.Duration {
	d := 3 * time.Second
	for i := 0; i < n; i++ {
		d += time.Duration(i) << 2
	}
	if n > 4 {
		panic("too long")
	}
	return d
}

func name(n int) string {
	switch n {
	case 0:
		return table[0]
	case 1, 2:
		defer func() { start = 7 }()
		return table[n]
	}
	if n <
		5 {
		return "few"
	}
	panic("unknown")
}

func all() (text string) {
	defer func() {
		if v := recover(); v != nil {
			text += fmt.Sprint(v)
		}
	}()
	text += fmt.Sprint(start, " ")
	for l := range level(5) {
		text += fmt.Sprint(raised(l, 0), raised(l, 1), " ")
	}
	text += fmt.Sprint(wait(2), start, name(1), start, name(0), name(4))
	return text + fmt.Sprint(wait(5))
}
`

// switchable is a module of forms, and a test that writes down what they do.
func switchable() map[string]string {
	return map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"a/a.go": forms,
		"a/a_test.go": "package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\n" +
			"func TestAll(t *testing.T) {\n\ttext := all()\n" +
			"\tif name := os.Getenv(\"OUT\"); name != \"\" {\n\t\tos.WriteFile(name, []byte(text), 0o600)\n\t}\n}\n",
	}
}

// TestSwitchIsItsMutant: the program with a switch on does what the program of that mutant does. If that is
// something else than without it, the test comes to the switch.
func TestSwitchIsItsMutant(t *testing.T) {
	dir := plant(t, switchable())
	b, err := newBench(options{dir: dir, limit: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	found, _, err := findMutants(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.switches(t.Context(), "a", found)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	does := func(binary string, on int) string {
		cmd := exec.Command(binary, "-test.run", "^TestAll$")
		cmd.Env = append(os.Environ(), "OUT="+out, "MUTANT="+strconv.Itoa(on))
		if text, err := cmd.CombinedOutput(); err != nil {
			return "fails: " + string(text[:min(len(text), 40)])
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	sound, changed := does(s.binaries["a"], 0), 0
	tried := map[string]int{}
	for _, m := range found {
		if s.number[m] == 0 || tried[m.operator] == 3 { // each is a second of the compiler's
			continue
		}
		tried[m.operator]++
		overlay, err := b.overlay(m)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := b.build(t.Context(), "a", "alone.exe", "-overlay", overlay)
		if err != nil {
			continue // the compiler finds a mistake in it
		}
		got, want := does(s.binaries["a"], s.number[m]), does(alone, 0)
		if got != want {
			t.Errorf("%s\ngot  %q\nwant %q", m, got, want)
		}
		if want != sound {
			changed++
			if number := strconv.Itoa(s.number[m]); !s.tests["a"][0].switches[number] {
				t.Errorf("%s: the test does not come to switch %s, only to %v", m, number, s.tests["a"][0].switches)
			}
		}
	}
	if len(s.number) < len(found)*2/3 || len(tried) < 6 || changed < 12 {
		t.Errorf("got %d switches of %d mutants; of the tried %v, %d do something else", len(s.number), len(found),
			tried, changed)
	}
	if !strings.Contains(sound, "too long") {
		t.Errorf("without a mutant: got %q", sound)
	}
}

// TestKillersFirst: what killed a mutant in an earlier state of the source is tried first. Mutants of one file
// may be tried alone.
func TestKillersFirst(t *testing.T) {
	files, cache := switchable(), t.TempDir()
	test := func(name string) string {
		return "package a\n\nimport \"testing\"\n\nfunc " + name + "(t *testing.T) {\n" +
			"\tif raised(1, 0) != 2 {\n\t\tt.Error(raised(1, 0))\n\t}\n}\n"
	}
	const by = "killed   a/a.go:23:2 delete raised: l++\ta "
	files["a/late_test.go"] = test("TestLate")
	args := []string{"run", "-n", "0", "-workers", "1", "-cache", cache, "-dir"}
	mutants(t, 1, []string{by + "TestLate\n"}, append(args, plant(t, files), "a")...)
	files["a/b_test.go"] = test("TestEarly")
	files["a/b.go"] = "package a\n\nvar one = 1\n"
	out := mutants(t, 1, []string{by + "TestLate\n"}, append(args, plant(t, files), "a")...)
	if !strings.Contains(out, " a/b.go:") {
		t.Errorf("got no mutant of b.go in\n%s", out)
	}
	mutants(t, 1, []string{"a: 0 killed, 2 survived"}, append(args, plant(t, files), "-files", "^b", "a")...)
}
