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
)

// Content takes effect in three parts, each by itself and all of it or nothing: the
// authorities, the revocation lists, and the certificate with its key. A certificate whose
// key is not replaced yet leaves both old files in use, and does not delay the removal of an
// authority. Invalid content is examined once, unless it may become valid: with another
// password, or at another time.

// material is the parsed content of the files, for handshakes.
type material struct {
	roots       *x509.CertPool // nil: the system's
	authorities []*x509.Certificate
	identity    *tls.Certificate // empty if none is configured
	revoked     *crl.Lists
	sessions    *sessions
}

type loader struct {
	o     Options
	parts [3]part

	mu      sync.Mutex // held while files are read and a password is asked for
	inForce *material
	chosen  [sha256.Size]byte // of the identity in use
	failed  error             // why the current files are not in use, joined of the parts; nil if they are

	reports  sync.Mutex // guards warnings, for connections that do not wait for the files
	warnings []string   // that no connection has taken
}

// part is content that takes effect by itself.
type part struct {
	files   []*file
	load    func(*part, *loader, *material) error // parses the files into the material
	changed bool                                  // the content changed since load ran
	judged  error                                 // the result of load
	failed  error                                 // why the current files are not in use; nil if they are
	warned  string                                // the last failure that was reported
}

// maxWarnings bounds the warnings that are kept until a connection takes them.
const maxWarnings = 16

var errUnfinished = errors.New("tls: the password function panicked")

// newLoader reads all files; any invalid file is an error.
func newLoader(o Options) (*loader, error) {
	l := &loader{o: o, inForce: &material{identity: new(tls.Certificate), sessions: &sessions{}}, parts: [3]part{
		{files: filesOf(file{option: "CAFile", path: o.CAFile}), load: (*part).loadAuthorities},
		{files: filesOf(file{option: "CRLFile", path: o.CRLFile}), load: (*part).loadRevocation},
		{files: filesOf(file{option: "CertFile", path: o.CertFile}, file{option: "KeyFile", path: o.KeyFile}),
			load: (*part).loadIdentity},
	}}
	for i := range l.parts {
		l.parts[i].changed = true
	}
	if l.refresh(); l.failed != nil {
		return nil, l.failed
	}
	return l, nil
}

// filesOf returns the files that are named, each once.
func filesOf(named ...file) (all []*file) {
	for _, f := range named {
		if f.path != "" && !slices.ContainsFunc(all, func(other *file) bool { return other.path == f.path }) {
			all = append(all, &f)
		}
	}
	return all
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
	for i := range l.parts {
		l.parts[i].warn(l)
	}
	return l.inForce, fault.Text(l.failed) != before || l.failed == nil && l.inForce != former, l.failed
}

// refresh reads changed files and puts their content in use.
func (l *loader) refresh() {
	var problems []error
	l.failed = errUnfinished // should a password function panic
	for i := range l.parts {
		p := &l.parts[i]
		p.failed = p.refresh(l)
		problems = append(problems, p.failed)
	}
	l.failed = errors.Join(problems...)
}

// refresh returns why the part's current files are not in use, or nil.
func (p *part) refresh(l *loader) error {
	var problems []error
	for _, f := range p.files {
		changed, err := f.refresh()
		if err != nil {
			problems = append(problems, &OptionError{f.option, err})
		}
		p.changed = p.changed || changed
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if p.changed || mayHeal(p.judged) {
		next := *l.inForce
		p.judged = errUnfinished
		if p.judged, p.changed = p.load(p, l, &next), false; p.judged == nil {
			l.inForce = &next
		}
	}
	return p.judged
}

// warn adds a warning for a failure that was not reported.
func (p *part) warn(l *loader) {
	text := fault.Text(p.failed)
	if text != p.warned && text != "" {
		l.warn(text + "; the content that was read before stays in use")
	}
	p.warned = text
}

func (l *loader) warn(text string) {
	l.reports.Lock()
	defer l.reports.Unlock()
	l.warnings = append(l.warnings[max(0, len(l.warnings)-maxWarnings+1):], text)
}

// takeWarnings returns the warnings since its last call.
func (l *loader) takeWarnings() (all []string) {
	l.reports.Lock()
	defer l.reports.Unlock()
	all, l.warnings = l.warnings, nil
	return all
}

// mayHeal reports whether the same content may be valid later.
func mayHeal(err error) bool {
	return err == errUnfinished || ofPassword(err) || errors.Is(err, errOutOfDate)
}

var errOutOfDate = errors.New("the previous certificate is valid and stays in use")

// worse refuses to replace a valid certificate by one that is not valid at this time.
func (l *loader) worse(next *tls.Certificate) error {
	if l.inForce.identity.Leaf == nil {
		return nil
	}
	now := l.o.now()()
	_, former := outOfDate(l.inForce.identity.Leaf, now)
	if _, what := outOfDate(next.Leaf, now); what != "" && former == "" {
		return fmt.Errorf("%s: %w", what, errOutOfDate)
	}
	return nil
}
