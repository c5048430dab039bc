// Package need skips tests that need more of their machine than Go. Every skip has one
// form, which acceptance/leaks counts at the end of a run:
//
//	needs openssl: no openssl in the PATH. The keys are not compared. OPENSSL=required makes this a failure.
//
// A test with another need writes its first part, "needs <something>" or "needs
// <something>: <detail>", into t.Skip.
package need

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// Extra is something that tests use and that a machine with Go alone lacks.
type Extra struct {
	Name     string // in the summary of a run: "openssl"
	Variable string // an environment variable; the value "required" turns a skip into a failure
	Or       string // another such variable; empty: none
	Untested string // what a skip leaves untested, a sentence
}

// Test skips t, or fails it where the environment requires the Extra, if missing is not
// nil. It also fails t if a variable has a value other than "required".
func (e Extra) Test(t testing.TB, missing error) {
	t.Helper()
	skip, fail := e.texts(missing)
	switch {
	case fail != "":
		t.Fatal(fail)
	case skip != "":
		t.Skip(skip)
	}
}

// Package is Test for a whole package, at the head of its TestMain: it reports whether
// the tests can run, and if not, the exit code of the process. A skip is printed to w
// under a banner.
func (e Extra) Package(w io.Writer, missing error) (run bool, code int) {
	skip, fail := e.texts(missing)
	switch {
	case fail != "":
		fmt.Fprintln(w, fail)
		return false, 1
	case skip != "":
		rule := strings.Repeat("*", 78)
		fmt.Fprintf(w, "%s\n%s SKIPPED\n%s\n%s\n", rule, e.Variable, skip, rule)
		return false, 0
	}
	return true, 0
}

// texts returns the text of a skip, or that of a failure, or neither.
func (e Extra) texts(missing error) (skip, fail string) {
	required := false
	for _, name := range []string{e.Variable, e.Or} {
		switch v := os.Getenv(name); v { // that of no name is empty
		case "":
		case "required":
			required = true
		default:
			return "", fmt.Sprintf("%s FAILED: %s=%s in the environment; want required, or nothing",
				e.Variable, name, v)
		}
	}
	if missing == nil {
		return "", ""
	}
	what := strings.ReplaceAll(strings.TrimPrefix(missing.Error(), "acceptance: "), "\n", "; ")
	if required {
		return "", fmt.Sprintf("%s FAILED: %s", e.Variable, what)
	}
	return fmt.Sprintf("needs %s: %s. %s %s=required makes this a failure.", e.Name, what, e.Untested, e.Variable), ""
}
