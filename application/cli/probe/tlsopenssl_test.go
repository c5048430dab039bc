package probe

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/openssl"
)

// Servers and certificates of openssl, 3.0 or later. Without it the test is skipped.

func write(t *testing.T, name, text string) {
	t.Helper()
	fakebroker.Must(t, os.WriteFile(name, []byte(text), 0o600))
}

// makeAuthority makes NAME.pem and NAME.key, signed by itself or by another authority.
func makeAuthority(t *testing.T, name, by string) {
	args := []string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", name + ".key", "-out", name + ".pem", "-days", "400",
		"-subj", "/DC=org/DC=example/O=Acme, Inc/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE",
		"-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash",
		"-config", "req.cnf"}
	if by != "" {
		args = append(args, "-CA", by+".pem", "-CAkey", by+".key")
	}
	openssl.Must(t, nil, args...)
}

// makeBroker makes NAME.pem and NAME.key, signed by an authority, for a number of days.
func makeBroker(t *testing.T, name, by, key, days, subject, names string) {
	args := []string{"req", "-new", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject,
		"-config", "req.cnf", "-newkey"}
	openssl.Must(t, nil, append(args, strings.Fields(key)...)...)
	write(t, name+".ext", "subjectAltName="+names+
		"\nextendedKeyUsage=serverAuth,clientAuth\nauthorityKeyIdentifier=keyid\n")
	openssl.Must(t, nil, "x509", "-req", "-in", name+".csr", "-CA", by+".pem", "-CAkey", by+".key", "-days", days,
		"-out", name+".pem", "-extfile", name+".ext")
}

// agrees compares a certificate of a document with the output of openssl for its file.
func agrees(t *testing.T, c certificateInfo, file string) {
	t.Helper()
	read := func(args ...string) string {
		args = append([]string{"x509", "-noout", "-in", file, "-nameopt", "RFC2253"}, args...)
		_, value, _ := strings.Cut(string(openssl.Must(t, nil, args...)), "=")
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
			t.Errorf("%s: got %s %q, OpenSSL %q", file, what, pair[0], pair[1])
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
		_, lasts := openssl.Output(nil, "x509", "-noout", "-in", file, "-checkend", fmt.Sprint(seconds))
		if lasts != want {
			t.Errorf("%s: got %d days left, OpenSSL for %d days: %v", file, c.DaysLeft, days, lasts)
		}
	}
	var names []string
	text := openssl.Must(t, nil, "x509", "-noout", "-in", file, "-ext", "subjectAltName")
	if _, line, found := strings.Cut(string(text), "    "); found {
		names = strings.Split(strings.TrimSpace(line), ", ")
	}
	var ours []string
	for kind, all := range map[string][]string{"DNS:": c.DNS, "IP Address:": c.IP, "email:": c.Email, "URI:": c.URI} {
		for _, name := range all {
			ours = append(ours, kind+strings.Replace(name, "2001:db8::1", "2001:DB8:0:0:0:0:0:1", 1)) // OpenSSL's form
		}
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(ours, name) })
	if len(names) != len(ours)+c.OtherNames || len(others) != c.OtherNames {
		t.Errorf("%s: got %q and %d others, OpenSSL %q", file, ours, c.OtherNames, names)
	}
}

// opensslCase is one server of openssl.
type opensslCase struct {
	name    string
	server  string // the file of its certificate, and its options
	host    string // "": 127.0.0.1
	more    string // properties besides ssl_cafile
	code    int
	reason  string
	version string // "": TLS 1.3
	suite   string // OpenSSL's name; "": any
	// A client certificate is requested, and required; sessions are resumed.
	requested, required, resumed string
	certificates                 string // the files of the chain
}

