package acceptance

import (
	"io"

	"brokerconn/acceptance/need"
)

// Gate is at the head of the TestMain of a package that needs real brokers. It reports
// whether the tests can run, and if not, the exit code of the process; see
// [need.Extra.Package].
func Gate(w io.Writer) (run bool, code int) {
	brokers := need.Extra{Name: "Java and Maven", Variable: "ACCEPTANCE", Untested: "No real broker was tried."}
	return brokers.Package(w, Requirements())
}
