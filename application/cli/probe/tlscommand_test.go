package probe

import (
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

	"brokerconn/adapters/netlink"
	"brokerconn/application/properties"
	"brokerconn/ports"
)

// ears are what a server had of its clients.
type ears struct {
	mu           sync.Mutex
	connections  int
	certificates int
	data         int64
}

// secureServer shakes hands with everybody, and reads to the end.
func secureServer(t *testing.T, config *tls.Config) (address string, heard *ears) {
	heard = new(ears)
	return listener(t, func(under net.Conn) {
		conn := tls.Server(under, config)
		defer conn.Close()
		n := int64(0)
		if conn.Handshake() == nil {
			n, _ = io.Copy(io.Discard, conn)
		}
		heard.mu.Lock()
		defer heard.mu.Unlock()
		heard.connections++
		heard.certificates += len(conn.ConnectionState().PeerCertificates)
		heard.data += n
	}), heard
}

// site is a broker, and who looks at it with a certificate of its own.
type site struct {
	t      *testing.T
	ca     *authority
	server *tls.Config
	host   string
	args   []string
}

func (s *site) with(properties ...string) {
	for _, p := range properties {
		s.args = append(s.args, "-X", p)
	}
}

func (s *site) shows(c tls.Certificate, above ...*authority) {
	for _, a := range above {
		c.Certificate = append(c.Certificate, a.cert.Raw)
	}
	s.server.Certificates = []tls.Certificate{c}
}

func (s *site) identify(c tls.Certificate) {
	s.with("ssl_certfile="+certificateFile(s.t, c.Certificate...), "ssl_keyfile="+keyFile(s.t, c))
}

func (s *site) demands() {
	s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	s.server.ClientCAs.AddCert(s.ca.cert)
}

// is writes what a pointer to a truth says.
func is(b *bool) string {
	if b == nil {
		return "unknown"
	}
	return fmt.Sprint(*b)
}

