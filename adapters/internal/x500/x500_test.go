package x500

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"brokerconn/acceptance/openssl"
)

func oid(numbers ...int) asn1.ObjectIdentifier { return numbers }

var (
	organization = oid(2, 5, 4, 10)
	emailAddress = oid(1, 2, 840, 113549, 1, 9, 1)
	userID       = oid(0, 9, 2342, 19200300, 100, 1, 1)
	domain       = oid(0, 9, 2342, 19200300, 100, 1, 25)
)

func nameDER(t interface{ Fatal(...any) }, name pkix.RDNSequence) []byte {
	der, err := asn1.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// The forms are those of RFC 4514, sections 2 and 4.
func TestName(t *testing.T) {
	for _, c := range []struct {
		name pkix.RDNSequence
		want string
	}{
		{nil, ""},
		{pkix.RDNSequence{{{Type: domain, Value: "net"}}, {{Type: domain, Value: "example"}},
			{{Type: userID, Value: "jsmith"}}}, "UID=jsmith,DC=example,DC=net"},
		{pkix.RDNSequence{{{Type: organization, Value: "A, B"}}, {{Type: commonName, Value: "c"},
			{Type: emailAddress, Value: "d@e"}}}, `CN=c+emailAddress=d@e,O=A\, B`},
		{pkix.RDNSequence{{{Type: commonName, Value: "Before\rAfter"}}}, `CN=Before\0DAfter`},
		{pkix.RDNSequence{{{Type: commonName, Value: "Lučić"}}}, "CN=Lučić"},
		{pkix.RDNSequence{{{Type: emailAddress, Value: "\x1b[2J #\u202e"}}}, `emailAddress=\1B[2J #\E2\80\AE`},
		{pkix.RDNSequence{{{Type: oid(1, 3, 6, 1, 4, 1, 1466, 0), Value: []byte{4, 2}}}},
			"1.3.6.1.4.1.1466.0=#04020402"},
	} {
		if got := Name(nameDER(t, c.name)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	// T61String is read as Latin-1, as OpenSSL does.
	latin := nameDER(t, pkix.RDNSequence{{{Type: commonName, Value: asn1.RawValue{Tag: asn1.TagT61String,
		Bytes: []byte("\x9b31m")}}}})
	if got := Name(latin); got != `CN=\C2\9B31m` {
		t.Errorf("%q", got)
	}
	if got := Name([]byte("\x1b")); got != "#1b" {
		t.Errorf("%q", got)
	}
}

// What OpenSSL writes.
func TestNameAsOpenSSL(t *testing.T) {
	openssl.New(t, "How names are written has not been compared.")
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	letters := rapid.RuneFrom([]rune("aZ09 #,+\"\\<>;=\x1b\r\n\x7f\x01é€"))
	rapid.Check(t, func(rt *rapid.T) {
		var name pkix.RDNSequence
		for range rapid.IntRange(1, 4).Draw(rt, "n") {
			name = append(name, pkix.RelativeDistinguishedNameSET{{
				Type: rapid.SampledFrom([]asn1.ObjectIdentifier{commonName, organization, emailAddress, userID,
					domain}).Draw(rt, "type"),
				Value: rapid.StringOf(letters).Filter(func(s string) bool {
					return s != "" && s != "#" // OpenSSL 3.0 forgets that the last may be the first
				}).Draw(rt, "value"),
			}})
		}
		raw := nameDER(rt, name)
		cert, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1),
			RawSubject: raw}, &x509.Certificate{}, key.Public(), key)
		if err != nil {
			rt.Fatal(err)
		}
		out := string(openssl.Must(t, cert, "x509", "-inform", "der", "-noout", "-subject", "-nameopt",
			"RFC2253,-esc_msb"))
		want := strings.TrimSuffix(strings.TrimPrefix(out, "subject="), "\n")
		if got := Name(raw); got != want {
			rt.Errorf("%x: %q, OpenSSL %q", raw, got, want)
		}
	})
}

// Whatever a name is, it is written in what can be printed.
func FuzzName(f *testing.F) {
	f.Add([]byte{0x30, 0})
	f.Add(nameDER(f, pkix.RDNSequence{{{Type: commonName, Value: "a\x1bb"}}}))
	f.Add(nameDER(f, pkix.RDNSequence{{{Type: domain, Value: asn1.RawValue{Tag: asn1.TagT61String,
		Bytes: []byte("\x9b")}}}}))
	f.Fuzz(func(t *testing.T, der []byte) {
		if got := Name(der); strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%x: %q", der, got)
		}
	})
}
