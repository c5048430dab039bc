package pemkey

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func saying(password string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(password), nil }
}

func unasked(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("the password was asked for")
		return nil, nil
	}
}

// problem returns a function that returns the error of Load, which has to be of that kind
// and to say that.
func problem(key crypto.Signer, err error) func(t *testing.T, want Problem, says string) *Error {
	return func(t *testing.T, want Problem, says string) *Error {
		t.Helper()
		var ke *Error
		if key != nil || !errors.As(err, &ke) || ke.Problem != want {
			t.Fatalf("%T and %v, want %q", key, err, want)
		}
		if !strings.Contains(ke.Error(), says) {
			t.Errorf("%q does not say %q", ke, says)
		}
		return ke
	}
}

// mustSign: the key does what it is for. x509 verifies what it has signed.
func mustSign(t *testing.T, key crypto.Signer) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	if _, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		t.Fatal(err)
	}
}

// The files of testdata; its README says how they were made.
func TestKeysOfOtherTools(t *testing.T) {
	publics, err := filepath.Glob("testdata/*.pub")
	if err != nil || len(publics) < 14 {
		t.Fatalf("%d files, %v", len(publics), err)
	}
	for _, name := range publics {
		public := mustRead(t, name)
		file := mustRead(t, strings.TrimSuffix(name, ".pub")+".pem")
		password := "open sesame"
		if strings.Contains(name, "nul") {
			password = "open\x00sesame"
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			key := must(Load(file, saying(password)))(t)
			if got := publicPEM(t, key); got != string(public) {
				t.Errorf("got %s, want %s", got, public)
			}
			mustSign(t, key)
			for _, wrong := range []string{"open", "Open sesame", ""} {
				problem(Load(file, saying(wrong)))(t, PasswordWrong, "")
			}
		})
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func mustRead(t testing.TB, name string) []byte { return must(os.ReadFile(name))(t) }

const rfc8410 = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"

// RFC 8410, 10.3: the same key as PKCS#8 of version 1, and of version 2 with an
// attribute and its public key.
func TestKeysOfRFC8410(t *testing.T) {
	for _, body := range []string{
		rfc8410,
		"MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC" +
			"oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB" +
			"Z9w7lshQhqowtrbLDFw4rXAxZuE=",
	} {
		key, err := Load(framed("PRIVATE KEY", body), unasked(t))
		if err != nil {
			t.Error(err)
			continue
		}
		want := string(framed("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="))
		if got := publicPEM(t, key); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		mustSign(t, key)
	}
}

func framed(blockType, body string) []byte {
	der, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

// RFC 7914, 13: N=1048576 and r=8 are a GiB. The password is "Rabbit".
const rfc7914 = "MIHiME0GCSqGSIb3DQEFDTBAMB8GCSsGAQQB2kcECzASBAVNb3VzZQIDEAAAAgEI" +
	"AgEBMB0GCWCGSAFlAwQBKgQQyYmguHMsOwzGMPoyObk/JgSBkJb47EWd5iAqJlyy" +
	"+ni5ftd6gZgOPaLQClL7mEZc2KQay0VhjZm/7MbBUNbqOAXNM6OGebXxVp6sHUAL" +
	"iBGY/Dls7B1TsWeGObE0sS1MXEpuREuloZjcsNVcNXWPlLdZtkSH6uwWzR0PyG/Z" +
	"+ZXfNodZtd/voKlvLOw5B3opGIFaLkbtLZQwMiGtl42AS89lZg=="

func TestTooCostlyIsRefusedBeforeAnyWork(t *testing.T) {
	problem(Load(framed("ENCRYPTED PRIVATE KEY", rfc7914), unasked(t)))(t, TooCostly, "N=1048576, r=8, p=1")

	small := costs{rounds: 1000, memory: 1 << 20, work: 1 << 15}
	pbkdf2 := func(rounds int64) any { return pbkdf2Parameters{Salt: []byte("salt"), Rounds: rounds} }
	scrypt := func(n, r, p int64) any { return scryptParameters{Salt: []byte("salt"), N: n, R: r, P: p} }
	for _, c := range []struct {
		parameters any
		want       Problem // 0: it is tried, with a password that is wrong
	}{
		{pbkdf2(1), 0},
		{pbkdf2(1000), 0},
		{pbkdf2(1001), TooCostly},
		{pbkdf2(1 << 62), TooCostly},
		{pbkdf2(0), Damaged},
		{pbkdf2(-1), Damaged},
		{pbkdf2Parameters{Rounds: 1, KeyLength: 16}, 0},
		{pbkdf2Parameters{Rounds: 1, KeyLength: 32}, Damaged},
		{scrypt(2, 1, 1), 0},
		{scrypt(4096, 1, 8), 0},         // the work to the last
		{scrypt(4096, 1, 9), TooCostly}, // and one more
		{scrypt(1024, 7, 1), 0},         // 896 KiB, and what p adds
		{scrypt(1024, 8, 1), TooCostly}, // 1 MiB, and what p adds
		{scrypt(2, 1, 8190), 0},         // the memory to the last, all but all of it for p
		{scrypt(2, 1, 8191), TooCostly},
		{scrypt(1<<62, 1<<62, 1<<62), TooCostly},
		{scrypt(2, 1<<62, 2), TooCostly},
		{scrypt(2, 2, 1<<62), TooCostly},
		{scrypt(0, 8, 1), Damaged},
		{scrypt(1, 8, 1), Damaged},
		{scrypt(1023, 8, 1), Damaged},
		{scrypt(1024, 0, 1), Damaged},
		{scrypt(1024, 8, -1), Damaged},
		{scrypt(1<<15, 1, 1), TooCostly},
		{scrypt(1<<16, 1, 1), Damaged}, // RFC 7914, 6: N is less than 2^(128*r/8)
		{scryptParameters{N: 2, R: 1, P: 1, KeyLength: 16}, 0},
		{scryptParameters{N: 2, R: 1, P: 1, KeyLength: 24}, Damaged},
	} {
		t.Run(fmt.Sprintf("%+v", c.parameters), func(t *testing.T) {
			asked := false
			l := loader{costs: small, password: func() ([]byte, error) { asked = true; return []byte("wrong"), nil }}
			if c.want == 0 {
				c.want = PasswordWrong
			}
			problem(l.load(sealedBy(t, c.parameters, "the right one")))(t, c.want, "")
			if asked != (c.want == PasswordWrong) {
				t.Errorf("the password was asked for: %v", asked)
			}
		})
	}
}

// sealedBy is a block ENCRYPTED PRIVATE KEY with those parameters, and AES-128. Where
// they are invalid, nothing in it can be decrypted.
func sealedBy(t testing.TB, parameters any, password string) []byte {
	t.Helper()
	kdf := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	if _, ok := parameters.(scryptParameters); ok {
		kdf = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	}
	algorithm := func(id asn1.ObjectIdentifier, parameters any) pkix.AlgorithmIdentifier {
		return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: mustMarshal(t, parameters)}}
	}
	derivation := algorithm(kdf, parameters)
	iv := make([]byte, aes.BlockSize)
	plain := must(base64.StdEncoding.DecodeString(rfc8410))(t)
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	data := append(plain, bytes.Repeat([]byte{byte(padding)}, padding)...)
	if derive, err := parseDerivation(derivation, 16, costs{rounds: 1000, memory: 1 << 20, work: 1 << 15}); err == nil {
		key := must(derive([]byte(password)))(t)
		block := must(aes.NewCipher(key))(t)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	}
	scheme := pbes2Parameters{Derivation: derivation, Cipher: algorithm(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4,
		1, 2}, iv)}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: mustMarshal(t, encryptedKeyInfo{
		Algorithm: algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, scheme),
		Data:      data,
	})})
}

