// Package buildcache makes a build cache for a program that builds many variants of the tree, each of
// them once. It begins with all that the user's cache has, as links, and what is added to it is removed
// with it: such a program would leave gigabytes to the user's cache otherwise.
// Overlay writes what shows the compiler a variant.
package buildcache

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// New makes a cache in a temporary folder, for the environment variable GOCACHE. The caller removes
// the folder with [os.RemoveAll].
func New() (dir string, err error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOCACHE: %w", err)
	}
	if dir, err = os.MkdirTemp("", "go-build"); err != nil {
		return "", err
	}
	if err := fill(dir, strings.TrimSpace(string(out))); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// Overlay writes a file for the option -overlay of the go command into a folder, and returns its name. The
// compiler sees the files that are the values of replace in place of the keys.
func Overlay(dir string, replace map[string]string) (name string, err error) {
	description, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name = filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, description, 0o600)
}

// fill links the entries of a cache into dir. One that cannot be linked, or was just removed, is
// built again. The file that says when the cache was last cleaned is left out.
func fill(dir, from string) error {
	folders, err := os.ReadDir(from)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(from, folder.Name()))
		if !folder.IsDir() || len(folder.Name()) != 2 || err != nil {
			continue
		}
		if err := os.Mkdir(filepath.Join(dir, folder.Name()), 0o777); err != nil {
			return err
		}
		for _, entry := range entries {
			name := filepath.Join(folder.Name(), entry.Name())
			old, link := filepath.Join(from, name), filepath.Join(dir, name)
			if os.Link(old, link) != nil { // a folder, or another file system
				_ = os.Symlink(old, link)
			}
		}
	}
	return nil
}
