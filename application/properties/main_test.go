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
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/application/broker"
	"brokerconn/ports/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stores writes the files that configurations name, and returns their folder.
func stores(t *testing.T) string {
	t.Helper()
	key := saslpeer.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, SubjectKeyId: []byte{1},
		NotAfter: time.Now().Add(time.Hour),
	}
	cert := saslpeer.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	pkcs8 := saslpeer.Must(x509.MarshalPKCS8PrivateKey(key))
	crl := saslpeer.Must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1),
		NextUpdate: time.Now().Add(time.Hour)}, template, key))
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	certPEM, keyPEM := block("CERTIFICATE", cert), block("PRIVATE KEY", pkcs8)
	legacy := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY",
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: pkcs8})

	return filesOf(t, map[string][]byte{
		"ca.pem":        append([]byte("Alias name: root\n"), certPEM...),
		"marked.pem":    append([]byte("\xef\xbb\xbf"), certPEM...),
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
	})
}

// filesOf writes files into a new folder.
func filesOf(t *testing.T, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, data := range files {
		write(t, filepath.Join(dir, name), string(data))
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

// configured reads lines in which DIR is a folder, and makes a configuration of them.
func configured(t *testing.T, d Dialect, dir string, lines ...string) (*Settings, broker.Config) {
	t.Helper()
	s, err := Read(d, written(t, dir, lines...))
	saslpeer.Succeed(t, err)
	cfg, err := s.Config()
	saslpeer.Succeed(t, err)
	return s, cfg
}

// problems takes a joined error apart.
func problems(t *testing.T, err error) (all []*Error) {
	t.Helper()
	for _, one := range unjoined(err) {
		e, ok := errors.AsType[*Error](one)
		if !ok {
			t.Fatalf("%v is no *Error", one)
		}
		all = append(all, e)
	}
	return all
}

// wantProblem requires one error, of a key, with words in it and no secret.
func wantProblem(t *testing.T, err error, key string, words ...string) {
	t.Helper()
	all := problems(t, err)
	if len(all) != 1 || all[0].Key != key {
		t.Errorf("got %v, want an error of %s", err, key)
		return
	}
	for _, word := range words {
		if !strings.Contains(all[0].Problem, word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
	porttest.NoSecrets(t, "the error", err, canary)
}
