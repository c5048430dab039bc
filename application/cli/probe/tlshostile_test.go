package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"
)

// obeyed finds what a terminal might obey, but for the ends of lines.
func obeyed(text string) string {
	i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%q", text[i:min(i+20, len(text))])
}

// The names in a certificate are a stranger's words: escapes of terminals, in seven
// bits and in eight, a bell, an end of line, and what writes from right to left.
func TestTLSHostileNames(t *testing.T) {
	const evil = "a\x1b[2J\x1b]0;b\x07\r\nc\u009b31md\u202ee\x7ff\u2028g"
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7f {
			return -1
		}
		return r
	}, evil) // IA5String
	name := func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: evil, Organization: []string{evil}}
		c.DNSNames, c.EmailAddresses = []string{ascii}, []string{ascii}
	}
	ca := newAuthority(t, evil)
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue(name)}, ClientAuth: tls.RequestClientCert, ClientCAs: x509.NewCertPool()}
	config.ClientCAs.AddCert(ca.cert)
	address, _ := secureServer(t, config)
	for _, more := range [][]string{
		nil,
		{"-X", "ssl_cafile=" + ca.file()},
		{"-X", "ssl_cafile=" + ca.file(), "-X", "ssl_crlfile=" + newAuthority(t, "another").list(time.Now().Add(time.Hour))},
		{"-X", "ssl_cafile=" + ca.file(), "-X", "ssl_crlfile=" + ca.list(time.Now().Add(time.Hour), config.Certificates[0])},
	} {
		for _, host := range []string{"127.0.0.1", "localhost"} {
			for _, form := range []string{"--json", "--json=false"} {
				args := append([]string{"tls", strings.Replace(address, "127.0.0.1", host, 1), form}, more...)
				o := probe(t, args...)
				if got := obeyed(o.stdout + o.stderr); got != "" || !strings.Contains(o.stdout, "31m") {
					t.Errorf("%q: %s in %q", args, got, o.stdout)
				}
				if form == "--json" {
					d := decode[tlsDocument](t, o)
					if c := d.Certificates[0]; c.DNS[0] != ascii || c.Email[0] != ascii {
						t.Errorf("%+v", c)
					}
				}
			}
		}
	}
}

// A chain as long as a peer likes: text has a bounded number of lines, of bounded
// length, and JSON all.
func TestTLSLongChain(t *testing.T) {
	top := newAuthority(t, "an authority")
	chain := []*authority{top}
	for n := range 49 {
		chain = append(chain, chain[n].below(fmt.Sprint("between ", n)))
	}
	leaf := chain[49].issue(func(c *x509.Certificate) {
		c.Subject.Organization = []string{strings.Repeat("long ", 1000)}
		for n := range 1000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.%s.test", n, strings.Repeat("long", 40)))
		}
	})
	s := &site{t: t, server: &tls.Config{}}
	for i := 49; i > 0; i-- {
		leaf.Certificate = append(leaf.Certificate, chain[i].cert.Raw)
	}
	s.shows(leaf)
	address, _ := secureServer(t, s.server)
	o := probe(t, "tls", address, "-X", "ssl_cafile="+top.file())
	o.succeeded(t)
	if lines := strings.Split(o.stdout, "\n"); len(lines) > 200 || !strings.Contains(o.stdout, "and 40 more certificates: --json has all") || !strings.Contains(o.stdout, "and 961 more: --json has all") {
		t.Errorf("%d lines\n%s", len(lines), o.stdout)
	} else {
		for _, line := range lines {
			if len(line) > 300 {
				t.Errorf("%d bytes: %s", len(line), line)
			}
		}
	}
	d := decode[tlsDocument](t, probe(t, "tls", address, "-X", "ssl_cafile="+top.file(), "--json"))
	if len(d.Certificates) != 50 || len(d.Certificates[0].DNS) != 1000 || !d.Verified || *d.TrustedBy != "CN=an authority" {
		t.Errorf("%d certificates, %d names", len(d.Certificates), len(d.Certificates[0].DNS))
	}
	// 50 strangers, of one name.
	stranger := newAuthority(t, "an authority")
	many := stranger.issue()
	for range 49 {
		many.Certificate = append(many.Certificate, newAuthority(t, "an authority").cert.Raw)
	}
	s.shows(many)
	address, _ = secureServer(t, s.server)
	o = probe(t, "tls", address, "-X", "ssl_cafile="+top.file())
	o.failed(t, exitTLS, "not signed by a trusted authority")
}

