package oauthbearer_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// secret needs the encoding of RFC 6749, section 2.3.1.
const secret = "canary 0815+/=:"

// endpoint starts a token endpoint on loopback, over TLS with its own certificate.
func endpoint(t *testing.T, h http.HandlerFunc) (*httptest.Server, credentials) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, credentials{
		TokenURL: s.URL + "/token?key=canary-query", ClientID: "my client", ClientSecret: ports.NewSecret(secret),
		Parameters: map[string]ports.Secret{"audience": ports.NewSecret("canary-parameter")}, RootCAs: roots,
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client may have hung up
}

// answering returns a handler that gives the same answer each time.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, status, body) }
}

func TestClientCredentials(t *testing.T) {
	for _, inBody := range []bool{false, true} {
		var got *http.Request
		_, c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
			saslpeer.ErrorIs(t, "the form", r.ParseForm(), nil)
			got = r
			answer(w, 200, `{"access_token":"`+canary+`","token_type":"bearer","expires_in":3600}`)
		})
		c.SecretInBody = inBody
		c.Scopes = []string{"read", "write"}
		before := time.Now()
		token := saslpeer.Must(saslpeer.Must(c.Provider())(t.Context()))
		if life := token.Expiry.Sub(before); token.AccessToken.Reveal() != canary || life < time.Hour ||
			life > time.Hour+time.Minute {
			t.Errorf("got %q for %v, want it for 1h", token.AccessToken.Reveal(), life)
		}
		form := url.Values{"grant_type": {"client_credentials"}, "scope": {"read write"},
			"audience": {"canary-parameter"}}
		login := "Basic " + base64.StdEncoding.EncodeToString([]byte("my+client:canary+0815%2B%2F%3D%3A"))
		if inBody {
			login = ""
			form.Set("client_id", "my client")
			form.Set("client_secret", secret)
		}
		if got.Method != "POST" || got.URL.String() != "/token?key=canary-query" ||
			!reflect.DeepEqual(got.PostForm, form) || got.Header.Get("Authorization") != login {
			t.Errorf("got %s %s %v %q, want %v %q", got.Method, got.URL, got.PostForm, got.Header.Get("Authorization"),
				form, login)
		}
	}
}

func TestExpiryFromEndpoint(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`,"expires_in":60`: time.Minute, `,"expires_in":"60"`: time.Minute, // as PayPal sends it
		"": -1, `,"expires_in":null`: -1, // unknown
		`,"expires_in":60.9`: time.Minute, `,"expires_in":"60.0"`: time.Minute, `,"expires_in":6e1`: time.Minute,
		`,"expires_in":"soon"`: -1, `,"expires_in":1e400`: -1, `,"expires_in":{}`: -1, `,"expires_in":0.5`: 0,
		`,"expires_in":0`: 0, `,"expires_in":"0"`: 0,
	} {
		_, c := endpoint(t, answering(200, `{"access_token":"a"`+text+`}`))
		before := time.Now()
		token := saslpeer.Must(saslpeer.Must(c.Provider())(t.Context()))
		after := time.Now()
		if want < 0 && !token.Expiry.IsZero() ||
			want >= 0 && (token.Expiry.Before(before.Add(want)) || token.Expiry.After(after.Add(want))) {
			t.Errorf("%s: got a life of %v, want %v", text, token.Expiry.Sub(before), want)
		}
	}
	_, c := endpoint(t, answering(200, `{"access_token":"a","expires_in":-1}`))
	saslpeer.ErrorIs(t, "a life of -1 s", logInWith(t, c), oauthbearer.ErrExpired)
}