// sealedInTheOldWay is a block of a scheme of PBES1 or PKCS#12, which no password opens.
func sealedInTheOldWay(t testing.TB, scheme asn1.ObjectIdentifier, rounds int64) []byte {
	t.Helper()
	parameters := asn1.RawValue{FullBytes: mustMarshal(t, pbes1Parameters{Salt: []byte("8 bytes."), Rounds: rounds})}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: mustMarshal(t, encryptedKeyInfo{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: scheme, Parameters: parameters},
		Data:      make([]byte, 16)})})
}

func mustMarshal(t testing.TB, v any) []byte { return must(asn1.Marshal(v))(t) }

func TestPasswordIsAskedOnceAndLeftAlone(t *testing.T) {
	for _, name := range []string{"ssh_legacy", "ssh_pkcs8"} {
		file := mustRead(t, "testdata/"+name+".pem")
		before := bytes.Clone(file)
		password, calls := []byte("open sesame"), 0
		for range 2 {
			key, err := Load(file, func() ([]byte, error) { calls++; return password, nil })
			if err != nil {
				t.Fatal(err)
			}
			mustSign(t, key)
		}
		if calls != 2 || string(password) != "open sesame" || !bytes.Equal(file, before) {
			t.Errorf("two loads asked %d times, and left %q", calls, password)
		}

		problem(Load(file, nil))(t, PasswordMissing, "")
		away := errors.New("the vault is sealed")
		failing := func() ([]byte, error) { return []byte("open sesame"), away }
		if ke := problem(Load(file, failing))(t, PasswordFailed, "the vault is sealed"); !errors.Is(ke, away) {
			t.Error(ke)
		}
		problem(Load(file, saying("")))(t, PasswordWrong, "the password was empty")
		const secret = "canary: a wrong one, but perhaps right elsewhere"
		ke := problem(Load(file, saying(secret)))(t, PasswordWrong, "")
		if strings.Contains(fmt.Sprintf("%v %+v %#v %q", ke, ke, *ke, ke), secret) {
			t.Errorf("the error shows the password: %v", ke)
		}
	}
}

