package simtest_test

import (
	"testing"
	"time"

	"brokerconn/acceptance/cputime"
	"brokerconn/application/simtest"
)

// BenchmarkSeeds has a finder that asks one of three brokers each second, a minute of all faults, and
// the time until it has found the leader; each seed is run twice and compared.
func BenchmarkSeeds(b *testing.B) {
	var virtual time.Duration
	inTest(b, func(t *testing.T) {
		begin := cputime.Used()
		failure := simtest.Check(t, simtest.Options{Seeds: b.N}, func(w *simtest.World) {
			scenario(false)(w)
			virtual += w.Elapsed()
		})
		used := (cputime.Used() - begin).Seconds()
		if failure != nil {
			b.Error(failure)
		}
		b.ReportMetric(float64(b.N)/used, "seeds/cpu-s")
		b.ReportMetric(virtual.Hours()/used, "virtual-h/cpu-s")
	})
}

// inTest runs f as a test: bubbles are for those.
func inTest(b *testing.B, f func(*testing.T)) {
	b.Helper()
	all := func(string, string) (bool, error) { return true, nil }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: f}}) {
		b.Error("the seeds failed")
	}
}
