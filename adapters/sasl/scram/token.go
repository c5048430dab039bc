package scram

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"

	"github.com/xdg-go/scram"
)

// A login by delegation token (KIP-48) has an extension in its first message. Both
// sides sign that message, but the library supports no extensions and signs it without
// one. So the signatures are replaced: the keys are known, and a proof is the XOR of
// the client's key and the signature.

const tokenExtension = ",tokenauth=true"

// tokenLogin converts signatures between the library and the broker.
type tokenLogin struct {
	hash          scram.HashGeneratorFcn
	keys          scram.StoredCredentials
	without, with string // the signed text: without the extension, and with it
}

// sign converts the library's last message to one that signs the extension.
func (t *tokenLogin) sign(bare, serverFirst, final string) (string, error) {
	unproven, proof64, _ := strings.Cut(final, ",p=")
	proof, err := base64.StdEncoding.DecodeString(proof64)
	if err != nil {
		return "", &Error{Err: err}
	}
	rest := "," + serverFirst + "," + unproven
	t.without, t.with = bare+rest, bare+tokenExtension+rest
	without, with := t.mac(t.keys.StoredKey, t.without), t.mac(t.keys.StoredKey, t.with)
	for i := range proof {
		proof[i] ^= without[i] ^ with[i]
	}
	return unproven + ",p=" + base64.StdEncoding.EncodeToString(proof), nil
}

// verify verifies the broker's signature and returns the message that the library
// expects.
func (t *tokenLogin) verify(signature []byte) (serverFinal string, err error) {
	if !hmac.Equal(signature, t.mac(t.keys.ServerKey, t.with)) {
		return "", &Error{Reason: BadSignature}
	}
	return "v=" + base64.StdEncoding.EncodeToString(t.mac(t.keys.ServerKey, t.without)), nil
}

func (t *tokenLogin) mac(key []byte, text string) []byte {
	m := hmac.New(t.hash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
