package tls

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"
)

// A file is read anew when it changed. No goroutine watches it: each handshake looks
// first, which costs a stat. It is another one if its identity, size or time of
// change is, so that a rename is seen. Since two writes may fall within one tick of a
// file system's clock (two seconds on some), a file that was young when it was read
// is read again, until it was old. What counts is then whether the bytes are others.

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
	if f.info != nil && !f.young && os.SameFile(f.info, info) && f.info.Size() == info.Size() && f.info.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	switch {
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%q is no file to read", f.path)
	case info.Size() > maxFileBytes:
		return false, f.tooLarge()
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return false, err
	}
	defer opened.Close()
	// Of the file that is read: the name may lead to another one by now. From before
	// it is read: what is written meanwhile changes its time.
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
