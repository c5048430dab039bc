package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"brokerconn/adapters/tls/pemkey"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// golden is a store that keytool made, with the password canary12.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	return must(os.ReadFile("../pemkey/testdata/" + name))
}

const password = "canary12"

// certificates returns those of a text in PEM.
func certificates(t testing.TB, text []byte) (all []*x509.Certificate) {
	t.Helper()
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		all = append(all, must(x509.ParseCertificate(block.Bytes)))
	}
	return all
}

func TestStoresOfAKey(t *testing.T) {
	for _, name := range []string{"java.jks", "java.p12"} {
		file := golden(t, name)
		if !Is(file) || Is([]byte("-----BEGIN CERTIFICATE-----")) {
			t.Errorf("%s: got Is %v, want true, and false for PEM", name, Is(file))
		}
		chain, key, err := Identity(file, []byte(password), nil)
		if err != nil {
			t.Fatalf("%s: got %v, want a key", name, err)
		}
		signer := must(pemkey.Load(key, nil))
		all := certificates(t, chain)
		public := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
		if len(all) != 1 || !public.Equal(all[0].PublicKey) {
			t.Errorf("%s: got %d certificates, want the one of the key", name, len(all))
		}
		trusted, err := Authorities(file, []byte(password))
		if err != nil || !slices.EqualFunc(certificates(t, trusted), all, (*x509.Certificate).Equal) {
			t.Errorf("%s: got %s and %v, want the key's own certificate, as Java trusts it", name, trusted, err)
		}
	}
}

// A certificate that Go does not read leaves the others of the store as they are. The one here
// has a serial number below zero, as authorities of companies have.
func TestUnreadableCertificateBesideOthers(t *testing.T) {
	good := certificates(t, must(Authorities(golden(t, "java.p12"), []byte(password))))[0]
	der := bytes.Clone(good.Raw)
	serial := bytes.Index(der, good.SerialNumber.Bytes()) - 1 // its sign
	der[serial] = 0x80
	if _, err := x509.ParseCertificate(der); err == nil {
		t.Fatal("got a certificate that Go reads, want one that it does not")
	}
	bad := &x509.Certificate{Raw: der}
	file := must(pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{good, bad}, password))
	got, err := Authorities(file, []byte(password))
	if err != nil || !bytes.Equal(got, chainPEM([][]byte{good.Raw, der})) {
		t.Errorf("got %s and %v, want both certificates", got, err)
	}
	if _, err := Authorities(file, []byte("canary-4711")); !errors.Is(err, ErrPassword) {
		t.Errorf("got %v with another password, want %v", err, ErrPassword)
	}
	chain, key, err := Identity(golden(t, "java.p12"), []byte(password), nil)
	if err != nil {
		t.Fatal(err)
	}
	signer := must(pemkey.Load(key, nil))
	file = must(pkcs12.Modern.Encode(signer, good, []*x509.Certificate{bad}, password))
	got, gotKey, err := Identity(file, []byte(password), nil)
	if err != nil || !bytes.Equal(got, chain) || !bytes.Equal(gotKey, key) {
		t.Errorf("got %s and %v, want the key with its certificate", got, err)
	}
	if got, err := Authorities(file, []byte(password)); err != nil || !bytes.Equal(got, chain) {
		t.Errorf("got %s and %v trusted, want the certificate of the key", got, err)
	}
}

