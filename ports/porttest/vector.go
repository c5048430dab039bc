package porttest

import (
	"testing"

	"brokerconn/ports"
)

// A WriteVector is a Write of two pieces: the checks of Write hold for it.
var vectorChecks = []check[Harness]{
	{"WriteVector waits until all is on its way", vectored(parkWrite)},
	{"Interrupt reaches a parked WriteVector, which can be continued", vectored(parkInterruptWrite)},
	{"many interruptions of WriteVector lose no byte", vectored(parkManyInterrupts)},
	{"Close ends a parked WriteVector, which counts right", vectored(parkCloseWrite)},
}

// vectored is a check of Write with links that write by WriteVector.
func vectored(run func(*testing.T, Harness)) func(*testing.T, Harness) {
	return func(t *testing.T, harness Harness) {
		harness.vector = true
		run(t, harness)
	}
}

// vectorLink writes by WriteVector.
type vectorLink struct {
	parkerLink
	vector ports.VectorWriter
}

func newVectorLink(t *testing.T, link parkerLink) parkerLink {
	t.Helper()
	w := optional[ports.VectorWriter](t, link)
	needs(t, w.Gathers(), "a link that gathers")
	return vectorLink{link, w}
}

// Write writes p in two pieces, of which the first is as small as a header.
func (l vectorLink) Write(p []byte) (int, error) {
	head := min(len(p), 30)
	return l.vector.WriteVector(p[:head], p[head:])
}
