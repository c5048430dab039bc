package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// pkg is a package that has fuzz targets.
type pkg struct {
	path    string // of its imports
	folder  string // relative to the root
	targets []string
}

var target = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// findTargets returns the packages of a checkout that have fuzz targets, in order.
func findTargets(ctx context.Context, root string, patterns []string) (all []pkg, err error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	const format = "{{.ImportPath}}\t{{.Dir}}{{range .TestGoFiles}}\t{{.}}{{end}}{{range .XTestGoFiles}}\t{{.}}{{end}}"
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-f", format}, patterns...)...)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		p := pkg{path: fields[0]}
		if p.folder, err = filepath.Rel(root, fields[1]); err != nil {
			return nil, err
		}
		for _, name := range fields[2:] {
			text, err := os.ReadFile(filepath.Join(fields[1], name))
			if err != nil {
				return nil, err
			}
			for _, found := range target.FindAllSubmatch(text, -1) {
				p.targets = append(p.targets, string(found[1]))
			}
		}
		if len(p.targets) > 0 {
			all = append(all, p)
		}
	}
	return all, nil
}
