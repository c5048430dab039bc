package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"brokerconn/acceptance/buildcache"
)

// defect is a change of the product.
type defect struct {
	source   string // of the defect: a report of the same in a client, or in this project's own log
	file     string // relative to the root
	old, new string
}

// readDefect reads a defect: its sentence and its source, a line each, the name of the file, the old
// text and the new one, each behind a line of its own that begins with "-- ".
func readDefect(name string) (d defect, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return defect{}, err
	}
	sections := strings.Split("\n"+string(data), "\n-- ")
	if len(sections) != 3 {
		return defect{}, fmt.Errorf("%s: want a sentence, -- FILE and -- with", name)
	}
	sentence, source, _ := strings.Cut(strings.TrimSpace(sections[0]), "\n")
	var ok bool
	if d.source, ok = strings.CutPrefix(source, "Source: "); !ok || sentence == "" || d.source == "" {
		return defect{}, fmt.Errorf("%s: want a sentence, and a line with its source: \"Source: ...\"", name)
	}
	if d.file, d.old, ok = strings.Cut(sections[1], "\n"); !ok {
		return defect{}, fmt.Errorf("%s: no text to replace", name)
	}
	if d.new, ok = strings.CutPrefix(sections[2], "with\n"); !ok {
		return defect{}, fmt.Errorf("%s: want -- with", name)
	}
	d.new = strings.TrimSuffix(d.new, "\n")
	return d, nil
}

// overlay writes what the option -overlay of go build needs to have the defect, into the folder
// work, and returns the name of the file.
func (d defect) overlay(root, work string) (string, error) {
	source := filepath.Join(root, d.file)
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := bytes.Count(text, []byte(d.old)); n != 1 {
		return "", fmt.Errorf("its text is in %s %d times, want once", d.file, n)
	}
	changed := filepath.Join(work, "changed.go")
	if err := os.WriteFile(changed, bytes.Replace(text, []byte(d.old), []byte(d.new), 1), 0o600); err != nil {
		return "", err
	}
	return buildcache.Overlay(work, map[string]string{source: changed})
}
