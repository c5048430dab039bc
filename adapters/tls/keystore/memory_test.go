package keystore

import (
	"crypto/x509"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"brokerconn/acceptance/hostile"
)

// perByte is the memory for each byte of a store: itself, and what its elements are decoded and decrypted to.
const perByte = 20

// TestHostileStoresCostNoMemory: a lie about any length or count in a store costs no memory ahead of the file's bytes.
func TestHostileStoresCostNoMemory(t *testing.T) {
	maxRounds = 100
	t.Cleanup(func() { maxRounds = 10_000_000 })
	file := golden(t, "java.jks")
	certificate := certificates(t, must(Authorities(golden(t, "java.jks"), []byte(password))))[0]
	plain := must(pkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{certificate}, ""))
	locked := must(pkcs12.Modern.WithIterations(2).EncodeTrustStore([]*x509.Certificate{certificate}, password))
	load := func(name string, store []byte) {
		hostile.Bounded(t, name, store, perByte, func() {
			_, _ = Authorities(store, []byte(password)) // it may be valid
			_, _, _ = Identity(store, []byte(password), nil)
		})
	}
	for lie, store := range hostile.All(file[:200]) {
		load("JKS, "+lie, append(store, file[200:]...))
	}
	for name, valid := range map[string][]byte{"PKCS#12": locked, "PKCS#12 without a password": plain} {
		for lie, store := range hostile.Lies(valid) {
			load(name+", "+lie, store)
		}
	}
}
