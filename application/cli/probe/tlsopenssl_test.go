package probe

import (
	"bufio"
	"cmp"
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

// Servers and certificates of openssl, 3.0 or later. Without it the test is skipped.

// workshop is a folder where openssl runs, without the configuration of the machine.
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

func (w *workshop) write(name, text string) {
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// authority makes NAME.pem and NAME.key, signed by itself or by another authority.
func (w *workshop) authority(name, by string) {
	args := []string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", name + ".key", "-out", name + ".pem", "-days", "400",
		"-subj", "/DC=org/DC=example/O=Acme, Inc/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE",
		"-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash",
		"-config", "req.cnf"}
	if by != "" {
		args = append(args, "-CA", by+".pem", "-CAkey", by+".key")
	}
	w.openssl(args...)
}

// broker makes NAME.pem and NAME.key, signed by an authority, for a number of days.
func (w *workshop) broker(name, by, key, days, subject, names string) {
	args := []string{"req", "-new", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject,
		"-config", "req.cnf", "-newkey"}
	w.openssl(append(args, strings.Fields(key)...)...)
	w.write(name+".ext", "subjectAltName="+names+
		"\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n")
	w.openssl("x509", "-req", "-in", name+".csr", "-CA", by+".pem", "-CAkey", by+".key", "-days", days,
		"-out", name+".pem", "-extfile", name+".ext")
}

// serve runs openssl's server on any port.
func (w *workshop) serve(args ...string) (address string) {
	w.t.Helper()
	cmd := w.command(append([]string{"s_server", "-accept", "127.0.0.1:0"}, args...)...)
	stdin := must(cmd.StdinPipe()) // at its end the server exits
	lines := bufio.NewScanner(must(cmd.StdoutPipe()))
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
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
		w.t.Fatalf("got no port of openssl s_server %q", args)
	}
	return address
}

// agrees compares a certificate of a document with the output of openssl for its file.
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
			w.t.Errorf("%s: got %s %q, OpenSSL %q", file, what, pair[0], pair[1])
		}
	}
	for days, want := range map[int]bool{c.DaysLeft: true, c.DaysLeft + 1: false} {
		if days < 0 {
			days, want = 0, false // -checkend takes no past
		}
		seconds := days * 24 * 60 * 60
		if want {
			seconds = max(seconds-60, 0) // openssl runs later than kafkaprobe
		}
		lasts := w.command("x509", "-noout", "-in", file, "-checkend", fmt.Sprint(seconds)).Run() == nil
		if lasts != want {
			w.t.Errorf("%s: got %d days left, OpenSSL for %d days: %v", file, c.DaysLeft, days, lasts)
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
			ours = append(ours, kind+strings.Replace(name, "2001:db8::1", "2001:DB8:0:0:0:0:0:1", 1)) // OpenSSL's form
		}
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(ours, name) })
	if len(names) != len(ours)+c.OtherNames || len(others) != c.OtherNames {
		w.t.Errorf("%s: got %q and %d others, OpenSSL %q", file, ours, c.OtherNames, names)
	}
}

// opensslCase is one server of openssl.
type opensslCase struct {
	name    string
	server  string // the file of its certificate, and its options
	host    string // "": 127.0.0.1
	more    string // properties besides ssl_cafile; @ is the folder
	code    int
	reason  string
	version string // "": TLS 1.3
	suite   string // OpenSSL's name; "": any
	// A client certificate is requested, and required; sessions are resumed.
	requested, required, resumed string
	certificates                 string // the files of the chain
}

// cert is a client certificate of the authority root.
const cert = " ssl_certfile=@ed.pem ssl_keyfile=@ed.key"

const verifying = " -Verify 2 -verify_return_error -CAfile root.pem"

var opensslCases = []opensslCase{
	{"TLS 1.3", "rsa -tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", "", "", exitOK, "", "",
		"TLS_CHACHA20_POLY1305_SHA256", "false", "false", "true", "rsa"},
	{"TLS 1.2", "rsa -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", "localhost", "", exitOK, "", "TLS 1.2",
		"ECDHE-RSA-AES256-GCM-SHA384", "false", "false", "true", "rsa"},
	{"no tickets", "ed -tls1_3 -num_tickets 0", "localhost", "", exitOK, "", "", "", "false", "false", "unknown", "ed"},
	{"chain", "ec -cert_chain between.pem", "", "", exitOK, "", "", "", "false", "false", "true", "ec between"},
	{"incomplete chain", "ec -no-CAfile", "", "", exitTLS, "unknown-authority", "", "",
		"false", "false", "unknown", "ec"},
	{"expired", "expired -tls1_2", "", "", exitTLS, "expired", "TLS 1.2", "", "false", "false", "unknown", "expired"},
	{"stranger", "strange", "", "", exitTLS, "unknown-authority", "", "", "false", "false", "unknown", "strange"},
	{"another host", "ec -cert_chain between.pem", "localhost", "", exitTLS, "wrong-host", "", "",
		"false", "false", "unknown", "ec between"},
	{"not revoked", "rsa", "", " ssl_crlfile=@none.crl", exitOK, "", "", "", "false", "false", "true", "rsa"},
	{"revoked", "rsa", "", " ssl_crlfile=@rsa.crl", exitTLS, "revoked", "", "", "false", "false", "unknown", "rsa"},
	{"requested, TLS 1.2", "rsa -tls1_2 -verify 2", "", "", exitOK, "", "TLS 1.2", "", "true", "false", "true", "rsa"},
	{"requested, TLS 1.3", "rsa -tls1_3 -verify 2", "", "", exitOK, "", "", "", "true", "false", "true", "rsa"},
	{"required, TLS 1.2", "rsa -tls1_2 -Verify 2", "", "", exitTLS, "", "TLS 1.2", "",
		"true", "true", "unknown", "rsa"},
	{"required, TLS 1.3", "rsa -tls1_3 -Verify 2", "", "", exitTLS, "", "", "", "true", "true", "unknown", "rsa"},
	{"required and sent, TLS 1.2", "rsa -tls1_2" + verifying, "", cert, exitOK, "", "TLS 1.2", "",
		"true", "true", "true", "rsa root"},
	{"required and sent, TLS 1.3", "rsa -tls1_3" + verifying, "", cert, exitOK, "", "", "",
		"true", "true", "true", "rsa root"},
	{"required and rejected", "rsa -tls1_3" + verifying, "", " ssl_certfile=@strange.pem ssl_keyfile=@strange.key",
		exitTLS, "", "", "", "true", "true", "unknown", "rsa root"},
	{"required by a stranger", "strange -tls1_3 -Verify 2", "", cert, exitTLS, "unknown-authority", "", "",
		"true", "true", "unknown", "strange"},
}

