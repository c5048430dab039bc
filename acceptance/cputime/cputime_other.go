//go:build !unix

package cputime

import "time"

var started = time.Now()

// Used returns the time since the process started: more than the processor time that it used.
func Used() time.Duration { return time.Since(started) }
