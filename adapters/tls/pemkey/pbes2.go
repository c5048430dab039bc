package pemkey

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
)

// PKCS#8 under a password: RFC 5958's EncryptedPrivateKeyInfo with the scheme PBES2
// of RFC 8018, which is two choices: how a key is derived from the password (kdf.go),
// and a cipher in CBC mode.
//
// github.com/youmark/pkcs8 reads part of this, and is not used: its derivation knows two of
// the nine PRFs and has no limit; it ignores the key length that Java writes, and with it
// the PRF behind it, and then reports the right password as wrong; an IV or a ciphertext of
// a wrong length makes it panic; its tables can only be changed for a whole process.
// Guarding against all of that takes the parser below anyway.

var oidPBES2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}

type encryptedKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2Parameters struct{ Derivation, Cipher pkix.AlgorithmIdentifier }

// blockCipher is a cipher that is used in CBC mode.
type blockCipher struct {
	keyBytes, blockBytes int
	make                 func(key []byte) (cipher.Block, error)
}

var pbes2Ciphers = map[string]blockCipher{
	"2.16.840.1.101.3.4.1.2":  {16, aes.BlockSize, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.BlockSize, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.BlockSize, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.BlockSize, des.NewTripleDESCipher},
}

// openPBES2 checks everything that needs no password, above all the costs, before it calls
// the password function.
func (l loader) openPBES2(der []byte) (crypto.Signer, error) {
	var info encryptedKeyInfo
	if err := unmarshalStrictly(der, &info, derSequence+derOctets, ""); err != nil {
		return nil, damaged("the encrypted private key is damaged", err)
	}
	if !info.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, otherScheme(info.Algorithm.Algorithm)
	}
	var scheme pbes2Parameters
	if err := unmarshalStrictly(info.Algorithm.Parameters.FullBytes, &scheme, derSequence+derSequence, ""); err != nil {
		return nil, damaged("the encrypted private key is damaged", err)
	}
	c, known := pbes2Ciphers[scheme.Cipher.Algorithm.String()]
	if !known {
		return nil, unsupported(convert+convertOld,
			"the private key is encrypted with a cipher (%v) that is not supported", scheme.Cipher.Algorithm)
	}
	derive, err := parseDerivation(scheme.Derivation, c.keyBytes, l.costs)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if _, err := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv); err != nil || len(iv) != c.blockBytes {
		return nil, damaged("the initialization vector of the encrypted private key is damaged", err)
	}
	if len(info.Data) == 0 || len(info.Data)%c.blockBytes != 0 {
		return nil, damaged("the encrypted private key is damaged", errors.New("it is not a whole number of blocks"))
	}
	password, err := l.ask()
	if err != nil {
		return nil, err
	}
	key, err := derive(password)
	if err != nil {
		return opened(nil, err, password, parsePKCS8)
	}
	defer clear(key)
	plain, err := c.decrypt(key, iv, info.Data)
	return opened(plain, err, password, parsePKCS8)
}

const (
	convert    = "convert it: openssl pkcs8 -topk8 -in old.pem -out new.pem"
	convertOld = "; where openssl says unsupported, with -provider legacy -provider default"
)

// otherScheme returns the error for a predecessor of PBES2: PBES1, with DES or RC2, or a
// scheme of PKCS#12.
func otherScheme(scheme asn1.ObjectIdentifier) error {
	switch id := scheme.String(); {
	case id == "1.2.840.113549.1.12.1.3", id == "1.2.840.113549.1.12.1.4":
		return unsupported(convert, "the private key is encrypted with a scheme of PKCS#12 (triple DES), which is "+
			"not supported")
	case strings.HasPrefix(id, "1.2.840.113549.1.12.1."):
		return unsupported(convert+convertOld,
			"the private key is encrypted with a scheme of PKCS#12 (RC2 or RC4), which is not supported")
	case strings.HasPrefix(id, "1.2.840.113549.1.5."):
		return unsupported(convert+convertOld,
			"the private key is encrypted with PBES1 (DES or RC2), which is not supported")
	}
	return unsupported(convert, "the private key is encrypted with a scheme (%v) that is not supported", scheme)
}

// decrypt returns the key in new memory, which the caller wipes, or
// x509.IncorrectPasswordError if the padding is wrong.
func (c *blockCipher) decrypt(key, iv, data []byte) ([]byte, error) {
	block, err := c.make(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	n := int(plain[len(plain)-1])
	if n == 0 || n > c.blockBytes || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(n)}, n)) {
		clear(plain)
		return nil, x509.IncorrectPasswordError
	}
	return plain[:len(plain)-n], nil
}
