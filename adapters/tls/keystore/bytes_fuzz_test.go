package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"brokerconn/acceptance/hostile"
	"brokerconn/adapters/tls/pemkey"
)

// isKind reports whether an error is of one of the kinds that the package has, or says why a password is not used.
func isKind(err error) bool {
	for _, kind := range []error{ErrPassword, ErrKeyPassword, ErrNoPassword, ErrEmpty, ErrFormat} {
		if errors.Is(err, kind) {
			return true
		}
	}
	_, latin := latin1([]byte("\u0100"))
	return err.Error() == latin.Error()
}

// checkStore reads a file with a password, and without one: what comes out is PEM whose key belongs to its first
// certificate, or an error of a kind, and the memory for it is bounded by the size of the file.
func checkStore(t *testing.T, file, password []byte) {
	t.Helper()
	var chain, key []byte
	var err error
	for _, given := range [][]byte{password, nil} {
		n := hostile.Allocated(func() {
			chain, key, err = Identity(file, given, nil)
			if _, failed := Authorities(file, given); failed != nil && !isKind(failed) {
				t.Fatalf("authorities: got %v, want an error of a kind", failed)
			}
		})
		if limit := 8<<20 + 200*uint64(len(file)); n > limit {
			t.Fatalf("got %d bytes of memory for a file of %d, want at most %d", n, len(file), limit)
		}
		if err != nil {
			if key != nil || !isKind(err) {
				t.Fatalf("identity: got %v and %d bytes of a key, want an error of a kind alone", err, len(key))
			}
			continue
		}
		if pemkey.FormatOf(file) != pemkey.PKCS12 {
			continue // a JKS may have any bytes as a key or a certificate
		}
		signer, err := pemkey.Load(key, nil)
		if err != nil {
			t.Fatalf("got a key that cannot be read: %v", err)
		}
		public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
		if !ok || !public.Equal(certificates(t, chain)[0].PublicKey) {
			t.Fatal("the first certificate is not that of the key")
		}
	}
}

// FuzzPKCS12 reads stores of three writers, damaged anywhere. Each hashes a password at most 100 times here.
func FuzzPKCS12(f *testing.F) {
	maxRounds = 100
	f.Cleanup(func() { maxRounds = 10_000_000 })
	file := golden(f, "java.jks")
	chain, pem, err := Identity(file, []byte(password), nil)
	if err != nil {
		f.Fatal(err)
	}
	signer := must(pemkey.Load(pem, nil))
	certificate := certificates(f, chain)[0]
	for _, e := range []*pkcs12.Encoder{pkcs12.Modern, pkcs12.LegacyDES, pkcs12.LegacyRC2, pkcs12.Passwordless} {
		password := password
		if e == pkcs12.Passwordless {
			password = ""
		} else {
			e = e.WithIterations(2)
		}
		for _, file := range [][]byte{
			must(e.EncodeTrustStore([]*x509.Certificate{certificate}, password)),
			must(e.EncodeTrustStoreEntries([]pkcs12.TrustStoreEntry{{Cert: certificate, FriendlyName: "a"}}, password)),
		} {
			f.Add(file, password, 40, byte(1))
			f.Add(file, "", len(file)-3, byte(0xff))
		}
		if e != nil && password != "" {
			f.Add(must(e.Encode(signer, certificate, nil, password)), password, 0, byte(0))
		}
	}
	f.Add(golden(f, "java.p12"), password, 0, byte(0)) // of 10,000 rounds
	f.Fuzz(func(t *testing.T, file []byte, password string, at int, mask byte) {
		if len(file) > 1<<16 || len(file) == 0 || pemkey.FormatOf(file) != pemkey.PKCS12 {
			return
		}
		checkStore(t, file, []byte(password))
		damaged := bytes.Clone(file)
		damaged[max(at, 0)%len(file)] ^= mask
		checkStore(t, damaged, []byte(password))
	})
}

// FuzzJKS writes a store with the library, reads it with Java's rules, and damages it anywhere: with the password no
// other content is read than was written.
func FuzzJKS(f *testing.F) {
	file := golden(f, "java.jks")
	chain, _, err := Identity(file, []byte(password), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file, password, "alias", certificates(f, chain)[0].Raw, []byte("key"), 60, byte(1))
	f.Add(file[:100], "", "", []byte{}, []byte{1}, 0, byte(0x80))
	f.Add(file[:12], "ä", "a\x00b", []byte("not a certificate"), []byte{}, 11, byte(0x7f))
	f.Fuzz(func(t *testing.T, any []byte, password, alias string, certificate, key []byte, at int, mask byte) {
		if len(any) > 1<<16 || len(alias) > 1000 {
			return
		}
		if pemkey.FormatOf(any) == pemkey.JKS {
			checkStore(t, any, []byte(password))
		}
		latin, err := latin1([]byte(password))
		if err != nil || len(latin) == 0 || len(key) == 0 || alias == "" {
			return
		}
		store := jks.New()
		entry := jks.PrivateKeyEntry{CreationTime: time.Unix(1, 0), PrivateKey: key,
			CertificateChain: []jks.Certificate{{Type: "X509", Content: certificate}}}
		if store.SetPrivateKeyEntry(alias, entry, latin) != nil {
			return
		}
		var written bytes.Buffer
		if store.Store(&written, latin) != nil {
			return
		}
		want := chainPEM([][]byte{certificate})
		got, _, err := Identity(written.Bytes(), []byte(password), nil)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v, want the chain that was written, %q", got, err, want)
		}
		damaged := written.Bytes()
		damaged[max(at, 0)%len(damaged)] ^= mask
		if pemkey.FormatOf(damaged) != pemkey.JKS {
			return
		}
		checkStore(t, damaged, []byte(password))
		if got, _, err := Identity(damaged, []byte(password), nil); mask != 0 && err == nil {
			t.Fatalf("got %q of a damaged store, want an error", got)
		}
	})
}
