// Package porttest checks implementations of the ports against their contracts,
// as testing/slogtest does for handlers. Whoever writes an adapter calls the
// suite of its port from one test of the adapter's own:
//
//	func TestContract(t *testing.T) {
//		porttest.Clock(t, func(t *testing.T) (ports.Clock, func(time.Duration)) {
//			c := myclock.New()
//			return c, c.Advance
//		})
//	}
//
// Every suite runs a subtest for each sentence of the contract that a test can
// judge, so that a failure names the sentence. Each needs what it cannot know:
//
//	Clock          a way to let time pass
//	Selector       the clock whose time it waits for
//	Codec          samples of messages, written by somebody else
//	Authenticator  the broker's side of a login
//	MetricsSink    nothing
//	Transport      the other end of its links; lookups, Watcher and Parker are
//	               checked with it
//
// [NoSecrets] is for whatever holds a password: no print of it may show that; and
// [NoSecretsIn] for what has been written already: a log, say.
//
// A suite that passes says that the core can work with the adapter, not that the
// adapter does its job: that a mechanism computes what its RFC demands, or that
// a codec writes a field in its place, is for tests of its own, against something
// that others wrote. Three habits help to get the most out of a run:
//
//   - Use the race detector. Half of what "safe for concurrent use" means can be
//     judged by nothing else; the suites make the calls.
//   - Use go.uber.org/goleak in TestMain. The suites close all that they were
//     given, so whatever is left is the adapter's.
//   - Run -count=20. No suite asserts on the wall clock, and none sleeps in
//     order to synchronise, so that a failure which comes and goes is a defect.
package porttest
