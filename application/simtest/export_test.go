package simtest

import "testing"

// StuckTicks is for how many seconds virtual time may stand still.
var StuckTicks = &stuckTicks

// CheckSeed is Check for one seed.
func CheckSeed(t *testing.T, o Options, seed uint64, f func(*World)) *Failure {
	seedCrypto(t, 0)
	_, failure := (&runner{t: t, o: o.withDefaults(), f: f}).twice(seed, nil)
	return failure
}
