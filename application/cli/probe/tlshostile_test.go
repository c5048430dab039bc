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
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"brokerconn/acceptance/proxies"
)

// control returns the first control character of a text and what follows it, or "".
func control(text string) string {
	i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("%q", text[i:min(i+20, len(text))])
}

// TestTLSHostileNames has 7-bit and 8-bit escape sequences, a bell, a newline and right-to-left
// overrides in the names of certificates.
func TestTLSHostileNames(t *testing.T) {
	const evil = "a\x1b[2J\x1b]0;b\x07\r\nc\u009b31md\u202ee\x7ff\u2028g"
	ascii := strings.Map(func(r rune) rune {
		if r > 0x7f {
			return -1
		}
		return r
	}, evil) // IA5String
	ca := newAuthority(t, evil)
	config := &tls.Config{ClientAuth: tls.RequestClientCert, ClientCAs: x509.NewCertPool()}
	config.Certificates = []tls.Certificate{ca.issue(func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: evil, Organization: []string{evil}}
		c.DNSNames, c.EmailAddresses = []string{ascii}, []string{ascii}
	})}
	config.ClientCAs.AddCert(ca.cert)
	address, _ := secureServer(t, config)
	later := time.Now().Add(time.Hour)
	trusted := []string{"-X", "ssl_cafile=" + ca.file()}
	for _, more := range [][]string{
		nil,
		trusted,
		append(trusted, "-X", "ssl_crlfile="+newAuthority(t, "another").list(later)),
		append(trusted, "-X", "ssl_crlfile="+ca.list(later, config.Certificates[0])),
	} {
		for _, host := range []string{"127.0.0.1", "localhost"} {
			args := append([]string{"tls", strings.Replace(address, "127.0.0.1", host, 1)}, more...)
			text, doc := probe(t, args...), probe(t, append(args, "--json")...)
			for _, o := range []outcome{text, doc} {
				if got := control(o.stdout + o.stderr); got != "" {
					t.Errorf("%q: got control character %s, want none", args, got)
				}
				contains(t, o.stdout, "31m")
			}
			if c := decode[tlsDocument](t, doc).Certificates[0]; c.DNS[0] != ascii || c.Email[0] != ascii {
				t.Errorf("got %+v, want the names", c)
			}
		}
	}
}

// TestTLSLongChain checks that the text of a long chain has a limit, and that JSON has all.
func TestTLSLongChain(t *testing.T) {
	chain := []*authority{newAuthority(t, "an authority")}
	for n := range 49 {
		chain = append(chain, chain[n].below(fmt.Sprint("between ", n)))
	}
	leaf := chain[49].issue(func(c *x509.Certificate) {
		c.Subject.Organization = []string{strings.Repeat("long ", 1000)}
		for n := range 1000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("%d.%s.test", n, strings.Repeat("long", 40)))
		}
	})
	for i := 49; i > 0; i-- {
		leaf.Certificate = append(leaf.Certificate, chain[i].cert.Raw)
	}
	address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{leaf}})
	trusted := "ssl_cafile=" + chain[0].file()
	o := probe(t, "tls", address, "-X", trusted).
		succeeded(t, "and 40 more certificates: --json has all", "and 961 more: --json has all")
	lines := strings.Split(o.stdout, "\n")
	longest := slices.MaxFunc(lines, func(a, b string) int { return len(a) - len(b) })
	if len(lines) > 200 || len(longest) > 300 {
		t.Errorf("got %d lines of up to %d bytes, want at most 200 of 300", len(lines), len(longest))
	}
	d := decode[tlsDocument](t, probe(t, "tls", address, "-X", trusted, "--json"))
	if n := len(d.Certificates); n != 50 || len(d.Certificates[0].DNS) != 1000 || !d.Verified ||
		*d.TrustedBy != "CN=an authority" {
		t.Errorf("got %d certificates, verified %v, want 50, true", n, d.Verified)
	}
	// 50 other authorities with the same name.
	many := newAuthority(t, "an authority").issue()
	for range 49 {
		many.Certificate = append(many.Certificate, newAuthority(t, "an authority").cert.Raw)
	}
	address, _ = secureServer(t, &tls.Config{Certificates: []tls.Certificate{many}})
	probe(t, "tls", address, "-X", trusted).failed(t, exitTLS, "not signed by a trusted authority")
}

