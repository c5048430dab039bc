package crl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"
)

// Certificates and revocation lists for the tests. The lists are encoded here,
// since x509.CreateRevocationList makes good ones only.

var epoch = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// authority is a CA: certificate and key.
type authority struct {
	cert   *x509.Certificate
	key    crypto.Signer
	parent *authority // nil: a root
}

func ecKey() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func ed25519Key() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func rsaKey() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) }

// rawName is a distinguished name of attributes with any kind of string.
func rawName(attributes ...asn1.RawValue) []byte {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	types := []int{3, 10, 11} // CN, O, OU
	var rdns []asn1.RawValue
	for i, v := range attributes {
		one := must(asn1.Marshal(attribute{asn1.ObjectIdentifier{2, 5, 4, types[i]}, v}))
		rdns = append(rdns, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: one})
	}
	return must(asn1.Marshal(rdns))
}

func str(tag int, s string) asn1.RawValue { return asn1.RawValue{Tag: tag, Bytes: []byte(s)} }

func simpleName(cn string) []byte { return rawName(str(asn1.TagUTF8String, cn)) }

// noKeyUsage as a key usage leaves the extension out.
const noKeyUsage x509.KeyUsage = 0

var lastSerial = big.NewInt(0x1000)

func nextSerial() *big.Int {
	lastSerial.Add(lastSerial, big.NewInt(1))
	return new(big.Int).Set(lastSerial)
}

func newAuthority(parent *authority, name []byte, key crypto.Signer, usage x509.KeyUsage) *authority {
	template := &x509.Certificate{
		SerialNumber: nextSerial(), RawSubject: name, KeyUsage: usage,
		NotBefore: epoch.AddDate(-10, 0, 0), NotAfter: epoch.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
	}
	return issue(parent, template, key)
}

func issue(parent *authority, template *x509.Certificate, key crypto.Signer) *authority {
	signer, signerCert := key, template
	if parent != nil {
		signer, signerCert = parent.key, parent.cert
	}
	der := must(x509.CreateCertificate(rand.Reader, template, signerCert, key.Public(), signer))
	return &authority{must(x509.ParseCertificate(der)), key, parent}
}

var leafKey = ecKey()

func newLeaf(parent *authority, change func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: nextSerial(), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"leaf.test"},
		NotBefore: epoch.AddDate(-10, 0, 0), NotAfter: epoch.AddDate(10, 0, 0),
	}
	if change != nil {
		change(template)
	}
	return issue(parent, template, leafKey).cert
}

// list is a revocation list to be encoded.
type list struct {
	issuer     []byte // raw; nil: the signer's name
	signer     *authority
	how        string // signing: "" for the key's usual way, "sha1", "pss"
	thisUpdate time.Time
	nextUpdate time.Time // zero: none
	version1   bool
	entries    []entry
	extensions []pkix.Extension
	tampered   bool // a bit of the signature is flipped
}

type entry struct {
	serial     *big.Int
	at         time.Time
	extensions []pkix.Extension
}

var (
	oidECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA1   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidRSASHA256   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidRSASHA1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidEd25519     = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidMGF1        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
)

func (l *list) der() []byte {
	type tbsEntry struct {
		Serial     *big.Int
		At         time.Time
		Extensions []pkix.Extension `asn1:"optional,omitempty"`
	}
	type tbs struct {
		Version    int `asn1:"optional,omitempty"`
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		ThisUpdate time.Time
		NextUpdate time.Time        `asn1:"optional,omitempty"`
		Revoked    []tbsEntry       `asn1:"optional,omitempty"`
		Extensions []pkix.Extension `asn1:"optional,omitempty,explicit,tag:0"`
	}
	algorithm, sign := l.signing()
	t := tbs{Version: 1, Algorithm: algorithm, Issuer: asn1.RawValue{FullBytes: l.issuer},
		ThisUpdate: l.thisUpdate.UTC(), NextUpdate: l.nextUpdate.UTC(), Extensions: l.extensions}
	if l.issuer == nil {
		t.Issuer.FullBytes = l.signer.cert.RawSubject
	}
	if l.version1 {
		t.Version, t.Extensions = 0, nil
	}
	for _, e := range l.entries {
		if l.version1 {
			e.extensions = nil
		}
		t.Revoked = append(t.Revoked, tbsEntry{e.serial, e.at.UTC(), e.extensions})
	}
	raw := must(asn1.Marshal(t))
	signature := sign(raw)
	if l.tampered {
		signature[len(signature)-1] ^= 1
	}
	return must(asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: raw}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}}))
}

