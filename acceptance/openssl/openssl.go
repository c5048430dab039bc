// Package openssl runs the openssl of the machine, for tests that compare their own
// verdicts with its, and counts the verdicts.
package openssl

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"

	"brokerconn/acceptance/need"
)

// Oracle is an openssl, 3.0 or later.
type Oracle struct{ need.Binary }

// New returns the openssl of the machine, or skips the test if it is missing.
// untested is a sentence: what the skip leaves untested.
func New(t *testing.T, untested string) *Oracle {
	t.Helper()
	return &Oracle{need.OpenSSL(t, untested)}
}

// AtLeast reports whether openssl has this version or a later one.
func (o *Oracle) AtLeast(major, minor int) bool {
	return o.Major > major || o.Major == major && o.Minor >= minor
}

// Run returns the output of openssl, and whether it exited with 0. It fails the test
// if openssl does not start. openssl reads no configuration of the machine.
func (o *Oracle) Run(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	out, errs, err := run(nil, args)
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Error(err)
	}
	return string(out), string(errs), err == nil
}

// Output returns the standard output of openssl, and whether it exited with 0.
func Output(stdin []byte, args ...string) (stdout []byte, ok bool) {
	stdout, _, err := run(stdin, args)
	return stdout, err == nil
}

// Must returns the standard output of openssl, and fails the test unless it exited
// with 0.
func Must(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	stdout, stderr, err := run(stdin, args)
	if err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, stderr)
	}
	return stdout
}

func run(stdin []byte, args []string) (stdout, stderr []byte, err error) {
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.Bytes(), errs.Bytes(), err
}

// Each calls f for all values, four at a time.
func Each[T any](all []T, f func(T)) {
	var running sync.WaitGroup
	work := make(chan T)
	for range 4 {
		running.Go(func() {
			for v := range work {
				f(v)
			}
		})
	}
	for _, v := range all {
		work <- v
	}
	close(work)
	running.Wait()
}
