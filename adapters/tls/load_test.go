package tls

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	jks "github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"brokerconn/ports"
)

// jksOf is a JKS with a trusted certificate, and with a key if there is one.
func jksOf(trusted *x509.Certificate, identity *tls.Certificate, password, keyPassword string) string {
	store := jks.New()
	if trusted != nil {
		mustBe(store.SetTrustedCertificateEntry("ca", jks.TrustedCertificateEntry{
			Certificate: jks.Certificate{Type: "X.509", Content: trusted.Raw}}))
	}
	if identity != nil {
		entry := jks.PrivateKeyEntry{PrivateKey: must(x509.MarshalPKCS8PrivateKey(identity.PrivateKey))}
		for _, der := range identity.Certificate {
			entry.CertificateChain = append(entry.CertificateChain, jks.Certificate{Type: "X.509", Content: der})
		}
		mustBe(store.SetPrivateKeyEntry("me", entry, []byte(keyPassword)))
	}
	var file bytes.Buffer
	mustBe(store.Store(&file, []byte(password)))
	return file.String()
}

func mustBe(err error) {
	if err != nil {
		panic(err)
	}
}

// Java's stores serve as files in PEM do: they are read again when they change, a wrong
// password is one of its own option, and no output has it.
func TestStores(t *testing.T) {
	ca := newCA("the authority")
	mine, next := ca.chained(), ca.chained()
	p12 := func(c tls.Certificate) string {
		return string(must(pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, []*x509.Certificate{ca.cert}, canary)))
	}
	for name, c := range map[string]struct {
		trust, store, next string
		keyPassword        string
	}{
		"JKS": {jksOf(ca.cert, nil, canary, ""), jksOf(nil, &mine, canary, "other"),
			jksOf(ca.cert, &next, canary, "other"), "other"},
		"PKCS#12": {string(must(pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.cert}, canary))), p12(mine),
			p12(next), ""},
		"PKCS#12 of old": {string(must(pkcs12.LegacyRC2.EncodeTrustStore([]*x509.Certificate{ca.cert}, canary))),
			string(must(pkcs12.LegacyRC2.Encode(mine.PrivateKey, mine.Leaf, []*x509.Certificate{ca.cert}, canary))),
			p12(next), ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{CAFile: write(t, "trust", c.trust), CAPassword: Password(canary),
				CertFile: write(t, "store", c.store), StorePassword: Password(canary)}
			if c.keyPassword != "" {
				o.KeyPassword = Password(c.keyPassword)
			}
			var shown []byte
			s := newReloader(t, 0, ca.issue(), o, recordShown(&shown))
			s.mustReach()
			if !bytes.Equal(shown, mine.Leaf.Raw) {
				t.Error("got another certificate, want that of the store")
			}
			replace(t, o.CertFile, c.next)
			s.mustReach()
			if !bytes.Equal(shown, next.Leaf.Raw) {
				t.Error("got the former certificate, want that of the new store")
			}
			replace(t, o.CertFile, c.store[:len(c.store)/2])
			s.mustReach()
			if len(s.reloads) != 2 || s.reloads[1] == nil {
				t.Errorf("got %v, want one reload and one failure", s.reloads)
			}

			replace(t, o.CertFile, c.store)
			for option, change := range map[string]func(*Options){
				"CAPassword":    func(o *Options) { o.CAPassword = Password("canary-wrong") },
				"StorePassword": func(o *Options) { o.StorePassword = Password("canary-wrong") },
				"KeyPassword":   func(o *Options) { o.KeyPassword = Password("canary-wrong") },
				"KeyFile":       func(o *Options) { o.KeyFile = write(t, "key.pem", keyPEM(mine)) },
			} {
				changed := o
				change(&changed)
				_, err := Dial(plainDial, changed)
				wantOption(t, err, option)
				if err != nil && strings.Contains(err.Error(), "canary-") {
					t.Errorf("got %v, want no password in it", err)
				}
			}
		})
	}
}

// unreadable is a certificate that Go cannot read, as one with the curve brainpoolP256r1 is:
// the name of its curve is replaced.
func unreadable(ca *testCA) []byte {
	curve := []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7} // prime256v1
	other := bytes.Clone(curve)
	other[len(other)-1] = 0x7f
	return bytes.Replace(ca.cert.Raw, curve, other, 1)
}

// OpenSSL's clients trust the other certificates of a bundle with one that Go cannot read
// (golang/go 50172 and its like): it is skipped with a warning, unless none is left.
func TestUnreadableCertificateIsSkipped(t *testing.T) {
	ca := newCA("the authority")
	odd := block("CERTIFICATE", unreadable(ca))
	address := listen(t, tlsServer(ca.server(0)))
	for what, text := range map[string]string{"first": odd + ca.pem(), "last": ca.pem() + odd,
		"a JKS": jksWith(unreadable(ca), ca.cert.Raw)} {
		o := ca.options()
		o.CAPEM, o.CAFile = "", write(t, "ca", text)
		dial := mustDial(t, plainDial, o)
		conn := dialed(t, dial, address)
		mustDo(t, conn.Handshake())
		got := conn.Warnings()
		_ = conn.Close()
		if len(got) != 1 || !strings.Contains(got[0], "skipped: certificate") || !strings.Contains(got[0], o.CAFile) {
			t.Errorf("%s: got warnings %q, want one of the certificate", what, got)
		}
	}
	o := ca.options()
	o.CAPEM = odd
	_, err := Dial(plainDial, o)
	wantOption(t, err, "CAPEM", "certificate 1 cannot be read")

	// Nothing but the own certificate of a chain has to be readable: it is sent as it is.
	mine := ca.issue()
	mine.Certificate = append(mine.Certificate, unreadable(ca))
	var shown []byte
	s := newReloader(t, 0, ca.issue(), ca.options().showing(mine), recordShown(&shown))
	_, _ = s.reach() // Go's server cannot read it either
	mine.Certificate = [][]byte{unreadable(ca)}
	_, err = Dial(plainDial, ca.options().showing(mine))
	wantOption(t, err, "CertPEM", "certificate 1 cannot be read")
}

