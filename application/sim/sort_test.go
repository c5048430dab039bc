package sim

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestStepsAreSortedStably compares with the sort of the standard library.
func TestStepsAreSortedStably(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got []Step
		for i, at := range rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "times") {
			got = append(got, Step{At: time.Duration(at), N: int64(i)})
		}
		want := slices.Clone(got)
		slices.SortStableFunc(want, byTime)
		if sortSteps(got); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
