package crl

import (
	"crypto/x509"
	"testing"

	"brokerconn/acceptance/hostile"
)

// perByte is the memory for each byte of a list: itself, and what the shortest entry is decoded to.
const perByte = 40

// TestHostileListsCostNoMemory: a lie about any length in a list costs no memory ahead of the file's bytes.
func TestHostileListsCostNoMemory(t *testing.T) {
	issuer := newAuthority(nil, simpleName("Issuer"), ed25519Key(), bothUsages)
	leaf := newLeaf(issuer, func(*x509.Certificate) {})
	for lie, der := range hostile.Lies(good(issuer, leaf).der()) {
		hostile.Bounded(t, lie, der, perByte, func() { _, _ = Parse(der) }) // it may be valid
		text := pemOf(pemType, der)
		hostile.Bounded(t, "PEM, "+lie, text, perByte, func() { _, _ = Parse(text) })
	}
}
