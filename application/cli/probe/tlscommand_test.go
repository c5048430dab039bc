package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink"
	"brokerconn/application/properties"
	"brokerconn/ports"
)

// received is what a server received from its clients.
type received struct {
	mu           sync.Mutex
	certificates int
	data         int64
}

// secureServer performs every handshake, and reads to the end.
func secureServer(t *testing.T, config *tls.Config) (address string, got *received) {
	got = new(received)
	return proxies.Listen(t, func(under net.Conn) {
		conn := tls.Server(under, config)
		defer conn.Close()
		n := int64(0)
		if conn.Handshake() == nil {
			n, _ = io.Copy(io.Discard, conn)
		}
		got.mu.Lock()
		defer got.mu.Unlock()
		got.certificates += len(conn.ConnectionState().PeerCertificates)
		got.data += n
	}), got
}

// fakeBroker is the TLS of a broker, and the arguments of kafkaprobe.
type fakeBroker struct {
	t      *testing.T
	ca     *authority
	server *tls.Config
	host   string
	args   []string
}

func (b *fakeBroker) set(properties ...string) { b.args = with(b.args, properties...) }

// sends sets the chain that the broker sends.
func (b *fakeBroker) sends(c tls.Certificate, above ...*authority) {
	for _, a := range above {
		c.Certificate = append(c.Certificate, a.cert.Raw)
	}
	b.server.Certificates = []tls.Certificate{c}
}

// issues sets a certificate of the broker with changes.
func (b *fakeBroker) issues(change func(*x509.Certificate)) { b.sends(b.ca.issue(change)) }

// client sets the client certificate.
func (b *fakeBroker) client(c tls.Certificate) {
	b.set("ssl_certfile="+certificateFile(b.t, c.Certificate...), "ssl_keyfile="+keyFile(b.t, c))
}

func (b *fakeBroker) requires() {
	b.server.ClientAuth, b.server.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	b.server.ClientCAs.AddCert(b.ca.cert)
}

// is returns the text of a truth value; nil is unknown.
func is(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprint(*b)
}

// tlsCase is one row. Its authority is trusted unless untrusted.
type tlsCase struct {
	name      string
	untrusted bool
	host      string // "": 127.0.0.1
	set       func(b *fakeBroker)
	code      int
	reason    string // of the verdict
	checks    string // chain, host, revocation; "": true true unknown
	client    string // requested, required, sent, accepted; "": false false false unknown
	words     []string
}

