package parity

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// report counts in how many scenarios each deviation was seen, by version.
type report struct {
	scenarios map[string]int            // by version
	shown     map[string]map[string]int // by deviation and version
}

func newReport() *report {
	return &report{scenarios: map[string]int{}, shown: map[string]map[string]int{}}
}

func (r *report) add(version string, v verdict) {
	r.scenarios[version]++
	for name := range v.shown {
		if r.shown[name] == nil {
			r.shown[name] = map[string]int{}
		}
		r.shown[name][version]++
	}
}

// stale returns the deviations that no scenario shows.
func (r *report) stale(list []deviation) (names []string) {
	for _, d := range list {
		if r.shown[d.name] == nil {
			names = append(names, d.name)
		}
	}
	return names
}

// print writes the list, with its reasons.
func (r *report) print(w io.Writer, list []deviation) {
	fmt.Fprintf(w, "\nbroker.Polled against kafka-python:")
	for _, v := range versions {
		fmt.Fprintf(w, " %d scenarios through %s;", r.scenarios[v], v)
	}
	fmt.Fprintf(w, " %d deliberate deviations:\n", len(list))
	for i, d := range list {
		var seen []string
		for _, v := range versions {
			if n := r.shown[d.name][v]; n > 0 {
				seen = append(seen, fmt.Sprintf("%s in %d", v, n))
			}
		}
		if seen == nil {
			seen = []string{"nowhere"}
		}
		fmt.Fprintf(w, "\n%2d. %s (%s)\n%s\n", i+1, d.name, strings.Join(seen, ", "), wrap(d.reason, 90, "    "))
	}
	fmt.Fprintln(w)
}

// wrap breaks a text into indented lines.
func wrap(text string, width int, indent string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, indent+line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return strings.Join(slices.Concat(lines, []string{indent + line}), "\n")
}
