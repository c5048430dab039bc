package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

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

// write writes a file.
func write(t *testing.T, text string) (name string) {
	t.Helper()
	return filepath.Join(plant(t, map[string]string{"file.tsv": text}), "file.tsv")
}

// mutants runs the command, and checks the exit code and that the output has each text of want.
func mutants(t *testing.T, code int, want []string, args ...string) (out string) {
	t.Helper()
	var b strings.Builder
	got := run(t.Context(), args, &b, &b)
	for _, text := range want {
		if got != code || !strings.Contains(b.String(), text) {
			t.Errorf("got exit code %d, want %d and %q in\n%s", got, code, text, b.String())
		}
	}
	return b.String()
}

// small is a module whose tests notice one of four mutants; one does not compile.
func small() map[string]string {
	return map[string]string{
		"go.mod": "module m\n\ngo 1.26\n",
		"domain/a.go": "package domain\n\nvar log []int\n\nfunc Limit(n int) int {\n\tif n > 9 {\n\t\treturn 9\n\t}\n" +
			"\tlog = append(log, n)\n\treturn n\n}\n\ntype t [0]int\n",
		"domain/a_test.go": "package domain\n\nimport \"testing\"\n\nfunc TestLimit(t *testing.T) {\n" +
			"\tif Limit(10) != 9 || Limit(3) != 3 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n",
	}
}