// record is one of TLS 1.2 or 1.3.
func record(kind byte, body string) string {
	return string([]byte{kind, 3, 3}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
}

// Peers that begin TLS and then do what they like, without an end.
func TestTLSEndlessPeers(t *testing.T) {
	endless := func(first, again string) string {
		return listener(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, err := io.WriteString(c, first)
			for err == nil {
				_, err = io.WriteString(c, again)
			}
		})
	}
	fragment := strings.Repeat("a", 1<<14)
	for name, c := range map[string]struct {
		peer string
		code int
		word string
	}{
		"zeros":                  {endless("", strings.Repeat("\x00", 1<<16)), exitTLS, "does not speak TLS"},
		"noise":                  {endless("", "\xfe\xff\xd8\x00 noise"), exitTLS, "does not speak TLS"},
		"a message without end":  {endless(record(22, "\x02\xff\xff\xff"+fragment[4:]), record(22, fragment)), exitTLS, "exceeds maximum"},
		"a certificate too long": {endless(record(22, "\x0b\x04\x00\x01"+fragment[4:]), record(22, fragment)), exitTLS, "exceeds maximum"},
		"empty records":          {endless("", record(22, "")), exitTLS, "unexpected message"},
		"warnings":               {endless("", record(21, "\x01\x5a")), exitTLS, "too many ignored records"},
		"records of no kind":     {endless("", record(99, "a")), exitTLS, "does not speak TLS"},
		"a line without end":     {endless("HTTP/1.1 200 ", "a"), exitTLS, "HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := probe(t, "tls", c.peer)
			o.failed(t, c.code, c.word)
			if o.stdout != "" || len(o.stderr) > 1000 {
				t.Errorf("%q %q", o.stdout, o.stderr)
			}
		})
	}
}

// A peer whose handshake is in order, and that then speaks without an end, is let go.
func TestTLSEndlessBehindTheHandshake(t *testing.T) {
	ca := newAuthority(t, "an authority")
	address := listener(t, func(under net.Conn) {
		conn := tls.Server(under, &tls.Config{Certificates: []tls.Certificate{ca.issue()}, ClientAuth: tls.RequestClientCert})
		err := conn.Handshake()
		for err == nil {
			_, err = io.WriteString(conn, "words ")
		}
	})
	probe(t, "tls", address, "-X", "ssl_cafile="+ca.file()).succeeded(t)
}

// A peer that keeps the pace slow is given up in time, with what was seen of it.
func TestTLSSlowPeer(t *testing.T) {
	ca := newAuthority(t, "an authority")
	address := listener(t, func(under net.Conn) {
		config := &tls.Config{Certificates: []tls.Certificate{ca.issue()}, MaxVersion: tls.VersionTLS12}
		_ = tls.Server(&oneFlight{Conn: under}, config).Handshake()
		_, _ = io.Copy(io.Discard, under)
	})
	o := probe(t, "tls", address, "--timeout", short, "-X", "ssl_cafile="+ca.file(), "--json")
	d := decode[tlsDocument](t, o)
	if o.code != exitTimeout || !d.Verified || d.Error == nil || d.Error.Reason != "stalled" || len(d.Certificates) != 1 || d.ClientCertificate.Asked != nil || d.ClientCertificate.Required != nil {
		t.Errorf("exit code %d: %s", o.code, o.stdout)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	probeWith(t, ctx, strings.NewReader(""), "tls", address).failed(t, exitInterrupted, "interrupted")
}

// oneFlight swallows all but the first flight of a server.
type oneFlight struct {
	net.Conn
	flown bool
}

func (c *oneFlight) Write(p []byte) (int, error) {
	if c.flown {
		return len(p), nil
	}
	c.flown = true
	return c.Conn.Write(p)
}

// JSON means the same, whatever of it is escaped, and has nothing that is obeyed.
func TestEscapedJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var b strings.Builder
		if err := writeJSON(&b, []string{text}); err != nil {
			t.Fatal(err)
		}
		var back []string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back[0] != text || obeyed(b.String()) != "" {
			t.Errorf("%q came to %q, read as %q: %v", text, b.String(), back, err)
		}
	})
}

// A certificate that cannot be read leaves what was seen before it.
func TestTLSUnreadableCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address, _ := secureServer(t, &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{[]byte("no certificate")}, PrivateKey: newKey(t)}},
			MaxVersion:   version,
		})
		o := probe(t, "tls", address, "--json")
		d := decode[tlsDocument](t, o)
		if o.code != exitTLS || d.Verified || d.Reason != "" || d.Protocol != tls.VersionName(version) || len(d.Certificates) != 0 ||
			d.Error == nil || d.Error.Reason != "bad-certificate" || !strings.HasPrefix(d.Verdict, "none: ") || d.Checks.Chain.Passed != nil || d.ClientCertificate.Asked != nil {
			t.Errorf("%s", o.stdout)
		}
		text := probe(t, "tls", address)
		text.failed(t, exitTLS, "certificate is not valid for server use", "malformed certificate")
		if !strings.Contains(text.stdout, "  chain             not looked at\n") {
			t.Errorf("%s", text.stdout)
		}
	}
}
