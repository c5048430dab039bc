package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestSummaryOfSkips reads what go test -json printed for two packages.
func TestSummaryOfSkips(t *testing.T) {
	recorded, err := os.ReadFile("testdata/skips.json")
	if err != nil {
		t.Fatal(err)
	}
	const want = `10 tests, 8 skipped, 0 packages failed; 0 secrets shown in 1346 bytes of output
skipped: 1 package needs Python 3.8 (PARITY=required makes this a failure)
skipped: 2 tests need Linux
skipped: 2 tests need openssl (OPENSSL=required makes this a failure)
skipped: 1 test needs a KDC (KDC=required makes this a failure)
skipped: 1 test needs a ports.Watcher
skipped without a stated need: planted TestReason: "not today"
skipped without a stated need: planted TestSilent: ""
`
	for _, verbose := range []bool{false, true} {
		var out bytes.Buffer
		r := newReader(&out, verbose)
		for line := range bytes.Lines(recorded) {
			r.event(line)
		}
		if n := r.finish(); n != 0 {
			t.Errorf("verbose %t: %d secrets, want 0", verbose, n)
		}
		if got := out.String(); !strings.HasSuffix(got, want) {
			t.Errorf("verbose %t: got\n%s\nwant at its end\n%s", verbose, got, want)
		}
	}
}
