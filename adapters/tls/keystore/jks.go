package keystore

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
)

// magicJCEKS begins a store of Java's JCE, whose keys are encrypted in another way.
const magicJCEKS = 0xcececece

// load reads a JKS. Without a password its digest is made to match.
func load(file, password []byte) (jks.KeyStore, error) {
	store := jks.New(jks.WithOrderedAliases(), jks.WithCaseExactAliases())
	if len(file) < 12+sha1.Size || binary.BigEndian.Uint32(file) == magicJCEKS {
		return store, fmt.Errorf("%w: it is cut off, or a JCEKS; convert it: keytool -importkeystore "+
			"-srckeystore old.jks -destkeystore new.p12 -deststoretype PKCS12", ErrFormat)
	}
	if !fits(file[:len(file)-sha1.Size]) {
		return store, fmt.Errorf("%w: a length in it is larger than the file", ErrFormat)
	}
	latin, err := latin1(password)
	if err != nil {
		return store, err
	}
	content, digest := file[:len(file)-sha1.Size], file[len(file)-sha1.Size:]
	computed := digestOf(latin, content)
	switch {
	case password == nil:
		file = append(bytes.Clone(content), computed...)
	case subtle.ConstantTimeCompare(computed, digest) == 0:
		return store, ErrPassword
	}
	if err := store.Load(bytes.NewReader(file), latin); err != nil {
		return store, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return store, nil
}

// digestOf is the proof of a JKS: SHA-1 over the password in UTF-16, a constant and the
// content.
func digestOf(latin, content []byte) []byte {
	h := sha1.New()
	for _, b := range latin {
		h.Write([]byte{0, b})
	}
	h.Write([]byte("Mighty Aphrodite"))
	h.Write(content)
	return h.Sum(nil)
}

// latin1 returns a password of UTF-8 as the library wants it: a byte for each character.
// Java has two, so other characters cannot be written.
func latin1(password []byte) ([]byte, error) {
	var latin []byte
	for _, unit := range utf16.Encode([]rune(string(password))) {
		if unit > 0xff {
			return nil, errors.New("the password has a character that is not in Latin-1, which is not supported for " +
				"a JKS: convert the store to PKCS#12")
		}
		latin = append(latin, byte(unit))
	}
	return latin, nil
}

// fits reports whether all lengths of the entries are within the content. The library
// allocates by them before it reads.
func fits(content []byte) bool {
	ok := true
	take := func(n uint64) (part []byte) {
		if ok = ok && n <= uint64(len(content)); !ok {
			return make([]byte, 4)
		}
		part, content = content[:n], content[n:]
		return part
	}
	number := func() uint64 { return uint64(binary.BigEndian.Uint32(take(4))) }
	text := func() { take(uint64(binary.BigEndian.Uint16(take(2)))) }
	take(4)
	version, entries := number(), number()
	certificate := func() {
		if version == 2 {
			text() // its type
		}
		take(number())
	}
	for i := uint64(0); ok && i < entries; i++ {
		tag := number()
		text()  // the alias
		take(8) // the time
		if tag == 2 {
			certificate()
			continue
		}
		take(number()) // the key
		certificates := number()
		ok = ok && certificates <= uint64(len(content))
		for j := uint64(0); ok && j < certificates; j++ {
			certificate()
		}
	}
	return ok
}

func jksAuthorities(file, password []byte) (ders [][]byte, err error) {
	store, err := load(file, password)
	if err != nil {
		return nil, err
	}
	for _, alias := range store.Aliases() {
		if entry, err := store.GetTrustedCertificateEntry(alias); err == nil {
			ders = append(ders, entry.Certificate.Content)
		} else if chain, err := store.GetPrivateKeyEntryCertificateChain(alias); err == nil && len(chain) > 0 {
			ders = append(ders, chain[0].Content)
		}
	}
	return ders, nil
}

func jksIdentity(file, password, keyPassword []byte) (ders [][]byte, pkcs8 []byte, err error) {
	store, err := load(file, password)
	if err != nil {
		return nil, nil, err
	}
	var keys []string
	for _, alias := range store.Aliases() {
		if store.IsPrivateKeyEntry(alias) {
			keys = append(keys, alias)
		}
	}
	switch len(keys) {
	case 0:
		return nil, nil, fmt.Errorf("%w: want a private key", ErrEmpty)
	case 1:
	default:
		return nil, nil, fmt.Errorf("%w: it has %d private keys, %q: keep one (keytool -delete -alias)", ErrFormat,
			len(keys), keys)
	}
	latin, err := latin1(keyPassword)
	if err != nil {
		return nil, nil, err
	}
	entry, err := store.GetPrivateKeyEntry(keys[0], latin)
	if err != nil {
		return nil, nil, ErrKeyPassword
	}
	for _, c := range entry.CertificateChain {
		ders = append(ders, c.Content)
	}
	return ders, entry.PrivateKey, nil
}
