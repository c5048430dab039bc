package tls

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The oracle is the openssl of the machine, 3.0 or later. Without it the tests
// that need it are skipped, under a message that says what was not tested;
// OPENSSL=required in the environment makes that a failure.

type oracle struct {
	binary       string
	major, minor int
}

var opensslVersion = regexp.MustCompile(`^OpenSSL (\d+)\.(\d+)\.`)

var findOracle = sync.OnceValues(func() (*oracle, error) {
	binary, err := exec.LookPath("openssl")
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(binary, "version").Output()
	if err != nil {
		return nil, err
	}
	v := opensslVersion.FindStringSubmatch(string(out))
	if v == nil || v[1] < "3" {
		return nil, fmt.Errorf("%s is %q; the oracle is OpenSSL 3.0 or later", binary, strings.TrimSpace(string(out)))
	}
	o := &oracle{binary: binary}
	o.major, _ = strconv.Atoi(v[1])
	o.minor, _ = strconv.Atoi(v[2])
	return o, nil
})

// newOracle skips the test where there is no oracle. untested says what then
// remains so, a sentence.
func newOracle(t *testing.T, untested string) *oracle {
	t.Helper()
	required := os.Getenv("OPENSSL")
	if required != "" && required != "required" {
		t.Fatalf("the environment says OPENSSL=%s; it may say required, or nothing", required)
	}
	o, err := findOracle()
	switch {
	case err == nil:
		t.Logf("the oracle is %s, OpenSSL %d.%d", o.binary, o.major, o.minor)
		return o
	case required != "":
		t.Fatalf("OPENSSL FAILED: %v", err)
	}
	rule := strings.Repeat("*", 78)
	t.Skipf("\n%s\nOPENSSL SKIPPED: %v\n%s OPENSSL=required makes this a failure.\n%s", rule, err, untested, rule)
	return nil
}

// run returns what openssl wrote, and whether it ended well. The machine's
// configuration does not take part.
func (o *oracle) run(t *testing.T, args ...string) (stdout, stderr string, ok bool) {
	t.Helper()
	cmd := exec.Command(o.binary, args...)
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
	return o.major > major || o.major == major && o.minor >= minor
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
