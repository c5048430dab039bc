//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

const newest = "kafka-" + Newest // in the cache

// A complete release needs no Maven, hence no network.
func TestFetchFromCache(t *testing.T) {
	first := must(Fetch(t.Context(), Newest))(t)
	for _, jar := range filepath.SplitList(first) {
		if !filepath.IsAbs(jar) {
			t.Errorf("got %s, want an absolute path", jar)
		}
	}
	t.Setenv("PATH", "")
	if again, err := Fetch(t.Context(), Newest); err != nil || again != first {
		t.Errorf("second fetch, without Maven: got %v, the same class path: %t; want no error, true",
			err, again == first)
	}
}

// copyCache gives the test its own cache with the newest release alone: other processes
// may use the shared one, and keep their Python there.
func copyCache(t *testing.T) cache {
	t.Helper()
	must(Fetch(t.Context(), Newest))(t)
	from := must(openCache())(t)
	to := t.TempDir()
	fakebroker.Must(t, os.CopyFS(cache(to).m2(), without{os.DirFS(from.m2()), jarsOfOthers(t, from)}))
	jars, err := os.ReadFile(from.classpathFile(newest))
	if err == nil {
		err = os.WriteFile(cache(to).classpathFile(newest), jars, 0o666)
	}
	fakebroker.Must(t, err)
	t.Setenv("BROKERCONN_CACHE", to)
	c := must(openCache())(t)
	return c
}

// jarsOfOthers returns the names of the jars of all other releases: most of a cache after
// make releases.
func jarsOfOthers(t *testing.T, c cache) map[string]bool {
	t.Helper()
	files := must(filepath.Glob(c.classpathFile("*")))(t)
	others := make(map[string]bool)
	jars := func(file string) []string {
		return must(c.load(strings.TrimSuffix(filepath.Base(file), ".classpath")))(t)
	}
	for _, file := range files {
		for _, jar := range jars(file) {
			others[filepath.Base(jar)] = true
		}
	}
	for _, jar := range jars(c.classpathFile(newest)) {
		delete(others, filepath.Base(jar))
	}
	return others
}

// without is a file system that lacks files of some names.
type without struct {
	fs.FS
	names map[string]bool
}

func (w without) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(w.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return w.names[e.Name()] }), err
}

func TestFetchRepairs(t *testing.T) {
	c := copyCache(t)
	jars, err := c.whole(newest)
	if err != nil || jars == nil {
		t.Fatalf("load from a moved cache: got %v", err)
	}
	sizes := func(jars []string) (sizes []int64) {
		for _, jar := range jars {
			if info, err := os.Stat(jar); err == nil {
				sizes = append(sizes, info.Size())
			}
		}
		return sizes
	}
	want := sizes(jars)
	cut := func(jar string) error {
		info, err := os.Stat(jar)
		return errors.Join(err, os.Truncate(jar, info.Size()/2))
	}
	for _, damage := range []struct {
		name string
		do   func() error
	}{
		{"a jar is missing", func() error { return os.Remove(jars[1]) }},
		{"a jar is cut short", func() error { return cut(jars[2]) }},
		{"the class path is missing and a jar is cut short", func() error {
			return errors.Join(os.Remove(c.classpathFile(newest)), cut(jars[3]))
		}},
		{"the class path is empty", func() error { return os.Truncate(c.classpathFile(newest), 0) }},
		{"the class path names a jar that never was", func() error {
			return os.WriteFile(c.classpathFile(newest), []byte("org/never/was.jar\n"), 0o666)
		}},
	} {
		t.Run(damage.name, func(t *testing.T) {
			fakebroker.Must(t, damage.do())
			// All at the same time, as several test processes would.
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					classpath, err := Fetch(t.Context(), Newest)
					if err != nil {
						t.Error(err)
					} else if got := sizes(filepath.SplitList(classpath)); !slices.Equal(got, want) {
						t.Errorf("jars of these sizes: %d; want %d", got, want)
					}
				})
			}
			all.Wait()
			if exists(string(c), "fetch-*") {
				t.Error("got Maven's project left, want it removed")
			}
		})
	}
}

func TestFetchOfMissingRelease(t *testing.T) {
	_, err := Start(t.Context(), Config{Version: "4.99.0"})
	if err == nil || !strings.Contains(err.Error(), "Could not find artifact org.apache.kafka:kafka_2.13:jar:4.99.0") {
		t.Fatalf("a missing release: got %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line", err)
	}
}

func TestFetchGivenUp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("BROKERCONN_CACHE", dir)
	_, err := Fetch(contextUntil(t, func() bool { return exists(dir, "m2/*") }), Newest)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("fetch with a canceled context: got %v", err)
	}
	if exists(dir, "fetch-*") || exists(dir, "*.classpath*") {
		t.Error("after a canceled fetch: got other files, want Maven's repository alone")
	}
}
