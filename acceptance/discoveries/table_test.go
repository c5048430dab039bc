package discoveries

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// wantRows is how many discoveries there are.
const wantRows = 32

const open = "*open*"

func TestDiscoveries(t *testing.T) {
	page, err := os.ReadFile("README.md")
	fakebroker.Must(t, err)
	covered, opened, faults := readPage(string(page), hasTest)
	for _, fault := range faults {
		t.Error(fault)
	}
	t.Logf("%d of %d rows have a test; open: %s", covered, wantRows, strings.Join(opened, ", "))
}

// readPage returns how many rows have tests, the ids of those that have none, and the faults
// of the page.
func readPage(page string, has func(folder, test string) bool) (covered int, opened, faults []string) {
	ids := map[string]bool{}
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |\n"), " | ")
		id := strings.Trim(cells[0], "`")
		switch {
		case len(cells) != 4 || strings.TrimSpace(cells[1]) == "" || strings.TrimSpace(cells[2]) == "" || ids[id]:
			faults = append(faults, fmt.Sprintf("%s: got %d columns, or the id twice, want four with an id of its own",
				id, len(cells)))
		case cells[3] == open:
			opened = append(opened, id)
		default:
			covered++
			for ref := range strings.SplitSeq(cells[3], ", ") {
				folder, test := ".", ref
				if at := strings.LastIndex(ref, "."); at >= 0 {
					folder, test = "../../"+ref[:at], ref[at+1:]
				}
				if !has(folder, test) {
					faults = append(faults, fmt.Sprintf("%s: there is no test %s", id, ref))
				}
			}
		}
		ids[id] = true
	}
	if len(ids) != wantRows {
		faults = append(faults, fmt.Sprintf("got %d rows, want %d", len(ids), wantRows))
	}
	return covered, opened, faults
}

var declaration = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)

// odd has the rows of make odd-brokers, which count as tests.
const odd = "../../acceptance/peers/odd"

var row = regexp.MustCompile(`(?m)^\t"([a-z-]+)": +start`)

// hasTest reports whether a folder has a test.
func hasTest(folder, test string) bool {
	names, pattern := "*_test.go", declaration
	if folder == odd {
		names, pattern = "main.go", row
	}
	files, _ := filepath.Glob(filepath.Join(filepath.FromSlash(folder), names))
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		for _, match := range pattern.FindAllSubmatch(source, -1) {
			if string(match[1]) == test {
				return true
			}
		}
	}
	return false
}

// TestRowsOfOddBrokers: a row of make odd-brokers is found by its name.
func TestRowsOfOddBrokers(t *testing.T) {
	if !hasTest(odd, "kroxylicious-sni") || hasTest(odd, "kroxy") || hasTest(odd, "TestKfake") {
		t.Error("got another answer than that there is kroxylicious-sni, and neither kroxy nor TestKfake")
	}
}

// TestFaultsOfThePage: a row that is spoiled is a fault.
func TestFaultsOfThePage(t *testing.T) {
	rows := make([]string, wantRows)
	for i := range rows {
		rows[i] = fmt.Sprintf("| `r%d` | does | holds | domain.TestThere |\n", i)
	}
	has := func(folder, test string) bool { return folder == "../../domain" && test == "TestThere" }
	page := strings.Join(rows, "")
	if covered, opened, faults := readPage(page, has); covered != wantRows || opened != nil || faults != nil {
		t.Errorf("sound: got %d covered, %q open, faults %q", covered, opened, faults)
	}
	for _, c := range []struct{ row, says string }{
		{"", "got 31 rows"},
		{"| `r4` | does | holds | domain.TestGone |\n", "no test domain.TestGone"},
		{"| `r4` | does | holds | TestThere |\n", "no test TestThere"},
		{"| `r4` | does | holds |  |\n", "no test"},
		{"| `r4` | does |  | *open* |\n", "r4: got"},
		{"| `r5` | does | holds | *open* |\n", "r5: got"},
	} {
		_, _, faults := readPage(strings.Replace(page, rows[4], c.row, 1), has)
		if got := strings.Join(faults, "\n"); !strings.Contains(got, c.says) {
			t.Errorf("row %q: got the faults %q, want %q", c.row, got, c.says)
		}
	}
	_, opened, faults := readPage(strings.Replace(page, rows[4], "| `r4` | does | holds | *open* |\n", 1), has)
	if len(opened) != 1 || faults != nil {
		t.Errorf("an open row: got %q open, faults %q; want one and none", opened, faults)
	}
}
