package httpconnect_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink/tunnel"
)

const (
	request = "CONNECT broker:9092 HTTP/1.1\r\nHost: broker:9092\r\nUser-Agent: brokerconn\r\n\r\n"
	// alice:opensesame
	requestLogin = "CONNECT broker:9092 HTTP/1.1\r\nHost: broker:9092\r\nUser-Agent: brokerconn\r\n" +
		"Proxy-Authorization: Basic YWxpY2U6b3BlbnNlc2FtZQ==\r\n\r\n"
)

var (
	none  httpconnect.Options
	alice = httpconnect.Options{Login: tunnel.NewLogin("alice", "opensesame")}
)

// dialScripted dials through a proxy that hears a request, byte for byte, says
// something and closes.
func dialScripted(t *testing.T, hears, says string, o httpconnect.Options, target string) (net.Conn, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		received := make([]byte, len(hears))
		if _, err := io.ReadFull(theirs, received); err != nil || string(received) != hears {
			t.Errorf("the proxy received %q, %v; want %q", received, err, hears)
		}
		_, _ = io.WriteString(theirs, says) // who has received enough closes
	}()
	t.Cleanup(func() { <-done })
	o.Proxy = "proxy:3128"
	conn, err := httpconnect.Dial(func(context.Context, string, string) (net.Conn, error) { return ours, nil },
		o)(context.Background(), "tcp", target)
	return conn, err
}

