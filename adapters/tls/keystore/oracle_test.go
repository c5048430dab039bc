package keystore

import (
	"crypto/x509"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/need"
	"brokerconn/acceptance/openssl"
	"brokerconn/adapters/tls/pemkey"
)

// lister prints what Java takes from a store: the certificates that its TrustManager trusts,
// and the chain of the key that its KeyManager has.
const lister = `
import java.io.*; import java.security.*; import java.security.cert.*; import java.util.*; import javax.net.ssl.*;
public class Lister {
	static void print(String what, java.security.cert.Certificate c) throws Exception {
		System.out.println(what + " " + HexFormat.of().formatHex(c.getEncoded()));
	}
	public static void main(String[] lines) throws Exception {
		for (String line : lines) {
			String[] a = line.split(" ", -1); // file, password or -, password of the key or -
			System.out.println("file " + a[0]);
			try {
				KeyStore store = KeyStore.getInstance("JKS");
				char[] opens = a[1].equals("-") ? null : a[1].toCharArray();
				store.load(new FileInputStream(a[0]), opens);
				TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
				trust.init(store);
				for (X509Certificate c : ((X509TrustManager) trust.getTrustManagers()[0]).getAcceptedIssuers())
					print("trusted", c);
				KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
				keys.init(store, a[2].equals("-") ? opens : a[2].toCharArray());
				X509KeyManager manager = (X509KeyManager) keys.getKeyManagers()[0];
				String alias = manager.chooseClientAlias(new String[]{"EC", "RSA"}, null, null);
				if (alias != null)
					for (X509Certificate c : manager.getCertificateChain(alias)) print("chain", c);
			} catch (Exception e) { System.out.println("error " + e); }
		}
	}
}
`

// made is a folder of stores that keytool and openssl have written.
type made struct {
	t   *testing.T
	dir string
}

func (m made) path(name string) string { return filepath.Join(m.dir, name) }