func TestTLSCommand(t *testing.T) {
	trusting := func(s *site) { s.with("ssl_cafile=" + s.ca.file()) }
	for _, c := range []struct {
		name   string
		set    func(s *site)
		code   int
		reason string // of the verdict
		checks string // chain, host, revocation
		client string // asked, required, shown, accepted
		words  []string
	}{
		{"verified", trusting, exitOK, "", "true true unknown", "false false false unknown", []string{
			"verdict             verified\n", "CN=an authority", "client certificate  not asked for", "resumption          yes", "no CRL file"}},
		{"without any properties", func(*site) {}, exitTLS, "unknown-authority", "false true unknown", "false false false unknown", []string{
			"NOT VERIFIED: the broker's certificate is not signed by a trusted authority\n", "certificate 1 of 1  CN=a broker"}},
		{"another host", func(s *site) { trusting(s); s.host = "localhost" }, exitTLS, "wrong-host", "true false unknown", "false false false unknown", []string{
			"WRONG: the broker's certificate is not for this host", `it is for 127.0.0.1, not for "localhost"`}},
		{"any host", func(s *site) { trusting(s); s.host = "localhost"; s.with("ssl_check_hostname=false") }, exitOK, "", "true false unknown", "false false false unknown", []string{
			"verified, but for the host, which the properties leave out\n", "wrong, which the properties leave out"}},
		{"a name", func(s *site) {
			trusting(s)
			s.host = "localhost"
			s.shows(s.ca.issue(func(c *x509.Certificate) { c.DNSNames = []string{"localhost"} }))
		}, exitOK, "", "true true unknown", "false false false unknown", []string{"DNS localhost", "IP 127.0.0.1"}},
		{"expired", func(s *site) {
			trusting(s)
			s.shows(s.ca.issue(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-30 * time.Minute) }))
		}, exitTLS, "expired", "false true unknown", "false false false unknown", []string{"NOT VERIFIED: the broker's certificate has expired\n", ": EXPIRED 30 minutes ago\n"}},
		{"not yet valid", func(s *site) {
			trusting(s)
			s.shows(s.ca.issue(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(150 * time.Minute) }))
		}, exitTLS, "not-yet-valid", "false true unknown", "false false false unknown", []string{": BEGINS in 2 hours\n"}},
		{"self-signed", func(s *site) {
			alone := newAuthority(s.t, "itself")
			s.shows(tls.Certificate{Certificate: [][]byte{alone.cert.Raw}, PrivateKey: alone.key})
		}, exitTLS, "self-signed", "false false unknown", "false false false unknown", []string{"; an authority\n"}},
		{"a chain", func(s *site) {
			trusting(s)
			between := s.ca.below("between")
			s.shows(between.issue(), between)
		}, exitOK, "", "true true unknown", "false false false unknown", []string{"certificate 1 of 2  CN=a broker\n  issued by         CN=between\n", "certificate 2 of 2  CN=between\n  issued by         CN=an authority\n"}},
		{"half a chain", func(s *site) { trusting(s); s.shows(s.ca.below("between").issue()) }, exitTLS, "unknown-authority", "false true unknown", "false false false unknown", []string{"CN=between"}},
		{"not on the list", func(s *site) { trusting(s); s.with("ssl_crlfile=" + s.ca.list(time.Now().Add(time.Hour))) }, exitOK, "", "true true true", "false false false unknown", []string{"revocation        ok: not revoked"}},
		{"revoked", func(s *site) {
			trusting(s)
			s.with("ssl_crlfile=" + s.ca.list(time.Now().Add(time.Hour), s.server.Certificates[0]))
		}, exitTLS, "revoked", "true true false", "false false false unknown", []string{"NOT VERIFIED: the broker's certificate is revoked\n", "serial number 65"}},
		{"an expired list", func(s *site) { trusting(s); s.with("ssl_crlfile=" + s.ca.list(time.Now().Add(-time.Hour))) }, exitTLS, "crl-expired", "true true false", "false false false unknown", []string{"has expired"}},
		{"another's list", func(s *site) {
			trusting(s)
			s.with("ssl_crlfile=" + newAuthority(s.t, "another").list(time.Now().Add(time.Hour)))
		}, exitTLS, "crl-missing", "true true false", "false false false unknown", []string{"no revocation list"}},
		{"a list, and nobody trusted", func(s *site) { s.with("ssl_crlfile=" + s.ca.list(time.Now().Add(time.Hour))) }, exitTLS, "unknown-authority", "false true unknown", "false false false unknown", []string{"list of an authority that is trusted"}},
		{"verification left out", func(s *site) {
			s.with("security.protocol=ssl", "enable.ssl.certificate.verification=false")
		}, exitOK, "unknown-authority", "false true unknown", "false false false unknown", []string{"(the properties do not ask)\n", "wrong, which the properties leave out", "ok, not that it has to be"}},

		{"asked", func(s *site) { trusting(s); s.server.ClientAuth = tls.RequestClientCert }, exitOK, "", "true true unknown", "true false false unknown", []string{
			"asked for, not required; none is configured"}},
		{"asked, and shown", func(s *site) {
			trusting(s)
			s.server.ClientAuth = tls.RequestClientCert
			s.identify(s.ca.issue())
		}, exitOK, "", "true true unknown", "true false true true", []string{"asked for, not required; the one that is configured is accepted"}},
		{"demanded", func(s *site) { trusting(s); s.demands() }, exitTLS, "", "true true unknown", "true true false unknown", []string{
			"verified, but the handshake failed: the broker requires a client certificate", "asked for, and required; none is configured", "signed by         CN=an authority"}},
		{"demanded, and shown", func(s *site) { trusting(s); s.demands(); s.identify(s.ca.issue()) }, exitOK, "", "true true unknown", "true true true true", []string{
			"asked for, and required; the one that is configured is accepted", "resumption          yes"}},
		{"demanded, and refused", func(s *site) { trusting(s); s.demands(); s.identify(newAuthority(s.t, "a stranger").issue()) }, exitTLS, "", "true true unknown", "true true true false", []string{
			"verified, but the handshake failed: the broker rejects the client certificate", "required; the one that is configured is refused"}},
		{"demanded by who is not verified", func(s *site) { s.demands(); s.identify(s.ca.issue()) }, exitTLS, "unknown-authority", "false true unknown", "true true false unknown", []string{
			"asked for, and required; who is not verified is not shown the one that is configured"}},
		{"asked by who is not verified", func(s *site) {
			trusting(s)
			s.host, s.server.ClientAuth = "localhost", tls.RequestClientCert
			s.identify(s.ca.issue())
		}, exitTLS, "wrong-host", "true false unknown", "true false false unknown", []string{"asked for, not required; who is not verified"}},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(c.name+", "+tls.VersionName(version), func(t *testing.T) {
				t.Parallel()
				s := &site{t: t, ca: newAuthority(t, "an authority"), host: "127.0.0.1"}
				s.server = &tls.Config{MinVersion: version, MaxVersion: version}
				s.shows(s.ca.issue())
				c.set(s)
				address, heard := secureServer(t, s.server)
				address = strings.Replace(address, "127.0.0.1", s.host, 1)
				args := append([]string{"tls", address}, s.args...)

				text := probe(t, args...)
				if text.code != c.code || (text.stderr == "") != (c.code == exitOK) {
					t.Errorf("exit code %d, standard error %q", text.code, text.stderr)
				}
				for _, w := range append(c.words, "protocol            "+tls.VersionName(version)+"\n") {
					if !strings.Contains(text.stdout, w) {
						t.Errorf("%q is not in\n%s", w, text.stdout)
					}
				}
				o := probe(t, append(args, "--json")...)
				d := decode[tlsDocument](t, o)
				checks := is(d.Checks.Chain.Passed) + " " + is(d.Checks.Host.Passed) + " " + is(d.Checks.Revocation.Passed)
				client := is(d.ClientCertificate.Asked) + " " + is(d.ClientCertificate.Required) + " " + fmt.Sprint(d.ClientCertificate.Shown) + " " + is(d.ClientCertificate.Accepted)
				if o.code != c.code || d.Reason != c.reason || d.Verified != (c.reason == "") || checks != c.checks || client != c.client {
					t.Errorf("exit code %d, reason %q, checks %s, client certificate %s", o.code, d.Reason, checks, client)
				}
				if d.Protocol != tls.VersionName(version) || d.ServerName != s.host || d.Broker != address || !strings.HasPrefix(d.Address, "127.0.0.1:") || d.CipherSuite == "" || len(d.Certificates) == 0 {
					t.Errorf("%+v", d)
				}
				if (d.Error == nil) != (c.code == exitOK) || d.Error != nil && (d.Error.ExitCode != c.code || d.Error.Hint == "" || c.reason != "" && d.Error.Reason != c.reason) {
					t.Errorf("error %+v", d.Error)
				}

				heard.mu.Lock()
				defer heard.mu.Unlock()
				if heard.data != 0 || heard.certificates > 0 && !d.ClientCertificate.Shown {
					t.Errorf("the server was sent %d certificates and %d bytes of data", heard.certificates, heard.data)
				}
			})
		}
	}
}

