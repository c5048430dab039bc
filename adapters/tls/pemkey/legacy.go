package pemkey

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
)

// The older way to encrypt a key, RFC 1421's headers as OpenSSL's traditional format
// has them (openssl rsa -aes256 -traditional, ssh-keygen -m PEM):
//
//	Proc-Type: 4,ENCRYPTED
//	DEK-Info: AES-128-CBC,<the IV, whose first eight bytes are the salt>
//
// One round of MD5 derives the key from the password: there is no cost to limit.

// legacyCiphers are those of crypto/x509, with their blocks in bytes.
var legacyCiphers = map[string]int{
	"DES-CBC": 8, "DES-EDE3-CBC": 8, "AES-128-CBC": 16, "AES-192-CBC": 16, "AES-256-CBC": 16,
}

// openLegacy checks everything that needs no password before it calls the password function.
func (l loader) openLegacy(block *pem.Block, parse func([]byte) (crypto.Signer, error)) (crypto.Signer, error) {
	info, encrypted := block.Headers["DEK-Info"]
	info = strings.ToUpper(info) // openssl takes small letters too
	block.Headers["DEK-Info"] = info
	name, iv, _ := strings.Cut(info, ",")
	size, known := legacyCiphers[name]
	switch {
	case block.Headers["Proc-Type"] != "4,ENCRYPTED", !encrypted:
		return nil, damaged("the private key has headers, but not Proc-Type: 4,ENCRYPTED and DEK-Info, or they are "+
			"damaged", nil)
	case !known:
		return nil, unsupported(convert+convertOld,
			"the private key is encrypted with the cipher %q, which is not supported", name)
	case len(block.Bytes) == 0 || len(block.Bytes)%size != 0:
		return nil, damaged("the encrypted private key is damaged", errors.New("it is not a whole number of blocks"))
	}
	if decoded, err := hex.DecodeString(iv); err != nil || len(decoded) != size {
		return nil, damaged("the header DEK-Info of the private key is damaged", nil)
	}
	password, err := l.ask()
	if err != nil {
		return nil, err
	}
	if err := allowed(); err != nil {
		return opened(nil, err, password, parse)
	}
	//lint:ignore SA1019 deprecated for writing; existing keys have this format
	plain, err := x509.DecryptPEMBlock(block, password)
	return opened(plain, err, password, parse)
}
