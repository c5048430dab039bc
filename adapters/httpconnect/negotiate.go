package httpconnect

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/ports"
)

// maxHeaderBytes bounds the proxy's answer before the tunnel is open.
const maxHeaderBytes = 16 << 10

var errTooLong = fmt.Errorf("no end of the header within %d bytes", maxHeaderBytes)

// negotiate requests the tunnel and reads the answer up to the end of its header: what
// follows is the tunnel's.
func negotiate(conn net.Conn, login tunnel.Login, target string, after func(string)) *tunnel.Error {
	request := newRequest(target, login)
	var wire bytes.Buffer
	if err := request.Write(&wire); err != nil {
		return &tunnel.Error{Kind: tunnel.ErrTarget, Cause: err}
	}
	if _, err := conn.Write(wire.Bytes()); err != nil {
		return &tunnel.Error{After: "the dial", Cause: err}
	}

	source := &bounded{r: conn, left: maxHeaderBytes, after: after}
	reader := bufio.NewReader(source)
	response, failure := answer(reader, source, request, !login.IsZero())
	if failure != nil {
		return failure
	}
	switch status := response.StatusCode; {
	case status/100 == 2:
		return nil
	case status == http.StatusProxyAuthRequired, status == http.StatusUnauthorized:
		return &tunnel.Error{Kind: tunnel.ErrLogin, Cause: withReasons(unauthorized(Status(status),
			response.Header, login), response, login)}
	}
	return &tunnel.Error{Kind: tunnel.ErrRefused, Cause: withReasons(Status(response.StatusCode), response, login)}
}

// The last steps before a proxy answers, and before the end of its answer.
const (
	requestSent  = "the request was sent"
	withinAnswer = requestSent + ", within the answer"
)

func newRequest(target string, login tunnel.Login) *http.Request {
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Host: target},
		Header: http.Header{"User-Agent": {"brokerconn"}}}
	if username, password, ok := login.Reveal(); ok {
		// Go's encoding of basic authentication, under the proxy's header.
		credentials := &http.Request{Header: http.Header{}}
		credentials.SetBasicAuth(username, password)
		request.Header["Proxy-Authorization"] = credentials.Header["Authorization"]
	}
	return request
}

// answer reads up to the final answer: others, 1xx, may come before it.
func answer(reader *bufio.Reader, source *bounded, request *http.Request, loginSent bool) (response *http.Response,
	failure *tunnel.Error) {
	const begins = "HTTP/"
	garbage := func(cause error) *tunnel.Error { return &tunnel.Error{Kind: tunnel.ErrGarbage, Cause: cause} }
	for {
		// Checked before the parser waits for the end of a line.
		first, err := reader.Peek(len(begins))
		if !strings.HasPrefix(begins, string(first)) {
			all, _ := reader.Peek(reader.Buffered())
			return nil, garbage(tunnel.Unlike(all, loginSent))
		}
		if err == nil {
			begin := len(source.read) - reader.Buffered()
			response, err = http.ReadResponse(reader, request)
			if err != nil && source.err == nil {
				response, err = granted(source.read[begin:], request, err)
			}
		}
		switch {
		case errors.Is(source.err, errTooLong):
			return nil, garbage(errTooLong)
		case err != nil && source.err != nil:
			return nil, &tunnel.Error{After: source.step(), Cause: source.err}
		case err != nil:
			return nil, garbage(malformed(err, loginSent))
		case response.ProtoMajor != 1:
			return nil, garbage(fmt.Errorf("it answers in %.32q", response.Proto))
		case response.StatusCode < 100, response.StatusCode > 599, response.StatusCode == http.StatusSwitchingProtocols:
			return nil, garbage(fmt.Errorf("status %d is not an answer to CONNECT", response.StatusCode))
		case response.StatusCode >= 200:
			return response, nil
		}
	}
}

// framing matches the lines of a header that a client ignores if the tunnel is granted (RFC 9110,
// section 9.3.6).
var framing = regexp.MustCompile(`(?im)^(content-length|transfer-encoding):.*\n`)

// granted reads again, without its framing, an answer that net/http refuses with err.
func granted(header []byte, request *http.Request, err error) (*http.Response, error) {
	unframed := bufio.NewReader(bytes.NewReader(framing.ReplaceAll(header, nil)))
	if response, again := http.ReadResponse(unframed, request); again == nil && response.StatusCode/100 == 2 {
		return response, nil
	}
	return nil, err
}

