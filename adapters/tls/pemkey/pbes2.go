package pemkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// The scheme PBES2 of RFC 8018, which is two choices: how a key is derived from the
// password (kdf.go), and a cipher in CBC mode.
//
// github.com/youmark/pkcs8 reads part of this, and is not used: its derivation knows two of
// the nine PRFs and has no limit; it ignores the key length that Java writes, and with it
// the PRF behind it, and then reports the right password as wrong; an IV or a ciphertext of
// a wrong length makes it panic; its tables can only be changed for a whole process.
// Guarding against all of that takes the parser below anyway.

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

func parsePBES2(parameters []byte, costs costs) (scheme, error) {
	var p pbes2Parameters
	if err := unmarshalStrictly(parameters, &p, derSequence+derSequence, ""); err != nil {
		return scheme{}, damaged(damagedSealed, err)
	}
	c, known := pbes2Ciphers[p.Cipher.Algorithm.String()]
	if !known {
		return scheme{}, unsupported(convert+convertOld,
			"the private key is encrypted with a cipher (%v) that is not supported", p.Cipher.Algorithm)
	}
	derive, err := parseDerivation(p.Derivation, c.keyBytes, costs)
	if err != nil {
		return scheme{}, err
	}
	var iv []byte
	if _, err := asn1.Unmarshal(p.Cipher.Parameters.FullBytes, &iv); err != nil || len(iv) != c.blockBytes {
		return scheme{}, damaged("the initialization vector of the encrypted private key is damaged", err)
	}
	return scheme{c.blockBytes, func(password, data []byte) ([]byte, error) {
		key, err := derive(password)
		if err != nil {
			return nil, err
		}
		defer clear(key)
		return c.decrypt(key, iv, data)
	}}, nil
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
