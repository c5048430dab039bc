package krb5

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Encryption types. A context needs one of AES: the older types, RC4 among them,
// have wrap tokens of another kind (RFC 1964, RFC 4757), which are not made here. A
// ticket-granting ticket may have any that gokrb5 knows, where krb5.conf permits it.

// contextTypes are those of a context and their key sizes; gokrb5 has 24 octets for
// the last.
var contextTypes = map[int32]int{
	etypeID.AES128_CTS_HMAC_SHA1_96:    16,
	etypeID.AES256_CTS_HMAC_SHA1_96:    32,
	etypeID.AES128_CTS_HMAC_SHA256_128: 16,
	etypeID.AES256_CTS_HMAC_SHA384_192: 32,
}

// preferred is MIT's order.
var preferred = []int32{
	etypeID.AES256_CTS_HMAC_SHA1_96,
	etypeID.AES128_CTS_HMAC_SHA1_96,
	etypeID.AES256_CTS_HMAC_SHA384_192,
	etypeID.AES128_CTS_HMAC_SHA256_128,
}

// Usable reports whether a context can be made with the key.
func Usable(key types.EncryptionKey) bool {
	size, ok := contextTypes[key.KeyType]
	return ok && len(key.KeyValue) == size
}

func newKey(etype int32) types.EncryptionKey {
	key := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, contextTypes[etype])}
	rand.Read(key.KeyValue)
	return key
}

// random31 is a nonce or sequence number that every implementation takes for a
// positive one.
func random31() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:]) & 0x3fffffff
}

// maxIterations bounds how often a KDC, which nobody has authenticated yet, makes
// this machine hash a password (RFC 3962, section 4). Theirs are 4096 and 32768.
const maxIterations = 1_000_000

// saltOf finds what the KDC says about turning the password into a key of a type
// (RFC 4120, section 5.2.7.5). An empty salt stands for the default one.
func saltOf(etype int32, data types.PADataSequence) (salt string, params []byte) {
	for _, pa := range data {
		switch pa.PADataType {
		case patype.PA_ETYPE_INFO2:
			info, _ := pa.GetETypeInfo2()
			for _, entry := range info {
				if entry.EType == etype {
					return entry.Salt, entry.S2KParams
				}
			}
		case patype.PA_PW_SALT:
			salt = string(pa.PADataValue)
		}
	}
	return salt, nil
}

// keyOfPassword derives a key.
func keyOfPassword(password string, who Principal, etype int32, data types.PADataSequence) (key types.EncryptionKey, err error) {
	ok := Contain(func() error {
		kind, bad := crypto.GetEtype(etype)
		if bad != nil {
			return bad
		}
		salt, params := saltOf(etype, data)
		if salt == "" {
			salt = who.Name.GetSalt(who.Realm)
		}
		words := kind.GetDefaultStringToKeyParams()
		if len(params) == 4 {
			if n := binary.BigEndian.Uint32(params); n == 0 || n > maxIterations {
				err = failure(BadAnswer, who.String(), "it wants the password hashed %d times, and at most %d are done here", n, maxIterations)
				return err
			}
			words = hex.EncodeToString(params)
		}
		value, bad := kind.StringToKey(password, salt, words)
		key = types.EncryptionKey{KeyType: etype, KeyValue: value}
		return bad
	})
	if !ok && err == nil {
		err = failure(EncryptionTypes, who.String(), "the password cannot be turned into a key of type %d", etype)
	}
	return key, err
}
