package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

func pkcs12Authorities(file, password []byte) (ders [][]byte, err error) {
	certificates, err := openPKCS12(file, password, pkcs12.DecodeTrustStore)
	for _, c := range certificates {
		ders = append(ders, c.Raw)
	}
	if err == nil || errors.Is(err, ErrPassword) {
		return ders, err
	}
	// With a key in it, or with a certificate that Go cannot read, the library proves the
	// store's integrity and goes no further.
	_, failed := openPKCS12(file, password, decodeChain)
	if errors.Is(failed, ErrNoPassword) {
		return nil, failed
	}
	proved := failed == nil || errors.Is(failed, errKeys) || errors.Is(failed, errUnreadable)
	if !proved && !errors.Is(err, errUnreadable) {
		return nil, err
	}
	if ders, err = trusted(file, password); err != nil {
		err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return ders, err
}

func pkcs12Identity(file, password, keyPassword []byte) (ders [][]byte, pkcs8 []byte, err error) {
	found, err := openPKCS12(file, password, decodeChain)
	if errors.Is(err, errUnreadable) {
		found, err = readable(file, password)
	}
	switch {
	case errors.Is(err, ErrNoPassword):
		return nil, nil, err
	case errors.Is(err, pkcs12.ErrDecryption):
		return nil, nil, fmt.Errorf("%w: in PKCS#12 it is that of the store", ErrKeyPassword)
	case err != nil:
		return nil, nil, err
	case password != nil && !slices.Equal(password, keyPassword):
		return nil, nil, fmt.Errorf("%w: the store's password opens it, and another one is given", ErrKeyPassword)
	}
	if ders, err = inOrder(found.key, found.certificates); err != nil {
		return nil, nil, err
	}
	if pkcs8, err = x509.MarshalPKCS8PrivateKey(found.key); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return ders, pkcs8, nil
}

// keyEntry is a private key and the certificates of its store.
type keyEntry struct {
	key          crypto.Signer
	certificates []*x509.Certificate
}

// errUnreadable: the store is opened, and has a certificate that crypto/x509 rejects.
var errUnreadable = errors.New("a certificate cannot be read")

// errKeys: the store is opened, and has more than one key.
var errKeys = errors.New("it has several private keys: keep one (keytool -delete -alias)")

func decodeChain(file []byte, password string) (found keyEntry, err error) {
	key, first, others, err := pkcs12.DecodeChain(file, password)
	switch {
	case err != nil && err.Error() == "pkcs12: expected exactly one key bag": // which has no value of its own
		return found, errKeys
	case err != nil:
		return found, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return found, fmt.Errorf("a private key of type %T cannot be used", key)
	}
	return keyEntry{signer, append([]*x509.Certificate{first}, others...)}, nil
}

// openPKCS12 calls a function of the library. It reads a store that has no proof of its
// integrity only with the empty password, as which none counts.
func openPKCS12[T any](file, password []byte, decode func([]byte, string) (T, error)) (found T, err error) {
	plain, hasProof, err := withoutProof(file)
	if err == nil {
		err = checkRounds(file)
	}
	switch {
	case err != nil:
		return found, fmt.Errorf("%w: %w", ErrFormat, err)
	case password == nil || !hasProof:
		found, err = decode(plain, "")
	default:
		found, err = decode(file, string(password))
	}
	switch {
	case err == nil:
		return found, nil
	case strings.HasPrefix(err.Error(), "x509: "): // of a certificate: it is parsed after the proof
		return found, fmt.Errorf("%w: %w: %w", ErrFormat, errUnreadable, err)
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return found, ErrPassword
	case password == nil && hasProof && mayBeEncrypted(err):
		return found, fmt.Errorf("%w: %w", ErrNoPassword, err)
	}
	return found, fmt.Errorf("%w: %w", ErrFormat, err)
}

// mayBeEncrypted reports whether the library may have failed because of what a wrong password
// makes of a store: it has no error for most of that.
func mayBeEncrypted(err error) bool {
	_, unknown := errors.AsType[pkcs12.NotImplementedError](err)
	return !unknown && !errors.Is(err, errKeys)
}

// withoutProof returns a PKCS#12 file (RFC 7292, section 4) without its MAC.
func withoutProof(file []byte) (plain []byte, hasProof bool, err error) {
	var pfx struct {
		Version  int
		AuthSafe asn1.RawValue
		MAC      asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(file, &pfx)
	if err != nil || len(rest) > 0 {
		return nil, false, errors.New("it is cut off or damaged")
	}
	plain, err = asn1.Marshal(struct {
		Version  int
		AuthSafe asn1.RawValue
	}{pfx.Version, pfx.AuthSafe})
	return plain, len(pfx.MAC.FullBytes) > 0, err
}
