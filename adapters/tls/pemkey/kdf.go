package pemkey

import (
	"bytes"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
	"math/bits"

	"golang.org/x/crypto/scrypt"
)

// Derivation of a key from a password: PBKDF2 of RFC 8018 or scrypt of RFC 7914. Both
// are slow on purpose, and the file says how slow: a hostile or damaged one may require
// years, or all memory. Such a file is refused before the password function is called.

// costs bounds a derivation.
type costs struct {
	rounds       int64 // of PBKDF2
	memory, work int64 // of scrypt: bytes, and N * r * p
}

// maxCosts is a few seconds and 256 MiB. OpenSSL writes 2,048 rounds, OWASP recommends
// up to 1,400,000 and 128 MiB; OpenSSL itself reads scrypt up to 32 MiB.
var maxCosts = costs{rounds: 10_000_000, memory: 256 << 20, work: 1 << 23}

// derivation turns a password into a key, in memory that the caller wipes.
type derivation func(password []byte) ([]byte, error)

func parseDerivation(id pkix.AlgorithmIdentifier, keyBytes int, costs costs) (derivation, error) {
	switch id.Algorithm.String() {
	case "1.2.840.113549.1.5.12":
		return parsePBKDF2(id.Parameters.FullBytes, keyBytes, costs)
	case "1.3.6.1.4.1.11591.4.11":
		return parseScrypt(id.Parameters.FullBytes, keyBytes, costs)
	}
	return nil, unsupported(convert, "the private key is encrypted with a key derivation (%v) that is not supported",
		id.Algorithm)
}

// prfs are all those that OpenSSL writes.
var prfs = map[string]func() hash.Hash{
	"":                    sha1.New, // the default
	"1.2.840.113549.2.6":  md5.New,
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.8":  sha256.New224,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
	"1.2.840.113549.2.12": sha512.New512_224,
	"1.2.840.113549.2.13": sha512.New512_256,
	"1.3.6.1.5.5.8.1.1":   md5.New, // OpenSSL's hmac-md5 and hmac-sha1
	"1.3.6.1.5.5.8.1.2":   sha1.New,
}

type pbkdf2Parameters struct {
	Salt      []byte
	Rounds    int64
	KeyLength int64                    `asn1:"optional"`
	PRF       pkix.AlgorithmIdentifier `asn1:"optional"`
}

func parsePBKDF2(der []byte, keyBytes int, costs costs) (derivation, error) {
	var p pbkdf2Parameters
	if err := unmarshalStrictly(der, &p, derOctets+derInteger, derInteger+derSequence); err != nil {
		return nil, damaged("the parameters of PBKDF2 are damaged", err)
	}
	prf, known := prfs[p.PRF.Algorithm.String()]
	parameters := p.PRF.Parameters.FullBytes
	switch {
	case !known:
		return nil, unsupported(convert, "the private key is encrypted with PBKDF2 over a PRF (%v) that is not "+
			"supported", p.PRF.Algorithm)
	case len(parameters) > 0 && !bytes.Equal(parameters, asn1.NullBytes):
		return nil, damaged("the parameters of PBKDF2 are damaged: its PRF has parameters", nil)
	case p.Rounds < 1:
		return nil, damaged(fmt.Sprintf("the parameters of PBKDF2 are damaged: %d rounds", p.Rounds), nil)
	case p.KeyLength != 0 && p.KeyLength != int64(keyBytes):
		return nil, otherLength("PBKDF2", p.KeyLength, keyBytes)
	case p.Rounds > costs.rounds:
		return nil, tooCostly(convert, "PBKDF2 with %d rounds, and the limit is %d", p.Rounds, costs.rounds)
	}
	return func(password []byte) ([]byte, error) {
		return pbkdf2.Key(prf, string(password), p.Salt, int(p.Rounds), keyBytes)
	}, nil
}

type scryptParameters struct {
	Salt      []byte
	N, R, P   int64
	KeyLength int64 `asn1:"optional"`
}

func parseScrypt(der []byte, keyBytes int, costs costs) (derivation, error) {
	var p scryptParameters
	if err := unmarshalStrictly(der, &p, derOctets+derInteger+derInteger+derInteger, derInteger); err != nil {
		return nil, damaged("the parameters of scrypt are damaged", err)
	}
	switch {
	case p.N < 2, p.N&(p.N-1) != 0, p.R < 1, p.P < 1, p.R < 4 && bits.Len64(uint64(p.N)) > int(16*p.R):
		return nil, damaged(fmt.Sprintf("the parameters of scrypt are damaged: N=%d, r=%d, p=%d", p.N, p.R, p.P), nil)
	case p.KeyLength != 0 && p.KeyLength != int64(keyBytes):
		return nil, otherLength("scrypt", p.KeyLength, keyBytes)
	}
	// None may be larger than the bounds, or the products would overflow.
	most := max(costs.memory, costs.work)
	if p.N > most || p.R > most/p.N || p.P > most/p.R || 128*p.R*(p.N+p.P) > costs.memory ||
		p.P > costs.work/(p.N*p.R) {
		return nil, tooCostly("encrypt it again with smaller parameters, or with PBKDF2",
			"scrypt with N=%d, r=%d, p=%d, and the limits are %d MiB (128*r*(N+p)) and N*r*p=%d",
			p.N, p.R, p.P, costs.memory>>20, costs.work)
	}
	return func(password []byte) ([]byte, error) {
		return scrypt.Key(password, p.Salt, int(p.N), int(p.R), int(p.P), keyBytes)
	}, nil
}

func otherLength(kdf string, length int64, want int) error {
	return damaged(fmt.Sprintf("the parameters of %s are damaged: a key of %d bytes for a cipher that has %d", kdf,
		length, want), nil)
}

func tooCostly(hint, format string, args ...any) error {
	return &Error{Problem: TooCostly, Hint: hint,
		Detail: "the private key is encrypted with " + fmt.Sprintf(format, args...)}
}
