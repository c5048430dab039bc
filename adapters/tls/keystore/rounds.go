package keystore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// A store says itself how often its password is hashed, for the proof and for each part that is
// encrypted. go-pkcs12 hashes as often: a damaged or hostile file would take years.

// maxRounds is a few seconds, as in pemkey. Java writes 10,000 rounds.
var maxRounds int64 = 10_000_000

type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt   []byte
	Rounds int64 `asn1:"optional,default:1"`
}

// partsOf returns the parts of a store, and the parameters of its proof, which are zero without one.
func partsOf(file []byte) (parts []contentInfo, proof macData, err error) {
	var pfx struct {
		Version  int
		AuthSafe contentInfo
		MAC      macData `asn1:"optional"`
	}
	var content []byte
	for _, step := range []func() error{
		func() error { return unmarshalAll(file, &pfx) },
		func() error { return unmarshalAll(pfx.AuthSafe.Content.Bytes, &content) },
		func() error { return unmarshalAll(content, &parts) },
	} {
		if err := step(); err != nil {
			return nil, macData{}, err
		}
	}
	return parts, pfx.MAC, nil
}

// checkRounds returns an error if one of the passwords of a store is hashed more often than
// maxRounds. What cannot be read is left to the library, and what is within an encrypted part to
// the owner of its password.
func checkRounds(file []byte) error {
	parts, proof, err := partsOf(file)
	if err != nil {
		return nil
	}
	most := max(proof.Rounds, roundsOf(proof.MAC.Algorithm))
	for _, part := range parts {
		var sealed encryptedData
		if part.ContentType.String() == oidEncrypted && unmarshalAll(part.Content.Bytes, &sealed) == nil {
			most = max(most, roundsOf(sealed.Info.Algorithm))
			continue
		}
		var plain []byte
		var bags []safeBag
		if unmarshalAll(part.Content.Bytes, &plain) != nil || unmarshalAll(plain, &bags) != nil {
			continue
		}
		for _, b := range bags {
			var key struct {
				Algorithm pkix.AlgorithmIdentifier
				Data      []byte
			}
			if b.ID.String() == oidShroudedBag && unmarshalAll(b.Value.Bytes, &key) == nil {
				most = max(most, roundsOf(key.Algorithm))
			}
		}
	}
	if most > maxRounds {
		return fmt.Errorf("it hashes the password %d times, and the limit is %d", most, maxRounds)
	}
	return nil
}

// roundsOf returns how often a scheme hashes a password: PBES1 and PBKDF2 have a salt and the number,
// and PBES2 and PBMAC1 begin with PBKDF2.
func roundsOf(scheme pkix.AlgorithmIdentifier) int64 {
	var own struct {
		Salt   asn1.RawValue
		Rounds int64
	}
	var outer struct{ Derivation, Other pkix.AlgorithmIdentifier }
	for range 2 {
		parameters := scheme.Parameters.FullBytes
		if _, err := asn1.Unmarshal(parameters, &own); err == nil && own.Salt.Tag == asn1.TagOctetString {
			return own.Rounds
		}
		if _, err := asn1.Unmarshal(parameters, &outer); err != nil {
			return 0
		}
		scheme = outer.Derivation
	}
	return 0
}
