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

// state is what shows that a file was written: a test may set the time back.
type state struct {
	size     int64
	modified time.Time
}

// snapshot returns the state of all that is below a folder, by path.
func snapshot(dir string) map[string]state {
	all := map[string]state{}
	walk(dir, func(path string, info fs.FileInfo) { all[path] = state{info.Size(), info.ModTime()} })
	return all
}

func walk(dir string, each func(path string, info fs.FileInfo)) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it was removed meanwhile
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if info, err := d.Info(); err == nil {
			each(path, info)
		}
		return nil
	})
}

// files looks through what is below a folder, with its names, and is new or has changed
// since a snapshot. Texts of the checkout that name the marks are left out: Go and Markdown.
func (r *reader) files(dir string, before map[string]state) {
	walk(dir, func(path string, info fs.FileInfo) {
		was, existed := before[path]
		source := strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".md")
		if existed && (info.IsDir() || source || was == state{info.Size(), info.ModTime()}) {
			return
		}
		text := []byte(nil)
		switch mode := info.Mode(); {
		case mode&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path) // of one that was removed: ""
			text = []byte(target)
		case mode.IsRegular() && info.Size() <= maxFileBytes:
			text, _ = os.ReadFile(path)
		}
		r.read += len(text)
		r.scanner.scan("the file", path, info.Name()+"\n"+string(text)+"\n")
	})
}
