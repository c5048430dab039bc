package pemkey

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// The derivation of RFC 7292, appendix B, with SHA-1. golang.org/x/crypto and
// software.sslmate.com/src/go-pkcs12 have it, but do not export it.

// hashBlock is v of RFC 7292: the bytes that SHA-1 takes in at a time.
const hashBlock = 64

// The purposes of what is derived.
const (
	forKey byte = 1
	forIV  byte = 2
)

// pkcs12Keys returns the derivation of a key and an IV of those lengths.
func pkcs12Keys(keyBytes, ivBytes int) func(password, salt []byte, rounds int) (key, iv []byte) {
	return func(password, salt []byte, rounds int) (key, iv []byte) {
		text := bmpString(password)
		return pkcs12Derive(forKey, text, salt, rounds, keyBytes), pkcs12Derive(forIV, text, salt, rounds, ivBytes)
	}
}

// bmpString is a password in UTF-16 with a zero at its end. One that is not UTF-8 is taken
// as Latin-1, as OpenSSL does; Java takes ASCII alone.
func bmpString(password []byte) []byte {
	runes := bytes.Runes(password)
	if !utf8.Valid(password) {
		runes = nil
		for _, b := range password {
			runes = append(runes, rune(b))
		}
	}
	var text []byte
	for _, unit := range utf16.Encode(append(runes, 0)) {
		text = binary.BigEndian.AppendUint16(text, unit)
	}
	return text
}

// pkcs12Derive names its variables as RFC 7292 does.
func pkcs12Derive(id byte, password, salt []byte, rounds, n int) []byte {
	i := bytes.Join([][]byte{bytes.Repeat([]byte{id}, hashBlock), filled(salt), filled(password)}, nil) // D || I
	derived := make([]byte, 0, n+sha1.Size)
	for len(derived) < n {
		a := sha1.Sum(i)
		for range rounds - 1 {
			a = sha1.Sum(a[:])
		}
		derived = append(derived, a[:]...)
		for block := i[hashBlock:]; len(block) > 0; block = block[hashBlock:] {
			carry := uint(1)
			for k := hashBlock - 1; k >= 0; k-- {
				carry += uint(block[k]) + uint(a[k%sha1.Size])
				block[k], carry = byte(carry), carry>>8
			}
		}
	}
	return derived[:n]
}

// filled repeats text up to a multiple of hashBlock. Of nothing it is nothing.
func filled(text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	size := (len(text) + hashBlock - 1) / hashBlock * hashBlock
	return bytes.Repeat(text, size/len(text)+1)[:size]
}
