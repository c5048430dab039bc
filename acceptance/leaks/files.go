package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxFileBytes is how much is read of a file that a run left behind.
const maxFileBytes = 64 << 20

// files looks through the files below a folder that were written since a time. Texts of the
// checkout that name the marks are left out: Go and Markdown.
func (r *reader) files(dir string, since time.Time) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it was removed meanwhile
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".md"):
			return nil
		}
		if info, err := d.Info(); err != nil || info.ModTime().Before(since) || info.Size() > maxFileBytes {
			return nil
		}
		if text, err := os.ReadFile(path); err == nil {
			r.read += len(text)
			r.scanner.scan("the file", path, string(text)+"\n")
		}
		return nil
	})
}
