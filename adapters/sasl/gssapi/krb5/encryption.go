package krb5

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Encryption types. A security context needs an AES type: the older types, such as RC4,
// have other wrap tokens (RFC 1964, RFC 4757), which package gssapi does not make. A
// ticket-granting ticket may have any type that gokrb5 knows and krb5.conf permits.

// contextTypes maps the types of a security context to their key sizes; gokrb5 has 24
// bytes for the last one.
var contextTypes = map[int32]int{
	etypeID.AES128_CTS_HMAC_SHA1_96: 16, etypeID.AES256_CTS_HMAC_SHA1_96: 32,
	etypeID.AES128_CTS_HMAC_SHA256_128: 16, etypeID.AES256_CTS_HMAC_SHA384_192: 32,
}

// preferred holds the types in MIT's order.
var preferred = []int32{
	etypeID.AES256_CTS_HMAC_SHA1_96, etypeID.AES128_CTS_HMAC_SHA1_96,
	etypeID.AES256_CTS_HMAC_SHA384_192, etypeID.AES128_CTS_HMAC_SHA256_128,
}

// typeNames are MIT's names of types and of families of them, in small letters. Types that
// gokrb5 lacks are left out.
var typeNames = map[string][]int32{
	"default": preferred, "aes": preferred,
	"aes256-cts-hmac-sha1-96": {18}, "aes256-cts": {18}, "aes256-sha1": {18},
	"aes128-cts-hmac-sha1-96": {17}, "aes128-cts": {17}, "aes128-sha1": {17},
	"aes256-cts-hmac-sha384-192": {20}, "aes256-sha2": {20},
	"aes128-cts-hmac-sha256-128": {19}, "aes128-sha2": {19},
	"des3": {16}, "des3-cbc-sha1": {16}, "des3-hmac-sha1": {16}, "des3-cbc-sha1-kd": {16},
	"rc4": {23}, "arcfour-hmac": {23}, "rc4-hmac": {23}, "arcfour-hmac-md5": {23},
}

// TypeName returns MIT's name of an encryption type with its number, for texts.
func TypeName(etype int32) string {
	name, ok := map[int32]string{
		etypeID.DES3_CBC_SHA1_KD: "des3-cbc-sha1", etypeID.RC4_HMAC: "arcfour-hmac",
		etypeID.AES128_CTS_HMAC_SHA1_96:    "aes128-cts-hmac-sha1-96",
		etypeID.AES256_CTS_HMAC_SHA1_96:    "aes256-cts-hmac-sha1-96",
		etypeID.AES128_CTS_HMAC_SHA256_128: "aes128-cts-hmac-sha256-128",
		etypeID.AES256_CTS_HMAC_SHA384_192: "aes256-cts-hmac-sha384-192",
	}[etype]
	if !ok {
		return strconv.Itoa(int(etype))
	}
	return name + " (" + strconv.Itoa(int(etype)) + ")"
}

// parseTypes reads a list of encryption types. A "-" before a name removes its types, and
// unknown names are skipped.
func parseTypes(text string) (all []int32) {
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }) {
		removed := name[0] == '-'
		for _, etype := range typeNames[strings.ToLower(strings.TrimLeft(name[:1], "+-")+name[1:])] {
			all = slices.DeleteFunc(all, func(had int32) bool { return removed && had == etype })
			if !removed && !slices.Contains(all, etype) {
				all = append(all, etype)
			}
		}
	}
	return all
}

// Usable reports whether the key has an AES type and its size, as a security context needs.
func Usable(key types.EncryptionKey) bool {
	size, ok := contextTypes[key.KeyType]
	return ok && len(key.KeyValue) == size
}

func newKey(etype int32) types.EncryptionKey {
	key := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, contextTypes[etype])}
	rand.Read(key.KeyValue)
	return key
}

// random31 returns a nonce or sequence number that every implementation reads as a
// positive number.
func random31() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:]) & 0x3fffffff
}

// maxIterations bounds the hashing of a password that a KDC can demand before it is
// authenticated (RFC 3962, section 4). Real KDCs use 4096 or 32768 iterations. With fewer
// than DefaultMinIterations, the default of RFC 3962, a password is cheap to guess for those
// who read the login, and for the peer.
const (
	DefaultMinIterations = 4096
	maxIterations        = 1_000_000
)

// saltOf returns the KDC's salt and parameters for deriving a key of a type (RFC 4120,
// section 5.2.7.5). An empty salt means the default one.
func saltOf(etype int32, data types.PADataSequence) (salt string, params []byte) {
	for _, entry := range typesOf(data) {
		if entry.EType == etype {
			return entry.Salt, entry.S2KParams
		}
	}
	for _, pa := range data {
		if pa.PADataType == patype.PA_PW_SALT {
			salt = string(pa.PADataValue)
		}
	}
	return salt, nil
}

// typesOf returns the encryption types that the KDC describes, in its order.
func typesOf(data types.PADataSequence) (all types.ETypeInfo2) {
	Contain(func() error {
		for _, pa := range data {
			info, _ := pa.GetETypeInfo2() // of another kind of data: an error
			all = append(all, info...)
		}
		return nil
	})
	return all
}

// keyOfPassword derives a key. data is the KDC's description of the derivation.
func keyOfPassword(
	password string, who Principal, etype int32, data types.PADataSequence,
) (key types.EncryptionKey, err error) {
	ok := Contain(func() error {
		kind, bad := crypto.GetEtype(etype)
		if bad != nil {
			return bad
		}
		salt, params := saltOf(etype, data)
		if salt == "" {
			salt = who.Name.GetSalt(who.Realm)
		}
		hexParams := kind.GetDefaultStringToKeyParams()
		if len(params) == 4 {
			if n := binary.BigEndian.Uint32(params); n == 0 || n > maxIterations {
				err = failure(BadAnswer, who.String(),
					"the KDC requests %d iterations of the password hash, the limit is %d", n, maxIterations)
				return err
			}
			hexParams = hex.EncodeToString(params)
		}
		value, bad := kind.StringToKey(password, salt, hexParams)
		key = types.EncryptionKey{KeyType: etype, KeyValue: value}
		return bad
	})
	if !ok && err == nil {
		err = failure(EncryptionTypes, who.String(), "no key of encryption type %d can be derived from the password",
			etype)
	}
	return key, err
}
