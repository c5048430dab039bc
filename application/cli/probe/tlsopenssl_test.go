package probe

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/need"
)

// A server, certificates and readings of the machine's openssl, 3.0 or later. Without it
// the test is skipped.

// workshop is a folder that openssl works in, with the configuration of no machine.
type workshop struct {
	t   *testing.T
	dir string
}

func (w *workshop) command(args ...string) *exec.Cmd {
	cmd := exec.Command("openssl", args...)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	return cmd
}

func (w *workshop) openssl(args ...string) string {
	w.t.Helper()
	out, err := w.command(args...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (w *workshop) in(name string) string { return filepath.Join(w.dir, name) }

func (w *workshop) write(name, text string) {
	if err := os.WriteFile(w.in(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// authority makes NAME.pem and NAME.key, signed by itself, or by another one.
func (w *workshop) authority(name, by string) {
	args := []string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out", name + ".pem", "-days", "400", "-subj", "/DC=org/DC=example/O=Acme, Inc/CN=" + name,
		"-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash", "-config", w.in("req.cnf")}
	if by != "" {
		args = append(args, "-CA", by+".pem", "-CAkey", by+".key")
	}
	w.openssl(args...)
}

// broker makes NAME.pem and NAME.key, signed by an authority, for so many days.
func (w *workshop) broker(name, by, key, days, subject, names string) {
	args := append([]string{"req", "-new", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject, "-config", w.in("req.cnf"), "-newkey"}, strings.Fields(key)...)
	w.openssl(args...)
	w.write(name+".ext", "subjectAltName="+names+"\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n")
	w.openssl("x509", "-req", "-in", name+".csr", "-CA", by+".pem", "-CAkey", by+".key", "-days", days, "-out", name+".pem", "-extfile", name+".ext")
}

// serve runs openssl's server, which says which port it has.
func (w *workshop) serve(args ...string) (address string) {
	w.t.Helper()
	cmd := w.command(append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	stdin, err := cmd.StdinPipe() // at the end of which it would hang up
	if err != nil {
		w.t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	drained := make(chan struct{})
	w.t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	})
	for lines.Scan() {
		if port, ok := strings.CutPrefix(lines.Text(), "ACCEPT 127.0.0.1:"); ok {
			address = "127.0.0.1:" + port
			break
		}
	}
	go func() {
		defer close(drained)
		for lines.Scan() {
		}
	}()
	if address == "" {
		w.t.Fatalf("openssl s_server %q does not listen", args)
	}
	return address
}

// agrees compares a certificate of a document with what openssl reads in the file.
func (w *workshop) agrees(c certificateInfo, file string) {
	w.t.Helper()
	read := func(args ...string) string {
		out := w.openssl(append([]string{"x509", "-noout", "-in", file, "-nameopt", "RFC2253"}, args...)...)
		_, value, _ := strings.Cut(strings.TrimSpace(out), "=")
		return strings.TrimSpace(value)
	}
	const form = "Jan _2 15:04:05 2006 GMT"
	for what, pair := range map[string][2]string{
		"subject":     {c.Subject, read("-subject")},
		"issuer":      {c.Issuer, read("-issuer")},
		"serial":      {strings.TrimLeft(strings.ToUpper(c.Serial), "0"), strings.TrimLeft(read("-serial"), "0")},
		"not before":  {c.NotBefore.Format(form), read("-startdate")},
		"not after":   {c.NotAfter.Format(form), read("-enddate")},
		"fingerprint": {strings.ToUpper(c.SHA256), strings.ReplaceAll(read("-fingerprint", "-sha256"), ":", "")},
	} {
		if pair[0] != pair[1] {
			w.t.Errorf("%s: %s %q, OpenSSL %q", file, what, pair[0], pair[1])
		}
	}
	for days, want := range map[int]bool{c.DaysLeft: true, c.DaysLeft + 1: false} {
		if days < 0 {
			days, want = 0, false // it looks forward only
		}
		seconds := days * 24 * 60 * 60
		if want {
			seconds = max(seconds-60, 0) // it looks later than kafkaprobe did
		}
		lasts := w.command("x509", "-noout", "-in", file, "-checkend", fmt.Sprint(seconds)).Run() == nil
		if lasts != want {
			w.t.Errorf("%s: %d days left, and OpenSSL says of %d: %v", file, c.DaysLeft, days, lasts)
		}
	}
	var names []string
	for _, line := range strings.Split(w.openssl("x509", "-noout", "-in", file, "-ext", "subjectAltName"), "\n") {
		if strings.HasPrefix(line, "    ") {
			names = strings.Split(strings.TrimSpace(line), ", ")
		}
	}
	var ours []string
	for kind, all := range map[string][]string{"DNS:": c.DNS, "IP Address:": c.IP, "email:": c.Email, "URI:": c.URI} {
		for _, name := range all {
			ours = append(ours, kind+strings.Replace(name, "2001:db8::1", "2001:DB8:0:0:0:0:0:1", 1)) // as it writes it
		}
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(ours, name) })
	if len(names) != len(ours)+c.OtherNames || len(others) != c.OtherNames {
		w.t.Errorf("%s: %q and %d others, OpenSSL %q", file, ours, c.OtherNames, names)
	}
}

func TestTLSOfOpenSSL(t *testing.T) {
	need.OpenSSL(t, "What kafkaprobe tls reports of a server that is not Go's is untested.")
	w := &workshop{t, t.TempDir()}
	w.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n")
	w.authority("root", "")
	w.authority("between", "root")
	w.authority("stranger", "")
	const names = "DNS:localhost,DNS:*.kafka.test,IP:127.0.0.1,IP:2001:db8::1,email:ops@kafka.test,URI:spiffe://kafka.test/broker,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d,RID:1.2.3.4"
	w.broker("rsa", "root", "rsa:2048", "90", "/C=NL/O=Acme, Inc/OU=a+b/CN=broker 1/emailAddress=ops@kafka.test", names)
	w.broker("ec", "between", "ec -pkeyopt ec_paramgen_curve:P-384", "1", "/CN=broker 2", "IP:127.0.0.1")
	// A time.Duration ends after 292 years.
	w.broker("ed", "root", "ed25519", "2000000", "/UID=broker3", "DNS:localhost")
	w.broker("expired", "root", "ed25519", "-1", "/CN=broker 4", "IP:127.0.0.1")
	w.broker("strange", "stranger", "ed25519", "30", "/CN=broker 5", "IP:127.0.0.1")
	w.write("index.txt", "")
	w.write("ca.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\n")
	crl := func(name string) {
		w.openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "root.key", "-cert", "root.pem", "-out", name)
	}
	crl("none.crl")
	w.openssl("ca", "-config", "ca.cnf", "-revoke", "rsa.pem", "-keyfile", "root.key", "-cert", "root.pem")
	crl("rsa.crl")

	compared := map[string]bool{}
	for _, c := range []struct {
		name    string
		server  string // its options; the first word is whose certificate it has
		host    string
		args    string // @ is the folder
		code    int
		reason  string
		version string
		suite   string // as openssl calls it; "": its choice
		asked   bool
		demands string // "unknown" where only one side of it was seen
		resumes string
		shown   []string // files
	}{
		{"TLS 1.3", "rsa -tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", "127.0.0.1", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.3", "TLS_CHACHA20_POLY1305_SHA256", false, "false", "true", []string{"rsa.pem"}},
		{"TLS 1.2", "rsa -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", "localhost", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.2", "ECDHE-RSA-AES256-GCM-SHA384", false, "false", "true", []string{"rsa.pem"}},
		{"no tickets", "ed -tls1_3 -num_tickets 0", "localhost", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.3", "", false, "false", "unknown", []string{"ed.pem"}},
		{"a chain", "ec -cert_chain between.pem", "127.0.0.1", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.3", "", false, "false", "true", []string{"ec.pem", "between.pem"}},
		{"half a chain", "ec -no-CAfile", "127.0.0.1", "ssl_cafile=@root.pem", exitTLS, "unknown-authority", "TLS 1.3", "", false, "false", "unknown", []string{"ec.pem"}},
		{"expired", "expired -tls1_2", "127.0.0.1", "ssl_cafile=@root.pem", exitTLS, "expired", "TLS 1.2", "", false, "false", "unknown", []string{"expired.pem"}},
		{"a stranger", "strange", "127.0.0.1", "ssl_cafile=@root.pem", exitTLS, "unknown-authority", "TLS 1.3", "", false, "false", "unknown", []string{"strange.pem"}},
		{"another host", "ec -cert_chain between.pem", "localhost", "ssl_cafile=@root.pem", exitTLS, "wrong-host", "TLS 1.3", "", false, "false", "unknown", []string{"ec.pem", "between.pem"}},
		{"not revoked", "rsa", "127.0.0.1", "ssl_cafile=@root.pem ssl_crlfile=@none.crl", exitOK, "", "TLS 1.3", "", false, "false", "true", []string{"rsa.pem"}},
		{"revoked", "rsa", "127.0.0.1", "ssl_cafile=@root.pem ssl_crlfile=@rsa.crl", exitTLS, "revoked", "TLS 1.3", "", false, "false", "unknown", []string{"rsa.pem"}},
		{"asked, TLS 1.2", "rsa -tls1_2 -verify 2", "127.0.0.1", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.2", "", true, "false", "true", []string{"rsa.pem"}},
		{"asked, TLS 1.3", "rsa -tls1_3 -verify 2", "127.0.0.1", "ssl_cafile=@root.pem", exitOK, "", "TLS 1.3", "", true, "false", "true", []string{"rsa.pem"}},
		{"demanded, TLS 1.2", "rsa -tls1_2 -Verify 2", "127.0.0.1", "ssl_cafile=@root.pem", exitTLS, "", "TLS 1.2", "", true, "true", "unknown", []string{"rsa.pem"}},
		{"demanded, TLS 1.3", "rsa -tls1_3 -Verify 2", "127.0.0.1", "ssl_cafile=@root.pem", exitTLS, "", "TLS 1.3", "", true, "true", "unknown", []string{"rsa.pem"}},
		{"demanded and shown, TLS 1.2", "rsa -tls1_2 -Verify 2 -verify_return_error -CAfile root.pem", "127.0.0.1", "ssl_cafile=@root.pem ssl_certfile=@ed.pem ssl_keyfile=@ed.key", exitOK, "", "TLS 1.2", "", true, "true", "true", []string{"rsa.pem", "root.pem"}},
		{"demanded and shown, TLS 1.3", "rsa -tls1_3 -Verify 2 -verify_return_error -CAfile root.pem", "127.0.0.1", "ssl_cafile=@root.pem ssl_certfile=@ed.pem ssl_keyfile=@ed.key", exitOK, "", "TLS 1.3", "", true, "true", "true", []string{"rsa.pem", "root.pem"}},
		{"demanded and refused", "rsa -tls1_3 -Verify 2 -verify_return_error -CAfile root.pem", "127.0.0.1", "ssl_cafile=@root.pem ssl_certfile=@strange.pem ssl_keyfile=@strange.key", exitTLS, "", "TLS 1.3", "", true, "true", "unknown", []string{"rsa.pem", "root.pem"}},
		{"demanded by a stranger", "strange -tls1_3 -Verify 2", "127.0.0.1", "ssl_cafile=@root.pem ssl_certfile=@ed.pem ssl_keyfile=@ed.key", exitTLS, "unknown-authority", "TLS 1.3", "", true, "true", "unknown", []string{"strange.pem"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &workshop{t, w.dir}
			whose, options, _ := strings.Cut(c.server, " ")
			address := w.serve(append([]string{"-cert", whose + ".pem", "-key", whose + ".key"}, strings.Fields(options)...)...)
			args := []string{"tls", strings.Replace(address, "127.0.0.1", c.host, 1), "--json"}
			for p := range strings.FieldsSeq(c.args) {
				args = append(args, "-X", strings.Replace(p, "@", w.dir+"/", 1))
			}
			o := probe(t, args...)
			d := decode[tlsDocument](t, o)
			if o.code != c.code || d.Reason != c.reason || d.Protocol != c.version || is(d.ClientCertificate.Asked) != fmt.Sprint(c.asked) ||
				is(d.ClientCertificate.Required) != c.demands || is(d.Resumption.Resumed) != c.resumes {
				t.Errorf("exit code %d: %s", o.code, o.stdout)
			}
			if c.suite != "" {
				all := w.openssl("ciphers", "-stdname", "ALL")
				if line := regexp.MustCompile(`(?m)^` + d.CipherSuite + ` +- ` + regexp.QuoteMeta(c.suite) + ` `); !line.MatchString(all) {
					t.Errorf("the suite is %s, to OpenSSL %s", d.CipherSuite, c.suite)
				}
			}
			if len(d.Certificates) != len(c.shown) {
				t.Fatalf("%d certificates, want %d", len(d.Certificates), len(c.shown))
			}
			for i, file := range c.shown {
				if !compared[file] {
					compared[file] = true
					w.agrees(d.Certificates[i], file)
				}
			}
		})
	}
}
