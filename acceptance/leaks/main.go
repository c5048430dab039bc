// The command leaks runs go test and looks for secrets in all that the tests print.
//
//	leaks [-v] go test [flags] packages
//
// Every credential of a test of this module has one of the words in marks: a password,
// a token, a client secret, a proxy's login, the password of a key. Whatever a run
// prints (logs, panics, the names of tests, what passing tests log) is read, and a mark
// in it, in plain or as a print may spell it, makes the run fail. Tests log what
// commands answered, so that this is read as well. So are the files that a run leaves
// behind, and their names: in the folder for temporary files, which is one of the run's own,
// and below the working directory, if they are new, or have changed and are not Go.
//
// Otherwise it prints what go test does without -v: a line for each package, and all
// about tests that failed. With -v it passes everything on. The last lines are a summary:
// how many tests there were, and what those that were skipped need.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
)

// marks are in every credential of a test. A new one is not needed: use canary.
var marks = []string{
	"canary",
	"opensesame",  // of the examples
	"open sesame", // of the keys that other tools encrypted
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is 0, what go test exited with, or 1: there was a secret.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verbose := len(args) > 0 && args[0] == "-v"
	if verbose {
		args = args[1:]
	}
	if len(args) < 2 || args[1] != "test" {
		fmt.Fprintln(stderr, "usage: leaks [-v] go test [flags] packages")
		return 2
	}
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		fmt.Fprintln(stderr, "leaks:", err)
		return 2
	}
	defer os.RemoveAll(dir)
	before := snapshot(".")
	cmd := exec.CommandContext(ctx, args[0], slices.Insert(slices.Clone(args[1:]), 1, "-json")...)
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} { // of Unix and of Windows
		cmd.Env = append(cmd.Environ(), name+"="+dir)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	r := newReader(stdout, verbose)
	events := &lines{each: r.event}
	errs := &lines{each: func(line []byte) { r.stderr(stderr, line) }}
	cmd.Stdout, cmd.Stderr = events, errs
	err = cmd.Run()
	events.end()
	errs.end()
	r.files(dir, nil)
	r.files(".", before)
	leaks := r.finish()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(stderr, "leaks:", err)
		return 2
	case leaks > 0:
		return 1
	}
	return 0
}

// lines is a writer that hands on whole lines, without their ends.
type lines struct {
	each func(line []byte)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		l.each(line)
		l.rest = rest
	}
}

// end hands on a last line that was not ended.
func (l *lines) end() {
	if len(l.rest) > 0 {
		l.each(l.rest)
		l.rest = nil
	}
}