// TestRecordIsOfOneState: what the tests read belongs to the state of a package as their text does.
func TestRecordIsOfOneState(t *testing.T) {
	dir, cache := plant(t, small()), t.TempDir()
	b := &bench{root: dir, lacking: map[string]bool{}, rapid: map[string]bool{}}
	before, err := b.cached(cache, "domain")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{"at first": before}
	for _, name := range []string{"a.go", "a_test.go", "testdata/rows.txt", "testdata/deep/rows.txt"} {
		file := filepath.Join(dir, "domain", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("package domain\n\n// "+name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		record, err := b.cached(cache, "domain")
		if err != nil {
			t.Fatal(err)
		}
		for change, other := range seen {
			if record == other {
				t.Errorf("with another %s: got the record %s, as %s", name, filepath.Base(record), change)
			}
		}
		seen["with another "+name] = record
	}
}

func TestSampleAndCompare(t *testing.T) {
	dir, record := plant(t, small()), filepath.Join(t.TempDir(), "record.tsv")
	mutants(t, 1, []string{
		"domain: 5 killed, 3 survived, 0 did not compile",
		"5 killed, 0 equivalent, 3 survived, of which 3 have no reason: 62.5 %",
		"killed   domain/a.go:6:11 return Limit: if n > 9 { return 9 }\tdomain TestLimit\n",
		"survived domain/a.go:9:2 delete Limit: log = append(log, n)\t\n",
	}, "run", "-dir", dir, "-out", record, "domain")
	// The record is kept, and a cut line of it is done again.
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(record, text[:len(text)-10], 0o644); err != nil {
		t.Fatal(err)
	}
	out := mutants(t, 1, []string{""}, "run", "-dir", dir, "-out", record, "domain")
	if strings.Count(out, "\tdomain TestLimit")+strings.Count(out, "survived domain/a.go") != 1 {
		t.Errorf("the second run: got\n%s", out)
	}
	if again, err := os.ReadFile(record); err != nil || string(again) != string(text) {
		t.Errorf("got the record\n%s\nwant\n%s", again, text)
	}

	// The function was renamed and moved, the test notices less.
	changed := small()
	delete(changed, "domain/a.go")
	changed["domain/b.go"] = "package domain\n\nfunc Bounded(count int) int {\n" +
		"\tif count > 9 {\n\t\treturn 9\n\t}\n\treturn count\n}\n"
	changed["domain/a_test.go"] = "package domain\n\nimport \"testing\"\n\nfunc TestBounded(t *testing.T) {\n" +
		"\tif Bounded(10) == 10 {\n\t\tt.Error(\"wrong\")\n\t}\n}\n"
	dir = plant(t, changed)
	moved := write(t, "# moves\nfunc\tdomain Limit\tdomain Bounded\nname\tn\tcount\n")
	mutants(t, 0, []string{"5 found, 0 gone, 0 lost"}, "compare", "-dir", dir, "-moved", moved, "-list", record)
	const want = "4 found and killed (0 by the compiler), 1 found and survived, 0 gone, 0 lost\n"
	mutants(t, 1, []string{want}, "compare", "-dir", dir, "-moved", moved, record)
}

// Nothing reads the log, so that its mutants are equivalent. With a reason for each that survives, the score
// counts alone.
func TestScoreHasReasons(t *testing.T) {
	files := small()
	files["domain/a_test.go"] = strings.ReplaceAll(files["domain/a_test.go"],
		"Limit(10) != 9", "Limit(9) != 9 || Limit(10) != 9")
	dir, cache := plant(t, files), t.TempDir()
	out := mutants(t, 1, []string{"in all "}, "run", "-dir", dir, "-n", "0", "-cache", cache, "domain")
	reasons := "# id, kind, reason\n"
	for line := range strings.Lines(out) {
		if id, ok := strings.CutPrefix(line, "no reason: "); ok {
			reasons += strings.Fields(id)[0] + "\tequivalent\tnothing reads the log\n"
		}
	}
	files["acceptance/mutants/testdata/reasons.tsv"] = reasons
	dir = plant(t, files)
	out = mutants(t, 0, []string{"of which 0 have no reason: 100.0 %"},
		"run", "-dir", dir, "-n", "0", "-cache", cache, "domain")
	if strings.Contains(out, "\tdomain TestLimit") {
		t.Errorf("the record of the same source: got it run once more:\n%s", out)
	}
	files["acceptance/mutants/testdata/reasons.tsv"] = "x\tequivalent\t\n"
	mutants(t, 2, []string{"want an id"}, "run", "-dir", plant(t, files), "domain")
}

func TestHangsAndPanics(t *testing.T) {
	for name, c := range map[string]struct{ function, test, want string }{
		"panic": {
			"func F(c *int) { if c == nil { return }; *c++ }", "F(nil)",
			"return F: if c == nil { return }\tdomain TestF\n",
		},
		"hang": {
			"func F(c chan int) { c <- 7 }", "c := make(chan int, 1); F(c); <-c",
			"delete F: c <- 7\tdomain TestF timeout\n",
		},
		"does not compile": {"func F() int { return [1]int{}[0] }", "F()", "invalid  domain/a.go:3:32 plus"},
	} {
		t.Run(name, func(t *testing.T) {
			files := small()
			files["domain/a.go"] = "package domain\n\n" + c.function + "\n"
			files["domain/a_test.go"] = "package domain\n\nimport \"testing\"\n\n" +
				"func TestF(t *testing.T) { " + c.test + " }\n"
			mutants(t, 1, []string{c.want}, "run", "-limit", "4s", "-dir", plant(t, files), "domain")
		})
	}
}

func TestFailures(t *testing.T) {
	red := small()
	red["domain/a_test.go"] = strings.ReplaceAll(red["domain/a_test.go"], "!= 3", "!= 4")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no command":      {nil, "usage: "},
		"unknown command": {[]string{"mutate"}, "usage: "},
		"unknown flag":    {[]string{"run", "-x"}, "-x"},
		"no module":       {[]string{"run", "-dir", t.TempDir()}, "not the root of a module"},
		"failing tests":   {[]string{"run", "-dir", plant(t, red), "domain"}, "TestLimit fails without a mutant"},
		"no package":      {[]string{"run", "-dir", plant(t, small()), "none"}, "no Go files in"},
		"no record":       {[]string{"compare"}, "usage: "},
		"broken record":   {[]string{"compare", write(t, "x\ty\n")}, "2 columns"},
	} {
		t.Run(name, func(t *testing.T) { mutants(t, 2, []string{c.want}, c.args...) })
	}
}
