package krb5

import (
	"fmt"
	"io"
	"os"
)

// readFile reads a whole file, no larger than max bytes; a device or a pipe would
// keep a login waiting.
func readFile(path string, max int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no file to read", path)
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
