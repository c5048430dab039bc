package pemkey

import (
	"crypto/des"
	"crypto/fips140"
	"crypto/md5"
	"crypto/rc4"
	"errors"
	"fmt"
	"slices"
)

// The predecessors of PBES2, of which each is one derivation and one cipher: PBES1 of
// RFC 8018, and the schemes of RFC 7292, appendix C, which has the same parameters. Read are
// those for which Java 17 has both a SecretKeyFactory and a Cipher, as Kafka's clients
// require. openssl pkcs8 -topk8 -v1 writes them, as did OpenSSL before 1.1.0 without -v2
// (MD5 and DES).

// pbes1Scheme derives key and IV from the password, in memory that the caller wipes.
type pbes1Scheme struct {
	derive func(password, salt []byte, rounds int) (key, iv []byte)
	cipher *blockCipher // nil: RC4, of bytes
}

var pbes1Schemes = map[string]pbes1Scheme{
	"1.2.840.113549.1.5.3":    {pbkdf1, &blockCipher{8, des.BlockSize, des.NewCipher}},
	"1.2.840.113549.1.12.1.1": {pkcs12Keys(16, 0), nil},
	"1.2.840.113549.1.12.1.2": {pkcs12Keys(5, 0), nil},
	"1.2.840.113549.1.12.1.3": {pkcs12Keys(24, 8), &blockCipher{24, des.BlockSize, des.NewTripleDESCipher}},
	"1.2.840.113549.1.12.1.5": {pkcs12Keys(16, 8), &blockCipher{16, rc2BlockSize, newRC2}},
	"1.2.840.113549.1.12.1.6": {pkcs12Keys(5, 8), &blockCipher{5, rc2BlockSize, newRC2}},
}

type pbes1Parameters struct {
	Salt   []byte
	Rounds int64
}

func parsePBES1(s pbes1Scheme, parameters []byte, costs costs) (scheme, error) {
	var p pbes1Parameters
	if err := unmarshalStrictly(parameters, &p, derOctets+derInteger, ""); err != nil {
		return scheme{}, damaged(damagedSealed, err)
	}
	switch {
	case p.Rounds < 1:
		return scheme{}, damaged(fmt.Sprintf("%s: its password has %d rounds", damagedSealed, p.Rounds), nil)
	case p.Rounds > costs.rounds:
		return scheme{}, tooCostly(convert+convertOld, "%d rounds, and the limit is %d", p.Rounds, costs.rounds)
	}
	blockBytes := 1
	if s.cipher != nil {
		blockBytes = s.cipher.blockBytes
	}
	return scheme{blockBytes, func(password, data []byte) ([]byte, error) {
		if err := allowed(); err != nil {
			return nil, err
		}
		key, iv := s.derive(password, p.Salt, int(p.Rounds))
		defer clear(key)
		if s.cipher != nil {
			return s.cipher.decrypt(key, iv, data)
		}
		return decryptRC4(key, data)
	}}, nil
}

// allowed refuses what derives its key by MD5 or SHA-1 alone, which would panic.
func allowed() error {
	if fips140.Enforced() {
		return errors.New("its scheme is not allowed in FIPS 140-only mode")
	}
	return nil
}

func decryptRC4(key, data []byte) ([]byte, error) {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(data))
	c.XORKeyStream(plain, data)
	return plain, nil
}

// pbkdf1 is RFC 8018's, with MD5: eight bytes of key, then eight of IV.
func pbkdf1(password, salt []byte, rounds int) (key, iv []byte) {
	sum := md5.Sum(slices.Concat(password, salt))
	for range rounds - 1 {
		sum = md5.Sum(sum[:])
	}
	return sum[:8], sum[8:]
}
