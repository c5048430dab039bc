package tls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/tls/crl"
	"brokerconn/adapters/tls/pemkey"
)

// Changed files take effect all at once or not at all: a certificate whose key is not
// replaced yet leaves both old files in use. Invalid content is examined once, unless it may
// become valid: with another password, or at another time.

// material is the parsed content of the files, for handshakes.
type material struct {
	roots       *x509.CertPool // nil: the system's
	authorities []*x509.Certificate
	identity    *tls.Certificate // empty if none is configured
	revoked     *crl.Lists
	sessions    *sessions
}

type loader struct {
	o Options

	mu      sync.Mutex
	files   []*file
	inForce *material
	chosen  [sha256.Size]byte // of the identity in use
	changed bool              // the content changed since load ran
	judged  error             // the result of load
	failed  error             // why the current files are not in use; nil if they are
}

var errUnfinished = errors.New("tls: the password function panicked")

// newLoader reads all files; any invalid file is an error.
func newLoader(o Options) (*loader, error) {
	l := &loader{o: o, changed: true}
	for _, f := range []file{
		{option: "CAFile", path: o.CAFile}, {option: "CertFile", path: o.CertFile},
		{option: "KeyFile", path: o.KeyFile}, {option: "CRLFile", path: o.CRLFile},
	} {
		if f.path != "" && l.file(f.path) == nil {
			l.files = append(l.files, &f)
		}
	}
	if l.refresh(); l.failed != nil {
		return nil, l.failed
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

// look returns the material in use, after it loaded changed files.
func (l *loader) look() *material {
	current, report, err := l.lookLocked()
	if report && l.o.Reloaded != nil {
		l.o.Reloaded(err)
	}
	return current
}

func (l *loader) lookLocked() (current *material, report bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, former := fault.Text(l.failed), l.inForce
	l.refresh()
	return l.inForce, fault.Text(l.failed) != before || l.inForce != former, l.failed
}

// refresh reads changed files and puts their content in use.
func (l *loader) refresh() {
	var problems []error
	for _, f := range l.files {
		changed, err := f.refresh()
		if err != nil {
			problems = append(problems, &OptionError{f.option, err})
		}
		l.changed = l.changed || changed
	}
	if l.failed = errors.Join(problems...); l.failed != nil {
		return
	}
	if l.changed || mayHeal(l.judged) {
		l.judged, l.failed = errUnfinished, errUnfinished // should it panic
		l.judged, l.changed = l.load(), false
	}
	l.failed = l.judged
}

// mayHeal reports whether the same content may be valid later.
func mayHeal(err error) bool {
	return err == errUnfinished || ofPassword(err) || errors.Is(err, errOutOfDate)
}

var errOutOfDate = errors.New("the previous certificate is valid and stays in use")

// worse refuses to replace a valid certificate by one that is not valid at this time.
func (l *loader) worse(next *tls.Certificate) error {
	if l.inForce == nil || l.inForce.identity.Leaf == nil {
		return nil
	}
	now := l.o.now()()
	_, former := outOfDate(l.inForce.identity.Leaf, now)
	if _, what := outOfDate(next.Leaf, now); what != "" && former == "" {
		return fmt.Errorf("%s: %w", what, errOutOfDate)
	}
	return nil
}

func ofPassword(err error) bool {
	var e *pemkey.Error
	return errors.As(err, &e) && (e.Problem == pemkey.PasswordMissing || e.Problem == pemkey.PasswordFailed ||
		e.Problem == pemkey.PasswordWrong)
}

// load parses the files and puts their content in use.
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
		if next.revoked, err = crl.Parse(data); err != nil {
			return where.refuse(err)
		}
	}
	l.inForce = next
	return nil
}

// loadIdentity reads certificate and key, unless they are already in use: an encrypted
// key costs time, and a person may have to type its password. New ones drop the sessions,
// because a session keeps the identity that began it.
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
	if err := l.worse(certificate); err != nil {
		return where.refuse(err)
	}
	signer, err := pemkey.Load(key, l.o.KeyPassword)
	if err != nil {
		if ofPassword(err) {
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

// origin is the source of content, for errors.
type origin struct{ option, path string }

func (o origin) refuse(err error) error {
	if o.path != "" {
		err = fmt.Errorf("%q: %w", o.path, err)
	}
	return &OptionError{o.option, err}
}

// content returns the content of a file or of a PEM option; nil without either.
func (l *loader) content(what, path, text string) ([]byte, origin) {
	switch {
	case path != "":
		return l.file(path).data, origin{what + "File", path}
	case text != "":
		return []byte(text), origin{what + "PEM", ""}
	}
	return nil, origin{}
}