// JSON is JSON whatever its type says, as for Kafka's client (HttpJwtRetriever) and librdkafka.
func TestTypesOfAnswers(t *testing.T) {
	for _, contentType := range []string{"application/json", "text/plain", "text/html", "", "application/octet-stream",
		"application/x-www-form-urlencoded", "no;type;at/all"} {
		for text, want := range map[string]string{
			`{"access_token":"a"}`: "a", `{"access_token":null,"id_token":"b"}`: "b",
			`{"access_token":"","id_token":"b"}`: "b", `{"id_token":"b"}`: "b",
		} {
			_, c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				_, _ = io.WriteString(w, text)
			})
			token, err := saslpeer.Must(c.Provider())(t.Context())
			if got := token.AccessToken.Reveal(); err != nil || got != want {
				t.Errorf("%s as %q: got %q, %v, want %q", text, contentType, got, err, want)
			}
		}
	}
	_, c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"invalid_scope"}`)
	})
	saslpeer.Equal(t, "the code of an error in text/plain", failure(t, c).Code, "invalid_scope")
}

// secrets must not appear in an error.
var secrets = []string{canary, secret, url.QueryEscape(secret), "canary-query", "canary-parameter",
	base64.StdEncoding.EncodeToString([]byte("my+client:canary+0815%2B%2F%3D%3A"))}

func mustHideSecrets(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		porttest.NoSecrets(t, "the error", e, secrets...)
	}
	saslpeer.OneLine(t, err, 4000)
}

// logInWith returns the error of a login with a token of an endpoint.
func logInWith(t *testing.T, c credentials) error {
	return saslpeer.Err(sends(t, create(config{Tokens: saslpeer.Must(c.Provider()), Timeout: -1})))
}

// failure returns the error of a login with an endpoint that fails.
func failure(t *testing.T, c credentials) *oauthbearer.EndpointError {
	t.Helper()
	err := logInWith(t, c)
	mustHideSecrets(t, err)
	return saslpeer.Typed[*oauthbearer.EndpointError](t, err)
}

func TestEndpointErrors(t *testing.T) {
	everything := canary + " " + secret + " " + strings.Join(secrets, " ")
	for _, c := range []struct {
		name        string
		status      int
		body        string
		code, descr string
		text, hint  string
	}{
		{"401 with an error", 401, `{"error":"invalid_client","error_description":"Unknown client"}`, "invalid_client",
			"Unknown client", `: 401 Unauthorized: invalid_client: "Unknown client"`, "ClientID and ClientSecret"},
		{"400 with an error", 400, `{"error":"invalid_scope"}`, "invalid_scope", "", ": 400 Bad Request: invalid_scope",
			"Scopes"},
		{"400, the client", 400, `{"error":"unauthorized_client"}`, "unauthorized_client", "", "",
			"client_credentials"},
		{"400, the assertion", 400, `{"error":"invalid_grant"}`, "invalid_grant", "", "", "claim.aud"},
		{"200 with an error", 200, `{"error":"invalid_client"}`, "invalid_client", "", ": 200 OK: invalid_client",
			"ClientSecret"},
		{"401 with a page", 401, "<html>" + everything, "", "", ": 401 Unauthorized", "ClientSecret"},
		{"404", 404, "<html>" + everything, "", "", ": 404 Not Found", "openid-configuration"},
		{"500", 500, everything, "", "", ": 500 Internal Server Error", ""},
		{"503 with JSON", 503, `{"error":{"message":"x"}}`, "", "", ": 503 Service Unavailable", ""},
		{"the secret is repeated", 401, `{"error":"invalid_client","error_description":"` + secret + ` is wrong"}`,
			"invalid_client", "[redacted]", "", "ClientSecret"},
		{"the header is repeated", 401, `{"error":"` + secrets[5] + `","error_description":"` + secrets[2] + `"}`,
			"[redacted]", "[redacted]", "", "ClientSecret"},
		{"a part of the secret", 400, `{"error":"a","error_description":"` + secret[:9] + `... is wrong"}`, "a",
			"[redacted]", "", ""},
		{"the secret in capitals", 400, `{"error":"a","error_description":"` + strings.ToUpper(secret) + `"}`, "a",
			"[redacted]", "", ""},
		{"the secret in hexadecimal", 400, `{"error":"a","error_description":"` + fmt.Sprintf("%x", secret) + `"}`, "a",
			"[redacted]", "", ""},
		{"the secret in base64", 400, `{"error":"a","error_description":"` +
			base64.URLEncoding.EncodeToString([]byte("x:"+secret)) + `"}`, "a", "[redacted]", "", ""},
		{"the address is repeated", 400, `{"error":"a","error_description":"no canary-query"}`, "a", "[redacted]", "",
			""},
		{"another address", 400, `{"error":"a","error_description":"see https://docs.example.org"}`, "a",
			"see https://docs.example.org", "", ""},
		{"a parameter is repeated", 400,
			`{"error":"invalid_target","error_description":"canary-parameter","error_uri":"` + secret + `"}`,
			"invalid_target", "[redacted]", "", "Audience"},
		{"escapes of a terminal", 400, `{"error":"a\u001b[2J","error_description":"b\nc"}`, "a\uFFFD[2J", "b\uFFFDc",
			"", ""},
		{"long", 400, `{"error":"a","error_description":"` + strings.Repeat("x", 1<<19) + `"}`, "a",
			strings.Repeat("x", 200) + "...", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			s, credentials := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				answer(w, c.status, c.body)
			})
			e := failure(t, credentials)
			if e.Endpoint != s.URL+"/token" || e.Status != c.status || e.Code != c.code || e.Description != c.descr ||
				e.Err != nil {
				t.Errorf("got %+v", e)
			}
			if !strings.HasPrefix(e.Error(), "token endpoint "+s.URL+"/token: ") ||
				!strings.Contains(e.Error(), c.text) {
				t.Errorf("got %v, want %q in it", e, c.text)
			}
			saslpeer.Hint(t, c.name, e, c.hint)
			saslpeer.Equal(t, "requests", calls.Load(), 1) // repeated attempts may lock an account
		})
	}
}