var tlsCases = []tlsCase{
	{name: "verified", words: []string{"verdict             verified\n", "CN=an authority",
		"client certificate  not requested", "resumption          yes", "no CRL file"}},
	{name: "without properties", untrusted: true,
		code: exitTLS, reason: "unknown-authority", checks: "false true unknown",
		words: []string{"NOT VERIFIED: the broker's certificate is not signed by a trusted authority\n",
			"certificate 1 of 1  CN=a broker"}},
	{name: "another host", host: "localhost", code: exitTLS, reason: "wrong-host", checks: "true false unknown",
		words: []string{"FAILED: the broker's certificate is not for this host",
			`it is for 127.0.0.1, not for "localhost"`}},
	{name: "any host", host: "localhost", set: func(b *fakeBroker) { b.set("ssl_check_hostname=false") },
		checks: "true false unknown", words: []string{
			"verified, except for the host, which the properties do not require\n", "failed, but not required"}},
	{name: "host name", host: "localhost",
		set:   func(b *fakeBroker) { b.issues(func(c *x509.Certificate) { c.DNSNames = []string{"localhost"} }) },
		words: []string{"DNS localhost", "IP 127.0.0.1"}},
	{name: "expired", set: func(b *fakeBroker) {
		b.issues(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-30 * time.Minute) })
	}, code: exitTLS, reason: "expired", checks: "false true unknown",
		words: []string{"NOT VERIFIED: the broker's certificate has expired\n", ": EXPIRED 30 minutes ago\n"}},
	{name: "not yet valid", set: func(b *fakeBroker) {
		b.issues(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(150 * time.Minute) })
	}, code: exitTLS, reason: "not-yet-valid", checks: "false true unknown", words: []string{": BEGINS in 2 hours\n"}},
	{name: "self-signed", untrusted: true,
		set:  func(b *fakeBroker) { b.sends(newAuthority(b.t, "itself").selfSigned()) },
		code: exitTLS, reason: "self-signed", checks: "false true unknown", words: []string{"; an authority\n"}},
	{name: "chain", set: func(b *fakeBroker) {
		between := b.ca.below("between")
		b.sends(between.issue(), between)
	}, words: []string{"certificate 1 of 2  CN=a broker\n  issued by         CN=between\n",
		"certificate 2 of 2  CN=between\n  issued by         CN=an authority\n"}},
	{name: "incomplete chain", set: func(b *fakeBroker) { b.sends(b.ca.below("between").issue()) },
		code: exitTLS, reason: "unknown-authority", checks: "false true unknown", words: []string{"CN=between"}},
	{name: "not revoked", set: func(b *fakeBroker) { b.set("ssl_crlfile=" + b.ca.list(time.Now().Add(time.Hour))) },
		checks: "true true true", words: []string{"revocation        ok: not revoked"}},
	{name: "revoked", set: func(b *fakeBroker) {
		b.set("ssl_crlfile=" + b.ca.list(time.Now().Add(time.Hour), b.server.Certificates[0]))
	}, code: exitTLS, reason: "revoked", checks: "true true false",
		words: []string{"NOT VERIFIED: the broker's certificate is revoked\n", "serial number 65"}},
	{name: "expired CRL", set: func(b *fakeBroker) { b.set("ssl_crlfile=" + b.ca.list(time.Now().Add(-time.Hour))) },
		code: exitTLS, reason: "crl-expired", checks: "true true false", words: []string{"has expired"}},
	{name: "CRL of another authority", set: func(b *fakeBroker) {
		b.set("ssl_crlfile=" + newAuthority(b.t, "another").list(time.Now().Add(time.Hour)))
	}, code: exitTLS, reason: "crl-missing", checks: "true true false", words: []string{"no revocation list"}},
	{name: "CRL without trust", untrusted: true,
		set:  func(b *fakeBroker) { b.set("ssl_crlfile=" + b.ca.list(time.Now().Add(time.Hour))) },
		code: exitTLS, reason: "unknown-authority", checks: "false true unknown",
		words: []string{"not checked: the chain leads to no trusted authority"}},
	{name: "verification off", untrusted: true, set: func(b *fakeBroker) {
		b.set("security.protocol=ssl", "enable.ssl.certificate.verification=false")
	}, reason: "unknown-authority", checks: "false true unknown", words: []string{
		"(not required by the properties)\n", "failed, but not required", "ok, but not required"}},

	{name: "requested", set: func(b *fakeBroker) { b.server.ClientAuth = tls.RequestClientCert },
		client: "true false false unknown", words: []string{"requested, not required; none is configured"}},
	{name: "requested and sent", set: func(b *fakeBroker) {
		b.server.ClientAuth = tls.RequestClientCert
		b.client(b.ca.issue())
	}, client: "true false true true", words: []string{"requested, not required; the configured one is accepted"}},
	{name: "required", set: (*fakeBroker).requires, code: exitTLS, client: "true true false unknown", words: []string{
		"verified, but the handshake failed: the broker requires a client certificate",
		"requested, and required; none is configured", "signed by         CN=an authority"}},
	{name: "required and sent", set: func(b *fakeBroker) { b.requires(); b.client(b.ca.issue()) },
		client: "true true true true", words: []string{
			"requested, and required; the configured one is accepted", "resumption          yes"}},
	{name: "required and rejected", set: func(b *fakeBroker) {
		b.requires()
		b.client(newAuthority(b.t, "a stranger").issue())
	}, code: exitTLS, client: "true true true false", words: []string{
		"verified, but the handshake failed: the broker rejects the client certificate",
		"required; the configured one is rejected"}},
	{name: "required by an unverified broker", untrusted: true,
		set:  func(b *fakeBroker) { b.requires(); b.client(b.ca.issue()) },
		code: exitTLS, reason: "unknown-authority", checks: "false true unknown", client: "true true false unknown",
		words: []string{"requested, and required; the configured one was not sent, since the broker is not verified"}},
	{name: "requested by another host", host: "localhost", set: func(b *fakeBroker) {
		b.server.ClientAuth = tls.RequestClientCert
		b.client(b.ca.issue())
	}, code: exitTLS, reason: "wrong-host", checks: "true false unknown", client: "true false false unknown",
		words: []string{"requested, not required; the configured one was not sent"}},
}