// What a document says of a certificate is what was put into it.
func TestTLSCertificates(t *testing.T) {
	ca := newAuthority(t, "an authority")
	uri, err := url.Parse("spiffe://example.org/broker")
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(10*24*time.Hour + time.Hour).Truncate(time.Second)
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "a, b", Organization: []string{"c"}, Country: []string{"NL"}}
		c.DNSNames, c.EmailAddresses, c.URIs = []string{"b.test", "*.b.test"}, []string{"ops@b.test"}, []*url.URL{uri}
		c.IPAddresses = append(c.IPAddresses, net.ParseIP("2001:db8::1"))
		c.NotAfter = end
	})}})
	d := decode[tlsDocument](t, probe(t, "tls", address, "--json", "-X", "ssl_cafile="+ca.file()))
	if d.TrustedBy == nil || *d.TrustedBy != "CN=an authority" || len(d.Certificates) != 1 {
		t.Fatalf("%+v", d)
	}
	c := d.Certificates[0]
	if c.Subject != `CN=a\, b,O=c,C=NL` || c.Issuer != "CN=an authority" || c.Serial != "65" || c.Authority || c.Key != "ECDSA P-256" || c.Signature != "ECDSA-SHA256" {
		t.Errorf("%+v", c)
	}
	if !slices.Equal(c.DNS, []string{"b.test", "*.b.test"}) || !slices.Equal(c.IP, []string{"127.0.0.1", "2001:db8::1"}) ||
		!slices.Equal(c.Email, []string{"ops@b.test"}) || !slices.Equal(c.URI, []string{uri.String()}) || c.OtherNames != 0 {
		t.Errorf("%+v", c)
	}
	if !c.NotAfter.Equal(end) || c.DaysLeft != 10 || len(c.SHA256) != 64 {
		t.Errorf("%+v", c)
	}
	text := probe(t, "tls", address, "-X", "ssl_cafile="+ca.file())
	text.succeeded(t)
	if !strings.Contains(text.stdout, end.UTC().Format("2006-01-02 15:04:05 UTC")+": 10 days left\n") {
		t.Error(text.stdout)
	}
}

