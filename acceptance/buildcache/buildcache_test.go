package buildcache

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, want string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	switch got, err := os.ReadFile(name); {
	case want == "" && !os.IsNotExist(err):
		t.Errorf("%s: got %q (%v), want no file", name, got, err)
	case want != "" && string(got) != want:
		t.Errorf("%s: got %q (%v), want %q", name, got, err, want)
	}
}

// TestNewCacheHasEntriesOfUser makes a cache from one that has an output, the folder of an executable,
// and files that are no entries. What is added to it is not in the user's, which is whole at the end.
func TestNewCacheHasEntriesOfUser(t *testing.T) {
	user := t.TempDir()
	write(t, "output", user, "ab", "abcd-d")
	write(t, "program", user, "cd", "cdef-d", "program")
	write(t, "1", user, "trim.txt")
	write(t, "data", user, "fuzz", "corpus")
	t.Setenv("GOCACHE", user)
	dir, err := New()
	if err != nil {
		t.Fatal(err)
	}
	check(t, "output", dir, "ab", "abcd-d")
	check(t, "program", dir, "cd", "cdef-d", "program")
	check(t, "", dir, "trim.txt")
	check(t, "", dir, "fuzz", "corpus")
	write(t, "more", dir, "ab", "ab00-d")
	check(t, "", user, "ab", "ab00-d")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	check(t, "output", user, "ab", "abcd-d")
	check(t, "program", user, "cd", "cdef-d", "program")
}

// TestNewCacheWithoutOne: a user may have built nothing yet.
func TestNewCacheWithoutOne(t *testing.T) {
	t.Setenv("GOCACHE", filepath.Join(t.TempDir(), "none"))
	dir, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}
