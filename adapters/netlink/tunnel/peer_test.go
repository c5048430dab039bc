package tunnel_test

import (
	"strings"
	"testing"

	"brokerconn/adapters/netlink/tunnel"
)

func TestUnlike(t *testing.T) {
	for _, c := range []struct{ first, says string }{
		{"SSH-2.0-OpenSSH_9.2p1\r\n", `"SSH-2.0-OpenSSH_9.2p1\r\n": an SSH server`},
		{"SS", `"SS": an SSH server`},
		{"HT", `"HT": a web server or an HTTP proxy`},
		{"HTTP/1.1 400 Bad Request\r\n", "a web server or an HTTP proxy"},
		{"<html>", "an old web server"},
		{"\x15\x03\x01\x00\x02\x02\x0a", "TLS"},
		{"\x05\xff", "a SOCKS5 proxy"},
		{"\x00\x5b", "SOCKS4"},
		{"220 mail", "FTP"},
		{"S", `the answer begins with "S"`},
		{"zz", `the answer begins with "zz"`},
		{strings.Repeat("z", 100), `the answer begins with "` + strings.Repeat("z", 32) + `"`},
	} {
		if got := tunnel.Unlike([]byte(c.first), false).Error(); !strings.Contains(got, c.says) {
			t.Errorf("%q: %s; want %s", c.first, got, c.says)
		}
		_, is, _ := strings.Cut(c.says, `": `)
		if got := tunnel.Unlike([]byte(c.first), true).Error(); strings.Contains(got, `"`) ||
			!strings.HasSuffix(got, is) {
			t.Errorf("%q after a login: %s; want %s alone", c.first, got, is)
		}
	}
}
