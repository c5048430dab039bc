package simtest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/application/simtest"
)

// What goroutines of Go use is there until they have ended, whether the seed passes or fails.
func TestCleanupFollowsGoroutines(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var order []string
		failure := simtest.Check(t, simtest.Options{Seeds: 1, Once: true}, func(w *simtest.World) {
			note := func(what string) { order = append(order, what) }
			w.Cleanup(func() { note("first") })
			w.Cleanup(func() {
				time.Sleep(time.Second)
				note("last")
				w.FailNow() // ends its goroutine, as packages of assertions do
			})
			w.Go(func() {
				<-w.Context().Done()
				time.Sleep(time.Minute)
				note("goroutine")
			})
			w.Sleep(time.Second)
			if fails {
				w.Fatalf("fails")
			}
			note("function")
		})
		want, text := []string{"function", "goroutine", "last", "first"}, "failed"
		if fails {
			want, text = want[1:], "fails"
		}
		if !slices.Equal(order, want) {
			t.Errorf("fails %v: got %v, want %v", fails, order, want)
		}
		if failure == nil || !strings.HasPrefix(failure.Text, text+" (cleanup_test.go:") {
			t.Errorf("fails %v: got %v, want a failure with the text %q", fails, failure, text)
		}
	}
}
