package sim_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects less often than usual: what a run leaves is garbage at its end, and the memory
// in use is small.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}
