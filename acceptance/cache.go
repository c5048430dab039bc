package acceptance

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The cache is a directory outside the repository that many test processes share:
//
//	m2/                     Maven's local repository, used for nothing else
//	kafka-VERSION.classpath the jars of one release, one a line, relative to m2; other
//	                        programs have such files too
//	lock                    held by the one process that changes any of this
//	kafka-python-VERSION-*  what acceptance/kafkapython installs; no lock needed
//
// A class path is written to a temporary name and renamed. It is used only after every jar
// in it was opened: the table of contents of a jar is at its end, so that opening finds a
// truncated one. Readers need no lock. A process that finds a missing or broken jar takes
// the lock, looks again, removes the broken jars (Maven would trust them) and has Maven
// fetch the missing ones.

// cache is the path of that directory, absolute and without symbolic links,
// since Maven answers with such paths.
type cache string

// CacheDir returns that directory, for other downloads.
func CacheDir() (string, error) {
	c, err := openCache()
	return string(c), err
}

func openCache() (cache, error) {
	dir := os.Getenv("BROKERCONN_CACHE")
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("acceptance: no place to keep the brokers' jars (BROKERCONN_CACHE can name one): %w",
				err)
		}
		dir = filepath.Join(user, "brokerconn")
	}
	path, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(path, 0o777)
	}
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", fmt.Errorf("acceptance: %s cannot be used to keep the brokers' jars (BROKERCONN_CACHE can name "+
			"another place): %w", dir, err)
	}
	return cache(path), nil
}

func (c cache) m2() string { return filepath.Join(string(c), "m2") }

func (c cache) classpathFile(name string) string {
	return filepath.Join(string(c), name+".classpath")
}

// lock waits for the cache's lock.
func (c cache) lock(ctx context.Context) (unlock func(), err error) {
	path := filepath.Join(string(c), "lock")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		unlock, held, err := tryLock(path)
		switch {
		case err != nil:
			return nil, fmt.Errorf("acceptance: the lock of the brokers' jars: %w", err)
		case !held:
			return unlock, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("acceptance: another process fetches jars and holds %s: %w", path, ctx.Err())
		}
	}
}

// load returns the jars of a name, as absolute paths: none if they were never fetched.
func (c cache) load(name string) ([]string, error) {
	text, err := os.ReadFile(c.classpathFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("acceptance: the class path of %s: %w", name, err)
	}
	var jars []string
	for line := range strings.Lines(string(text)) {
		jars = append(jars, filepath.Join(c.m2(), filepath.FromSlash(strings.TrimSpace(line))))
	}
	return jars, nil
}

// store writes the class path that load reads.
func (c cache) store(name string, jars []string) error {
	var text strings.Builder
	for _, jar := range jars {
		path, err := filepath.Rel(c.m2(), jar)
		if err != nil || !filepath.IsLocal(path) {
			return fmt.Errorf("acceptance: Maven names a jar outside %s: %s", c.m2(), jar)
		}
		fmt.Fprintln(&text, filepath.ToSlash(path))
	}
	file := c.classpathFile(name)
	err := os.WriteFile(file+".new", []byte(text.String()), 0o666)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		return fmt.Errorf("acceptance: the class path of %s: %w", name, err)
	}
	return nil
}

// whole returns the jars of a name if they are all there and whole, or none.
func (c cache) whole(name string) ([]string, error) {
	jars, err := c.load(name)
	if err != nil || broken(jars) != nil {
		return nil, err
	}
	return jars, nil
}

// broken returns those of the jars that are missing or cut short.
func broken(jars []string) []string {
	var bad []string
	for _, jar := range jars {
		r, err := zip.OpenReader(jar)
		if err != nil {
			bad = append(bad, jar)
			continue
		}
		r.Close()
	}
	return bad
}