// malformed returns net/http's error for an answer. It quotes the answer, which may repeat
// the login, or be long.
func malformed(err error, loginSent bool) error {
	if loginSent {
		return errors.New("a malformed answer")
	}
	return fmt.Errorf("%.100s", err)
}

// schemes are the known authentication schemes of proxies, in their spelling.
var schemes = []string{"Basic", "Bearer", "Digest", "HOBA", "Kerberos", "Mutual", "Negotiate", "NTLM", "SCRAM-SHA-1",
	"SCRAM-SHA-256"}

// unauthorized explains a 407, or the 401 that tinyproxy sends for a wrong login. It
// repeats only known schemes of the challenges.
func unauthorized(status Status, header http.Header, login tunnel.Login) error {
	var wanted []string
	basic, other := false, false
	challenges := strings.Join(slices.Concat(header.Values("Proxy-Authenticate"), header.Values("WWW-Authenticate")),
		",")
	for challenge := range strings.SplitSeq(challenges, ",") {
		scheme, _, _ := strings.Cut(strings.TrimSpace(challenge), " ")
		i := slices.IndexFunc(schemes, func(s string) bool { return strings.EqualFold(s, scheme) })
		switch {
		case i == 0:
			basic = true
		case i > 0:
			if name := strconv.Quote(schemes[i]); !slices.Contains(wanted, name) {
				wanted = append(wanted, name)
			}
		case scheme != "" && !strings.Contains(scheme, "="): // a further parameter has one
			other = true
		}
	}
	if other {
		wanted = append(wanted, "another scheme")
	}
	switch {
	case len(wanted) > 0 && !basic:
		return fmt.Errorf("it requires %s, and only Basic is supported: %w", strings.Join(wanted, " or "), status)
	case !login.IsZero():
		return fmt.Errorf("user name or password is wrong: %w", status)
	}
	return fmt.Errorf("it requires one, and none is configured: %w", status)
}

// Status is an HTTP status other than success.
type Status int

// meanings are the causes of the statuses that proxies answer CONNECT with.
var meanings = map[Status]string{
	http.StatusBadRequest:          "it does not understand the request",
	http.StatusForbidden:           "its rules do not allow it; many proxies open tunnels to port 443 only",
	http.StatusNotFound:            "it knows no such host; a web server answers so, too",
	http.StatusMethodNotAllowed:    "it does not allow CONNECT: this looks like a web server",
	http.StatusNotImplemented:      "it does not support CONNECT: this looks like a web server",
	http.StatusInternalServerError: "it failed; some say so of a name that they cannot resolve",
	http.StatusBadGateway:          "it cannot reach the host",
	http.StatusServiceUnavailable:  "it cannot reach the host, or is overloaded",
	http.StatusGatewayTimeout:      "it did not reach the host in time",
}

func (s Status) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", int(s), http.StatusText(int(s))))
	if meaning := meanings[s]; meaning != "" {
		text += ": " + meaning
	}
	return text
}

// Is reports whether target is ports.ErrFinal and s is about the proxy's rules or abilities. Some
// proxies answer 400 or 404 to a name that they cannot resolve, which may pass.
func (s Status) Is(target error) bool {
	return target == ports.ErrFinal &&
		(s == http.StatusForbidden || s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented)
}

// shortestAnswer is how many bytes every answer has: "HTTP/1.0 200\n\n".
const shortestAnswer = 14

// bounded is a reader with a limit. It reads one byte at a time after the first ones, so that
// no buffer takes bytes behind the header. It keeps what it read, and its last error.
type bounded struct {
	r     io.Reader
	left  int
	err   error
	read  []byte
	after func(step string)
}

func (b *bounded) step() string {
	if b.left < maxHeaderBytes {
		return withinAnswer
	}
	return requestSent
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.err = errTooLong
		return 0, errTooLong
	}
	certain := shortestAnswer - (maxHeaderBytes - b.left)
	if certain >= 0 { // later the step is the same
		b.after(b.step())
	}
	n, err := b.r.Read(p[:min(len(p), b.left, max(certain, 1))])
	b.left, b.err, b.read = b.left-n, err, append(b.read, p[:n]...)
	return n, err
}
