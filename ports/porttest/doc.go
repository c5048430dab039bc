// Package porttest checks implementations of the ports against their contracts,
// as testing/slogtest does for handlers. The author of an adapter calls the suite of
// its port from one test of the adapter:
//
//	func TestContract(t *testing.T) {
//		porttest.Clock(t, func(t *testing.T) (ports.Clock, func(time.Duration)) {
//			c := myclock.New()
//			return c, c.Advance
//		})
//	}
//
// Every suite runs a subtest for each testable sentence of the contract, so that a
// failure names the sentence. The arguments of a suite are:
//
//	Clock          a function that lets time pass
//	Selector       the clock that it waits on
//	Codec          samples of messages from an independent source
//	Authenticator  the broker's end of a login
//	MetricsSink    no other argument
//	Transport      the other end of its links; lookups, Watcher and Parker are
//	               checked with it
//
// [NoSecrets] checks that no print of a value shows its password; [NoSecretsIn] checks
// text that was written already, such as a log.
//
// A suite shows that the core can use the adapter. It does not show that the adapter is
// correct: that a mechanism follows its RFC, or that a codec encodes a field in its
// place, needs tests of its own against independent implementations. Three habits help:
//
//   - Use the race detector, which alone finds most violations of "safe for concurrent
//     use"; the suites make the concurrent calls.
//   - Use go.uber.org/goleak in TestMain. The suites close all that they open, so a
//     goroutine that is left belongs to the adapter.
//   - Run -count=20. No suite asserts on the wall clock and none sleeps to synchronize,
//     so a failure that is not repeatable is a defect.
package porttest
