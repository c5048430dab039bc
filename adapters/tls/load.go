package tls

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"brokerconn/adapters/tls/crl"
	"brokerconn/adapters/tls/keystore"
	"brokerconn/adapters/tls/pemkey"
)

// From the content of files to what a handshake uses. Stores are read as the PEM that they
// would be.

func (p *part) loadAuthorities(l *loader, next *material) (err error) {
	data, where := p.content("CA", l.o.CAFile, l.o.CAPEM)
	if data == nil {
		return nil
	}
	if keystore.Is(data) {
		password, err := ask(l.o.CAPassword)
		if err == nil {
			data, err = keystore.Authorities(data, password)
		}
		if err != nil {
			return where.ofStore("CAPassword", err).refuse(err)
		}
	}
	var skipped []string
	if next.authorities, skipped, err = parseCertificates(data); err != nil {
		return where.refuse(err)
	}
	for _, f := range p.files {
		skipped = append(skipped, f.skipped...)
	}
	for _, what := range skipped {
		l.warn(where.refuse(fmt.Errorf("skipped: %s", what)).Error())
	}
	next.roots = x509.NewCertPool()
	for _, c := range next.authorities {
		next.roots.AddCert(c)
	}
	return nil
}

func (p *part) loadRevocation(l *loader, next *material) (err error) {
	data, where := p.content("CRL", l.o.CRLFile, "")
	if data == nil {
		return nil
	}
	if next.revoked, err = crl.Parse(data); err != nil {
		return where.refuse(err)
	}
	next.revoked.MaxAge = l.o.MaxCRLAge
	return nil
}

// loadIdentity reads certificate and key, unless they are already in use: an encrypted
// key costs time, and a person may have to type its password. New ones drop the sessions,
// because a session keeps the identity that began it.
func (p *part) loadIdentity(l *loader, next *material) error {
	chain, where := p.content("Cert", l.o.CertFile, l.o.CertPEM)
	key, whereKey := p.content("Key", l.o.KeyFile, l.o.KeyPEM.Reveal())
	if key == nil {
		key, whereKey = chain, where
	}
	sum := sha256.Sum256(slices.Concat(chain, []byte{0}, key))
	if chain == nil || sum == l.chosen {
		return nil
	}
	if keystore.Is(chain) {
		if !bytes.Equal(chain, key) {
			return whereKey.refuse(errors.New("set beside a store, which has the private key: leave it out"))
		}
		var err error
		if chain, key, where, err = p.openStore(l, chain, where); err != nil {
			return where.refuse(err)
		}
		defer clear(key)
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
	next.identity, next.sessions, l.chosen = certificate, &sessions{}, sum
	return nil
}

// openStore returns the PEM of a store's key and chain, or an error and the option that it
// is about.
func (p *part) openStore(l *loader, store []byte, where origin) (chain, key []byte, at origin, err error) {
	password, err := ask(l.o.StorePassword)
	if err != nil {
		return nil, nil, where.ofStore("StorePassword", err), err
	}
	keyPassword, err := ask(l.o.KeyPassword)
	if err != nil {
		return nil, nil, where.ofStore("KeyPassword", err), err
	}
	if chain, key, err = keystore.Identity(store, password, keyPassword); errors.Is(err, keystore.ErrKeyPassword) {
		return nil, nil, where.ofStore("KeyPassword", err), err
	}
	return chain, key, where.ofStore("StorePassword", err), err
}

// ask calls a password function; without one the password is nil.
func ask(password func() ([]byte, error)) ([]byte, error) {
	if password == nil {
		return nil, nil
	}
	given, err := password()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPasswordFunction, err)
	}
	return append([]byte{}, given...), nil
}

var errPasswordFunction = errors.New("the password function failed")

// ofPassword reports whether the same content may be read with another password.
func ofPassword(err error) bool {
	var e *pemkey.Error
	return errors.As(err, &e) && (e.Problem == pemkey.PasswordMissing || e.Problem == pemkey.PasswordFailed ||
		e.Problem == pemkey.PasswordWrong) || errors.Is(err, keystore.ErrPassword) ||
		errors.Is(err, keystore.ErrKeyPassword) || errors.Is(err, keystore.ErrNoPassword) ||
		errors.Is(err, errPasswordFunction)
}

// origin is the source of content, for errors.
type origin struct{ option, path string }

func (o origin) refuse(err error) error {
	if o.path != "" {
		err = fmt.Errorf("%q: %w", o.path, err)
	}
	return &OptionError{o.option, err}
}

// ofStore is the origin of the error of a store: the option of its password, if that is wrong
// or missing.
func (o origin) ofStore(password string, err error) origin {
	if ofPassword(err) {
		o.option = password
	}
	return o
}

// content returns the content of a file or of a PEM option; nil without either.
func (p *part) content(what, path, text string) ([]byte, origin) {
	switch {
	case path != "":
		i := slices.IndexFunc(p.files, func(f *file) bool { return f.path == path })
		return withoutMark(p.files[i].data), origin{what + "File", path}
	case text != "":
		return withoutMark([]byte(text)), origin{what + "PEM", ""}
	}
	return nil, origin{}
}

// withoutMark returns text in PEM without the byte order marks that editors write before it.
func withoutMark(data []byte) []byte {
	const mark, begin = "\xef\xbb\xbf", "-----BEGIN "
	if bytes.HasPrefix(data, []byte(mark)) {
		data = data[len(mark):]
	}
	if !bytes.Contains(data, []byte(mark+begin)) {
		return data
	}
	return bytes.ReplaceAll(data, []byte(mark+begin), []byte(begin))
}
