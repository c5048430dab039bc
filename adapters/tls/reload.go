package tls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"

	"brokerconn/adapters/tls/crl"
	"brokerconn/adapters/tls/pemkey"
)

// Changed files serve all at once or not at all: a certificate whose key has not
// been replaced yet leaves both of the former ones in force. What is wrong with the
// contents is found out once, unless the same may do another time: with another
// password, or at another hour.

// material is what a handshake needs of files, read and fit together.
type material struct {
	roots       *x509.CertPool // nil: the system's
	authorities []*x509.Certificate
	identity    *tls.Certificate // an empty one: there is none
	revoked     *crl.Lists
	sessions    *sessions
}

type loader struct {
	o Options

	mu      sync.Mutex
	files   []*file
	inForce *material
	chosen  [sha256.Size]byte // of the bytes that the identity in force was read from
	changed bool              // contents have changed since load judged them
	judged  error             // what load said of them
	failed  error             // why the files as they are now are not in force; nil if they are
}

var errUnfinished = errors.New("tls: the password function panicked")

// newLoader reads all files; it is an error if they will not do.
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
	before, former := l.failed, l.inForce
	l.refresh()
	switch {
	case l.failed == nil:
		tell = before != nil || l.inForce != former
	case before == nil:
		tell = true
	default:
		tell = l.failed.Error() != before.Error()
	}
	return l.inForce, tell, l.failed
}

// refresh reads what changed, and puts it in force.
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

// mayHeal reports whether the same contents may do another time.
func mayHeal(err error) bool {
	return err == errUnfinished || ofPassword(err) || errors.Is(err, errOutOfDate)
}

var errOutOfDate = errors.New("the former one is valid, and stays")

// worse refuses a certificate that is out of date in place of one that is not.
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
	return errors.As(err, &e) && (e.Problem == pemkey.PasswordMissing || e.Problem == pemkey.PasswordFailed || e.Problem == pemkey.PasswordWrong)
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
		if next.revoked, err = crl.Parse(data); err != nil {
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
