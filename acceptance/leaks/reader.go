package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is a line of go test -json (go doc test2json), or of go build -json (go help
// buildjson).
type event struct {
	Action     string
	Package    string
	ImportPath string // of what is built
	Test       string
	Output     string
}

// reader makes of the events what a person wants to read, and has each output looked
// through.
type reader struct {
	out     io.Writer
	verbose bool
	scanner *scanner
	skips   *skips

	packages                       map[string]*pkg
	tests, skipped, read, failures int
}

// pkg is what is known of a package until it is over.
type pkg struct {
	printed []event         // in its order
	fine    map[string]bool // tests that passed or were skipped
}

func newReader(out io.Writer, verbose bool) *reader {
	return &reader{out: out, verbose: verbose, scanner: newScanner(marks), skips: newSkips(),
		packages: map[string]*pkg{}}
}

func (r *reader) event(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		e = event{Action: "build-output", Output: string(line) + "\n"} // as go vet's
	}
	r.read += len(e.Output)
	switch e.Action {
	case "build-output":
		r.scanner.scan(e.ImportPath, "the build", e.Output)
		fmt.Fprint(r.out, e.Output)
	case "output":
		r.scanner.scan(e.Package, e.Test, e.Output)
		r.skips.output(e.Package, e.Test, e.Output)
		if r.verbose {
			fmt.Fprint(r.out, e.Output)
		} else {
			p := r.of(e.Package)
			p.printed = append(p.printed, e)
		}
	case "pass", "skip", "fail":
		r.ended(e)
	}
}

func (r *reader) of(name string) *pkg {
	p := r.packages[name]
	if p == nil {
		p = &pkg{fine: map[string]bool{}}
		r.packages[name] = p
	}
	return p
}

// ended takes note of a test or a package that is over.
func (r *reader) ended(e event) {
	p := r.of(e.Package)
	failed := e.Action == "fail"
	if e.Test != "" {
		p.fine[e.Test] = !failed
		r.tests++
		skipped := e.Action == "skip"
		if skipped {
			r.skipped++
		}
		r.skips.ended(e.Package, e.Test, skipped)
		return
	}
	if failed {
		r.failures++
	}
	for _, o := range p.printed {
		if failed && !p.fine[o.Test] || strings.HasPrefix(o.Output, "ok  \t") && o.Test == "" {
			fmt.Fprint(r.out, o.Output)
		}
	}
	delete(r.packages, e.Package)
}

// stderr is what go itself has to say.
func (r *reader) stderr(to io.Writer, line []byte) {
	r.scanner.scan("", "go", string(line)+"\n")
	fmt.Fprintf(to, "%s\n", line)
}

// finish prints the summary of the run: the secrets that were found, the numbers of tests
// and bytes, and what the skipped tests need. It returns the number of secrets.
func (r *reader) finish() (leaks int) {
	for _, p := range r.packages { // the run was cut off
		for _, o := range p.printed {
			if !p.fine[o.Test] {
				fmt.Fprint(r.out, o.Output)
			}
		}
	}
	for _, found := range r.scanner.found {
		fmt.Fprintf(r.out, "SECRET SHOWN %s\n", found)
	}
	fmt.Fprintf(r.out, "%d tests, %d skipped, %d packages failed; %d secrets shown in %d bytes of output\n",
		r.tests, r.skipped, r.failures, len(r.scanner.found), r.read)
	r.skips.report(r.out)
	return len(r.scanner.found)
}
