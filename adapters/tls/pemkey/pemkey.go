// Package pemkey reads a private key from a PEM file, encrypted or not. The key is one
// block, perhaps among certificates:
//
//	PRIVATE KEY              PKCS#8, RFC 5208
//	RSA PRIVATE KEY          PKCS#1
//	EC PRIVATE KEY           SEC1, often after a redundant block EC PARAMETERS
//	ENCRYPTED PRIVATE KEY    PKCS#8 under a password: pkcs8.go
//	any of the first three, with headers: encrypted in the older way: legacy.go
//
// The verdicts are those of "openssl pkey -check", which users tried such files with;
// the tests compare the two and list the differences. A key whose parts contradict each
// other is refused here: a broker would only report "bad certificate".
package pemkey

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

// Load returns the first private key of a file. It calls password once, if that key is
// encrypted and a password could open it; if password is nil, the error is
// PasswordMissing. The result of password may be empty. Load neither keeps nor changes
// it: it may be the caller's own memory. Every error is an *Error.
func Load(file []byte, password func() ([]byte, error)) (crypto.Signer, error) {
	return loader{password: password, costs: maxCosts}.load(file)
}

type loader struct {
	password func() ([]byte, error)
	costs    costs
}

func (l loader) load(file []byte) (crypto.Signer, error) {
	block, err := firstBlock(file)
	if err != nil {
		return nil, err
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		if len(block.Headers) > 0 {
			return nil, damaged("the encrypted private key has headers, which is invalid", nil)
		}
		return l.openPKCS8(block.Bytes)
	}
	parse, err := parserOf(block.Type)
	if err != nil {
		return nil, err
	}
	if len(block.Headers) > 0 {
		return l.openLegacy(block, parse)
	}
	return parse(block.Bytes)
}

// ask calls the password function for an encrypted key.
func (l loader) ask() ([]byte, error) {
	if l.password == nil {
		return nil, &Error{Problem: PasswordMissing, Detail: "the private key is encrypted, and no password was given"}
	}
	password, err := l.password()
	if err != nil {
		return nil, &Error{PasswordFailed, "the private key is encrypted, and the password function failed", "", err}
	}
	return password, nil
}

// opened parses decrypted bytes and wipes them. A wrong password leaves random bytes,
// whose padding is right once in 256 times; they never begin as a key does.
func opened(plain []byte, err error, password []byte, parse func([]byte) (crypto.Signer, error)) (crypto.Signer,
	error) {
	defer clear(plain)
	switch {
	case err == nil && beginsAsKey(plain):
		return parse(plain)
	case err != nil && !errors.Is(err, x509.IncorrectPasswordError):
		// With GODEBUG=fips140=only, DES and MD5 are refused.
		return nil, &Error{Problem: Unsupported, Detail: "the private key cannot be decrypted", Hint: convert, Err: err}
	}
	wrong := &Error{Problem: PasswordWrong, Detail: "wrong password for the private key, or the key is damaged"}
	if len(password) == 0 {
		wrong.Detail += " (the password was empty)"
	}
	return nil, wrong
}

// beginsAsKey reports whether der is a sequence, whose first member is a version, an integer of one byte.
func beginsAsKey(der []byte) bool {
	var outer asn1.RawValue
	_, err := asn1.Unmarshal(der, &outer)
	return err == nil && outer.Class == asn1.ClassUniversal && outer.Tag == asn1.TagSequence &&
		bytes.HasPrefix(outer.Bytes, []byte{asn1.TagInteger, 1})
}

// parserOf returns the parser for an unencrypted block of that type.
func parserOf(blockType string) (func(der []byte) (crypto.Signer, error), error) {
	switch blockType {
	case "PRIVATE KEY":
		return parsePKCS8, nil
	case "RSA PRIVATE KEY":
		return parsePKCS1, nil
	case "EC PRIVATE KEY":
		return parseSEC1, nil
	case "OPENSSH PRIVATE KEY":
		return nil, unsupported("convert it, in its place: ssh-keygen -p -m PKCS8 -f key",
			"the private key is in OpenSSH's own format, which is not supported")
	case "DSA PRIVATE KEY":
		return nil, unsupported(otherKeys, "this is a private key for DSA, which TLS no longer supports")
	}
	return nil, unsupported(convert, "the private key is in a block of the type %q, which is not supported", blockType)
}
