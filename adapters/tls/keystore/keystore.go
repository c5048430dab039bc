// Package keystore reads the stores of Java, JKS and PKCS#12, and returns their content as
// PEM. Passwords are used as Java does: that of the store proves that the file is not
// altered, and without one a store of authorities is read without this proof; the key has
// a password of its own, which is that of the store if it is not given.
//
// keystore-go and go-pkcs12 read the formats. They are guarded here against files that make
// them allocate without a limit or panic.
package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"brokerconn/adapters/tls/pemkey"
)

// The kinds of an error, for errors.Is.
var (
	// ErrPassword: the password does not open the store, or the store is altered.
	ErrPassword = errors.New("wrong password for the store, or the store is damaged")
	// ErrKeyPassword: the password does not open the private key.
	ErrKeyPassword = errors.New("wrong password for the private key in the store")
	// ErrNoPassword: what is needed of the store is encrypted, and no password was given.
	ErrNoPassword = errors.New("the store needs a password, and none is given")
	// ErrEmpty: the store has no entry of the kind that is needed.
	ErrEmpty = errors.New("the store has no such entry")
	// ErrFormat: the file is damaged, or of a form that is not supported.
	ErrFormat = errors.New("the store cannot be read")
)

// Is reports whether a file is a store that this package may read.
func Is(file []byte) bool {
	format := pemkey.FormatOf(file)
	return format == pemkey.JKS || format == pemkey.PKCS12
}

// Authorities returns the certificates that Java would trust, as PEM: the trusted entries,
// and the own certificate of each key. If password is nil, the integrity of the store is not
// checked, and encrypted certificates cannot be read.
func Authorities(file, password []byte) (certificates []byte, err error) {
	defer contain(&err)
	var ders [][]byte
	switch pemkey.FormatOf(file) {
	case pemkey.JKS:
		ders, err = jksAuthorities(file, password)
	case pemkey.PKCS12:
		ders, err = pkcs12Authorities(file, password)
	default:
		return nil, fmt.Errorf("%w: it is neither JKS nor PKCS#12", ErrFormat)
	}
	if err == nil && len(ders) == 0 {
		err = fmt.Errorf("%w: want a trusted certificate, which keytool -importcert adds", ErrEmpty)
	}
	return chainPEM(ders), err
}

// Identity returns the certificate chain and the private key of the only key entry, as PEM.
// The key is not encrypted: the caller wipes it. If keyPassword is nil, it is password.
func Identity(file, password, keyPassword []byte) (chain, key []byte, err error) {
	defer contain(&err)
	if keyPassword == nil {
		keyPassword = password
	}
	var ders [][]byte
	var pkcs8 []byte
	switch pemkey.FormatOf(file) {
	case pemkey.JKS:
		ders, pkcs8, err = jksIdentity(file, password, keyPassword)
	case pemkey.PKCS12:
		ders, pkcs8, err = pkcs12Identity(file, password, keyPassword)
	default:
		err = fmt.Errorf("%w: it is neither JKS nor PKCS#12", ErrFormat)
	}
	switch {
	case keyPassword == nil && errors.Is(err, ErrKeyPassword):
		return nil, nil, ErrNoPassword
	case err != nil:
		return nil, nil, err
	}
	defer clear(pkcs8)
	return chainPEM(ders), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}

// contain turns a panic of a library into an error.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrFormat, p)
	}
}

func chainPEM(ders [][]byte) []byte {
	var text bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a Buffer does not fail
	}
	return text.Bytes()
}

// inOrder returns the certificates of a key as a chain: the key's own first, each followed by
// its issuer. Stores have them in any order, with others between them.
func inOrder(key crypto.Signer, all []*x509.Certificate) (chain [][]byte, err error) {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	var at *x509.Certificate
	for _, c := range all {
		if ok && at == nil && public.Equal(c.PublicKey) {
			at = c
		}
	}
	if at == nil {
		return nil, fmt.Errorf("%w: no certificate of the private key", ErrEmpty)
	}
	for at != nil && len(chain) < len(all) {
		chain = append(chain, at.Raw)
		at = issuerOf(at, all)
	}
	return chain, nil
}

// issuerOf returns the certificate that signed c, or nil if it is c itself or unknown.
func issuerOf(c *x509.Certificate, all []*x509.Certificate) *x509.Certificate {
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		return nil
	}
	for _, by := range all {
		if by != c && bytes.Equal(c.RawIssuer, by.RawSubject) && c.CheckSignatureFrom(by) == nil {
			return by
		}
	}
	return nil
}
