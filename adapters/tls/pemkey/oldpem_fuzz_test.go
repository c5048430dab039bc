package pemkey

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"testing"
)

// zeros are the random numbers of a salt.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzLegacyPEM reads keys that crypto/x509 has encrypted in the older way, with any password, and damaged anywhere:
// the right password gives the key, and no other one gives another. (The format has no proof against damage.)
func FuzzLegacyPEM(f *testing.F) {
	plain := must(Load(framed("PRIVATE KEY", rfc8410), nil))(f)
	der := must(x509.MarshalPKCS8PrivateKey(plain))(f)
	for cipher := range uint8(5) {
		f.Add(cipher, "canary", "canary", 0, byte(0))
		f.Add(cipher, "", "canary", 3, byte(1))
		f.Add(cipher, "żółć\x00", "żółć\x00", 300, byte(0x80))
	}
	f.Fuzz(func(t *testing.T, cipher uint8, sealed, given string, at int, mask byte) {
		//lint:ignore SA1019 existing keys have this format
		block, err := x509.EncryptPEMBlock(zeros{}, "PRIVATE KEY", der, []byte(sealed),
			x509.PEMCipher(1+cipher%5))
		if err != nil {
			t.Fatal(err)
		}
		file := pem.EncodeToMemory(block)
		key, err := Load(file, saying(sealed))
		if err != nil || publicPEM(t, key) != publicPEM(t, plain) {
			t.Fatalf("got %v, want the key", err)
		}
		file[max(at, 0)%len(file)] ^= mask
		for _, password := range []string{sealed, given} {
			key, err := Load(file, saying(password))
			var e *Error
			switch {
			case err == nil && mask == 0 && publicPEM(t, key) != publicPEM(t, plain):
				t.Fatalf("%q: got another key out of\n%s", password, file)
			case err != nil && (key != nil || !errors.As(err, &e) || e.Detail == ""):
				t.Fatalf("%q: got %T and %#v, want an *Error", password, key, err)
			}
		}
	})
}

// FuzzPlainKeys compares keys that are not encrypted with crypto/x509: one that is read here is read there, as the same
// key, and one that is read there is the same here or refused with a reason.
func FuzzPlainKeys(f *testing.F) {
	types := []string{"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"}
	f.Add(must(base64.StdEncoding.DecodeString(rfc8410))(f), uint8(0))
	ec := must(Load(mustRead(f, "testdata/ssh_pkcs8.pem"), saying("open sesame")))(f).(*ecdsa.PrivateKey)
	f.Add(must(x509.MarshalPKCS8PrivateKey(ec))(f), uint8(0))
	f.Add(must(x509.MarshalECPrivateKey(ec))(f), uint8(2))
	pair := must(Load(mustRead(f, "testdata/keytool_pkcs12.pem"), saying("open sesame")))(f).(*rsa.PrivateKey)
	f.Add(must(x509.MarshalPKCS8PrivateKey(pair))(f), uint8(0))
	f.Add(x509.MarshalPKCS1PrivateKey(pair), uint8(1))
	f.Add([]byte{0x30, 3, 2, 1, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, der []byte, kind uint8) {
		kind %= 3
		parse := []func([]byte) (any, error){x509.ParsePKCS8PrivateKey,
			func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
			func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) }}[kind]
		kept := bytes.Clone(der)
		got, err := Load(pem.EncodeToMemory(&pem.Block{Type: types[kind], Bytes: der}), unasked(t))
		theirs, refused := parse(der)
		var e *Error
		switch {
		case !bytes.Equal(der, kept):
			t.Fatal("the file was written to")
		case err == nil && refused != nil:
			t.Fatalf("% x: got a key, and crypto/x509: %v", der, refused)
		case err != nil && (!errors.As(err, &e) || e.Problem != Damaged && e.Problem != Unsupported):
			t.Fatalf("% x: got %v, want damaged or unsupported", der, err)
		case err == nil && publicPEM(t, got) != publicPEM(t, theirs.(crypto.Signer)):
			t.Fatalf("% x: got another key than crypto/x509", der)
		}
	})
}
