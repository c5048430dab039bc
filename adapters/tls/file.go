package tls

import (
	"crypto/sha256"
	"os"
	"time"

	"brokerconn/adapters/internal/wholefile"
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

	members map[string]*file // of a folder, by name
	skipped []string         // why members are not in data
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
	switch {
	case err != nil:
		return false, err
	case info.IsDir() && f.option == "CAFile":
		return f.refreshFolder()
	}
	if f.info != nil && !f.young && os.SameFile(f.info, info) && f.info.Size() == info.Size() &&
		f.info.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	data, info, err := wholefile.Read(f.path, maxFileBytes)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256(data)
	changed = sum != f.sum
	f.info, f.young, f.data, f.sum = info, time.Since(info.ModTime()) < tick, data, sum
	return changed, nil
}
