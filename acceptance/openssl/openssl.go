// Package openssl runs the openssl of the machine, for tests that compare their own
// verdicts with its, and counts the verdicts.
package openssl

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
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

// Serve runs openssl's server on any port of 127.0.0.1 until the test ends. args include its
// certificate and key.
func Serve(t *testing.T, args ...string) (address string) {
	t.Helper()
	cmd := command(append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...))
	stdin, err := cmd.StdinPipe() // at its end the server exits
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for address == "" && lines.Scan() {
		if accepting, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			address = accepting
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	if address == "" {
		t.Fatalf("got no port of openssl s_server %q", args)
	}
	return address
}

func command(args []string) *exec.Cmd {
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	return cmd
}

func run(stdin []byte, args []string) (stdout, stderr []byte, err error) {
	cmd := command(args)
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
