package acceptance

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Gate says whether the tests of a package that needs real brokers can run, and
// if not, with which status its process should end. On a machine that lacks
// something they are skipped, status 0, under a banner on w that cannot be
// overlooked; with ACCEPTANCE=required that is a failure, status 1, and one line.
// It stands at the head of TestMain.
func Gate(w io.Writer) (run bool, status int) {
	required := false
	switch v := os.Getenv("ACCEPTANCE"); v {
	case "":
	case "required":
		required = true
	default:
		fmt.Fprintf(w, "ACCEPTANCE FAILED: the environment says ACCEPTANCE=%s; it may say required, or nothing\n", v)
		return false, 1
	}
	err := Requirements()
	if err == nil {
		return true, 0
	}
	what := strings.TrimPrefix(err.Error(), "acceptance: ")
	if required {
		fmt.Fprintf(w, "ACCEPTANCE FAILED: %s\n", what)
		return false, 1
	}
	rule := strings.Repeat("*", 78)
	fmt.Fprintf(w, "%s\nACCEPTANCE SKIPPED: %s\nNo real broker was tried. ACCEPTANCE=required makes this a failure.\n%s\n", rule, what, rule)
	return false, 0
}
