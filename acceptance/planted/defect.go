package main

import (
	"fmt"
	"os"
	"strings"
)

// defect is a change of the core.
type defect struct {
	file     string // relative to the root
	old, new string
}

// readDefect reads a defect: its sentence, the name of the file, the old text and the new one, each
// behind a line of its own that begins with "-- ".
func readDefect(name string) (d defect, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return defect{}, err
	}
	sections := strings.Split("\n"+string(data), "\n-- ")
	if len(sections) != 3 || strings.TrimSpace(sections[0]) == "" {
		return defect{}, fmt.Errorf("%s: want a sentence, -- FILE and -- with", name)
	}
	var ok bool
	if d.file, d.old, ok = strings.Cut(sections[1], "\n"); !ok {
		return defect{}, fmt.Errorf("%s: no text to replace", name)
	}
	if d.new, ok = strings.CutPrefix(sections[2], "with\n"); !ok {
		return defect{}, fmt.Errorf("%s: want -- with", name)
	}
	d.new = strings.TrimSuffix(d.new, "\n")
	return d, nil
}
