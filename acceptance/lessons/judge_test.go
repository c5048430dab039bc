package lessons

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// A row without a test, a test that does not exist and a missing row are faults of the
// table.

const wantRows = 25

func TestLessons(t *testing.T) {
	for _, fault := range faultsOf(lessons, testsOf(t)) {
		t.Error(fault)
	}
	for _, l := range lessons {
		t.Logf("%2d  %s", l.number, l.issues)
	}
	for _, l := range lessons {
		if len(l.run) == 0 {
			continue
		}
		name := fmt.Sprintf("%02d %s", l.number, strings.ReplaceAll(l.name, "apache/", "apache-"))
		t.Run(name, func(t *testing.T) {
			for _, f := range l.run {
				t.Run(funcName(f), f)
			}
		})
	}
}

// faultsOf returns the faults of a table. tests are the names of the tests of each folder.
func faultsOf(table []lesson, tests map[string][]string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if len(table) != wantRows {
		fault("the table has %d rows, want %d", len(table), wantRows)
	}
	shown := map[string]int{}
	for i, l := range table {
		if l.number != i+1 {
			fault("row %d has number %d", i+1, l.number)
		}
		for column, text := range map[string]string{
			"name": l.name, "issues": l.issues, "what happened": l.happened, "what holds": l.holds,
		} {
			if text == "" || strings.Contains(text, "\n") {
				fault("row %d: %s is %q, want one line", l.number, column, text)
			}
		}
		if len(l.run)+len(l.seen) == 0 {
			fault("row %d has no test", l.number)
		}
		for _, f := range l.run {
			if f == nil {
				fault("row %d runs nil", l.number)
				continue
			}
			if n := funcName(f); shown[n] == 0 {
				shown[n] = l.number
			} else {
				fault("row %d runs %s, which is a test of row %d", l.number, n, shown[n])
			}
		}
		for _, ref := range l.seen {
			folder, name, _ := strings.Cut(ref, " ")
			if !slices.Contains(tests[folder], name) {
				fault("row %d: there is no test %s in %s", l.number, name, folder)
			}
		}
	}
	return faults
}

// funcName returns the name of a function of this package.
func funcName(f func(*testing.T)) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return name[strings.LastIndex(name, ".")+1:]
}

// testsOf returns the names of all tests by folder, so that a row cannot name a test that
// was renamed or removed.
func testsOf(t *testing.T) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	for _, folder := range []string{"domain", "domain/release", "application/broker", "adapters/tcp",
		"adapters/netlink", "adapters/tls", "adapters/sasl/scram"} {
		files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*_test.go"))
		fakebroker.Must(t, err)
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			fakebroker.Must(t, err)
			for _, d := range parsed.Decls {
				f, ok := d.(*ast.FuncDecl)
				if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name,
					"Fuzz")) {
					tests[folder] = append(tests[folder], f.Name.Name)
				}
			}
		}
	}
	return tests
}

var update = flag.Bool("update", false, "write README.md")

// TestReadme compares README.md with the table.
func TestReadme(t *testing.T) {
	var want strings.Builder
	want.WriteString("# Lessons of other clients\n\n" +
		"Issues of other clients of Kafka: what happened there, what holds here, and the tests of it. Those in\n" +
		"italics are of other packages; `go test ./acceptance/lessons` runs the others. The table is in\n" +
		"`table_test.go`; `go test ./acceptance/lessons -run Readme -update` writes this page.\n\n" +
		"| | issues | what happened | what holds | tests |\n|---|---|---|---|---|\n")
	for _, l := range lessons {
		var tests []string
		for _, f := range l.run {
			tests = append(tests, funcName(f))
		}
		for _, ref := range l.seen {
			tests = append(tests, "*"+strings.Replace(ref, " ", ".", 1)+"*")
		}
		fmt.Fprintf(&want, "| %d | %s | %s | %s | %s |\n",
			l.number, l.issues, l.happened, l.holds, strings.Join(tests, ", "))
	}
	if *update {
		fakebroker.Must(t, os.WriteFile("README.md", []byte(want.String()), 0o644))
	}
	got, err := os.ReadFile("README.md")
	fakebroker.Must(t, err)
	have, wanted := strings.Split(string(got), "\n"), strings.Split(want.String(), "\n")
	require(t, len(have) == len(wanted), "README.md: got %d lines, want %d", len(have), len(wanted))
	for i, line := range wanted {
		if have[i] != line {
			t.Errorf("README.md:%d: got\n%s\nwant\n%s", i+1, have[i], line)
		}
	}
}

// TestLessonsValidate: faultsOf finds each possible fault.
func TestLessonsValidate(t *testing.T) {
	tests := map[string][]string{"domain": {"TestThere"}}
	sound := func() []lesson {
		var table []lesson
		for i := range wantRows {
			table = append(table, lesson{
				number: i + 1, name: "n", issues: "i", happened: "h", holds: "o", seen: []string{"domain TestThere"},
			})
		}
		return table
	}
	if faults := faultsOf(sound(), tests); len(faults) != 0 {
		t.Errorf("a sound table has faults: %q", faults)
	}
	for says, spoil := range map[string]func([]lesson) []lesson{
		"has 24 rows":      func(l []lesson) []lesson { return l[:24] },
		"has number 7":     func(l []lesson) []lesson { l[7].number = 7; return l },
		"has no test":      func(l []lesson) []lesson { l[3].seen = nil; return l },
		"no test TestGone": func(l []lesson) []lesson { l[3].seen = []string{"domain TestGone"}; return l },
		"in adapters/tcp":  func(l []lesson) []lesson { l[3].seen = []string{"adapters/tcp TestThere"}; return l },
		"what holds is":    func(l []lesson) []lesson { l[3].holds = ""; return l },
		"issues is":        func(l []lesson) []lesson { l[3].issues = "a\nb"; return l },
		"is a test of row": func(l []lesson) []lesson {
			l[3].run = []func(*testing.T){TestLessons,
				TestLessons}
			return l
		},
		"row 4 runs nil":    func(l []lesson) []lesson { l[3].run = []func(*testing.T){nil}; return l },
		"what happened is ": func(l []lesson) []lesson { l[3].happened = ""; return l },
	} {
		faults := faultsOf(spoil(sound()), tests)
		assert(t, len(faults) != 0 && strings.Contains(strings.Join(faults, "\n"), says),
			"faults %q, want one that says %q", faults, says)
	}
}
