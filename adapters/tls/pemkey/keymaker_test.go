package pemkey

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/openssl"
)

// keyMaker gathers cases.
type keyMaker struct {
	t     *testing.T
	rand  *rand.Rand
	cases []keyCase
	plain map[string][]byte // a PKCS#8 of each kind
	kinds []string
	turn  int
}

// oddPasswords: the last is as long as openssl takes.
var oddPasswords = []string{
	"canary", "", " ", "p", "with blanks  and: colons=, #", "żółć-пароль-密码", "\xff\xfe\x80 not UTF-8", `"quoted\n"`,
	strings.Repeat("0123456789abcdef", 63) + "0123456789",
}

func (m *keyMaker) add(c keyCase) { m.cases = append(m.cases, c) }

func (m *keyMaker) accepted(name string, file []byte, password string) {
	m.add(keyCase{name: name, file: file, password: password, sure: true})
}

func (m *keyMaker) refused(name string, file []byte, password string, want Problem) {
	m.add(keyCase{name: name, file: file, password: password, want: want, sure: true})
}

// differs adds a case where openssl's verdict is the other one, and says why.
func (m *keyMaker) differs(name string, file []byte, password string, want Problem, why string) *keyCase {
	m.add(keyCase{name: name, file: file, password: password, want: want, differs: why})
	return &m.cases[len(m.cases)-1]
}

// kind returns the kinds of keys in turn, so that each meets every scheme in time.
func (m *keyMaker) kind() (string, []byte) {
	m.turn++
	name := m.kinds[m.turn%len(m.kinds)]
	return name, m.plain[name]
}

func (m *keyMaker) password() string { return oddPasswords[m.turn%len(oddPasswords)] }

func makeKeyCases(t *testing.T) []keyCase {
	m := &keyMaker{t: t, rand: rand.New(rand.NewPCG(1, 2)), plain: map[string][]byte{}}
	m.plainKeys()
	m.pbes2()
	m.scrypt()
	m.pbes1()
	m.legacyPEM()
	m.otherKinds()
	m.otherSchemes()
	m.mixtures()
	m.noKeys()
	m.damage()
	return m.cases
}

