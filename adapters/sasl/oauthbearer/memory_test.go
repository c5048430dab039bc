package oauthbearer

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/ports"
)

// perByte is the memory for each byte of an answer: itself, and what JSON of the shortest elements is read to.
const perByte = 60

// TestHostileTokensCostNoMemory: what a JWT says is not trusted, as its signature is not checked.
func TestHostileTokensCostNoMemory(t *testing.T) {
	const long = 1 << 20
	part := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	tokens := []string{
		strings.Repeat(".", long), strings.Repeat("a", long), part(strings.Repeat("[", long)),
		part(`{"exp":` + strings.Repeat("9", long) + "}"), part(`{"exp":1e999999999}`),
		part(`{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}"),
		"e30." + strings.Repeat("=", long) + ".",
	}
	for lie := range lies(`{"exp":1764500000}`) {
		tokens = append(tokens, part(lie))
	}
	for _, token := range tokens {
		hostile.Bounded(t, token[:min(len(token), 60)], []byte(token), 12, func() { _ = expiryOf(token) })
	}
}

// TestHostileRefusalsCostNoMemory: the error of a broker.
func TestHostileRefusalsCostNoMemory(t *testing.T) {
	const long = 1 << 20
	refusals := []string{
		strings.Repeat("[", long), `{"status":"` + strings.Repeat("x", long) + `"}`,
		`{"status":"invalid_token","scope":"[` + strings.Repeat(", ", maxRefusal/2-100) + `]"}`,
		"{" + strings.Repeat(`"":0,`, maxRefusal/5-10) + `"status":"x"}`,
		`{"status":"x","a":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + "}",
		`{"status":"x","a":[` + strings.Repeat("0,", 8000) + "0]}",
	}
	for lie := range lies(`{"status":"invalid_token","scope":"read"}`) {
		refusals = append(refusals, lie)
	}
	for _, refusal := range refusals {
		hostile.Bounded(t, refusal[:min(len(refusal), 60)], []byte(refusal), perByte, func() {
			_ = readRefusal([]byte(refusal), "canary-4711").Error()
		})
	}
}

func lies(valid string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, lie := range hostile.Lies([]byte(valid)) {
			if !yield(string(lie)) {
				return
			}
		}
	}
}

// TestHostileEndpointsCostNoMemory: lengths in the header and the body of a token endpoint's answer.
func TestHostileEndpointsCostNoMemory(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	said := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, said) // the client may have enough
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}))
	defer s.Close()
	provider, err := ClientCredentials{TokenURL: s.URL, ClientID: "me", ClientSecret: ports.NewSecret("canary-4711"),
		AllowHTTP: true}.Provider()
	if err != nil {
		t.Fatal(err)
	}
	get := func() { _, _ = provider(t.Context()) } // it may be valid
	const token = `{"access_token":"a"}`
	said = head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(token), token)
	get()
	honest := hostile.Allocated(get) // with what the server allocates
	const most = 1 << 20             // is read of an answer
	for _, c := range []string{
		head + "Content-Length: 9223372036854775807\r\n\r\n{", head + "Content-Length: 18446744073709551616\r\n\r\n{",
		head + "Content-Length: -1\r\n\r\n{", head + "Content-Length: 2147483647\r\n\r\n{",
		head + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n{",
		head + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n{",
		head + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 4*most) + "\r\n{",
		head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\n \r\n", most/4) + "0\r\n",
		head + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: b\r\n", most),
		head + "A: " + strings.Repeat("x", 4*most), head + strings.Repeat("A: b\r\n", most),
		"HTTP/1.1 200 " + strings.Repeat("x", 4*most), strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", most/8),
		head + "\r\n{" + strings.Repeat(`"":0,`, most/8) + `"access_token":"a"}`,
		head + "\r\n" + `{"access_token":` + strings.Repeat("[", most/2),
		head + "\r\n" + `{"a":[` + strings.Repeat("0,", most/4) + `0],"access_token":"a"}`,
		head + "\r\n" + `{"expires_in":` + strings.Repeat("9", most/2) + `,"access_token":"a"}`,
		head + "\r\n" + strings.Repeat("&", most/2),
	} {
		said = c
		read := min(len(c), most)
		limit := 2*honest + hostile.Ahead + uint64(perByte*read)
		if got := hostile.Allocated(get); got > limit {
			t.Errorf("%.160q: got %d bytes of memory for %d, want at most %d", c, got, read, limit)
		}
	}
}
