package need

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Binary is an openssl of the machine, and its version.
type Binary struct {
	Path         string
	Major, Minor int
}

// OpenSSL returns the openssl in the PATH, 3.0 or later. Without one it skips t, or
// fails it where the environment has OPENSSL=required. untested is what a skip leaves
// untested, a sentence.
func OpenSSL(t testing.TB, untested string) Binary {
	t.Helper()
	found, err := openssl()
	Extra{Name: "openssl", Variable: "OPENSSL", Untested: untested}.Test(t, err)
	t.Logf("%s is OpenSSL %d.%d", found.Path, found.Major, found.Minor)
	return found
}

var opensslVersion = regexp.MustCompile(`^OpenSSL (\d+)\.(\d+)\.`)

var openssl = sync.OnceValues(func() (Binary, error) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		return Binary{}, err
	}
	out, err := exec.Command(path, "version").Output()
	if err != nil {
		return Binary{}, fmt.Errorf("%s version: %w", path, err)
	}
	v := opensslVersion.FindStringSubmatch(string(out))
	if v == nil {
		return Binary{}, fmt.Errorf("%s is %q, want OpenSSL 3.0 or later", path, strings.TrimSpace(string(out)))
	}
	b := Binary{Path: path}
	b.Major, _ = strconv.Atoi(v[1])
	b.Minor, _ = strconv.Atoi(v[2])
	if b.Major < 3 {
		return Binary{}, fmt.Errorf("%s is OpenSSL %d.%d, want 3.0 or later", path, b.Major, b.Minor)
	}
	return b, nil
})
