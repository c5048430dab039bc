package lessons

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// A row without a test, a test that does not exist, a missing row and a README.md that names other tests
// than a row runs are faults.

const wantRows = 25

func TestLessons(t *testing.T) {
	page, err := os.ReadFile("README.md")
	fakebroker.Must(t, err)
	for _, fault := range faultsOf(string(page), lessons, testsOf(t)) {
		t.Error(fault)
	}
	for i, l := range lessons {
		t.Run(fmt.Sprintf("%02d %s", i+1, l.name), func(t *testing.T) {
			for _, f := range l.run {
				t.Run(funcName(f), f)
			}
		})
	}
}

// faultsOf returns the faults of a page and a table. elsewhere is the names of the tests of other folders.
func faultsOf(page string, table []lesson, elsewhere map[string][]string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var rows []string
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| |") {
			rows = append(rows, strings.TrimSuffix(line[2:], " |\n"))
		}
	}
	if len(rows) != wantRows || len(table) != wantRows {
		fault("got %d rows on the page and %d in the table, want %d", len(rows), len(table), wantRows)
		return faults
	}
	shown := map[string]int{}
	for i, l := range table {
		number := i + 1
		cells := strings.Split(rows[i], " | ")
		if len(cells) != 5 || l.name == "" || slices.Contains(cells, "") {
			fault("row %d: got %q for %q, want five columns", number, cells, l.name)
			continue
		}
		if cells[0] != fmt.Sprint(number) {
			fault("row %d has number %s", number, cells[0])
		}
		var run, named []string
		for _, f := range l.run {
			if f == nil {
				fault("row %d runs nil", number)
				continue
			}
			n := funcName(f)
			if shown[n] != 0 {
				fault("row %d runs %s, which is a test of row %d", number, n, shown[n])
			}
			shown[n] = number
			run = append(run, n)
		}
		for ref := range strings.SplitSeq(cells[4], ", ") {
			other := strings.Trim(ref, "*")
			if other == ref {
				named = append(named, ref)
				continue
			}
			if folder, name, _ := strings.Cut(other, "."); !slices.Contains(elsewhere[folder], name) {
				fault("row %d: there is no test %s in %s", number, name, folder)
			}
		}
		if !slices.Equal(run, named) {
			fault("row %d runs %q, and names %q", number, run, named)
		}
	}
	return faults
}

// funcName returns the name of a function of this package.
func funcName(f func(*testing.T)) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return name[strings.LastIndex(name, ".")+1:]
}

var declaration = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)

// testsOf returns the names of all tests by folder, so that a row cannot name a test that
// was renamed or removed.
func testsOf(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	for _, folder := range []string{"domain", "domain/release", "application/broker", "application/logging",
		"adapters/tcp", "adapters/netlink", "adapters/tls", "adapters/sasl/scram"} {
		files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*_test.go"))
		fakebroker.Must(t, err)
		for _, file := range files {
			source, err := os.ReadFile(file)
			fakebroker.Must(t, err)
			for _, match := range declaration.FindAllSubmatch(source, -1) {
				names[folder] = append(names[folder], string(match[1]))
			}
		}
	}
	return names
}

// TestLessonsValidate: faultsOf finds each possible fault.
func TestLessonsValidate(t *testing.T) {
	elsewhere := map[string][]string{"domain": {"TestThere"}}
	table := slices.Repeat([]lesson{{name: "n"}}, wantRows)
	page := "| | issues | what happened | what holds | tests |\n|---|---|---|---|---|\n"
	for i := range wantRows {
		page += fmt.Sprintf("| %d | i | h | o | *domain.TestThere* |\n", i+1)
	}
	assert(t, faultsOf(page, table, elsewhere) == nil, "sound: got faults %q", faultsOf(page, table, elsewhere))
	const row = "| 4 | i | h | o | *domain.TestThere* |\n"
	for _, c := range []struct {
		says, spoiled string // of the page's row 4
		run           tests
	}{
		{"got 24 rows", "", nil},
		{"row 4 has number 7", "| 7 | i | h | o | *domain.TestThere* |\n", nil},
		{"row 4: got", "| 4 | i | h | o |  |\n", nil},
		{"row 4: got", "| 4 |  | h | o | *domain.TestThere* |\n", nil},
		{"row 4: got", "| 4 | i |  | o | *domain.TestThere* |\n", nil},
		{"row 4: got", "| 4 | i | h |  | *domain.TestThere* |\n", nil},
		{"row 4: got", "| 4 | i | h\nb | o | *domain.TestThere* |\n", nil},
		{"no test TestGone in domain", "| 4 | i | h | o | *domain.TestGone* |\n", nil},
		{"no test TestThere in adapters/tcp", "| 4 | i | h | o | *adapters/tcp.TestThere* |\n", nil},
		{`row 4 runs [], and names ["TestLessons"]`, "| 4 | i | h | o | TestLessons |\n", nil},
		{`row 4 runs ["TestLessons"], and names []`, row, tests{TestLessons}},
		{"TestLessons, which is a test of row 4", row, tests{TestLessons, TestLessons}},
		{"row 4 runs nil", row, tests{nil}},
	} {
		changed := slices.Clone(table)
		changed[3].run = c.run
		got := strings.Join(faultsOf(strings.Replace(page, row, c.spoiled, 1), changed, elsewhere), "\n")
		assert(t, strings.Contains(got, c.says), "row %q: got %q, want %q", c.spoiled, got, c.says)
	}
	table[3].name = ""
	assert(t, faultsOf(page, table, elsewhere) != nil, "a row without a name: got no fault")
}
