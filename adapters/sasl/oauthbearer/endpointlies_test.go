package oauthbearer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const (
	clientSecret = "canary-4711"
	granted      = "bearer-0815"
)

// liar is a token endpoint that answers with bytes, over a pipe.
type liar struct {
	says    []byte
	ends    bool            // the connection, behind them
	checked map[string]bool // errors
}

func (l *liar) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		request, err := http.ReadRequest(bufio.NewReader(there))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		if _, err = there.Write(l.says); err == nil && !l.ends {
			_, _ = there.Read(make([]byte, 1)) // until the client hangs up
		}
	}()
	return here, nil
}

// provider is a client of the endpoint, with the transport of every other.
func (l *liar) provider() Provider {
	c := ClientCredentials{TokenURL: "http://localhost/token?key=canary-query", ClientID: "me",
		ClientSecret: ports.NewSecret(clientSecret)}
	saslpeer.Must(c.Provider())
	transport := c.transport()
	transport.Proxy, transport.DialContext = nil, l.dial
	return c.provider(transport)
}

// check requires a token that the answer has, or an *EndpointError of one line that shows neither the token nor, where
// the answer repeats it as it is, the client's secret.
func (l *liar) check(t *testing.T, name string, token Token, err error) {
	t.Helper()
	if err == nil {
		if text := token.AccessToken.Reveal(); token.check() == nil && !bytes.Contains(l.says, []byte(text)) {
			t.Errorf("%s: got the token %q, want one that the answer has", name, text)
		}
		return
	}
	hides := bytes.Contains(l.says, []byte(clientSecret))
	if key := fmt.Sprint(hides, err); l.checked[key] {
		return
	} else if l.checked == nil {
		l.checked = map[string]bool{key: true}
	} else {
		l.checked[key] = true
	}
	if !saslpeer.Is[*EndpointError](err) {
		t.Errorf("%s: got %v, want an EndpointError", name, err)
	}
	porttest.NoSecrets(t, name, err, granted)
	if hides {
		porttest.NoSecrets(t, name, err, clientSecret)
	}
	saslpeer.OneLine(t, err, 4000)
}

// answers are those of token endpoints that do not lie.
func answers() map[string][]byte {
	const (
		head    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		token   = `{"access_token":"` + granted + `","token_type":"Bearer","expires_in":3600}`
		refusal = `{"error":"invalid_client","error_description":"no ` + clientSecret + `"}`
	)
	return map[string][]byte{
		"a length": fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, len(token), token),
		"chunks": fmt.Appendf(nil, "%sTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n",
			head, len(token)-1, token[1:]),
		"hints, and no length": fmt.Appendf(nil, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n%s\r\n%s", head, token),
		"a refusal": fmt.Appendf(nil, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"%s\"\r\n"+
			"Content-Length: %d\r\n\r\n%s", clientSecret, len(refusal), refusal),
		"a redirect": fmt.Appendf(nil, "HTTP/1.1 302 Found\r\nLocation: //%s/?%[1]s\r\nContent-Length: 0\r\n\r\n",
			clientSecret),
	}
}

// TestEndpointLiesAtEachByte: a length or a count in place of each byte of an answer, and its end behind it.
func TestEndpointLiesAtEachByte(t *testing.T) {
	l := &liar{ends: true}
	get := l.provider()
	ask := func(name string, says []byte) {
		l.says = says
		var token Token
		var err error
		hostile.Bounded(t, name, says, perByte, func() { token, err = get(t.Context()) })
		l.check(t, name, token, err)
	}
	for name, valid := range answers() {
		for lie, says := range hostile.Lies(valid) {
			ask(name+", "+lie, says)
		}
		for n := range valid {
			ask(fmt.Sprintf("%s, its end behind %d bytes", name, n), valid[:n])
		}
	}
}

// TestEndpointWithoutAnEmptyLine: net/http quotes a line that is not a header, here the body with its token.
func TestEndpointWithoutAnEmptyLine(t *testing.T) {
	l := &liar{says: []byte("HTTP/1.1 200 OK\r\n{\"access_token\":\"" + granted + "\"}\r\n"), ends: true}
	token, err := l.provider()(t.Context())
	l.check(t, "the error", token, err)
	saslpeer.ErrorSays(t, "the error", err, "malformed MIME header", granted)
}

// TestCompressedAnswerCostsNoMemory: gzip makes a megabyte of a thousand bytes.
func TestCompressedAnswerCostsNoMemory(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, strings.Repeat(" ", maxAnswer-2)+"{}")
	_ = z.Close()
	l := &liar{ends: true}
	l.says = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(),
		packed.Bytes())
	get := l.provider()
	hostile.Bounded(t, "gzip", l.says, perByte, func() {
		token, err := get(t.Context())
		l.check(t, "gzip", token, err)
	})
}

// TestEndpointSwitchesProtocols: an answer 101 has no end, and net/http hands over the connection, which no context
// closes. A request without Upgrade has no such answer (RFC 9110, section 15.2.2).
func TestEndpointSwitchesProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &liar{says: []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n{")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		token, err := l.provider()(ctx)
		l.check(t, "101", token, err)
		if !errors.Is(err, errSwitched) {
			t.Errorf("got %v, %v, want %v", token, err, errSwitched)
		}
	})
}
