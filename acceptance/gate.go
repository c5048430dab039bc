package acceptance

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Suite is a package of tests that needs more on its machine than Go.
type Suite struct {
	Name    string       // in capitals; its environment variable is called so
	Needs   func() error // what is missing, in one line; nil: nothing
	Untried string       // what a skip leaves untested, a sentence
}

// Gate says whether the tests of a package that needs real brokers can run; see
// [Suite.Gate].
func Gate(w io.Writer) (run bool, status int) {
	return Suite{Name: "ACCEPTANCE", Needs: Requirements, Untried: "No real broker was tried."}.Gate(w)
}

// Gate says whether the tests can run, and if not, with which status their process
// should end. On a machine that lacks something they are skipped, status 0, under
// a banner on w that cannot be overlooked; where the environment says
// ACCEPTANCE=required, or the same of the suite's own name, that is a failure,
// status 1, and one line. It stands at the head of TestMain.
func (s Suite) Gate(w io.Writer) (run bool, status int) {
	required := false
	for _, name := range []string{"ACCEPTANCE", s.Name} {
		switch v := os.Getenv(name); v {
		case "":
		case "required":
			required = true
		default:
			fmt.Fprintf(w, "%s FAILED: the environment says %s=%s; it may say required, or nothing\n", s.Name, name, v)
			return false, 1
		}
	}
	err := s.Needs()
	if err == nil {
		return true, 0
	}
	what := strings.TrimPrefix(err.Error(), "acceptance: ")
	if required {
		fmt.Fprintf(w, "%s FAILED: %s\n", s.Name, what)
		return false, 1
	}
	rule := strings.Repeat("*", 78)
	fmt.Fprintf(w, "%s\n%s SKIPPED: %s\n%s %s=required makes this a failure.\n%s\n", rule, s.Name, what, s.Untried, s.Name, rule)
	return false, 0
}