// Peers that speak no TLS, or none to the end, and the code of each.
func TestTLSOfOtherPeers(t *testing.T) {
	kafka, _ := fakeKafka(t)
	for _, c := range []struct {
		name  string
		peer  string
		code  int
		words []string
	}{
		{"Kafka in clear", kafka, exitTLS, []string{"Kafka's ApiVersions in clear", "PLAINTEXT"}},
		{"web server in clear", web(t), exitTLS, []string{"HTTP/1.1 400 Bad Request", "web server"}},
		{"server of text", answersLines(t), exitTLS, []string{"500 unrecognised command", "check the port"}},
		{"SSH", says(t, "SSH-2.0-OpenSSH_9.9\r\n"), exitTLS, []string{"SSH"}},
		{"hangs up", hangsUp(t), exitTLS, []string{"closed the connection", "PLAINTEXT"}},
		{"an alert", says(t, "\x15\x03\x03\x00\x02\x02\x28"), exitTLS, []string{"no cipher suite in common"}},
		{"half a hello", says(t, "\x16\x03\x03\x00\x7a\x02"), exitTimeout, []string{"6 bytes had come"}},
		{"silence", silent(t), exitTimeout, []string{"timed out", "neither a TLS hello nor", "HTTP"}},
		{"closed port", closedPort(t), exitTCP, []string{"refused"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"tls", c.peer, "--timeout", short}
			text := probe(t, args...)
			text.failed(t, c.code, c.words...)
			if text.stdout != "" {
				t.Errorf("standard output: %q", text.stdout)
			}
			doc := probe(t, append(args, "--json")...)
			if e := decode[errorDocument](t, doc).Error; e == nil || e.ExitCode != c.code || e.Broker != c.peer {
				t.Errorf("as JSON: %s", doc.stdout)
			}
		})
	}
}

func TestTLSOfNobody(t *testing.T) {
	o := probe(t, "tls", "no-such-host.invalid", "--timeout", "5s")
	// Where there is no resolver the question may go unanswered instead.
	if o.code != exitTimeout {
		o.failed(t, exitDNS, "no-such-host.invalid", "cannot resolve the host")
	}
	probe(t, "tls").failed(t, exitUsage, "needs HOST:PORT")
	probe(t, "tls", "a b").failed(t, exitUsage, "HOST:PORT")
	probe(t, "tls", ":9093").failed(t, exitUsage, "HOST:PORT", "no host")
	probe(t, "tls", "a:1", "-X", "ssl_cafile=/nowhere").failed(t, exitUsage, "ssl_cafile", "/nowhere")
	probe(t, "tls", "a:1", "-X", "ssl_ciphers=NONE-SUCH").failed(t, exitUsage, "ssl_ciphers")
}

