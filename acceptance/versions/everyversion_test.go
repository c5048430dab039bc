//go:build acceptance && matrix

package versions

import (
	"slices"
	"testing"
)

// TestEveryVersion is the whole matrix: what make version-matrix prints.
func TestEveryVersion(t *testing.T) { matrix(t, slices.Concat(everyRelease, otherPatches)) }
