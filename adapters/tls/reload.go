package tls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
	identity    *tls.Certificate // an empty one: there is none
	revoked     *revocations
	sessions    *sessions
}

type loader struct {
	o Options

	mu      sync.Mutex
	files   []*file
	inForce *material
	chosen  [sha256.Size]byte // of the bytes that the identity in force was read from
	failed  error             // why the files as they are now are not in force; nil if they are
}

var errUnfinished = errors.New("tls: the password function panicked")

// newLoader reads all files; it is an error if they will not do.
func newLoader(o Options) (*loader, error) {
	l := &loader{o: o}
	for _, f := range []file{
		{option: "CAFile", path: o.CAFile}, {option: "CertFile", path: o.CertFile},
		{option: "KeyFile", path: o.KeyFile}, {option: "CRLFile", path: o.CRLFile},
	} {
		if f.path != "" && l.file(f.path) == nil {
			l.files = append(l.files, &f)
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
			problems = append(problems, &OptionError{f.option, err})
		}
		changed = changed || other
	}
	err = errors.Join(problems...)
	if err == nil && l.inForce != nil && l.failed == nil && !changed {
		return false, nil
	}
	if err == nil {
		l.failed = errUnfinished
		err = l.load()
	}
	l.failed = err
	return true, err
}

// load puts in force what the files have.
func (l *loader) load() error {
	next := &material{sessions: &sessions{}}
	if data, where := l.content("CA", l.o.CAFile, l.o.CAPEM); data != nil {
		var err error
		if next.authorities, err = parseCertificates(data); err != nil {
			return where.refuse(err)
		}
		next.roots = x509.NewCertPool()
		for _, c := range next.authorities {
			next.roots.AddCert(c)
		}
	}
	if err := l.loadIdentity(next); err != nil {
		return err
	}
	if data, where := l.content("CRL", l.o.CRLFile, ""); data != nil {
		var err error
		if next.revoked, err = parseCRLs(data); err != nil {
			return where.refuse(err)
		}
	}
	l.inForce = next
	return nil
}

// loadIdentity reads certificate and key, unless they are the ones in force: an
// encrypted key costs time, and its password may be a person's to type. Sessions go
// with them, since to the broker who resumes one is who began it.
func (l *loader) loadIdentity(next *material) error {
	chain, where := l.content("Cert", l.o.CertFile, l.o.CertPEM)
	key, whereKey := l.content("Key", l.o.KeyFile, l.o.KeyPEM.Reveal())
	if key == nil {
		key, whereKey = chain, where
	}
	sum := sha256.Sum256(slices.Concat(chain, []byte{0}, key))
	switch {
	case l.inForce != nil && sum == l.chosen:
		next.identity, next.sessions = l.inForce.identity, l.inForce.sessions
		return nil
	case chain == nil:
		next.identity = new(tls.Certificate)
		return nil
	}
	certificate, err := parseChain(chain)
	if err != nil {
		return where.refuse(err)
	}
	signer, err := loadKey(key, l.o.KeyPassword)
	if err != nil {
		var e *KeyError
		if errors.As(err, &e) && (e.Problem == KeyPasswordMissing || e.Problem == KeyPasswordFailed || e.Problem == KeyPasswordWrong) {
			whereKey.option = "KeyPassword"
		}
		return whereKey.refuse(err)
	}
	if err := pair(certificate, signer); err != nil {
		return where.refuse(err)
	}
	next.identity, l.chosen = certificate, sum
	return nil
}

// origin is where content comes from, for errors.
type origin struct{ option, path string }

func (o origin) refuse(err error) error {
	if o.path != "" {
		err = fmt.Errorf("%q: %w", o.path, err)
	}
	return &OptionError{o.option, err}
}

// content is what a file has, or the option that has it itself; nil without either.
func (l *loader) content(what, path, text string) ([]byte, origin) {
	switch {
	case path != "":
		return l.file(path).data, origin{what + "File", path}
	case text != "":
		return []byte(text), origin{what + "PEM", ""}
	}
	return nil, origin{}
}

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
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%q is no file to read", f.path)
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
		return false, fmt.Errorf("%q is larger than %d MiB", f.path, maxFileBytes>>20)
	}
	sum := sha256.Sum256(data)
	changed = sum != f.sum
	f.info, f.young, f.data, f.sum = info, time.Since(info.ModTime()) < tick, data, sum
	return changed, nil
}
