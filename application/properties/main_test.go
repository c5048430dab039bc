package properties

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stores writes the files that configurations name, and returns their folder.
func stores(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, SubjectKeyId: []byte{1},
		NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1),
		NextUpdate: time.Now().Add(time.Hour)}, template, key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	certPEM, keyPEM := block("CERTIFICATE", cert), block("PRIVATE KEY", pkcs8)
	legacy := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY",
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: pkcs8})

	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"ca.pem":        append([]byte("Alias name: root\n"), certPEM...),
		"client.pem":    append(bytes.Clone(certPEM), keyPEM...),
		"chain.pem":     certPEM,
		"key.pem":       keyPEM,
		"encrypted.pem": append(block("ENCRYPTED PRIVATE KEY", pkcs8), certPEM...),
		"legacy.pem":    legacy,
		"crl.pem":       block("X509 CRL", crl),
		"crl.der":       crl,
		"cert.der":      cert,
		"key.der":       pkcs8,
		"store.jks":     {0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0},
		"it's.jks":      {0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2},
		"my store.p12":  {0x30, 0x82, 1, 0, 2, 1, 3, 0x30, 0x82},
		"empty.pem":     {'\n'},
		"notes.txt":     []byte("nothing that is PEM\n"),
		"client.keytab": {5, 2},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// written parses lines in which DIR is a folder.
func written(t *testing.T, dir string, lines ...string) []Property {
	t.Helper()
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "DIR", filepath.ToSlash(dir))
	props, err := Parse("test.properties", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return props
}

// problems takes a joined error apart.
func problems(t *testing.T, err error) (all []*Error) {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is not joined", err)
	}
	for _, one := range joined.Unwrap() {
		e := new(Error)
		if !errors.As(one, &e) {
			t.Fatalf("%v is no *Error", one)
		}
		all = append(all, e)
	}
	return all
}
