//go:build acceptance && matrix

package versions

import (
	"slices"
	"testing"

	"brokerconn/acceptance"
)

// TestEveryVersion is the whole matrix, which make version-matrix prints.
func TestEveryVersion(t *testing.T) { matrix(t, slices.Concat(acceptance.EveryRelease, otherPatches)) }