func TestAnswersWithoutToken(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "a page": "<html>" + canary, "half of one": `{"access_token":"` + canary, "an array": `["` +
			canary + `"]`,
		"no token": `{"expires_in":3600}`, "an empty token": `{"access_token":""}`, "a number": `{"access_token":4711}`,
		"deep": `{"access_token":` + strings.Repeat("[", 100000), "not UTF-8": "\xff\xfe",
	} {
		_, c := endpoint(t, answering(200, body))
		if e := failure(t, c); e.Status != 0 ||
			!strings.HasSuffix(e.Error(), ": the answer has no token (RFC 6749, section 5.1)") ||
			!strings.Contains(e.Hint(), "token_endpoint") {
			t.Errorf("%s: got %v", name, e)
		}
	}
	for name, c := range map[string]struct{ body, text string }{
		"another type":  {`{"access_token":"a","token_type":"` + canary + `"}`, "not of type Bearer"},
		"an odd token":  {`{"access_token":"` + canary + `\u0001auth=Bearer b"}`, "invalid characters"},
		"expired token": {`{"access_token":"` + canary + `","expires_in":0}`, "has expired"},
	} {
		_, credentials := endpoint(t, answering(200, c.body))
		err := logInWith(t, credentials)
		saslpeer.ErrorSays(t, name, err, c.text)
		mustHideSecrets(t, err)
	}
}

// Id and secret go to one host over TLS, and nowhere else.
func TestRedirects(t *testing.T) {
	other, _ := endpoint(t, unwanted(t))
	open := httptest.NewServer(unwanted(t))
	defer open.Close()
	for _, c := range []struct {
		name, to string
		status   int
		text     string
	}{
		{"to another host", other.URL + "/token", 307, "redirect to another host: \"" + other.URL + "\""},
		{"to another host, as GET", other.URL + "/token", 302, "redirect to another host"},
		{"to http", open.URL + "/token", 308, "redirect to another host: \"" + open.URL + "\""},
		{"to a name with the secret", "https://user:" + canary + "@" + strings.TrimPrefix(other.URL, "https://") +
			"/?" + canary, 307, "redirect to another host"},
		{"to a file", "file:///etc/passwd", 307, "redirect to another host"},
		{"to a GET", "/there", 303, "redirect to a GET, want a POST"},
		{"in a loop", "/token", 307, "redirect more than 5 times"},
		{"nowhere", "", 307, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, credentials := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/there" {
					t.Error("got a request after the redirect, want none")
				}
				if c.to != "" {
					w.Header().Set("Location", c.to)
				}
				w.WriteHeader(c.status)
			})
			saslpeer.ErrorSays(t, c.name, failure(t, credentials), c.text)
		})
	}

	t.Run("on the same host", func(t *testing.T) {
		_, c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/token" {
				http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
				return
			}
			if id, _, _ := r.BasicAuth(); id != "my+client" || r.FormValue("grant_type") != "client_credentials" {
				t.Errorf("got %s %q %v", r.Method, id, r.Form)
			}
			answer(w, 200, `{"access_token":"a"}`)
		})
		saslpeer.ErrorIs(t, "the token", saslpeer.Err(saslpeer.Must(c.Provider())(t.Context())), nil)
	})
}