func TestDecryptedKeyIsWiped(t *testing.T) {
	for _, plain := range [][]byte{{0x30, 3, 2, 1, 0}, []byte("garbage")} {
		_, _ = opened(plain, nil, nil, parsePKCS8)
		if !bytes.Equal(plain, make([]byte, len(plain))) {
			t.Errorf("left %x", plain)
		}
	}
}

// What is not a key, or not one that is read, is named, with what to do about it.
func TestRefusalsSayWhatToDo(t *testing.T) {
	const encrypted = "ENCRYPTED PRIVATE KEY"
	plain := framed("PRIVATE KEY", rfc8410)
	public := framed("PUBLIC KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
	block, _ := pem.Decode(plain)
	golden := func(name string) []byte { return mustRead(t, "testdata/"+name) }
	for _, c := range []struct {
		name string
		file []byte
		want Problem
		says string
	}{
		{"nothing", nil, Missing, "the file is empty"},
		{"text", []byte("ask Bob\n"), Missing, "the file is not PEM"},
		{"public key", public, Missing, "no private key among the 1 PEM blocks: this may be the file of the " +
			"certificates"},
		{"UTF-16", []byte("\xff\xfe-\x00-\x00-\x00"), Missing, "the file is UTF-16: save it as plain ASCII"},
		{"indented", bytes.ReplaceAll(plain, []byte("-----B"), []byte(" -----B")), Missing,
			"is not at the start of a line"},
		{"DER", block.Bytes, Unsupported, "openssl pkey -inform DER -in"},
		{"JKS", golden("java.jks"), Unsupported, "keytool -importkeystore"},
		{"JCEKS", []byte("\xce\xce\xce\xce\x00\x00\x00\x02"), Unsupported, "keytool -importkeystore"},
		{"PKCS#12", golden("java.p12"), Unsupported, "openssl pkcs12 -in"},
		{"PuTTY", []byte("PuTTY-User-Key-File-3: ssh-ed25519\n"), Unsupported, "puttygen"},
		{"OpenSSH", golden("ssh_own_format.pem"), Unsupported, "ssh-keygen -p -m PKCS8 -f"},
		{"DSA", framed("DSA PRIVATE KEY", "MAMCAQA="), Unsupported, "create one for RSA"},
		{"a TPM's", framed("TSS2 PRIVATE KEY", "MAMCAQA="), Unsupported, `"TSS2 PRIVATE KEY"`},
		{"a scheme that Java 17 has not", sealedInTheOldWay(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 10}, 1),
			Unsupported, "pbeWithSHA1AndDES-CBC, which is not supported: convert it: openssl pkcs8 -topk8 -in"},
		{"an unknown scheme", sealedInTheOldWay(t, asn1.ObjectIdentifier{1, 2, 3}, 1), Unsupported,
			"a scheme (1.2.3) that is not supported: convert it: openssl pkcs8 -topk8 -in"},
		{"cut off", plain[:60], Damaged, "the block that begins in line 1 is cut off"},
		{"cut off behind another", append(bytes.Clone(public), plain[:60]...), Damaged,
			"the block that begins in line 4 is cut off"},
		{"no key inside", framed("PRIVATE KEY", "MAMCAQA="), Damaged, "or not PKCS#8"},
		{"RSA, empty", framed("RSA PRIVATE KEY", "MAMCAQA="), Damaged, "the RSA private key is damaged"},
		{"EC, empty", framed("EC PRIVATE KEY", "MAMCAQE="), Damaged, "the EC private key is damaged"},
		{"encrypted, empty", framed(encrypted, "MAMCAQA="), Damaged, "the encrypted private key is damaged"},
		{"encrypted in both ways", []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nProc-Type: " +
			"4,ENCRYPTED\n\nMAMCAQA=\n-----END ENCRYPTED PRIVATE KEY-----\n"), Damaged, "has headers"},
		{"headers of something else", []byte("-----BEGIN PRIVATE KEY-----\nComment: mine\n\nMAMCAQA=\n-----END " +
			"PRIVATE KEY-----\n"), Damaged, "Proc-Type"},
		{"RC2", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: " +
			"RC2-CBC,0011223344556677\n\nMAMCAQA=\n-----END RSA PRIVATE KEY-----\n"), Unsupported,
			`"RC2-CBC", which is not supported: convert it`},
		{"an IV cut off", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: " +
			"DES-CBC,00112233\n\nAAAAAAAAAAA=\n-----END RSA PRIVATE KEY-----\n"), Damaged, "DEK-Info"},
	} {
		t.Run(c.name, func(t *testing.T) { problem(Load(c.file, unasked(t)))(t, c.want, c.says) })
	}
}

func TestProblemsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for p := Missing; p <= PasswordWrong; p++ {
		if name := p.String(); name == "" || seen[name] || strings.Contains(name, "unknown") {
			t.Errorf("%d: %q", p, name)
		} else {
			seen[name] = true
		}
	}
	for _, p := range []Problem{0, PasswordWrong + 1} {
		if !strings.Contains(p.String(), "unknown") {
			t.Errorf("%d: %q", p, p)
		}
	}
}

// FuzzLoad: no file and no password make it panic, hang or take all memory; what
// it accepts is a key that can be written and read again.
func FuzzLoad(f *testing.F) {
	for _, name := range must(filepath.Glob("testdata/*.p*"))(f) {
		f.Add(mustRead(f, name), "open sesame")
	}
	f.Add(framed("PRIVATE KEY", rfc8410), "")
	f.Add(framed("ENCRYPTED PRIVATE KEY", rfc7914), "Rabbit")
	f.Add(sealedBy(f, pbkdf2Parameters{Salt: []byte("salt"), Rounds: 2}, "p"), "p")
	f.Add(sealedBy(f, scryptParameters{Salt: []byte("salt"), N: 2, R: 1, P: 1}, "p"), "p")
	f.Add(sealedInTheOldWay(f, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}, 3), "p")
	f.Fuzz(func(t *testing.T, file []byte, password string) {
		asked := 0
		l := loader{costs: costs{rounds: 10_000, memory: 1 << 20, work: 1 << 14}}
		l.password = func() ([]byte, error) { asked++; return []byte(password), nil }
		key, err := l.load(file)
		var ke *Error
		switch {
		case asked > 1:
			t.Fatalf("asked %d times", asked)
		case err != nil:
			if key != nil || !errors.As(err, &ke) || strings.Contains(ke.Problem.String(), "unknown") ||
				ke.Detail == "" {
				t.Fatalf("%T and %#v", key, err)
			}
			return
		}
		der := must(x509.MarshalPKCS8PrivateKey(key))(t)
		again, err := Load(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
		if err != nil || publicPEM(t, again) != publicPEM(t, key) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