// record returns a record of TLS 1.2 or 1.3.
func record(kind byte, body string) string {
	return string([]byte{kind, 3, 3}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
}

// TestTLSEndlessPeers has peers that send without end, in the handshake or instead of it.
func TestTLSEndlessPeers(t *testing.T) {
	fragment := strings.Repeat("a", 1<<14)
	for name, c := range map[string]struct {
		first, again string
		want         string
	}{
		"zeros":                {"", strings.Repeat("\x00", 1<<16), "does not speak TLS"},
		"noise":                {"", "\xfe\xff\xd8\x00 noise", "does not speak TLS"},
		"endless message":      {record(22, "\x02\xff\xff\xff"+fragment[4:]), record(22, fragment), "exceeds maximum"},
		"long certificate":     {record(22, "\x0b\x04\x00\x01"+fragment[4:]), record(22, fragment), "exceeds maximum"},
		"empty records":        {"", record(22, ""), "unexpected message"},
		"warnings":             {"", record(21, "\x01\x5a"), "too many ignored records"},
		"unknown record types": {"", record(99, "a"), "does not speak TLS"},
		"endless line":         {"HTTP/1.1 200 ", "a", "HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := proxies.Listen(t, func(conn net.Conn) {
				_, _ = conn.Read(make([]byte, 4096))
				_, err := io.WriteString(conn, c.first)
				for err == nil {
					_, err = io.WriteString(conn, c.again)
				}
			})
			o := probe(t, "tls", peer).failed(t, exitTLS, c.want)
			if o.stdout != "" || len(o.stderr) > 1000 {
				t.Errorf("got %q and %q, want a short error", o.stdout, o.stderr)
			}
		})
	}
}

// A peer may send without end after the handshake.
func TestTLSEndlessAfterHandshake(t *testing.T) {
	ca := newAuthority(t, "an authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue()}, ClientAuth: tls.RequestClientCert}
	address := proxies.Listen(t, func(under net.Conn) {
		conn := tls.Server(under, config)
		err := conn.Handshake()
		for err == nil {
			_, err = io.WriteString(conn, "words ")
		}
	})
	probe(t, "tls", address, "-X", "ssl_cafile="+ca.file()).succeeded(t)
}

// A peer that stalls in the handshake is reported with what it sent.
func TestTLSStalledPeer(t *testing.T) {
	ca := newAuthority(t, "an authority")
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue()}, MaxVersion: tls.VersionTLS12}
	address := proxies.Listen(t, func(under net.Conn) {
		_ = tls.Server(&oneFlight{Conn: under}, config).Handshake()
		_, _ = io.Copy(io.Discard, under)
	})
	o := probe(t, "tls", address, "--timeout", short, "-X", "ssl_cafile="+ca.file(), "--json")
	d := decode[tlsDocument](t, o)
	i := d.ClientCertificate
	if o.code != exitTimeout || !d.Verified || d.Error == nil || d.Error.Reason != "stalled" ||
		len(d.Certificates) != 1 || i.Requested != nil || i.Required != nil {
		t.Errorf("got exit code %d and %s, want a verified broker that stalled", o.code, o.stdout)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	probeWith(t, ctx, strings.NewReader(""), "tls", address).failed(t, exitInterrupted, "interrupted")
}

// oneFlight discards all but the first write of a server.
type oneFlight struct {
	net.Conn
	written bool
}

func (c *oneFlight) Write(p []byte) (int, error) {
	if c.written {
		return len(p), nil
	}
	c.written = true
	return c.Conn.Write(p)
}

// TestEscapedJSON checks that escaped JSON has the same meaning and no control characters.
func TestEscapedJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		var b strings.Builder
		if err := writeJSON(&b, []string{want}); err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil || got[0] != want || control(b.String()) != "" {
			t.Errorf("got %q (%v) of %q, want %q", got, err, b.String(), want)
		}
	})
}

func TestTLSUnreadableCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address, _ := secureServer(t, &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{[]byte("no certificate")}, PrivateKey: newKey()}},
			MaxVersion:   version,
		})
		o := probe(t, "tls", address, "--json")
		d := decode[tlsDocument](t, o)
		if o.code != exitTLS || d.Error == nil || d.Error.Reason != "bad-certificate" {
			t.Errorf("got exit code %d, error %+v, want bad-certificate", o.code, d.Error)
		}
		if d.Verified || d.Reason != "" || d.Protocol != tls.VersionName(version) || len(d.Certificates) != 0 ||
			!strings.HasPrefix(d.Verdict, "none: ") || d.Checks.Chain.Passed != nil ||
			d.ClientCertificate.Requested != nil {
			t.Errorf("got %s, want the protocol and no verdict", o.stdout)
		}
		text := probe(t, "tls", address).
			failed(t, exitTLS, "certificate is not valid for server use", "malformed certificate")
		contains(t, text.stdout, "  chain             not checked\n")
	}
}
