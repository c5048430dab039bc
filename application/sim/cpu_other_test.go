//go:build !unix

package sim_test

import "time"

var started = time.Now()

// cpuTime returns the time since the process started: more than the processor time that it used.
func cpuTime() time.Duration { return time.Since(started) }
