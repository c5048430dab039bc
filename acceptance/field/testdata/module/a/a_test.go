package a

import "testing"

func TestTable(t *testing.T) {
	t.Run("holds", func(*testing.T) {})
	t.Run("fails", func(t *testing.T) { t.Error("as it should") })
	t.Run("is skipped", func(t *testing.T) { t.Skip("as it should") })
}

func TestAlone(*testing.T) {}
