package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// file is a file of the checkout.
type file struct {
	path string // within the checkout, with slashes
	text []byte
}

// dir returns the folder of the file within the checkout, "." for the root.
func (f *file) dir() string { return path.Dir(f.path) }

func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f *file) isGo() bool { return strings.HasSuffix(f.path, ".go") }

// within reports whether a path is dir or below it.
func within(path, dir string) bool {
	return dir == "." || path == dir || strings.HasPrefix(path, dir+"/")
}

// readTree returns the files of the checkout whose path is wanted, in order. Folders
// whose name begins with a dot are left out, but for .ci.
func readTree(root string, wanted func(path string) bool) (files []file, err error) {
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && rel != "." && rel != ".ci" {
			return filepath.SkipDir
		}
		if d.IsDir() || !wanted(rel) {
			return nil
		}
		text, err := os.ReadFile(name)
		files = append(files, file{rel, text})
		return err
	})
	return files, err
}

// readGo returns the Go files of the checkout, without those in testdata.
func readGo(root string) ([]file, error) {
	return readTree(root, func(path string) bool {
		return strings.HasSuffix(path, ".go") && !strings.Contains("/"+path, "/testdata/")
	})
}
