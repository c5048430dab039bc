package tls

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"
)

// A file is read again after it changed. No goroutine watches it: each handshake calls
// stat first. A changed file has another identity, size or modification time, so that a
// rename is noticed. Two writes may fall within one tick of a file system's clock (two
// seconds on some): a file that was young when it was read is read again, until it was
// old. It has changed if its bytes have.

// file is one file as it was when it was read.
type file struct {
	option, path string

	info  os.FileInfo // nil: it has not been read
	young bool
	data  []byte
	sum   [sha256.Size]byte
}

// tick is more than the coarsest clock of a file system.
const tick = 3 * time.Second

// maxFileBytes bounds a file; revocation lists of public authorities have tens of
// MiB.
const maxFileBytes = 64 << 20

// refresh reads the file if it may have changed, and reports whether it has.
func (f *file) refresh() (changed bool, err error) {
	defer func() {
		if err != nil {
			f.info = nil
		}
	}()
	info, err := os.Stat(f.path)
	if err != nil {
		return false, err
	}
	if f.info != nil && !f.young && os.SameFile(f.info, info) && f.info.Size() == info.Size() &&
		f.info.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	switch {
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%q is not a regular file", f.path)
	case info.Size() > maxFileBytes:
		return false, f.tooLarge()
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return false, err
	}
	defer opened.Close()
	// Of the open file: the name may be another one's by now. Before reading: a later
	// write changes the time.
	if info, err = opened.Stat(); err != nil {
		return false, err
	}
	data, err := io.ReadAll(io.LimitReader(opened, maxFileBytes+1))
	switch {
	case err != nil:
		return false, err
	case len(data) > maxFileBytes:
		return false, f.tooLarge() // it grew
	}
	sum := sha256.Sum256(data)
	changed = sum != f.sum
	f.info, f.young, f.data, f.sum = info, time.Since(info.ModTime()) < tick, data, sum
	return changed, nil
}

func (f *file) tooLarge() error {
	return fmt.Errorf("%q is larger than %d MiB", f.path, maxFileBytes>>20)
}