// flood writes until the reader hangs up, at most 10 GB.
func flood(w io.Writer, written *atomic.Int64) {
	chunk := []byte(strings.Repeat(" ", 1<<16))
	for written.Load() < 10<<30 {
		n, err := w.Write(chunk)
		written.Add(int64(n))
		if err != nil {
			return
		}
	}
}

func TestEndlessAnswers(t *testing.T) {
	for _, status := range []int{200, 500, 307} {
		for _, length := range []string{"", "10737418240"} {
			var written atomic.Int64
			s, c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/token")
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				w.WriteHeader(status)
				flood(w, &written)
			})
			e := failure(t, c)
			saslpeer.ErrorSays(t, fmt.Sprint(status), e, ": the answer is longer than 1048576 bytes")
			saslpeer.Equal(t, fmt.Sprint(status, ", Status"), e.Status, 0)
			s.Close() // waits for the handler
			if n := written.Load(); n > 256<<20 {
				t.Errorf("status %d: got %d bytes read, want 256 MiB at most", status, n)
			}
		}
	}
}

// Compression is not requested, and an answer that is compressed is not decompressed, as by Kafka's client and
// librdkafka: a few bytes could cost a megabyte.
func TestCompressedAnswers(t *testing.T) {
	_, c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		saslpeer.Equal(t, "Accept-Encoding", r.Header.Get("Accept-Encoding"), "identity")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, `{"access_token":"a"}`)
		_ = z.Close()
	})
	saslpeer.ErrorSays(t, "gzip", failure(t, c), ": the answer has no token")
}

// The longest answer that is accepted.
func TestLongAnswer(t *testing.T) {
	_, c := endpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		body := `{"access_token":"a"}`
		answer(w, 200, body+strings.Repeat(" ", 1<<20-len(body)))
	})
	saslpeer.ErrorIs(t, "the token", saslpeer.Err(saslpeer.Must(c.Provider())(t.Context())), nil)
}

// hijacked returns a handler that sends text instead of an answer and passes the connection
// to more.
func hijacked(t *testing.T, text string, more func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
		more(conn)
	}
}

// Options.Timeout and the end of the login limit the wait for a stalled endpoint.
func TestStalledEndpoints(t *testing.T) {
	for name, until := range map[string]string{
		"before the answer": "",
		"in the body":       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			_, c := endpoint(t, hijacked(t, until, func(conn net.Conn) {
				asked <- struct{}{}
				_, _ = io.Copy(io.Discard, conn) // until the client hangs up
			}))
			clock := fake.New(noon)
			a := create(config{Tokens: saslpeer.Must(c.Provider()), Clock: clock, Timeout: time.Minute})
			x := a.Begin(ports.Endpoint{})
			defer x.Close()
			go func() { <-asked; clock.Advance(time.Minute) }()
			if _, _, err := saslpeer.Step(x, nil); !errors.Is(err, context.DeadlineExceeded) ||
				!strings.Contains(err.Error(), "none within 1m0s") {
				t.Errorf("got %v, want a timeout after 1m0s", err)
			}

			x = a.Begin(ports.Endpoint{})
			x.Next(nil)
			<-asked
			x.Close() // the server's Close waits for the handler, and it for the client
		})
	}
}

// unwanted fails the test if it gets a request.
func unwanted(t *testing.T) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) { t.Error("got a request, want none") }
}