func TestTLSCommand(t *testing.T) {
	for _, c := range tlsCases {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(c.name+", "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				c.run(t, version)
			})
		}
	}
}

func (c *tlsCase) run(t *testing.T, version uint16) {
	b := &fakeBroker{t: t, ca: newAuthority(t, "an authority"), host: cmp.Or(c.host, "127.0.0.1")}
	b.server = &tls.Config{MinVersion: version, MaxVersion: version}
	b.sends(b.ca.issue())
	if !c.untrusted {
		b.set("ssl_cafile=" + b.ca.file())
	}
	if c.set != nil {
		c.set(b)
	}
	address, got := secureServer(t, b.server)
	address = strings.Replace(address, "127.0.0.1", b.host, 1)
	args := append([]string{"tls", address}, b.args...)

	text := probe(t, args...)
	if text.code != c.code || (text.stderr == "") != (c.code == exitOK) {
		t.Errorf("got exit code %d and standard error %q, want %d", text.code, text.stderr, c.code)
	}
	contains(t, text.stdout, append(c.words, "protocol            "+tls.VersionName(version)+"\n")...)

	o := probe(t, append(args, "--json")...)
	d := decode[tlsDocument](t, o)
	if o.code != c.code || d.Reason != c.reason || d.Verified != (c.reason == "") {
		t.Errorf("got exit code %d, reason %q, verified %v, want %d, %q",
			o.code, d.Reason, d.Verified, c.code, c.reason)
	}
	checks := is(d.Checks.Chain.Passed) + " " + is(d.Checks.Host.Passed) + " " + is(d.Checks.Revocation.Passed)
	if want := cmp.Or(c.checks, "true true unknown"); checks != want {
		t.Errorf("got checks %s, want %s", checks, want)
	}
	i := d.ClientCertificate
	client := fmt.Sprintf("%s %s %v %s", is(i.Requested), is(i.Required), i.Sent, is(i.Accepted))
	if want := cmp.Or(c.client, "false false false unknown"); client != want {
		t.Errorf("got client certificate %s, want %s", client, want)
	}
	if d.Protocol != tls.VersionName(version) || d.ServerName != b.host || d.Broker != address ||
		!strings.HasPrefix(d.Address, "127.0.0.1:") || d.CipherSuite == "" || len(d.Certificates) == 0 {
		t.Errorf("got %+v, want %s of %s", d, tls.VersionName(version), address)
	}
	if e := d.Error; (e == nil) != (c.code == exitOK) ||
		e != nil && (e.ExitCode != c.code || e.Hint == "" || c.reason != "" && e.Reason != c.reason) {
		t.Errorf("got error %+v, want exit code %d and reason %q", e, c.code, c.reason)
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	if got.data != 0 || got.certificates > 0 && !i.Sent {
		t.Errorf("the server received %d certificates and %d bytes, want none", got.certificates, got.data)
	}
}

func TestCertificateInfo(t *testing.T) {
	ca := newAuthority(t, "an authority")
	uri := must(url.Parse("spiffe://example.org/broker"))
	end := time.Now().Add(10*24*time.Hour + time.Hour).Truncate(time.Second).UTC()
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "a, b", Organization: []string{"c"}, Country: []string{"NL"}}
		c.DNSNames, c.EmailAddresses, c.URIs = []string{"b.test", "*.b.test"}, []string{"ops@b.test"}, []*url.URL{uri}
		c.IPAddresses = append(c.IPAddresses, net.ParseIP("2001:db8::1"))
		c.NotAfter = end
	})}})
	d := decode[tlsDocument](t, probe(t, "tls", address, "--json", "-X", "ssl_cafile="+ca.file()))
	if d.TrustedBy == nil || *d.TrustedBy != "CN=an authority" || len(d.Certificates) != 1 {
		t.Fatalf("got %+v, want one certificate of the authority", d)
	}
	got := d.Certificates[0]
	want := certificateInfo{
		Subject: `CN=a\, b,O=c,C=NL`, Issuer: "CN=an authority", Serial: "65",
		DNS: []string{"b.test", "*.b.test"}, IP: []string{"127.0.0.1", "2001:db8::1"},
		Email: []string{"ops@b.test"}, URI: []string{uri.String()},
		NotBefore: got.NotBefore, NotAfter: end, DaysLeft: 10,
		Key: "ECDSA P-256", Signature: "ECDSA-SHA256", SHA256: got.SHA256,
	}
	if !reflect.DeepEqual(got, want) || len(got.SHA256) != 64 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	probe(t, "tls", address, "-X", "ssl_cafile="+ca.file()).
		succeeded(t, end.Format("2006-01-02 15:04:05 UTC")+": 10 days left\n")
}

