package pemkey

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
)

// Decrypted keys. crypto/x509 parses them; the checks that it omits are made here, and
// unsupported keys are distinguished from damaged ones.

const otherKeys = "create one for RSA, for ECDSA over P-256, P-384 or P-521, or for Ed25519"

// rsaInfo is RFC 8017's RSAPrivateKey for two primes.
type rsaInfo struct {
	Version                        int
	N, E, D, P, Q, DP, DQ, Inverse *big.Int
}

func parsePKCS1(der []byte) (crypto.Signer, error) {
	var info rsaInfo
	if err := unmarshalStrictly(der, &info, strings.Repeat(derInteger, 9), derSequence); err != nil {
		return nil, damaged(damagedRSA, err)
	}
	if info.Version == 1 { // crypto/rsa does not compare the parts of such a key
		return nil, unsupported(otherKeys, "this is a private key for RSA with more than two primes, which is not "+
			"supported")
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, damaged(damagedRSA, err)
	}
	return key, nil
}

var (
	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidECDSA   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidEd25519 = asn1.ObjectIdentifier{1, 3, 101, 112}

	// The names of unsupported kinds in use.
	otherKinds = map[string]string{
		"1.2.840.113549.1.1.10": "RSA-PSS",
		"1.2.840.10040.4.1":     "DSA",
		"1.2.840.113549.1.3.1":  "Diffie-Hellman",
		"1.3.101.110":           "X25519",
		"1.3.101.111":           "X448",
		"1.3.101.113":           "Ed448",
	}
)

// pkcs8Info is the part of RFC 5958's OneAsymmetricKey that identifies the key.
// Attributes and, from version 2 on, the public key may follow.
type pkcs8Info struct {
	Version   int
	Algorithm pkix.AlgorithmIdentifier
	Key       []byte
}

func parsePKCS8(der []byte) (crypto.Signer, error) {
	var info pkcs8Info
	if err := unmarshalStrictly(der, &info, derInteger+derSequence+derOctets, derTag0+derTag1Bits); err != nil {
		return nil, damaged("the private key is damaged, or not PKCS#8", err)
	}
	kind := info.Algorithm.Algorithm
	switch {
	case kind.Equal(oidRSA):
		return parsePKCS1(info.Key)
	case kind.Equal(oidEd25519):
	case kind.Equal(oidECDSA):
		if err := checkCurve(info.Algorithm.Parameters.FullBytes); err != nil {
			return nil, err
		}
	default:
		name := cmp.Or(otherKinds[kind.String()], kind.String())
		return nil, unsupported(otherKeys, "this is a private key for %s, which crypto/tls does not support", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, damaged("the private key is damaged", err)
	}
	if key, ok := parsed.(*ecdsa.PrivateKey); ok {
		return fittingPair(key, info.Key, info.Algorithm.Parameters.FullBytes)
	}
	return parsed.(crypto.Signer), nil
}

// sec1Info is RFC 5915's ECPrivateKey.
type sec1Info struct {
	Version int
	Key     []byte
	Curve   asn1.RawValue `asn1:"optional,explicit,tag:0"`
	Public  asn1.RawValue `asn1:"optional,explicit,tag:1"`
}

func parseSEC1(der []byte) (crypto.Signer, error) {
	info, err := unmarshalSEC1(der)
	if err != nil {
		return nil, err
	}
	if err := checkCurve(info.Curve.Bytes); err != nil {
		return nil, err
	}
	key, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return nil, damaged(damagedEC, err)
	}
	return fittingPair(key, der, info.Curve.Bytes)
}

const damagedRSA, damagedEC = "the RSA private key is damaged", "the EC private key is damaged"

func unmarshalSEC1(der []byte) (info sec1Info, err error) {
	if err = unmarshalStrictly(der, &info, derInteger+derOctets, derTag0+derTag1); err != nil {
		err = damaged(damagedEC, err)
	}
	return info, err
}

// checkCurve refuses curves that crypto/ecdsa lacks, and curves given by parameters
// instead of a name.
func checkCurve(parameters []byte) error {
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(parameters, &curve); err != nil {
		return unsupported("convert it: openssl pkey -in old.pem -ec_param_enc named_curve -out new.pem",
			"the EC private key gives its curve by parameters, not by name, which is not supported")
	}
	switch curve.String() {
	case "1.3.132.0.33", "1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35": // P-224 to P-521
		return nil
	case "1.3.132.0.10":
		return unsupported(otherKeys, "this is a private key on the curve secp256k1, which crypto/tls does not support")
	}
	return unsupported(otherKeys, "this is a private key on the curve %v, which crypto/tls does not support", curve)
}

// fittingPair compares the private key with the fields next to it that crypto/x509
// ignores: the name of the curve, which PKCS#8 repeats, and the public key.
func fittingPair(key *ecdsa.PrivateKey, der, curve []byte) (crypto.Signer, error) {
	info, err := unmarshalSEC1(der)
	if err != nil {
		return nil, err
	}
	if len(info.Curve.FullBytes) > 0 && !bytes.Equal(info.Curve.Bytes, curve) {
		return nil, damaged(damagedEC, errors.New("it names two curves"))
	}
	if len(info.Public.FullBytes) == 0 {
		return key, nil // it may be left out
	}
	var given asn1.BitString
	if _, err := asn1.Unmarshal(info.Public.Bytes, &given); err != nil {
		return nil, damaged(damagedEC, err)
	}
	own, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, damaged(damagedEC, err)
	}
	if len(given.Bytes) > 0 {
		parity := own[len(own)-1] & 1
		switch given.Bytes[0] { // SEC 1, 2.3.3: other forms than 4, X, Y
		case 2, 3: // X and the parity of Y
			own = append([]byte{2 + parity}, own[1:1+len(own)/2]...)
		case 6, 7: // both
			own[0] = 6 + parity
		}
	}
	if !bytes.Equal(own, given.Bytes) {
		return nil, damaged(damagedEC, errors.New("the public key next to it does not match"))
	}
	return key, nil
}
