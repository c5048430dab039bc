package tls

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"brokerconn/acceptance/need"
)

// oracle is the openssl of the machine, 3.0 or later.
type oracle struct{ need.Binary }

// newOracle skips the test where there is none. untested is what a skip leaves untested,
// a sentence.
func newOracle(t *testing.T, untested string) *oracle {
	t.Helper()
	return &oracle{need.OpenSSL(t, untested)}
}

// run returns what openssl wrote, and whether it ended well. The machine's
// configuration does not take part.
func (o *oracle) run(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	cmd := exec.Command(o.Path, args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Error(err)
	}
	return out.String(), errs.String(), err == nil
}

func (o *oracle) atLeast(major, minor int) bool {
	return o.Major > major || o.Major == major && o.Minor >= minor
}

// openssl runs it, with the configuration of no machine in particular.
func openssl(stdin []byte, args ...string) (stdout []byte, ok bool) {
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	cmd.Stdin = bytes.NewReader(stdin)
	stdout, err := cmd.Output()
	return stdout, err == nil
}

// mustOpenSSL is openssl for what has to work: making what the tests need.
func mustOpenSSL(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, stderr.Bytes())
	}
	return stdout
}
