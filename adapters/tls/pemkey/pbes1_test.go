package pemkey

import (
	"crypto/fips140"
	"encoding/asn1"
	"encoding/hex"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// RFC 2268, 5: those whose effective key is as long as the key.
func TestRC2OfRFC2268(t *testing.T) {
	for _, c := range [][3]string{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		block := must(newRC2(must(hex.DecodeString(c[0]))(t)))(t)
		text := must(hex.DecodeString(c[2]))(t)
		block.Decrypt(text, text)
		if got := hex.EncodeToString(text); got != c[1] {
			t.Errorf("key %s: got %s, want %s", c[0], got, c[1])
		}
	}
}

// openssl kdf -keylen N -kdfopt digest:SHA1 -kdfopt hexpass:UTF-16 -kdfopt hexsalt:SALT
// -kdfopt iter:ROUNDS -kdfopt id:ID PKCS12KDF, with OpenSSL 3.0.19.
func TestDerivationsOfOpenSSL(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 10) // more than a block
	for _, c := range []struct {
		id             byte
		password, salt string
		rounds         int
		want           string
	}{
		{1, "sesame", "ffffffffffffffff", 2048, "7cd9fd3e2b3be7691a44e3bef0f9ea0fb9b897d4e325d9d1"},
		{2, "sesame", "ffffffffffffffff", 2048, "3f5a277f9c21ff82"},
		{1, "", "f37e05b518324b4b", 2048, "00f759ff47d14dd03665d5943cb3c4a39a2555c02aed66e1"},
		{1, "żółć-\U0001f511", "0011223344556677", 1,
			"0351a02e903fed8ec2b806e8c8f1fb15489461f55894031d02b435bc2d40f60e3a4988a808c480b6"},
		{2, long, strings.Repeat("00112233", 20), 3,
			"f02f036dd5073bf234b80c5338a51c8a3ca81d8f69456cd3109baf56311092a29351" +
				"e2b8508c0cacd67f15de562747756b1f0f3e5589b0074adb5c4a4242c1286f1132f2a9b0"},
	} {
		want := must(hex.DecodeString(c.want))(t)
		salt := must(hex.DecodeString(c.salt))(t)
		got := pkcs12Derive(c.id, bmpString([]byte(c.password)), salt, c.rounds, len(want))
		if string(got) != string(want) {
			t.Errorf("id %d, password %q, salt %s, %d rounds: got %x, want %x", c.id, c.password, c.salt, c.rounds, got,
				want)
		}
	}
}

// FIPS 140-only mode is chosen when a process starts: the test runs itself in one.
func TestOldSchemesUnderFIPS140Only(t *testing.T) {
	if !fips140.Enforced() {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "GODEBUG=fips140=only")
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for _, name := range []string{"java_md5anddes", "java_sha1anddesede", "java_sha1andrc4_40", "ssh_legacy"} {
		file := mustRead(t, "testdata/"+name+".pem")
		problem(Load(file, saying("open sesame")))(t, Unsupported, "not allowed in FIPS 140-only mode")
	}
}

// Rounds are checked before the password is asked for.
func TestOldSchemesAreBounded(t *testing.T) {
	small := costs{rounds: 1000}
	for _, scheme := range []asn1.ObjectIdentifier{{1, 2, 840, 113549, 1, 5, 3}, {1, 2, 840, 113549, 1, 12, 1, 1},
		{1, 2, 840, 113549, 1, 12, 1, 3}, {1, 2, 840, 113549, 1, 12, 1, 6}} {
		for rounds, want := range map[int64]Problem{
			-1: Damaged, 0: Damaged, 1: PasswordWrong, 1000: PasswordWrong, 1001: TooCostly, 1 << 62: TooCostly,
		} {
			asked := false
			l := loader{costs: small, password: func() ([]byte, error) { asked = true; return []byte("wrong"), nil }}
			problem(l.load(sealedInTheOldWay(t, scheme, rounds)))(t, want, "")
			if asked != (want == PasswordWrong) {
				t.Errorf("%v with %d rounds: got asked %v", scheme, rounds, asked)
			}
		}
	}
}
