package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTargetsAreThere compares the targets that the README names with the Makefile, in which each
// has a line for its help.
func TestTargetsAreThere(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	makefile, readme := read("Makefile"), read("README.md")
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):(?:[^=\n].*)?$`).FindAllStringSubmatch(makefile, -1) {
		targets[m[1]] = true
		if !strings.Contains(m[0], "## ") {
			t.Errorf("target %s has no line for make help", m[1])
		}
	}
	phony := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile)
	for _, name := range strings.Fields(phony[1]) {
		if !targets[name] {
			t.Errorf("%s is phony, and no target", name)
		}
		delete(targets, name)
	}
	for name := range targets {
		t.Errorf("target %s is not phony", name)
	}
	named := regexp.MustCompile("(?m)(?:^|`)make ([a-z][a-z-]*)").FindAllStringSubmatch(readme, -1)
	if len(named) < 10 {
		t.Errorf("the README names %d targets", len(named))
	}
	for _, m := range named {
		if !strings.Contains(phony[1]+" ", m[1]+" ") {
			t.Errorf("the README names make %s, and there is no such target", m[1])
		}
	}
}
