//go:build race

package simtest

// raceDetector is whether the test runs under it. It learns from synctest.Wait alone what happened before.
const raceDetector = true