func TestBrokenEndpoints(t *testing.T) {
	open := httptest.NewServer(unwanted(t))
	defer open.Close()
	for _, c := range []struct {
		name   string
		change func(*httptest.Server, *credentials)
		is     func(error) bool
		text   string // of the error and its hint
	}{
		{"an untrusted authority", func(_ *httptest.Server, c *credentials) { c.RootCAs = x509.NewCertPool() },
			saslpeer.Is[*tls.CertificateVerificationError], "authority to RootCAs"},
		{"a certificate for another host", func(_ *httptest.Server, c *credentials) {
			c.TokenURL = strings.Replace(c.TokenURL, "127.0.0.1", "localhost", 1)
		}, saslpeer.Is[x509.HostnameError], ""},
		{"no TLS", func(_ *httptest.Server, c *credentials) {
			c.TokenURL = strings.Replace(open.URL, "http:", "https:", 1)
		}, saslpeer.Is[error], "HTTP response to HTTPS client"},
		{"closed", func(s *httptest.Server, _ *credentials) { s.Close() }, saslpeer.Is[*net.OpError], ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, credentials := endpoint(t, unwanted(t))
			c.change(s, &credentials)
			e, address := failure(t, credentials), strings.TrimSuffix(credentials.TokenURL, "?key=canary-query")
			if !c.is(e) || !strings.Contains(e.Error()+e.Hint(), c.text) || e.Endpoint != address {
				t.Errorf("got %v with the hint %q, want %q of %s", e, e.Hint(), c.text, address)
			}
		})
	}
	for name, text := range map[string]string{
		"not HTTP": "\x1b[2J" + secret + "\r\n\r\n", "a bad header": "HTTP/1.1 200 OK\r\nno \x1b[2J colon\r\n\r\n",
		"a bad header with the secret": "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"half a body":                  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
		"an endless header":            "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			_, c := endpoint(t, hijacked(t, text, func(net.Conn) {}))
			if e := failure(t, c); e.Err == nil || e.Status != 0 {
				t.Errorf("got %v", e)
			}
		})
	}
}

func TestClientCredentialsRefused(t *testing.T) {
	const noAddress = "TokenURL: not an https:// address"
	at := func(address string) func(*credentials) { return func(c *credentials) { c.TokenURL = address } }
	_, good := endpoint(t, nil)
	for _, c := range []struct {
		change func(*credentials)
		text   string
	}{
		{at(""), noAddress}, {at("file:///etc/passwd"), noAddress},
		{at("http://idp.example/token"), "TokenURL: an http:// address"},
		{at("http://localhost.example/token"), "TokenURL: an http:// address"},
		{func(c *credentials) { c.AssertionGrant = true }, "Assertion: not given"},
		{func(c *credentials) {
			c.Audience = "kafka"
			c.Parameters = map[string]ports.Secret{"audience": ports.NewSecret(canary)}
		}, `Parameters: "audience"`},
		{func(c *credentials) {
			c.Assertion = oauthbearer.AssertionFile("")
			c.Parameters = map[string]ports.Secret{"assertion": ports.NewSecret(canary)}
		}, `Parameters: "assertion"`},
		{at("https:///token"), noAddress}, {at("https://:443/token"), noAddress},
		{at("https://a:" + canary + "%zz@idp.example/"), noAddress},
		{at("https://a:" + canary + "@idp.example/"), "TokenURL: contains user information"},
		{at("https://idp.example/#a"), "TokenURL: contains a fragment"},
		{func(c *credentials) { c.ClientID = "" }, "ClientID: not given"},
		{func(c *credentials) { c.ClientSecret = ports.Secret{} }, "ClientSecret: not given"},
		{func(c *credentials) { c.Scopes = []string{"read write"} }, `Scopes: "read write"`},
		{func(c *credentials) { c.Scopes = []string{"read", ""} }, `Scopes: ""`},
		{func(c *credentials) {
			c.Parameters = map[string]ports.Secret{"client_secret": ports.NewSecret(canary)}
		}, `Parameters: "client_secret"`},
		{func(c *credentials) { *c = credentials{} },
			noAddress + "\nsasl: ClientID: not given\nsasl: ClientSecret: not given"},
	} {
		bad := good
		c.change(&bad)
		p, err := bad.Provider()
		saslpeer.Equal(t, c.text+": a provider", p != nil, false)
		option, _, _ := strings.Cut(c.text, ":")
		saslpeer.OptionError(t, c.text, err, option, c.text, canary)
	}
}