// cert is a client certificate of the authority root.
const cert = " ssl_certfile=ed.pem ssl_keyfile=ed.key"

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
	{"not revoked", "rsa", "", " ssl_crlfile=none.crl", exitOK, "", "", "", "false", "false", "true", "rsa"},
	{"revoked", "rsa", "", " ssl_crlfile=rsa.crl", exitTLS, "revoked", "", "", "false", "false", "unknown", "rsa"},
	{"requested, TLS 1.2", "rsa -tls1_2 -verify 2", "", "", exitOK, "", "TLS 1.2", "", "true", "false", "true", "rsa"},
	{"requested, TLS 1.3", "rsa -tls1_3 -verify 2", "", "", exitOK, "", "", "", "true", "false", "true", "rsa"},
	{"required, TLS 1.2", "rsa -tls1_2 -Verify 2", "", "", exitTLS, "", "TLS 1.2", "",
		"true", "true", "unknown", "rsa"},
	{"required, TLS 1.3", "rsa -tls1_3 -Verify 2", "", "", exitTLS, "", "", "", "true", "true", "unknown", "rsa"},
	{"required and sent, TLS 1.2", "rsa -tls1_2" + verifying, "", cert, exitOK, "", "TLS 1.2", "",
		"true", "true", "true", "rsa root"},
	{"required and sent, TLS 1.3", "rsa -tls1_3" + verifying, "", cert, exitOK, "", "", "",
		"true", "true", "true", "rsa root"},
	{"required and rejected", "rsa -tls1_3" + verifying, "", " ssl_certfile=strange.pem ssl_keyfile=strange.key",
		exitTLS, "", "", "", "true", "true", "unknown", "rsa root"},
	{"required by a stranger", "strange -tls1_3 -Verify 2", "", cert, exitTLS, "unknown-authority", "", "",
		"true", "true", "unknown", "strange"},
}

func TestTLSOfOpenSSL(t *testing.T) {
	openssl.New(t, "What kafkaprobe tls reports of a server that is not Go's is untested.")
	t.Chdir(t.TempDir())
	write(t, "req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n")
	makeAuthority(t, "root", "")
	makeAuthority(t, "between", "root")
	makeAuthority(t, "stranger", "")
	makeBroker(t, "rsa", "root", "rsa:2048", "90", "/C=NL/O=Acme, Inc/OU=a+b/CN=broker 1/emailAddress=ops@kafka.test",
		"DNS:localhost,DNS:*.kafka.test,IP:127.0.0.1,IP:2001:db8::1,email:ops@kafka.test,"+
			"URI:spiffe://kafka.test/broker,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@d,RID:1.2.3.4")
	makeBroker(t, "ec", "between", "ec -pkeyopt ec_paramgen_curve:P-384", "1", "/CN=broker 2", "IP:127.0.0.1")
	// A time.Duration is limited to 292 years.
	makeBroker(t, "ed", "root", "ed25519", "2000000", "/UID=broker3", "DNS:localhost")
	makeBroker(t, "expired", "root", "ed25519", "-1", "/CN=broker 4", "IP:127.0.0.1")
	makeBroker(t, "strange", "stranger", "ed25519", "30", "/CN=broker 5", "IP:127.0.0.1")
	write(t, "index.txt", "")
	write(t, "ca.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=7\n")
	ca := func(args ...string) {
		args = append([]string{"ca", "-config", "ca.cnf", "-keyfile", "root.key", "-cert", "root.pem"}, args...)
		openssl.Must(t, nil, args...)
	}
	ca("-gencrl", "-out", "none.crl")
	ca("-revoke", "rsa.pem")
	ca("-gencrl", "-out", "rsa.crl")

	compared := map[string]bool{}
	for _, c := range opensslCases {
		t.Run(c.name, func(t *testing.T) {
			whose, options, _ := strings.Cut(c.server, " ")
			options = fmt.Sprintf("-cert %s.pem -key %s.key %s", whose, whose, options)
			address := openssl.Serve(t, strings.Fields(options)...)
			address = strings.Replace(address, "127.0.0.1", cmp.Or(c.host, "127.0.0.1"), 1)
			properties := strings.Fields("ssl_cafile=root.pem" + c.more)
			o := probe(t, with([]string{"tls", address, "--json"}, properties...)...)
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
				if !line.Match(openssl.Must(t, nil, "ciphers", "-stdname", "ALL")) {
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
					agrees(t, d.Certificates[i], file+".pem")
				}
			}
		})
	}
}
