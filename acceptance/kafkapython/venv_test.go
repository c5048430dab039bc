package kafkapython

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/need"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestMissingPython: without a suitable Python the suite is skipped under a banner, or
// fails if it is required, and says what is missing.
func TestMissingPython(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell: the fake Python is a script")
	}
	python := need.Extra{Name: "Python 3.8", Variable: "PARITY", Or: "ACCEPTANCE", Untested: "Nothing was compared."}
	for _, c := range []struct {
		python   string // a script; "": none
		variable string
		status   int
		say      []string
	}{
		{"", "", 0, []string{"PARITY SKIPPED", "needs Python 3.8: no python3: Python 3.8",
			"Nothing was compared. PARITY=required"}},
		{"", "PARITY", 1, []string{"PARITY FAILED: no python3: Python 3.8"}},
		{"", "ACCEPTANCE", 1, []string{"PARITY FAILED: no python3"}},
		{"echo No module named ensurepip >&2; exit 1", "", 0, []string{"cannot be used", "No module named ensurepip",
			"python3-venv"}},
	} {
		dir := t.TempDir()
		if c.python != "" {
			script := []byte("#!/bin/sh\n" + c.python + "\n")
			fakebroker.Must(t, os.WriteFile(filepath.Join(dir, "python3"), script, 0o777))
		}
		t.Setenv("PATH", dir)
		t.Setenv("PARITY", "")
		t.Setenv("ACCEPTANCE", "")
		if c.variable != "" {
			t.Setenv(c.variable, "required")
		}
		var banner bytes.Buffer
		_, missing := Interpreters(t.Context(), "2.3.3")
		run, status := python.Package(&banner, missing)
		if run || status != c.status {
			t.Errorf("%+v: got run %t, status %d, want false, %d", c, run, status, c.status)
		}
		for _, say := range c.say {
			if !strings.Contains(banner.String(), say) {
				t.Errorf("%+v: got\n%s\nwant %q in it", c, &banner, say)
			}
		}
	}
}