// Of several addresses the first that is reached is looked at; if none is, the last
// says why.
func TestTLSNextAddress(t *testing.T) {
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{newAuthority(t, "an authority").issue()}})
	for _, c := range []struct {
		addresses []string
		want      string
	}{
		{[]string{closedPort(t), address, silent(t)}, address},
		{[]string{closedPort(t), closedPort(t)}, ""},
	} {
		a := &app{settings: &properties.Settings{}}
		l, err := a.newLook("broker.invalid:9093")
		if err != nil {
			t.Fatal(err)
		}
		l.way = &netlink.Transport{Lookup: func(context.Context, string, uint16) (all []ports.Endpoint, err error) {
			for _, address := range c.addresses {
				all = append(all, ports.Endpoint{Network: "tcp", Address: address})
			}
			return all, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		seen, err := l.first(ctx)
		cancel()
		switch {
		case c.want != "" && (err != nil || seen.Name != "broker.invalid" || l.endpoint.Address != c.want):
			t.Errorf("%q: %+v %v", c.addresses, l.endpoint, err)
		case c.want == "" && (exitCode(err) != exitTCP || !strings.Contains(err.Error(), c.addresses[1])):
			t.Errorf("%q: %v", c.addresses, err)
		}
	}
}

// The properties of every dialect count, with whatever security protocol.
func TestTLSProperties(t *testing.T) {
	ca := newAuthority(t, "an authority")
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{ca.issue()}})
	for _, given := range [][]string{
		{address, "-X", "ssl_cafile=" + ca.file()},
		{address, "-X", "security_protocol=PLAINTEXT", "-X", "ssl_cafile=" + ca.file()},
		{address, "-X", "security.protocol=sasl_ssl", "-X", "ssl.ca.location=" + ca.file()},
		{"-F", file(t, "bootstrap.servers="+address, "acks=all", "sasl.mechanism=PLAIN", "ssl.truststore.type=PEM", "ssl.truststore.location="+ca.file())},
	} {
		probe(t, append([]string{"tls"}, given...)...).succeeded(t)
	}
	o := probe(t, "tls", address, "-X", "ssl_cafile="+ca.file(), "-X", "ssl_ciphers=ECDHE-ECDSA-CHACHA20-POLY1305", "--json")
	if d := decode[tlsDocument](t, o); d.Protocol != "TLS 1.3" {
		t.Errorf("%+v", d)
	}
	old := tls.Config{Certificates: []tls.Certificate{ca.issue()}, MaxVersion: tls.VersionTLS12}
	address, _ = secureServer(t, &old)
	o = probe(t, "tls", address, "-X", "ssl_cafile="+ca.file(), "-X", "ssl_ciphers=ECDHE-ECDSA-CHACHA20-POLY1305", "--json")
	if d := decode[tlsDocument](t, o); d.CipherSuite != "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" {
		t.Errorf("%+v", d)
	}
	probe(t, "tls", address, "-X", "ssl_ciphers=ECDHE-RSA-AES128-GCM-SHA256").failed(t, exitTLS, "no cipher suite in common")
	probe(t, "tls", address, "-X", "ssl.enabled.protocols=TLSv1.3").failed(t, exitTLS, "no TLS version in common")
}

func TestTLSInterrupted(t *testing.T) {
	ca := newAuthority(t, "an authority")
	// Asked and content, it waits for the client.
	waiting, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{ca.issue()}, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true})
	for name, address := range map[string]string{"in the handshake": silent(t), "behind it": waiting} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			o := probeWith(t, ctx, strings.NewReader(""), "tls", address, "--timeout", "1h", "-X", "ssl_cafile="+ca.file())
			o.failed(t, exitInterrupted, "interrupted")
		})
	}
}

// Scripts rely on the document: every name of it is in the help.
func TestTLSHelpHasTheDocument(t *testing.T) {
	help := probe(t, "tls", "--help").stdout
	words := strings.FieldsFunc(help, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' })
	var walk func(reflect.Type)
	walk = func(doc reflect.Type) {
		for f := range doc.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				continue // not exported
			}
			if !slices.Contains(words, name) {
				t.Errorf("%q is not in the help", name)
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
