package pemkey

import (
	"crypto"
	"crypto/x509/pkix"
	"errors"
)

// PKCS#8 under a password: RFC 5958's EncryptedPrivateKeyInfo. Read are the scheme PBES2
// (pbes2.go), and of its predecessors those that Java reads (pbes1.go).

type encryptedKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// scheme decrypts data, of a multiple of blockBytes, by a password. It returns the key in
// new memory, which the caller wipes, or x509.IncorrectPasswordError if the padding is wrong.
type scheme struct {
	blockBytes int
	decrypt    func(password, data []byte) ([]byte, error)
}

// openPKCS8 checks everything that needs no password, above all the costs, before it calls
// the password function.
func (l loader) openPKCS8(der []byte) (crypto.Signer, error) {
	var info encryptedKeyInfo
	if err := unmarshalStrictly(der, &info, derSequence+derOctets, ""); err != nil {
		return nil, damaged(damagedSealed, err)
	}
	s, err := schemeFor(info, l.costs)
	if err != nil {
		return nil, err
	}
	password, err := l.ask()
	if err != nil {
		return nil, err
	}
	plain, err := s.decrypt(password, info.Data)
	return opened(plain, err, password, parsePKCS8)
}

func schemeFor(info encryptedKeyInfo, costs costs) (scheme, error) {
	s, err := parseScheme(info.Algorithm, costs)
	if err == nil && (len(info.Data) == 0 || len(info.Data)%s.blockBytes != 0) {
		err = damaged(damagedSealed, errors.New("it is not a whole number of blocks"))
	}
	return s, err
}

// Decrypt returns what is encrypted in a part of PKCS#12, whose schemes are those of PKCS#8.
// Its result is the caller's to wipe.
func Decrypt(algorithm pkix.AlgorithmIdentifier, data, password []byte) ([]byte, error) {
	s, err := schemeFor(encryptedKeyInfo{algorithm, data}, maxCosts)
	if err != nil {
		return nil, err
	}
	return s.decrypt(password, data)
}

const (
	damagedSealed = "the encrypted private key is damaged"

	convert    = "convert it: openssl pkcs8 -topk8 -in old.pem -out new.pem"
	convertOld = "; where openssl says unsupported, with -provider legacy -provider default"
)

// otherSchemes are the names, in RFC 8018 and RFC 7292, of those that Java 17 has not.
var otherSchemes = map[string]string{
	"1.2.840.113549.1.5.1":    "pbeWithMD2AndDES-CBC",
	"1.2.840.113549.1.5.4":    "pbeWithMD2AndRC2-CBC",
	"1.2.840.113549.1.5.6":    "pbeWithMD5AndRC2-CBC",
	"1.2.840.113549.1.5.10":   "pbeWithSHA1AndDES-CBC",
	"1.2.840.113549.1.5.11":   "pbeWithSHA1AndRC2-CBC",
	"1.2.840.113549.1.12.1.4": "pbeWithSHAAnd2-KeyTripleDES-CBC",
}

func parseScheme(id pkix.AlgorithmIdentifier, costs costs) (scheme, error) {
	oid := id.Algorithm.String()
	if oid == "1.2.840.113549.1.5.13" {
		return parsePBES2(id.Parameters.FullBytes, costs)
	}
	if old, known := pbes1Schemes[oid]; known {
		return parsePBES1(old, id.Parameters.FullBytes, costs)
	}
	if name := otherSchemes[oid]; name != "" {
		return scheme{}, unsupported(convert+convertOld,
			"the private key is encrypted with %s, which is not supported", name)
	}
	return scheme{}, unsupported(convert, "the private key is encrypted with a scheme (%s) that is not supported", oid)
}