// The first address that is reached is inspected. If none is reached, the error is that of
// the last.
func TestTLSNextAddress(t *testing.T) {
	cert := newAuthority(t, "an authority").issue()
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{cert}})
	for _, c := range []struct {
		addresses []string
		want      string
	}{
		{[]string{closedPort(t), address, silent(t)}, address},
		{[]string{closedPort(t), closedPort(t)}, ""},
	} {
		p := must((&app{settings: &properties.Settings{}}).newTLSProbe("broker.invalid:9093"))
		lookup := func(context.Context, string, uint16) (all []ports.Endpoint, err error) {
			for _, address := range c.addresses {
				all = append(all, ports.Endpoint{Network: "tcp", Address: address})
			}
			return all, nil
		}
		p.transport = &netlink.Transport{Lookup: lookup}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		seen, err := p.inspectFirst(ctx)
		cancel()
		switch {
		case c.want != "" && (err != nil || seen.Name != "broker.invalid" || p.endpoint.Address != c.want):
			t.Errorf("%q: got endpoint %+v, error %v, want %s", c.addresses, p.endpoint, err, c.want)
		case c.want == "" && (exitCode(err) != exitTCP || !strings.Contains(err.Error(), c.addresses[1])):
			t.Errorf("%q: got error %v, want that of the last address", c.addresses, err)
		}
	}
}

// TestTLSProperties checks each dialect, with any security protocol.
func TestTLSProperties(t *testing.T) {
	ca := newAuthority(t, "an authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue()}}
	address, _ := secureServer(t, config)
	for _, given := range [][]string{
		{address, "-X", "ssl_cafile=" + ca.file()},
		{address, "-X", "security_protocol=PLAINTEXT", "-X", "ssl_cafile=" + ca.file()},
		{address, "-X", "security.protocol=sasl_ssl", "-X", "ssl.ca.location=" + ca.file()},
		{"-F", file(t, "bootstrap.servers="+address, "acks=all", "sasl.mechanism=PLAIN",
			"ssl.truststore.type=PEM", "ssl.truststore.location="+ca.file())},
	} {
		probe(t, append([]string{"tls"}, given...)...).succeeded(t)
	}
	// The ciphers of the properties are those of TLS 1.2.
	ciphers := func(address string) *tlsDocument {
		o := probe(t, "tls", address, "--json",
			"-X", "ssl_cafile="+ca.file(), "-X", "ssl_ciphers=ECDHE-ECDSA-CHACHA20-POLY1305")
		return new(decode[tlsDocument](t, o))
	}
	if d := ciphers(address); d.Protocol != "TLS 1.3" {
		t.Errorf("got %s, want TLS 1.3", d.Protocol)
	}
	config = config.Clone()
	config.MaxVersion = tls.VersionTLS12
	address, _ = secureServer(t, config)
	if d := ciphers(address); d.CipherSuite != "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" {
		t.Errorf("got %s, want that of the properties", d.CipherSuite)
	}
	probe(t, "tls", address, "-X", "ssl_ciphers=ECDHE-RSA-AES128-GCM-SHA256").
		failed(t, exitTLS, "no cipher suite in common")
	probe(t, "tls", address, "-X", "ssl.enabled.protocols=TLSv1.3").failed(t, exitTLS, "no TLS version in common")
}

// TestTLSHelpHasDocument checks that the help has the name of each member, since scripts
// rely on them.
func TestTLSHelpHasDocument(t *testing.T) {
	words := strings.FieldsFunc(probe(t, "tls", "--help").stdout, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})
	var walk func(reflect.Type)
	walk = func(doc reflect.Type) {
		for f := range doc.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				continue // not exported
			}
			if !slices.Contains(words, name) {
				t.Errorf("the help has no %q", name)
			}
			inner := f.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[time.Time]() {
				walk(inner)
			}
		}
	}
	walk(reflect.TypeFor[tlsDocument]())
}