// Java names neither a wrong password from a damaged file; the key's password is another one.
func TestPasswords(t *testing.T) {
	const canary = "canary-4711"
	for _, name := range []string{"java.jks", "java.p12"} {
		file := golden(t, name)
		for what, c := range map[string]struct {
			store, key []byte
			want       error
		}{
			"wrong":                  {[]byte(canary), nil, ErrPassword},
			"empty":                  {[]byte{}, nil, ErrPassword},
			"wrong for the key":      {[]byte(password), []byte(canary), ErrKeyPassword},
			"empty for the key":      {[]byte(password), []byte{}, ErrKeyPassword},
			"right for both":         {[]byte(password), []byte(password), nil},
			"wrong store, right key": {[]byte(canary), []byte(password), ErrPassword},
		} {
			_, _, err := Identity(file, c.store, c.key)
			if !errors.Is(err, c.want) {
				t.Errorf("%s, %s: got %v, want %v", name, what, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), canary) {
				t.Errorf("%s, %s: got %v, want no password in it", name, what, err)
			}
		}
		_, err := Authorities(file, []byte(canary))
		if !errors.Is(err, ErrPassword) || strings.Contains(err.Error(), "keytool") {
			t.Errorf("%s: got %v, want %v and no advice about entries", name, err, ErrPassword)
		}
	}
	if _, err := Authorities(golden(t, "java.jks"), nil); err != nil {
		t.Errorf("JKS without a password: got %v, want its certificates", err)
	}
	if _, err := Authorities(golden(t, "java.p12"), nil); !errors.Is(err, ErrNoPassword) {
		t.Errorf("encrypted PKCS#12 without a password: got %v, want %v", err, ErrNoPassword)
	}
	if _, err := Authorities(golden(t, "java.jks"), []byte("pass\u20ac")); err == nil ||
		!strings.Contains(err.Error(), "Latin-1") {
		t.Errorf("got %v, want Latin-1 in it", err)
	}
}

// A file that is cut off or altered is an error: no panic, and no memory by its lengths.
func TestDamagedStores(t *testing.T) {
	for _, name := range []string{"java.jks", "java.p12"} {
		file := golden(t, name)
		step := 1
		if name == "java.p12" {
			step = 61 // each try costs 10,000 rounds of hashing
		}
		for n := 0; n < len(file); n += step {
			cut := file[:n]
			altered := bytes.Clone(file)
			altered[n] ^= 0x80
			for _, bad := range [][]byte{cut, altered} {
				for _, given := range [][]byte{nil, []byte(password)} {
					_, _ = Authorities(bad, given)
				}
			}
			if n%16 != 0 {
				continue
			}
			if _, _, err := Identity(altered, []byte(password), nil); err == nil && name == "java.jks" {
				t.Errorf("%s: byte %d altered: got no error", name, n)
			}
		}
	}
	huge := golden(t, "java.jks")
	at := bytes.Index(huge, []byte("X.509")) + len("X.509")
	binary.BigEndian.PutUint32(huge[at:], 0xffffffff)
	if _, err := Authorities(huge, nil); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "length") {
		t.Errorf("got %v, want a length that is larger than the file", err)
	}
	for _, other := range []string{"", "nonsense", "\xce\xce\xce\xce\x00\x00\x00\x02" + strings.Repeat("x", 30)} {
		if _, _, err := Identity([]byte(other), nil, nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: got %v, want %v", other, err, ErrFormat)
		}
	}
}

// A store says how often it hashes the password, in its proof and for each part and each key that is encrypted. The
// library hashes as often: the largest number that fits into the bytes of one here takes seconds, longer ones take
// years.
func TestRoundsAreBounded(t *testing.T) {
	chain, key, err := Identity(golden(t, "java.jks"), []byte(password), nil)
	if err != nil {
		t.Fatal(err)
	}
	const written, large = "\x02\x03\x01\x02\x03", "\x02\x03\x7f\xff\xff" // 66,051 and 8,388,607 in DER
	few := pkcs12.Modern.WithIterations(0x010203)
	file := must(few.Encode(must(pemkey.Load(key, nil)), certificates(t, chain)[0], nil, password))
	maxRounds = 1 << 20
	defer func() { maxRounds = 10_000_000 }()
	if _, _, err := Identity(file, []byte(password), nil); err != nil {
		t.Fatalf("66051 rounds: got %v, want the key", err)
	}
	parts := strings.Split(string(file), written)
	if len(parts) != 4 {
		t.Fatalf("got %d numbers of rounds, want 3", len(parts)-1)
	}
	for i := 1; i < len(parts); i++ {
		damaged := []byte(strings.Join(parts[:i], written) + large + strings.Join(parts[i:], written))
		for _, given := range [][]byte{[]byte(password), nil} {
			_, _, noKey := Identity(damaged, given, nil)
			_, none := Authorities(damaged, given)
			for _, err := range []error{noKey, none} {
				if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "8388607 times") {
					t.Errorf("number %d: got %v, want the rounds in an error", i, err)
				}
			}
		}
	}
}
