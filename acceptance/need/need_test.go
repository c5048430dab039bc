package need

import (
	"bytes"
	"errors"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester records how a test ended.
type tester struct {
	testing.TB
	ended string
}

func (t *tester) Helper()           {}
func (t *tester) Skip(args ...any)  { t.ended = "skip: " + args[0].(string) }
func (t *tester) Fatal(args ...any) { t.ended = "fail: " + args[0].(string) }

func TestExtra(t *testing.T) {
	const skipped = "needs a tool: no x; no y. Nothing was tried. TOOL=required makes this a failure."
	tool := Extra{Name: "a tool", Variable: "TOOL", Or: "SUITE", Untested: "Nothing was tried."}
	missing := errors.Join(errors.New("no x"), errors.New("no y"))
	for _, c := range []struct {
		name        string
		missing     error
		tool, suite string // variables
		ended       string // of a test
		run         bool   // of a package
		code        int
		printed     string
	}{
		{"missing", missing, "", "", "skip: " + skipped, false, 0, skipped},
		{"required", missing, "required", "", "fail: TOOL FAILED: no x; no y", false, 1, "TOOL FAILED: no x; no y\n"},
		{"suite required", missing, "", "required", "fail: TOOL FAILED: no x; no y", false, 1,
			"TOOL FAILED: no x; no y\n"},
		{"found", nil, "", "", "", true, 0, ""},
		{"found and required", nil, "required", "", "", true, 0, ""},
		{"bad variable", nil, "yes", "", "fail: TOOL FAILED: TOOL=yes in the environment; want required, or nothing",
			false, 1, "TOOL=yes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TOOL", c.tool)
			t.Setenv("SUITE", c.suite)
			var one tester
			tool.Test(&one, c.missing)
			if one.ended != c.ended {
				t.Errorf("a test ended with %q, want %q", one.ended, c.ended)
			}
			var out bytes.Buffer
			run, code := tool.Package(&out, c.missing)
			if run != c.run || code != c.code || !bytes.Contains(out.Bytes(), []byte(c.printed)) {
				t.Errorf("a package: run %t, code %d, printed %q; want %t, %d, %q", run, code, &out, c.run, c.code,
					c.printed)
			}
		})
	}
}
