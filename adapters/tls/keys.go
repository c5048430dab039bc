package tls

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

// A private key comes as one block of PEM, perhaps among certificates:
//
//	PRIVATE KEY              PKCS#8, RFC 5208
//	RSA PRIVATE KEY          PKCS#1
//	EC PRIVATE KEY           SEC1, often after a block EC PARAMETERS, which tells nothing new
//	ENCRYPTED PRIVATE KEY    PKCS#8 under a password: pbes2.go
//	any of the first three, with headers: encrypted in the older way: legacypem.go
//
// The verdicts are those of OpenSSL (openssl pkey -check), which is what such files
// were tried with; the tests compare the two and list where they differ. So a key
// whose parts contradict each other is refused here, and not later by a broker that
// says no more than "bad certificate".

// loadKey returns the first private key of a file. password is asked, once, if that
// key is encrypted and could be opened with a password; nil: there is none. What it
// returns is the password, an empty one too; it is not kept, nor changed, since it
// may be the memory of a caller who will be asked again. An error of loadKey is a
// *KeyError.
func loadKey(file []byte, password func() ([]byte, error)) (crypto.Signer, error) {
	return keyLoader{password: password, costs: maxKeyCosts}.load(file)
}

type keyLoader struct {
	password func() ([]byte, error)
	costs    keyCosts
}

func (l keyLoader) load(file []byte) (crypto.Signer, error) {
	block, err := firstKeyBlock(file)
	if err != nil {
		return nil, err
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		if len(block.Headers) > 0 {
			return nil, damagedKey("the encrypted private key has headers, which it should not have", nil)
		}
		return l.openPBES2(block.Bytes)
	}
	parse, err := keyParser(block.Type)
	if err != nil {
		return nil, err
	}
	if len(block.Headers) > 0 {
		return l.openLegacy(block, parse)
	}
	return parse(block.Bytes)
}

// ask returns the password of an encrypted key.
func (l keyLoader) ask() ([]byte, error) {
	if l.password == nil {
		return nil, &KeyError{Problem: KeyPasswordMissing, Detail: "the private key is encrypted, and no password was given"}
	}
	password, err := l.password()
	if err != nil {
		return nil, &KeyError{Problem: KeyPasswordFailed, Detail: "the private key is encrypted, and its password could not be had", Err: err}
	}
	return password, nil
}

// opened parses what a password has decrypted, and wipes it. A wrong password leaves
// bytes of chance, whose padding is right once in 256 times; that they begin as a
// key does never happens.
func opened(plain []byte, err error, password []byte, parse func([]byte) (crypto.Signer, error)) (crypto.Signer, error) {
	defer clear(plain)
	switch {
	case err == nil && beginsAsKey(plain):
		return parse(plain)
	case err != nil && !errors.Is(err, x509.IncorrectPasswordError):
		// Go was told to be strict (GODEBUG=fips140=only), and knows no DES and no MD5.
		return nil, &KeyError{Problem: KeyUnsupported, Detail: "the private key cannot be decrypted", Hint: convertKey, Err: err}
	}
	wrong := &KeyError{Problem: KeyPasswordWrong, Detail: "wrong password for the private key, or the key is damaged"}
	if len(password) == 0 {
		wrong.Detail += " (the password was empty)"
	}
	return nil, wrong
}

// beginsAsKey: a sequence, whose first member is a version, an integer of one byte.
func beginsAsKey(der []byte) bool {
	var outer asn1.RawValue
	_, err := asn1.Unmarshal(der, &outer)
	return err == nil && outer.Class == asn1.ClassUniversal && outer.Tag == asn1.TagSequence &&
		bytes.HasPrefix(outer.Bytes, []byte{asn1.TagInteger, 1})
}

// keyParser returns what parses a block of that type, not encrypted.
func keyParser(blockType string) (func(der []byte) (crypto.Signer, error), error) {
	switch blockType {
	case "PRIVATE KEY":
		return parsePKCS8, nil
	case "RSA PRIVATE KEY":
		return parsePKCS1, nil
	case "EC PRIVATE KEY":
		return parseSEC1, nil
	case "OPENSSH PRIVATE KEY":
		return nil, unsupportedKey("convert it, in its place: ssh-keygen -p -m PKCS8 -f key",
			"the private key is in OpenSSH's own format, which is not read")
	case "DSA PRIVATE KEY":
		return nil, unsupportedKey(otherKeys, "this is a private key for DSA, which TLS no longer has")
	}
	return nil, unsupportedKey(convertKey,
		"the private key is in a block of the type %q, which is not read", blockType)
}
