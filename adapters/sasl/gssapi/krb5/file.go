package krb5

import (
	"fmt"
	"io"
	"os"
)

// readFile reads a regular file of at most max bytes. It refuses devices and pipes,
// which could block a login.
func readFile(path string, max int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > max:
		return nil, fmt.Errorf("%q is larger than %d KiB", path, max>>10)
	}
	return data, nil
}
