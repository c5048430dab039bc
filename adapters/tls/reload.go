package tls

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Files are read anew when they changed. No goroutine watches them: each handshake
// looks first, which costs a stat per file. A file is another one if its identity,
// size or time of change is, so that a rename is seen. Since two writes may fall
// within one tick of a file system's clock (two seconds on some), a file that was
// young when it was read is read again, until it was old. What counts is then
// whether the bytes are others.
//
// Changed files serve all at once or not at all: a certificate whose key has not
// been replaced yet leaves both of the former ones in force.

// material is what a handshake needs of files, read and fit together.
type material struct {
	roots       *x509.CertPool // nil: the system's
	authorities []*x509.Certificate
	identity    []tls.Certificate // at most one
	revoked     *revocations
	sessions    *sessions
}

type loader struct {
	o Options

	mu      sync.Mutex
	files   []*file
	inForce *material
	failed  error // why the files as they are now are not in force; nil if they are
}

// newLoader reads all files; it is an error if they will not do.
func newLoader(o Options) (*loader, error) {
	l := &loader{o: o}
	for _, path := range []string{o.CAFile, o.CertFile, o.KeyFile, o.CRLFile} {
		if path != "" && l.file(path) == nil {
			l.files = append(l.files, &file{path: path})
		}
	}
	if _, err := l.refresh(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *loader) file(path string) *file {
	for _, f := range l.files {
		if f.path == path {
			return f
		}
	}
	return nil
}

// look returns what is in force, after it took over what changed.
func (l *loader) look() *material {
	current, tell, err := l.lookLocked()
	if tell && l.o.Reloaded != nil {
		l.o.Reloaded(err)
	}
	return current
}

func (l *loader) lookLocked() (current *material, tell bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.failed
	changed, err := l.refresh()
	tell = changed && err == nil || err != nil && (before == nil || before.Error() != err.Error())
	return l.inForce, tell, err
}

// refresh reads what changed, and everything as long as something is wrong with it:
// the password may be another one next time.
func (l *loader) refresh() (changed bool, err error) {
	var problems []error
	for _, f := range l.files {
		other, err := f.refresh()
		if err != nil {
			problems = append(problems, err)
		}
		changed = changed || other
	}
	err = errors.Join(problems...)
	if err == nil && l.inForce != nil && l.failed == nil && !changed {
		return false, nil
	}
	if err == nil {
		err = l.load()
	}
	l.failed = err
	return true, err
}

// load puts in force what the files have.
func (l *loader) load() error {
	next := &material{sessions: &sessions{}}
	if data := l.content(l.o.CAFile, l.o.CAPEM); data != nil {
		var err error
		if next.authorities, err = parseCertificates(data); err != nil {
			return fmt.Errorf("tls: %s: %w", label("CA", l.o.CAFile), err)
		}
		next.roots = x509.NewCertPool()
		for _, c := range next.authorities {
			next.roots.AddCert(c)
		}
	}
	identity, err := l.loadIdentity()
	if err != nil {
		return err
	}
	next.identity = identity
	if data := l.content(l.o.CRLFile, ""); data != nil {
		if next.revoked, err = parseCRLs(data); err != nil {
			return fmt.Errorf("tls: %s: %w", label("CRL", l.o.CRLFile), err)
		}
	}
	if l.inForce != nil && sameIdentity(l.inForce.identity, identity) {
		next.sessions = l.inForce.sessions // the broker took them for us as we still are
	}
	l.inForce = next
	return nil
}

func (l *loader) loadIdentity() ([]tls.Certificate, error) {
	chain := l.content(l.o.CertFile, l.o.CertPEM)
	if chain == nil {
		return nil, nil
	}
	key, keyFile := l.content(l.o.KeyFile, l.o.KeyPEM), l.o.KeyFile
	if key == nil {
		key, keyFile = chain, l.o.CertFile
	}
	certificate, err := parseChain(chain)
	if err != nil {
		return nil, fmt.Errorf("tls: %s: %w", label("Cert", l.o.CertFile), err)
	}
	signer, err := loadKey(key, l.o.KeyPassword)
	if err != nil {
		return nil, fmt.Errorf("tls: %s: %w", label("Key", keyFile), err)
	}
	if err := pair(&certificate, signer); err != nil {
		return nil, fmt.Errorf("tls: %s, %s: %w", label("Cert", l.o.CertFile), label("Key", keyFile), err)
	}
	return []tls.Certificate{certificate}, nil
}

// content is what a file has, or the option that has it itself; nil without either.
func (l *loader) content(path, text string) []byte {
	switch {
	case path != "":
		return l.file(path).data
	case text != "":
		return []byte(text)
	}
	return nil
}

func label(what, path string) string {
	if path == "" {
		return what + "PEM"
	}
	return fmt.Sprintf("%sFile %q", what, path)
}

func sameIdentity(a, b []tls.Certificate) bool {
	return len(a) == len(b) && (len(a) == 0 || bytes.Equal(a[0].Certificate[0], b[0].Certificate[0]))
}

// file is one file as it was when it was read.
type file struct {
	path  string
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
		return false, fmt.Errorf("tls: %w", err)
	}
	if f.info != nil && !f.young && os.SameFile(f.info, info) && f.info.Size() == info.Size() && f.info.ModTime().Equal(info.ModTime()) {
		return false, nil
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("tls: %q is no file to read", f.path)
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return false, fmt.Errorf("tls: %w", err)
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxFileBytes+1))
	switch {
	case err != nil:
		return false, fmt.Errorf("tls: %w", err)
	case len(data) > maxFileBytes:
		return false, fmt.Errorf("tls: %q is larger than %d MiB", f.path, maxFileBytes>>20)
	}
	// info was taken before: if the file was replaced in between, the next look
	// sees another one.
	sum := sha256.Sum256(data)
	changed = sum != f.sum
	f.info, f.young, f.data, f.sum = info, time.Since(info.ModTime()) < tick, data, sum
	return changed, nil
}