// signing returns the algorithm, and what signs with it.
func (l *list) signing() (pkix.AlgorithmIdentifier, func([]byte) []byte) {
	key := l.signer.key
	null := asn1.RawValue{Tag: asn1.TagNull}
	with := func(oid asn1.ObjectIdentifier, params asn1.RawValue, opts crypto.SignerOpts) (pkix.AlgorithmIdentifier,
		func([]byte) []byte) {
		return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: params}, func(data []byte) []byte {
			switch opts.HashFunc() {
			case crypto.SHA256:
				sum := sha256.Sum256(data)
				data = sum[:]
			case crypto.SHA1:
				sum := sha1.Sum(data)
				data = sum[:]
			}
			return must(key.Sign(rand.Reader, data, opts))
		}
	}
	switch key.(type) {
	case ed25519.PrivateKey:
		return with(oidEd25519, asn1.RawValue{}, crypto.Hash(0))
	case *rsa.PrivateKey:
		switch l.how {
		case "pss":
			hash := pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: null}
			params := must(asn1.Marshal(struct {
				Hash pkix.AlgorithmIdentifier `asn1:"explicit,tag:0"`
				MGF  pkix.AlgorithmIdentifier `asn1:"explicit,tag:1"`
				Salt int                      `asn1:"explicit,tag:2"`
			}{hash, pkix.AlgorithmIdentifier{Algorithm: oidMGF1,
				Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(hash))}}, 32}))
			return with(oidRSAPSS, asn1.RawValue{FullBytes: params}, &rsa.PSSOptions{SaltLength: 32,
				Hash: crypto.SHA256})
		case "sha1":
			return with(oidRSASHA1, null, crypto.SHA1)
		}
		return with(oidRSASHA256, null, crypto.SHA256)
	}
	if l.how == "sha1" {
		return with(oidECDSASHA1, asn1.RawValue{}, crypto.SHA1)
	}
	return with(oidECDSASHA256, asn1.RawValue{}, crypto.SHA256)
}

func pemOf(blockType string, ders ...[]byte) (out []byte) {
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})...)
	}
	return out
}

func extension(id asn1.ObjectIdentifier, critical bool, value any) pkix.Extension {
	return pkix.Extension{Id: id, Critical: critical, Value: must(asn1.Marshal(value))}
}

var oidNumber = asn1.ObjectIdentifier{2, 5, 29, 20}

func numbered(n int64) pkix.Extension { return extension(oidNumber, false, big.NewInt(n)) }

func reasonOf(r reason, critical bool) pkix.Extension {
	return extension(oidReason, critical, asn1.Enumerated(r))
}

// keyIDOf is an authority key identifier by key; serialOf one by certificate.
func keyIDOf(a *authority) pkix.Extension {
	return extension(oidAuthorityKey, false, authorityKey{KeyID: a.cert.SubjectKeyId})
}

func serialOf(serial *big.Int, issuer []byte) pkix.Extension {
	return extension(oidAuthorityKey, false, authorityKey{Serial: serial,
		Issuer: []asn1.RawValue{directoryName(issuer)}})
}

func directoryName(name []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name}
}

func uri(s string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(s)}
}

func issuing(p issuingPoint) pkix.Extension { return extension(oidIssuingPoint, true, p) }

func points(p ...point) pkix.Extension { return extension(oidPoints, false, p) }

func at(names ...asn1.RawValue) pointName { return pointName{Full: names} }

// reasonFlags makes ReasonFlags of their numbers.
func reasonFlags(n ...int) asn1.BitString {
	b := asn1.BitString{Bytes: make([]byte, 2), BitLength: 9}
	for _, i := range n {
		b.Bytes[i/8] |= 0x80 >> (i % 8)
	}
	return b
}