func TestTLSOfOpenSSL(t *testing.T) {
	need.OpenSSL(t, "What kafkaprobe tls reports of a server that is not Go's is untested.")
	w := &workshop{t, t.TempDir()}
	w.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n")
	w.authority("root", "")
	w.authority("between", "root")
	w.authority("stranger", "")
	w.broker("rsa", "root", "rsa:2048", "90",
		"/C=NL/O=Acme, Inc/OU=a+b/CN=broker 1/emailAddress=ops@kafka.test",
		"DNS:localhost,DNS:*.kafka.test,IP:127.0.0.1,IP:2001:db8::1,email:ops@kafka.test,"+
			"URI:spiffe://kafka.test/broker,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d,RID:1.2.3.4")
	w.broker("ec", "between", "ec -pkeyopt ec_paramgen_curve:P-384", "1", "/CN=broker 2", "IP:127.0.0.1")
	// A time.Duration is limited to 292 years.
	w.broker("ed", "root", "ed25519", "2000000", "/UID=broker3", "DNS:localhost")
	w.broker("expired", "root", "ed25519", "-1", "/CN=broker 4", "IP:127.0.0.1")
	w.broker("strange", "stranger", "ed25519", "30", "/CN=broker 5", "IP:127.0.0.1")
	w.write("index.txt", "")
	w.write("ca.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\n")
	ca := func(args ...string) {
		w.openssl(append([]string{"ca", "-config", "ca.cnf", "-keyfile", "root.key", "-cert", "root.pem"}, args...)...)
	}
	ca("-gencrl", "-out", "none.crl")
	ca("-revoke", "rsa.pem")
	ca("-gencrl", "-out", "rsa.crl")

	compared := map[string]bool{}
	for _, c := range opensslCases {
		t.Run(c.name, func(t *testing.T) {
			w := &workshop{t, w.dir}
			whose, options, _ := strings.Cut(c.server, " ")
			options = fmt.Sprintf("-cert %s.pem -key %s.key %s", whose, whose, options)
			address := w.serve(strings.Fields(options)...)
			args := []string{"tls", strings.Replace(address, "127.0.0.1", cmp.Or(c.host, "127.0.0.1"), 1), "--json"}
			for p := range strings.FieldsSeq("ssl_cafile=@root.pem" + c.more) {
				args = append(args, "-X", strings.Replace(p, "@", w.dir+"/", 1))
			}
			o := probe(t, args...)
			d := decode[tlsDocument](t, o)
			i := d.ClientCertificate
			version := cmp.Or(c.version, "TLS 1.3")
			if o.code != c.code || d.Reason != c.reason || d.Protocol != version {
				t.Errorf("got exit code %d, reason %q, %s, want %d, %q, %s",
					o.code, d.Reason, d.Protocol, c.code, c.reason, version)
			}
			got := [...]string{is(i.Requested), is(i.Required), is(d.Resumption.Resumed)}
			if want := [...]string{c.requested, c.required, c.resumed}; got != want {
				t.Errorf("got requested, required, resumed %q, want %q", got, want)
			}
			if c.suite != "" {
				line := regexp.MustCompile(`(?m)^` + d.CipherSuite + ` +- ` + regexp.QuoteMeta(c.suite) + ` `)
				if !line.MatchString(w.openssl("ciphers", "-stdname", "ALL")) {
					t.Errorf("got suite %s, OpenSSL %s", d.CipherSuite, c.suite)
				}
			}
			files := strings.Fields(c.certificates)
			if len(d.Certificates) != len(files) {
				t.Fatalf("got %d certificates, want %d", len(d.Certificates), len(files))
			}
			for i, file := range files {
				if !compared[file] {
					compared[file] = true
					w.agrees(d.Certificates[i], file+".pem")
				}
			}
		})
	}
}
