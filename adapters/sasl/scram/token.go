package scram

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"

	"github.com/xdg-go/scram"
)

// A login by delegation token (KIP-48) says so with an extension in its first
// message. All that the two sides sign covers that message, and the library, which
// knows no extensions, signs it without. So what it signed is signed anew: the keys
// are there, and a proof is the client's key under the signature, as XOR.

const tokenExtension = ",tokenauth=true"

// tokenLogin signs between the library, which leaves the extension out, and the
// broker.
type tokenLogin struct {
	hash        scram.HashGeneratorFcn
	keys        scram.StoredCredentials
	without, it string // what is signed: without the extension, and as it is
}

// sign turns the library's last message into the one with the extension signed.
func (t *tokenLogin) sign(bare, serverFirst, final string) (string, error) {
	unproven, proof64, _ := strings.Cut(final, ",p=")
	proof, err := base64.StdEncoding.DecodeString(proof64)
	if err != nil {
		return "", &Error{Err: err}
	}
	rest := "," + serverFirst + "," + unproven
	t.without, t.it = bare+rest, bare+tokenExtension+rest
	without, it := t.mac(t.keys.StoredKey, t.without), t.mac(t.keys.StoredKey, t.it)
	for i := range proof {
		proof[i] ^= without[i] ^ it[i]
	}
	return unproven + ",p=" + base64.StdEncoding.EncodeToString(proof), nil
}

// verify turns the broker's signature, if it is right, into what the library waits
// for.
func (t *tokenLogin) verify(signature []byte) (serverFinal string, err error) {
	if !hmac.Equal(signature, t.mac(t.keys.ServerKey, t.it)) {
		return "", &Error{Reason: BadSignature}
	}
	return "v=" + base64.StdEncoding.EncodeToString(t.mac(t.keys.ServerKey, t.without)), nil
}

func (t *tokenLogin) mac(key []byte, text string) []byte {
	m := hmac.New(t.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
