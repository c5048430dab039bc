#!/usr/bin/env bash
# In a bubble of testing/synctest a new timer whose time has come cannot be stopped; one that was reset to it can.
#
# Guess:     time.AfterFunc(0, f).Stop() before the goroutine blocks prevents f, in a bubble as outside: the
#            bubble's time does not advance meanwhile.
# Version:   Go 1.26.8.
# Behaviour: in a bubble AfterFunc with no time, or less, has started f when it returns: Stop returns false, and
#            f is called. A timer made for later and Reset to the same time is stopped, and f is not called.
#            Outside, both are stopped nearly always.
# Seen:      the output compared below: for each duration in nanoseconds whether Stop stopped it, and f was called.
# Matters:   a clock over package time that makes its timer when it is first set behaves otherwise than one that
#            resets a timer, and only in tests with synctest: there an alarm is called that was stopped at once.
# Needs:     Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOWORK=off GOTOOLCHAIN=go1.26.8

cat >go.mod <<'MOD'
module timers

go 1.26
MOD
cat >timer_test.go <<'GO'
package timers

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestStop(t *testing.T) {
	for _, d := range []time.Duration{-1, 0, 1} {
		synctest.Test(t, func(*testing.T) {
			made, called := false, false
			made = time.AfterFunc(d, func() { called = true }).Stop()
			synctest.Wait()
			fmt.Println("made for", int(d), made, called)
			called = false
			timer := time.AfterFunc(time.Hour, func() { called = true })
			timer.Reset(d)
			reset := timer.Stop()
			synctest.Wait()
			fmt.Println("reset to", int(d), reset, called)
		})
	}
}
GO
got=$(go test -count=1 . -v -run TestStop | grep -E '^(made|reset)')
want='made for -1 false true
reset to -1 true false
made for 0 false true
reset to 0 true false
made for 1 true false
reset to 1 true false'
echo "$got"
[ "$got" = "$want" ] || { echo "it has changed; seen before:" >&2; echo "$want" >&2; exit 1; }
