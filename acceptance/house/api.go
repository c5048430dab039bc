package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// The committed text of go doc -all of each public package shows in a review what a change
// does to the API.

// apiDir holds a file for each public package: application.broker.txt for
// application/broker.
const apiDir = "acceptance/house/testdata/api"

// publicPackages returns the folders of the packages that a user may import.
func publicPackages(root string) (dirs []string, err error) {
	files, err := readGo(root)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		dir := f.dir()
		top, _, _ := strings.Cut(dir, "/")
		hidden := slices.Contains([]string{"acceptance", "mocks", "findings"}, top) ||
			slices.Contains(strings.Split(dir, "/"), "internal")
		if f.isTest() || hidden || slices.Contains(dirs, dir) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.PackageClauseOnly)
		if err != nil {
			return nil, err
		}
		if parsed.Name.Name != "main" {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// readAPI returns the documentation of each public package by the name of its file. The
// module is called "module" in it, whatever its name is.
func readAPI(root string) (map[string]string, error) {
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return nil, err
	}
	module := regexp.MustCompile(`(?m)^module\s+(\S+)`).FindSubmatch(gomod)
	dirs, err := publicPackages(root)
	if err != nil {
		return nil, err
	}
	texts, errs := make([]string, len(dirs)), make([]error, len(dirs))
	var wg sync.WaitGroup
	for i, dir := range dirs {
		wg.Go(func() {
			cmd := exec.Command("go", "doc", "-all", "./"+dir)
			cmd.Dir = root
			text, err := cmd.Output()
			if err != nil {
				err = fmt.Errorf("go doc ./%s: %w", dir, err)
			}
			if module != nil {
				text = bytes.ReplaceAll(text, append([]byte{'"'}, append(module[1], '/')...), []byte(`"module/`))
			}
			texts[i], errs[i] = string(text), err
		})
	}
	wg.Wait()
	api := map[string]string{}
	for i, dir := range dirs {
		api[strings.ReplaceAll(dir, "/", ".")+".txt"] = texts[i]
	}
	return api, errors.Join(errs...)
}

// committedAPI returns the committed documentation.
func committedAPI(root string) (map[string]string, error) {
	api := map[string]string{}
	files, err := fs.Glob(os.DirFS(root), path.Join(apiDir, "*.txt"))
	for _, f := range files {
		text, e := os.ReadFile(filepath.Join(root, filepath.FromSlash(f)))
		err = errors.Join(err, e)
		api[path.Base(f)] = string(text)
	}
	return api, err
}

// apiChanges returns the difference between the committed and today's documentation, in
// lines that begin with - and +.
func apiChanges(committed, today map[string]string) (changes []string) {
	all := maps.Clone(committed)
	maps.Copy(all, today)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if lines := difference(committed[name], today[name]); len(lines) > 0 {
			changes = append(append(changes, "== "+name), lines...)
		}
	}
	return changes
}

// printAPI prints the difference.
func printAPI(root string, out io.Writer) error {
	committed, err := committedAPI(root)
	if err != nil {
		return err
	}
	today, err := readAPI(root)
	if err != nil {
		return err
	}
	return printBroken(out, apiChanges(committed, today))
}

// updateAPI writes today's documentation and removes that of packages that are gone.
func updateAPI(root string) error {
	committed, err := committedAPI(root)
	if err != nil {
		return err
	}
	today, err := readAPI(root)
	if err != nil {
		return err
	}
	for name := range committed {
		if _, ok := today[name]; !ok {
			err = errors.Join(err, os.Remove(filepath.Join(root, filepath.FromSlash(apiDir), name)))
		}
	}
	for name, text := range today {
		err = errors.Join(err, os.WriteFile(filepath.Join(root, filepath.FromSlash(apiDir), name), []byte(text), 0o644))
	}
	return err
}

// difference returns the lines that only one of two texts has, as a diff without context.
func difference(before, after string) (lines []string) {
	a, b := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
	// common[i][j] is how many lines a[i:] and b[j:] have in common, in order.
	common := make([][]int, len(a)+1)
	common[len(a)] = make([]int, len(b)+1)
	for i := len(a) - 1; i >= 0; i-- {
		common[i] = make([]int, len(b)+1)
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, "- "+strings.TrimSuffix(a[i], "\n"))
			i++
		default:
			lines = append(lines, "+ "+strings.TrimSuffix(b[j], "\n"))
			j++
		}
	}
	return lines
}
