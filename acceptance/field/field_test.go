package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What each report becomes, by the tests of a module of a few lines.
func TestRowsOfReports(t *testing.T) {
	table := filepath.Join(t.TempDir(), "reports.tsv")
	write(t, table, `# a comment
a1	one that holds	a	TestTable/holds
a2	one that fails	a	TestTable/fails
a3	one that is skipped	a	TestTable/is_skipped
a4	a test of its own	a	TestAlone
a5	no such test	a	TestAbsent
a6	no such subtest	a	TestTable/absent
`)
	var out bytes.Buffer
	err := run(t.Context(), "testdata/module", []string{table}, &out)
	want := `a1   pass  one that holds (a.TestTable/holds)
a2   fail  one that fails (a.TestTable/fails)
a3   skip  one that is skipped (a.TestTable/is_skipped)
a4   pass  a test of its own (a.TestAlone)
a5   none  no such test (a.TestAbsent)
a6   none  no such subtest (a.TestTable/absent)
6 reports, 2 hold
`
	if out.String() != want || !errors.Is(err, errFailed) {
		t.Errorf("got the error %v and\n%swant %v and\n%s", err, out.String(), errFailed, want)
	}
}

func TestRefusedTables(t *testing.T) {
	for name, text := range map[string]string{
		"a cell too few": "a1\tabout\ta\n",
		"an empty cell":  "a1\t\ta\tTestAlone\n",
		"an id twice":    "a1\tone\ta\tTestAlone\na1\tanother\ta\tTestTable\n",
	} {
		if got, err := parse("table", text); err == nil || !strings.HasPrefix(err.Error(), "table:") {
			t.Errorf("%s: got %v and the error %v, want an error with the line", name, got, err)
		}
	}
	table := filepath.Join(t.TempDir(), "reports.tsv")
	write(t, table, "a1\tabout\tabsent\tTestAlone\n")
	if err := run(t.Context(), "testdata/module", []string{table}, new(bytes.Buffer)); err == nil {
		t.Error("got no error for a package that does not exist")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
