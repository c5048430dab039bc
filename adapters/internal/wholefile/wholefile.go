// Package wholefile reads files of bounded size.
package wholefile

import (
	"fmt"
	"io"
	"os"
)

// Read returns the content of a regular file of at most limit bytes, which is a number of
// MiB, and its state from before it was read: a later write changes its time. It rejects
// devices and pipes, which could block the caller.
func Read(path string, limit int64) ([]byte, os.FileInfo, error) {
	tooLarge := fmt.Errorf("%q is larger than %d MiB", path, limit>>20)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.Mode().IsRegular():
		return nil, nil, fmt.Errorf("%q is not a regular file", path)
	case info.Size() > limit:
		return nil, nil, tooLarge
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	// The name may refer to another file by now.
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, nil, err
	case int64(len(data)) > limit:
		return nil, nil, tooLarge // it grew
	}
	return data, info, nil
}