func jksWith(ders ...[]byte) string {
	store := jks.New()
	for i, der := range ders {
		mustBe(store.SetTrustedCertificateEntry(string(rune('a'+i)), jks.TrustedCertificateEntry{
			Certificate: jks.Certificate{Type: "X.509", Content: der}}))
	}
	var file bytes.Buffer
	mustBe(store.Store(&file, nil))
	return file.String()
}

// Editors write a byte order mark before the first line; openssl skips it.
func TestByteOrderMarkIsNoContent(t *testing.T) {
	const mark = "\xef\xbb\xbf"
	ca := newCA("the authority")
	mine := ca.issue()
	address := listen(t, tlsServer(ca.verifying(0)))
	o := ca.options()
	o.CAPEM = ""
	o.CAFile = write(t, "ca.pem", mark+newCA("another").pem()+mark+ca.pem())
	o.CertFile = write(t, "cert.pem", mark+"a comment\n"+chainPEM(mine))
	o.KeyFile, o.CRLFile = write(t, "key.pem", mark+keyPEM(mine)), write(t, "crl.pem", mark+ca.crl(soon))
	_, err := reach(t, mustDial(t, plainDial, o), address)
	mustDo(t, err)
	o = ca.options()
	o.CAPEM = mark + o.CAPEM
	_, err = reach(t, mustDial(t, plainDial, o.showing(mine)), address)
	mustDo(t, err)
}

// OpenSSL's files of trusted certificates may say that one is rejected: Red Hat's
// ca-bundle.trust.crt has such authorities. They are not read in part.
func TestTrustedCertificatesAreRefused(t *testing.T) {
	ca := newCA("the authority")
	mine := ca.issue()
	for purposes, der := range map[string]string{
		"none":                  "\x30\x00",
		"-addreject serverAuth": "\x30\x0c\xa0\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
	} {
		trusted := block("TRUSTED CERTIFICATE", append(slices.Clone(ca.cert.Raw), der...))
		for _, text := range []string{trusted, newCA("another").pem() + trusted, ca.pem() + trusted[:99]} {
			_, err := Dial(plainDial, Options{CAPEM: text})
			wantOption(t, err, "CAPEM", "TRUSTED CERTIFICATE", "openssl x509")
			if err == nil {
				t.Errorf("purposes: %s", purposes)
			}
		}
	}
	_, err := Dial(plainDial, Options{CAPEM: ca.pem(), CertPEM: block("TRUSTED CERTIFICATE",
		append(slices.Clone(mine.Certificate[0]), 0x30, 0)), KeyPEM: ports.NewSecret(keyPEM(mine))})
	wantOption(t, err, "CertPEM", "TRUSTED CERTIFICATE")
}

// A folder of authorities, as librdkafka and curl take it: by the names that openssl rehash
// gives. Files come, change and go.
func TestFolderOfAuthorities(t *testing.T) {
	old, fresh := newCA("old"), newCA("fresh")
	dir := t.TempDir()
	put := func(name, text string) { t.Helper(); mustWrite(t, filepath.Join(dir, name), text) }
	put("0123abcd.0", old.pem())
	put("fresh.pem", fresh.pem()) // OpenSSL does not look at it
	put("0123abcd.r0", "a revocation list")
	s := newReloader(t, 0, fresh.issue(), Options{CAFile: dir})
	refused := func() {
		t.Helper()
		_, err := s.reach()
		wantReason(t, err, UnknownAuthority)
	}
	refused()
	mustDo(t, os.Symlink("fresh.pem", filepath.Join(dir, "0123abce.0")))
	s.mustReach()
	s.wantReloaded("")
	mustDo(t, os.Symlink("nowhere", filepath.Join(dir, "0123abcf.0")))
	mustDo(t, os.Mkdir(filepath.Join(dir, "0123abcf.1"), 0o700))
	s.mustReach()
	put("fresh.pem", "nonsense") // the folder has a certificate still
	put("0123abcd.0", old.pem()+fresh.pem())
	s.mustReach()
	put("0123abcd.0", "no certificate any more")
	s.mustReach() // the former ones stay
	put("0123abcd.0", old.pem())
	refused()
	mustDo(t, os.RemoveAll(dir))
	refused()

	empty := t.TempDir()
	_, err := Dial(plainDial, Options{CAFile: empty})
	wantOption(t, err, "CAFile", empty, "openssl rehash")
	_, err = Dial(plainDial, Options{CRLFile: empty})
	wantOption(t, err, "CRLFile", "not a regular file")
}