func (m *keyMaker) plainKeys() {
	for _, k := range []struct{ name, algorithm, option string }{
		{"P-256", "EC", "ec_paramgen_curve:P-256"},
		{"RSA 2048", "RSA", "rsa_keygen_bits:2048"},
		{"Ed25519", "ED25519", ""},
		{"P-384", "EC", "ec_paramgen_curve:P-384"},
		{"RSA 1024", "RSA", "rsa_keygen_bits:1024"},
		{"P-521", "EC", "ec_paramgen_curve:P-521"},
		{"P-224", "EC", "ec_paramgen_curve:P-224"},
		{"RSA, e=3", "RSA", "rsa_keygen_pubexp:3,rsa_keygen_bits:1024"},
	} {
		args := []string{"genpkey", "-algorithm", k.algorithm}
		for option := range strings.SplitSeq(k.option, ",") {
			if option != "" {
				args = append(args, "-pkeyopt", option)
			}
		}
		key := openssl.Must(m.t, nil, args...)
		m.kinds, m.plain[k.name] = append(m.kinds, k.name), key
		m.accepted(k.name+" PKCS#8", key, "")
		m.accepted(k.name+" PKCS#8, a password not needed", key, "canary")
		if k.algorithm == "ED25519" {
			continue
		}
		m.accepted(k.name+" traditional", openssl.Must(m.t, key, "pkey", "-traditional"), "")
		if k.algorithm == "EC" {
			compressed := len(m.cases)
			m.accepted(k.name+" compressed", openssl.Must(m.t, key, "pkey", "-ec_conv_form", "compressed"), "")
			m.accepted(k.name+" compressed, traditional", openssl.Must(m.t, key, "ec", "-conv_form", "compressed"), "")
			m.accepted(k.name+" in hybrid form", openssl.Must(m.t, key, "pkey", "-ec_conv_form", "hybrid"), "")
			for i := range m.cases[compressed:] {
				m.cases[compressed+i].compressed = true
			}
			m.accepted(k.name+" without its public key", openssl.Must(m.t, key, "ec", "-no_public"), "")
			name := strings.Replace(k.option, "ec_paramgen_curve:", "", 1)
			m.accepted(k.name+" with EC PARAMETERS", openssl.Must(m.t, nil, "ecparam", "-name", map[string]string{
				"P-224": "secp224r1", "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}[name],
				"-genkey"), "")
		}
	}
}

// withWrong adds a file with its password and with some that are not it.
func (m *keyMaker) withWrong(name string, file []byte, password string) {
	m.accepted(name, file, password)
	wrong := []string{password + "x", strings.ToUpper(password) + "1", "wrong"}
	if password != "" {
		wrong = append(wrong, password[1:], "")
	}
	for range 2 {
		m.refused(name+", wrong password", file, wrong[m.rand.IntN(len(wrong))], PasswordWrong)
	}
}

func (m *keyMaker) topk8(key []byte, password string, args ...string) []byte {
	m.t.Helper()
	return openssl.Must(m.t, key, append([]string{"pkcs8", "-topk8", "-passout", "pass:" + password}, args...)...)
}

func (m *keyMaker) pbes2() {
	rounds := []string{"1", "2", "1000", "2048", "4096", "20000"}
	for _, prf := range []string{
		"hmacWithSHA1", "hmacWithSHA224", "hmacWithSHA256", "hmacWithSHA384", "hmacWithSHA512",
		"hmacWithSHA512-224", "hmacWithSHA512-256", "hmacWithMD5", "hmac-md5", "hmac-sha1",
	} {
		for _, cipher := range []string{"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc"} {
			kind, key := m.kind()
			password := m.password()
			iter := rounds[m.turn%len(rounds)]
			file := m.topk8(key, password, "-v2", cipher, "-v2prf", prf, "-iter", iter)
			m.withWrong(fmt.Sprintf("%s, PBES2 %s %s, %s rounds", kind, cipher, prf, iter), file, password)
		}
	}
	for _, password := range oddPasswords {
		kind, key := m.kind()
		m.withWrong(kind+", PBES2 as openssl prefers it", m.topk8(key, password), password)
	}
}

func (m *keyMaker) scrypt() {
	for _, p := range [][3]string{{"2", "1", "1"}, {"16", "1", "1"}, {"1024", "8", "1"}, {"1024", "4", "16"},
		{"32768", "1", "2"}, {"16384", "8", "1"}} {
		for _, cipher := range []string{"aes-128-cbc", "aes-256-cbc", "des3"} {
			if p[0] == "16384" && cipher != "aes-256-cbc" {
				continue // slow
			}
			kind, key := m.kind()
			password := m.password()
			file := m.topk8(key, password, "-v2", cipher, "-scrypt", "-scrypt_N", p[0], "-scrypt_r", p[1], "-scrypt_p",
				p[2])
			m.withWrong(fmt.Sprintf("%s, PBES2 %s scrypt %v", kind, cipher, p), file, password)
		}
	}
}

// pbes1 is the schemes before PBES2, all but the first of the legacy provider.
func (m *keyMaker) pbes1() {
	m.oldSchemes(nil, "PBE-SHA1-3DES")
	legacy := m.legacyProvider()
	if legacy == nil {
		return
	}
	first := len(m.cases)
	m.oldSchemes(legacy, "PBE-MD5-DES", "PBE-SHA1-RC2-40", "PBE-SHA1-RC2-128", "PBE-SHA1-RC4-40", "PBE-SHA1-RC4-128")
	for i := range m.cases[first:] {
		m.cases[first+i].legacy = true
	}
}

func (m *keyMaker) oldSchemes(args []string, schemes ...string) {
	for _, scheme := range schemes {
		for i, password := range oddPasswords {
			kind, key := m.kind()
			rounds := []string{"1", "2", "2048", "5000"}[i%4]
			file := m.topk8(key, password, append([]string{"-v1", scheme, "-iter", rounds}, args...)...)
			m.withWrong(fmt.Sprintf("%s, %s, %s rounds", kind, scheme, rounds), file, password)
		}
	}
}

func (m *keyMaker) legacyPEM() {
	for _, cipher := range []string{"aes128", "aes192", "aes256", "des3"} {
		for _, kind := range m.kinds {
			m.turn++
			password := m.password()
			if kind == "Ed25519" || len(password) < 4 && password != "" {
				continue // has no traditional form; shorter ones openssl does not take
			}
			if password == "" {
				password = "four"
			}
			file := openssl.Must(m.t, m.plain[kind], "pkey", "-traditional", "-"+cipher, "-passout", "pass:"+password)
			m.withWrong(kind+", legacy PEM, "+cipher, file, password)
		}
	}
	legacy := m.legacyProvider()
	if legacy == nil {
		return
	}
	first := len(m.cases)
	for _, kind := range []string{"RSA 2048", "P-256"} {
		file := openssl.Must(m.t, m.plain[kind], append([]string{"pkey", "-traditional", "-des", "-passout",
			"pass:canary"}, legacy...)...)
		m.withWrong(kind+", legacy PEM, des", file, "canary")
	}
	for i := range m.cases[first:] {
		m.cases[first+i].legacy = true
	}
}

// legacyProvider returns the options that enable DES and RC2 in openssl, or nil if it has
// no legacy provider: some systems package it separately.
func (m *keyMaker) legacyProvider() []string {
	args := []string{"-provider", "legacy", "-provider", "default"}
	if _, ok := openssl.Output(nil, append([]string{"list", "-providers"}, args...)...); !ok {
		m.t.Log("this openssl has no legacy provider: keys under DES and RC2 were not compared")
		return nil
	}
	return args
}

// otherKinds are keys that openssl has and crypto/tls has no use for.
func (m *keyMaker) otherKinds() {
	for _, k := range [][]string{
		{"ED448"}, {"X25519"}, {"X448"},
		{"EC", "ec_paramgen_curve:secp256k1"},
		{"EC", "ec_paramgen_curve:brainpoolP256r1"},
		{"EC", "ec_paramgen_curve:P-256", "ec_param_enc:explicit"},
		{"RSA-PSS", "rsa_keygen_bits:1024"},
		{"RSA", "rsa_keygen_primes:3"},
	} {
		args := []string{"genpkey", "-algorithm", k[0]}
		for _, option := range k[1:] {
			args = append(args, "-pkeyopt", option)
		}
		key := openssl.Must(m.t, nil, args...)
		name := strings.Join(k, " ")
		m.differs(name, key, "", Unsupported, notInGo)
		m.differs(name+", encrypted", m.topk8(key, "canary"), "canary", Unsupported, notInGo)
		m.refused(name+", wrong password", m.topk8(key, "canary"), "wrong", PasswordWrong)
		if k[0] == "EC" {
			m.differs(name+", traditional", openssl.Must(m.t, key, "pkey", "-traditional"), "", Unsupported, notInGo)
		}
	}
}

// otherSchemes are encryptions that are not read.
func (m *keyMaker) otherSchemes() {
	for _, cipher := range []string{"camellia-128-cbc", "aria-256-cbc", "aes-128-cfb", "aes-256-ofb"} {
		_, key := m.kind()
		m.differs("PBES2 "+cipher, m.topk8(key, "canary", "-v2", cipher), "canary", Unsupported, oldScheme)
	}
	m.differs("legacy PEM, camellia", openssl.Must(m.t, m.plain["P-256"], "pkey", "-traditional", "-camellia128",
		"-passout", "pass:canary"),
		"canary", Unsupported, oldScheme)
	file := m.topk8(m.plain["P-256"], "canary", "-v1", "PBE-SHA1-2DES")
	m.differs("PBE-SHA1-2DES", file, "canary", Unsupported, oldScheme)
	m.refused("PBE-SHA1-2DES, wrong password", file, "wrong", Unsupported)
	m.accepted("PBE-SHA1-2DES, converted as the refusal says", m.converted(file, "canary"), "canary")
	legacy := m.legacyProvider()
	if legacy == nil {
		return
	}
	for _, scheme := range []string{"PBE-SHA1-DES", "PBE-MD5-RC2-64", "PBE-SHA1-RC2-64"} {
		_, key := m.kind()
		file := m.topk8(key, "canary", append([]string{"-v1", scheme}, legacy...)...)
		m.differs(scheme, file, "canary", Unsupported, oldScheme).legacy = true
		m.refused(scheme+", openssl without its legacy provider", file, "canary", Unsupported)
		m.accepted(scheme+", converted as the refusal says", m.converted(file, "canary", legacy...), "canary")
	}
	_, key := m.kind()
	file = m.topk8(key, "canary", append([]string{"-v2", "rc2-cbc"}, legacy...)...)
	m.differs("PBES2 rc2-cbc", file, "canary", Unsupported, oldScheme).legacy = true
	m.refused("PBES2 rc2-cbc, openssl without its legacy provider", file, "canary", Unsupported)
}

// converted does what the hint of a refusal says.
func (m *keyMaker) converted(file []byte, password string, args ...string) []byte {
	m.t.Helper()
	if !strings.HasPrefix(convert, "convert it: openssl pkcs8 -topk8 -in ") {
		m.t.Fatalf("another hint, %q, is to be tried", convert)
	}
	return openssl.Must(m.t, file, append([]string{"pkcs8", "-topk8", "-passin", "pass:" + password, "-passout",
		"pass:" + password}, args...)...)
}

// mixtures are files with more in them than a key.
func (m *keyMaker) mixtures() {
	key, other := m.plain["P-256"], m.plain["RSA 2048"]
	sealed := m.topk8(key, "canary")
	cert := openssl.Must(m.t, key, "req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=client", "-days", "1")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	crlf := func(file []byte) []byte { return bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")) }

	m.accepted("certificate, key", join(cert, key), "")
	m.accepted("key, certificate", join(key, cert), "")
	m.accepted("chain, encrypted key", join(cert, cert, cert, sealed), "canary")
	m.refused("chain, encrypted key, wrong password", join(cert, cert, cert, sealed), "Secret", PasswordWrong)
	m.accepted("two keys: the first counts", join(key, other), "")
	m.accepted("two keys the other way round", join(other, key), "")
	m.accepted("encrypted key, then a plain one", join(sealed, other), "canary")
	m.differs("encrypted key, then a plain one, wrong password", join(sealed, other), "no", PasswordWrong,
		"only openssl accepts: the first key counts, and no other is taken in its stead")
	m.accepted("text around", join([]byte("Bag Attributes\n    friendlyName: me\nKey Attributes: <No Attributes>\n"),
		key, []byte("the end\n")), "")
	m.accepted("a byte order mark", append([]byte("\xef\xbb\xbf"), key...), "")
	m.accepted("CRLF", crlf(join(cert, sealed)), "canary")
	m.accepted("no newline at the end", bytes.TrimSpace(key), "")
	m.accepted("public key, key", join(openssl.Must(m.t, key, "pkey", "-pubout"), key), "")
	m.differs("a damaged certificate, then a key", join(bytes.Replace(cert, []byte("MII"), []byte("M!I"), 1), key), "",
		Damaged,
		"only openssl accepts: nothing is taken from behind a block that is damaged")
	m.differs("DOS's mark of the end behind the frame", join(bytes.TrimSpace(key), []byte("\x1a\n")), "", Damaged,
		"only openssl accepts: nothing but blanks may follow a frame in its line")
	m.accepted("lines of uneven lengths", bytes.Replace(other, []byte("MII"), []byte("MII\n"), 1), "")
	headers := openssl.Must(m.t, key, "pkey", "-traditional", "-aes128", "-passout", "pass:canary")
	m.differs("no blank line after the headers", bytes.Replace(headers, []byte("\n\n"), []byte("\n"), 1), "canary", 0,
		"only Load accepts: pem.Decode does not mind if the blank line after the headers is missing")
	m.refused("half a key, then a whole one", join(key[:len(key)/2], []byte("\n"), other), "", Damaged)
}

// noKeys are files with no key in PEM.
func (m *keyMaker) noKeys() {
	key := m.plain["P-256"]
	cert := openssl.Must(m.t, key, "req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=client", "-days", "1")
	for name, file := range map[string][]byte{
		"certificate":            cert,
		"public key":             openssl.Must(m.t, key, "pkey", "-pubout"),
		"request":                openssl.Must(m.t, key, "req", "-new", "-key", "/dev/stdin", "-subj", "/CN=client"),
		"empty":                  nil,
		"blank":                  []byte("\n\n \n"),
		"text":                   []byte("to be done: ask for the key\n"),
		"EC PARAMETERS alone":    openssl.Must(m.t, nil, "ecparam", "-name", "prime256v1"),
		"a key, indented":        bytes.ReplaceAll(key, []byte("\n"), []byte("\n  "))[1:],
		"base64 without a frame": bytes.Join(bytes.Split(key, []byte("\n"))[1:4], []byte("\n")),
	} {
		m.refused(name, file, "canary", Missing)
	}
	der := openssl.Must(m.t, key, "pkey", "-outform", "DER")
	both := filepath.Join(m.t.TempDir(), "both.pem") // read twice
	if err := os.WriteFile(both, append(slices.Clone(key), cert...), 0o600); err != nil {
		m.t.Fatal(err)
	}
	p12 := openssl.Must(m.t, nil, "pkcs12", "-export", "-in", both, "-passout", "pass:canary")
	m.refused("DER", der, "canary", Unsupported)
	m.refused("DER, encrypted", openssl.Must(m.t, key, "pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:canary"),
		"canary", Unsupported)
	m.refused("PKCS#12", p12, "canary", Unsupported)
	m.accepted("PKCS#12, converted as the refusal says", openssl.Must(m.t, p12, "pkcs12", "-passin", "pass:canary",
		"-passout", "pass:new"), "new")
}

// damage breaks files that are good.
func (m *keyMaker) damage() {
	var good []keyCase
	for _, c := range m.cases {
		block, _ := pem.Decode(c.file)
		if c.sure && c.want == 0 && block != nil && isKey(block.Type) &&
			bytes.Count(c.file, []byte("-----BEGIN")) == 1 && !strings.Contains(c.name, "20000 rounds") &&
			!strings.Contains(c.name, "16384") {
			good = append(good, c)
		}
	}
	for i := range 300 {
		c := good[i%len(good)]
		c.sure = false
		how := ""
		file := slices.Clone(c.file)
		at := m.rand.IntN(len(file))
		switch i % 5 {
		case 0:
			how, file = fmt.Sprint("cut at ", at), file[:at]
		case 1:
			how = fmt.Sprint("character changed at ", at)
			if file[at] != '\n' { // which characters end a line, and how long lines are, is listed
				const others = "=-+/ *:,AZaz09"
				file[at] = others[m.rand.IntN(len(others))]
			}
		case 2, 3:
			how, file = m.flippedInside(file)
		case 4:
			lines := bytes.SplitAfter(file, []byte("\n"))
			at := m.rand.IntN(len(lines))
			if len(bytes.TrimSpace(lines[at])) == 0 {
				at-- // a missing blank line is listed
			}
			how, file = fmt.Sprint("without line ", at+1), bytes.Join(slices.Delete(lines, at, at+1), nil)
		}
		c.name, c.file = c.name+", "+how, file
		m.add(c)
	}
}

// flippedInside flips a bit of the last block's DER, near its beginning half of the
// time, where the structure is.
func (m *keyMaker) flippedInside(file []byte) (how string, broken []byte) {
	var blocks []*pem.Block
	for rest := file; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	der := blocks[len(blocks)-1].Bytes
	at := m.rand.IntN(len(der))
	if m.rand.IntN(2) == 0 {
		at = m.rand.IntN(min(len(der), 80))
	}
	der[at] ^= 1 << m.rand.IntN(8)
	for _, block := range blocks {
		broken = append(broken, pem.EncodeToMemory(block)...)
	}
	return fmt.Sprint("bit flipped in byte ", at, " of the DER"), broken
}