func (m made) run(program string, args ...string) string {
	m.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = m.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func (m made) keytool(line string) { m.t.Helper(); m.run("keytool", strings.Fields(line)...) }

func (m made) openssl(line string) {
	m.t.Helper()
	openssl.Must(m.t, nil, strings.Fields(strings.ReplaceAll(line, "DIR", m.dir))...)
}

// TestJavaOracle compares with Java what is read of stores as people have them: Java 17's own
// formats, those of Java 8, and those of openssl.
func TestJavaOracle(t *testing.T) {
	_, err := exec.LookPath("javac")
	need.Extra{Name: "a JDK", Variable: "JDK", Or: "ACCEPTANCE", Untested: "No store was compared."}.Test(t, err)
	openssl.New(t, "No store was compared.")
	m := made{t, t.TempDir()}
	mustDo(t, os.WriteFile(m.path("Lister.java"), []byte(lister), 0o600))
	m.run("javac", "Lister.java")
	const pass, other = "canary-4711", "canary-4712"
	const ec = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
	m.openssl("req -x509 " + ec + "-keyout DIR/ca.key -out DIR/ca.pem -days 30 -subj /CN=CA")
	m.openssl("req -x509 -newkey rsa:2048 -nodes -keyout DIR/ca2.key -out DIR/ca2.pem -days 30 -subj /CN=CA2")
	m.openssl("req " + ec + "-keyout DIR/c.key -out DIR/c.csr -subj /CN=client")
	m.openssl("x509 -req -in DIR/c.csr -CA DIR/ca.pem -CAkey DIR/ca.key -CAcreateserial -out DIR/c.pem -days 9")
	export := "pkcs12 -export -inkey DIR/c.key -in DIR/c.pem -passout pass:" + pass
	m.openssl(export + " -certfile DIR/ca.pem -out DIR/openssl3.p12")
	m.openssl(export + " -certfile DIR/ca.pem -legacy -out DIR/openssl1.p12") // RC2-40 and triple DES
	m.openssl(export + " -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-40 -macalg sha1 -legacy -out DIR/rc2.p12")
	m.openssl(export + " -keypbe NONE -certpbe NONE -out DIR/plain.p12")
	m.openssl(export + " -macalg sha512 -out DIR/sha512.p12")
	imports := func(file, more string) {
		m.keytool("-importcert -noprompt -alias one -file ca.pem -storepass " + pass + " -keystore " + file + more)
		m.keytool("-importcert -noprompt -alias TWO -file ca2.pem -storepass " + pass + " -keystore " + file + more)
	}
	imports("trust.jks", " -storetype JKS")
	imports("trust.p12", " -storetype PKCS12")
	imports("trust8.p12", " -storetype PKCS12 -J-Dkeystore.pkcs12.legacy")
	imports("unencrypted.p12", " -storetype PKCS12 -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE")
	const copied = "-importkeystore -noprompt -srckeystore openssl3.p12 -srcalias 1 -destalias me -srcstorepass " + pass
	m.keytool(copied + " -destkeystore key.jks -deststoretype JKS -deststorepass " + pass + " -destkeypass " + other)
	m.keytool(copied + " -destkeystore key.p12 -deststoretype PKCS12 -deststorepass " + pass)
	m.run("cp", "key.jks", "both.jks")
	m.keytool("-importcert -noprompt -alias two -file ca2.pem -storepass " + pass + " -keystore both.jks")
	m.run("cp", "key.p12", "both.p12")
	imports("both.p12", " -storetype PKCS12")
	m.keytool(copied + " -destkeystore both8.p12 -deststoretype PKCS12 -deststorepass " + pass +
		" -J-Dkeystore.pkcs12.legacy")
	imports("both8.p12", " -storetype PKCS12 -J-Dkeystore.pkcs12.legacy")
	m.run("cp", "both.p12", "two.p12")
	m.keytool("-genkeypair -alias three -keyalg EC -dname CN=three -storepass " + pass + " -keystore two.p12")

	type row struct {
		file, password, keyPassword string
		differs                     string // why another result than Java's is right: of trust, or of the key
	}
	rows := []row{
		{"openssl3.p12", pass, "-", ""}, {"openssl1.p12", pass, "-", ""}, {"rc2.p12", pass, "-", ""},
		{"plain.p12", pass, "-", "trust, key: Java passes over a key that is not encrypted"},
		{"sha512.p12", pass, "-", ""}, {"key.p12", pass, "-", ""},
		{"key.p12", pass, other, ""}, {"key.jks", pass, other, ""}, {"key.jks", pass, "-", ""},
		{"both.jks", pass, other, ""}, {"both.p12", pass, "-", ""}, {"both8.p12", pass, "-", ""},
		{"two.p12", pass, "-", "key: Java chooses one of several keys, and here one must be kept"},
		{"trust.jks", pass, "-", ""}, {"trust.jks", "-", "-", ""},
		{"trust.p12", pass, "-", ""}, {"trust8.p12", pass, "-", ""}, {"trust.p12", other, "-", ""},
		{"unencrypted.p12", pass, "-", ""}, {"unencrypted.p12", "-", "-", ""}, {"trust.p12", "-", "-", ""},
		{"key.p12", "-", "-", ""},
	}
	args := []string{"-cp", m.dir, "Lister"}
	for _, r := range rows {
		args = append(args, strings.Join([]string{r.file, r.password, r.keyPassword}, " "))
	}
	java := strings.Split(m.run("java", args...), "file ")[1:]
	for i, r := range rows {
		lines := strings.Split(strings.TrimSpace(java[i]), "\n")[1:]
		var trusted, chain []string
		for _, line := range lines {
			if der, ok := strings.CutPrefix(line, "trusted "); ok {
				trusted = append(trusted, der)
			} else if der, ok := strings.CutPrefix(line, "chain "); ok {
				chain = append(chain, der)
			}
		}
		file := must(os.ReadFile(m.path(r.file)))
		gotTrusted, trustErr := Authorities(file, given(r.password))
		gotChain, key, keyErr := Identity(file, given(r.password), given(r.keyPassword))
		got, gotKeys := hexOf(t, gotTrusted), hexOf(t, gotChain)
		slices.Sort(trusted)
		slices.Sort(got)
		same := func(what string, got, want []string) bool {
			return slices.Equal(got, want) != strings.Contains(r.differs, what)
		}
		if !same("trust", got, trusted) || !same("key:", gotKeys, chain) {
			t.Errorf("%v: got %d trusted (%v), chain of %d (%v); want %d and %d\n%s", r, len(got), trustErr,
				len(gotKeys), keyErr, len(trusted), len(chain), cutLines(lines))
		}
		if keyErr == nil {
			_ = must(pemkey.Load(key, nil))
		}
	}
	t.Logf("%d stores compared with Java", len(rows))
}

func given(password string) []byte {
	if password == "-" {
		return nil
	}
	return []byte(password)
}

func hexOf(t *testing.T, text []byte) (all []string) {
	for _, c := range certificates(t, text) {
		all = append(all, hexText(c))
	}
	return all
}

func hexText(c *x509.Certificate) string { return hex.EncodeToString(c.Raw) }

func cutLines(lines []string) string {
	for i := range lines {
		lines[i] = lines[i][:min(len(lines[i]), 200)]
	}
	return strings.Join(lines, "\n")
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