func TestTunnels(t *testing.T) {
	asks := func(target string) string { return strings.ReplaceAll(request, "broker:9092", target) }
	for _, c := range []struct {
		name        string
		hears, says string
		o           httpconnect.Options
		target      string
	}{
		{"a name", request, "HTTP/1.1 200 OK\r\n\r\n", none, "broker:9092"},
		{"IPv4", asks("192.0.2.7:9092"), "HTTP/1.1 200 OK\r\n\r\n", none, "192.0.2.7:9092"},
		{"IPv6", asks("[2001:db8::7]:9092"), "HTTP/1.1 200 OK\r\n\r\n", none, "[2001:db8::7]:9092"},
		{"not ASCII", asks("xn--bcher-kva.example:9092"), "HTTP/1.1 200 OK\r\n\r\n", none, "bücher.example:9092"},
		{"the port of HTTP", asks("broker:80"), "HTTP/1.1 200 OK\r\n\r\n", none, "broker:80"},
		{"with a login", requestLogin, "HTTP/1.1 200 OK\r\n\r\n", alice, "broker:9092"},
		{"HTTP/1.0, no reason, bare line ends", request, "HTTP/1.0 200\n\n", none, "broker:9092"},
		{"another success", request, "HTTP/1.1 204 No Content\r\nVia: 1.1 x\r\n\r\n", none, "broker:9092"},
		{"a length that means nothing", request, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", none, "broker:9092"},
		{"an encoding that means nothing", request, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			none, "broker:9092"},
		// A client ignores both, whatever they are (RFC 9110, section 9.3.6).
		{"a length without a number", request, "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", none, "broker:9092"},
		{"two lengths", request, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nVia: x\r\ncontent-length: 2\r\n\r\n", none,
			"broker:9092"},
		{"an old encoding", request, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\nTransfer-Encoding: identity\n\n",
			none, "broker:9092"},
		{"others first", request, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 " +
			"200 OK\r\n\r\n", none, "broker:9092"},
		{"a header just short enough", request, "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 16<<10-24) + "\r\n\r\n",
			none, "broker:9092"},
	} {
		for _, first := range []string{"", "t", "tunnel", "HTTP/1.1 200 OK\r\n\r\n"} {
			t.Run(c.name+", then "+first, func(t *testing.T) {
				conn := proxies.Must(dialScripted(t, c.hears, c.says+first, c.o, c.target))(t)
				defer conn.Close()
				if got, err := io.ReadAll(conn); string(got) != first || err != nil {
					t.Errorf("through the tunnel came %q, %v; want %q", got, err, first)
				}
			})
		}
	}
}

// The tunnel is the connection to the proxy itself, in which netlink finds the socket and the
// handshake, also if its first bytes came along with the answer.
func TestTunnelIsTheConnection(t *testing.T) {
	for _, header := range []string{"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200\n\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\n\n", "HTTP/1.1 200 OK\r\nVia: x\r\n y\r\n\r\n"} {
		for _, tunnelled := range []string{"", "x", "\r\n", "HTTP/1.0 200\n\n", strings.Repeat("0123456789", 100)} {
			conn := &proxies.Said{Rest: []byte(header + tunnelled), Pieces: 4096}
			through, err := httpconnect.Dial(conn.Dial, httpconnect.Options{Proxy: "proxy:3128"})(context.Background(),
				"tcp", "broker:9092")
			if err != nil || through != net.Conn(conn) || string(conn.Rest) != tunnelled {
				t.Errorf("%q: got %T, %v and %q unread, want the connection and %.20q", header, through, err, conn.Rest,
					tunnelled)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	const asked, tooLong = "after the request was sent", "no end of the header within 16384 bytes"
	type status = httpconnect.Status
	rejected, garbage, cutOff, refused := tunnel.ErrLogin, tunnel.ErrGarbage, tunnel.ErrCutOff, tunnel.ErrRefused
	for _, c := range []struct {
		name  string
		says  string
		o     httpconnect.Options
		kind  error
		cause error
		has   string
	}{
		{"407, none given", "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 100\r\n\r\n",
			none, rejected, status(407),
			"it requires one, and none is configured: 407 Proxy Authentication Required"},
		{"407", "HTTP/1.1 407 X\r\nProxy-Authenticate: basic\r\n\r\n", alice, rejected, status(407),
			"user name or password is wrong: 407"},
		{"407, no scheme", "HTTP/1.1 407 X\r\n\r\n", alice, rejected, status(407),
			"user name or password is wrong: 407"},
		{"407, other schemes", "HTTP/1.1 407 X\r\nProxy-Authenticate: negotiate\r\n" +
			"Proxy-Authenticate: NTLM abc\r\n\r\n",
			alice, rejected, status(407),
			`it requires "Negotiate" or "NTLM", and only Basic is supported: 407`},
		{"407, Basic among them", "HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic " +
			"realm=x\r\n\r\n", alice, rejected, status(407), "user name or password is wrong"},
		{"407, a list without Basic", "HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate, Digest realm=\"x\", " +
			"nonce=\"y\"\r\n\r\n", alice, rejected, status(407),
			`it requires "Negotiate" or "Digest", and`},
		{"407, a list with Basic", "HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate, Basic realm=\"x\"\r\n\r\n",
			none, rejected, status(407), "none is configured"},
		{"401", "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\n\r\n", alice, rejected, status(401),
			"user name or password is wrong: 401 Unauthorized"},
		{"401, another scheme", "HTTP/1.1 401 X\r\nWWW-Authenticate: Digest nonce=1\r\n\r\n", alice, rejected,
			status(401), `it requires "Digest", and only Basic is supported: 401`},
		{"400", "HTTP/1.1 400 X\r\n\r\n", none, refused, status(400), "400 Bad Request: it does not understand"},
		{"403", "HTTP/1.1 403 X\r\n\r\n<html>opensesame", none, refused, status(403),
			"403 Forbidden: its rules do not allow it; many proxies open tunnels to port 443 only"},
		{"405", "HTTP/1.1 405 X\r\n\r\n", none, refused, status(405),
			"405 Method Not Allowed: it does not allow CONNECT: this looks like a web server"},
		{"501", "HTTP/1.0 501 X\r\n\r\n", none, refused, status(501), "this looks like a web server"},
		{"502", "HTTP/1.1 502 X\r\n\r\n", none, refused, status(502), "502 Bad Gateway: it cannot reach the host"},
		{"504", "HTTP/1.1 504 X\r\n\r\n", none, refused, status(504),
			"504 Gateway Timeout: it did not reach the host in time"},
		{"302", "HTTP/1.1 302 X\r\nLocation: /login\r\n\r\n", none, refused, status(302), "302 Found"},
		{"599", "HTTP/1.1 599 opensesame\r\n\r\n", alice, refused, status(599), "tunnel: 599"},
		{"tinyproxy", "HTTP/1.0 500 Unable to connect\r\nServer: tinyproxy/1.11.1\r\n\r\n", none, refused, status(500),
			`; it says "Unable to connect"`},
		{"privoxy", "HTTP/1.1 404 No such domain\r\n\r\n", none, refused, status(404), `it says "No such domain"`},
		{"squid", "HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n", none, refused,
			status(503), `it says "X-Squid-Error: ERR_CONNECT_FAIL 111"`},
		{"squid, a login", "HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"x\"\r\nX-Squid-Error: " +
			"ERR_CACHE_ACCESS_DENIED 0\r\n\r\n", none, rejected, status(407),
			`it says "X", "X-Squid-Error: ERR_CACHE_ACCESS_DENIED 0"`},
		{"RFC 9209", "HTTP/1.1 502 Bad Gateway\r\nProxy-Status: proxy; error=connection_refused\r\n\r\n", none, refused,
			status(502), `it says "Proxy-Status: proxy; error=connection_refused"`},
		{"a header of its own", "HTTP/1.1 403 Forbidden\r\nx-deny-reason: host_not_allowed\r\n\r\n", alice, refused,
			status(403), `it says "X-Deny-Reason: host_not_allowed"`},
		{"a header with the login",
			"HTTP/1.1 403 Forbidden\r\nX-Error: for OpenSesame\r\nX-Reason: rules\r\n\r\n", alice, refused,
			status(403), `; it says "X-Reason: rules"`},
		{"what a terminal obeys", "HTTP/1.1 403 \x1b[2Jno\u202e\r\n\r\n", none, refused, status(403), "[2Jno"},
		{"101", "HTTP/1.1 101 X\r\n\r\n", none, garbage, nil, "status 101 is not an answer to CONNECT"},
		{"000", "HTTP/1.1 000 X\r\n\r\n", none, garbage, nil, "status 0 is not an answer to CONNECT"},
		{"999", "HTTP/1.1 999 X\r\n\r\n", none, garbage, nil, "status 999 is not an answer to CONNECT"},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", none, garbage, nil, `it answers in "HTTP/2.0"`},
		{"no status", "HTTP/1.1\r\n\r\n", none, garbage, nil, "malformed"},
		{"bad header", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", none, garbage, nil, "malformed"},
		{"HTTP/0.9", "<html>hello</html>", none, garbage, nil, `"<html>hello</h": an old web server`},
		{"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", none, garbage, nil, "an SSH server"},
		{"SSH without a line's end", "SSH-2.0", none, garbage, nil, "an SSH server"},
		{"TLS", "\x15\x03\x01\x00\x02\x02\x46", none, garbage, nil, "TLS: connect to the proxy over TLS"},
		{"SOCKS5", "\x05\xff", none, garbage, nil, "a SOCKS5 proxy"},
		{"an endless header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20), none, garbage, nil, tooLong},
		{"endless headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1<<16), none, garbage, nil, tooLong},
		{"an endless first line", "HTTP/1.1 200 " + strings.Repeat("x", 1<<20), none, garbage, nil, tooLong},
		{"endless patience", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1<<16), none, garbage, nil, tooLong},
		{"closed at once", "", none, cutOff, io.EOF, "closed the connection " + asked + ": EOF"},
		{"closed early", "HTT", none, cutOff, io.EOF, asked},
		{"closed in the first line", "HTTP/1.1 20", none, cutOff, io.EOF, asked},
		{"closed in the header", "HTTP/1.1 200 OK\r\nVia: x\r\n", none, cutOff, io.EOF, asked},
		{"closed after 100", "HTTP/1.1 100 Continue\r\n\r\n", none, cutOff, io.EOF, asked},
	} {
		t.Run(c.name, func(t *testing.T) {
			hears := request
			if !c.o.Login.IsZero() {
				hears = requestLogin
			}
			conn, err := dialScripted(t, hears, c.says, c.o, "broker:9092")
			suite.WantFailure(t, conn, err, "proxy:3128", c.kind, c.cause, c.has)
		})
	}
}

// A proxy that repeats its input, in every field: neither the login nor its
// encoding gets into an error.
func TestLoginIsNotRepeated(t *testing.T) {
	const encoded = "YWxpY2U6b3BlbnNlc2FtZQ=="
	for _, said := range []string{"opensesame", encoded, strings.TrimRight(encoded, "=")} {
		for _, answer := range []string{
			said + "\r\n",
			"Basic " + said + "\r\n",
			"<" + said + ">\r\n",
			"HTTP/1.1 " + said + "\r\n\r\n",
			"HTTP/1.1 2" + said + " x\r\n\r\n",
			"HTTP/" + said + " 200 OK\r\n\r\n",
			"HTTP/1.1 200 OK\r\n" + said + "\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: " + said + "\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + said + "\r\n\r\n",
			"HTTP/1.1 407 " + said + "\r\nProxy-Authenticate: " + said + "\r\n\r\n",
			"HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate, " + said + " realm\r\n\r\n",
			"HTTP/1.1 502 " + said + "\r\n\r\n" + said,
		} {
			conn, err := dialScripted(t, requestLogin, answer, alice, "broker:9092")
			if conn != nil || err == nil {
				if !strings.Contains(answer, "-Encoding") && !strings.Contains(answer, "-Length") { // X to CONNECT
					t.Errorf("%q: %v, %v", answer, conn, err)
				}
				continue
			}
			if text := fmt.Sprintf("%v %+v %#v %q", err, err, err, errors.Unwrap(err)); strings.Contains(text,
				"opensesame") || strings.Contains(text, encoded[:10]) {
				t.Errorf("%q: %s", answer, text)
			}
		}
	}
}

// Of a login without a password, as tokens are given to proxies, the name is the secret.
func TestTokenIsNotRepeated(t *testing.T) {
	const token = "canary-token"
	hears := strings.Replace(requestLogin, "YWxpY2U6b3BlbnNlc2FtZQ==",
		base64.StdEncoding.EncodeToString([]byte(token+":")), 1)
	for _, said := range []string{token, "for canary-tok", strings.ToUpper(token), fmt.Sprintf("%x", token)} {
		answer := "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: " + said + "\r\nX-Reason: rules\r\n\r\n"
		_, err := dialScripted(t, hears, answer, httpconnect.Options{Login: tunnel.NewLogin(token, "")}, "broker:9092")
		if text := fmt.Sprint(err); strings.Contains(text, said) || !strings.Contains(text, "X-Reason: rules") {
			t.Errorf("%q: got %s, want another reason alone", said, text)
		}
	}
}

// What a proxy says at length is not repeated at length.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("long", 2000)
	for _, answer := range []string{long, "HTTP/1.1 " + long + "\r\n\r\n", "HTTP/1.1 200 OK\r\n" + long + "\r\n\r\n",
		"HTTP/1.1 407 x\r\nProxy-Authenticate: " + strings.Repeat(long+", ", 1) + "\r\n\r\n"} {
		_, err := dialScripted(t, request, answer, none, "broker:9092")
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("%.50q: %.500v", answer, err)
		}
	}
}

func TestTargetThatIsNoHeader(t *testing.T) {
	conn := &proxies.Said{}
	_, err := httpconnect.Dial(conn.Dial, httpconnect.Options{Proxy: "proxy:3128"})(context.Background(), "tcp",
		"bro\"ker\u202e:9092")
	if !errors.Is(err, tunnel.ErrTarget) {
		t.Errorf("%v; want ErrTarget", err)
	}
}

// TestStatuses: each has words of its own or those of net/http.
func TestStatuses(t *testing.T) {
	seen := map[string]bool{}
	for code := 300; code < 600; code++ {
		text := httpconnect.Status(code).Error()
		if !strings.HasPrefix(text, fmt.Sprint(code)) || seen[text] || !strings.Contains(text, http.StatusText(code)) {
			t.Errorf("%d: %q", code, text)
		}
		seen[text] = true
	}
}
