package oauthbearer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// asked returns the request that reaches an endpoint.
func asked(t *testing.T, change func(*credentials)) *http.Request {
	t.Helper()
	var got *http.Request
	_, c := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		saslpeer.Succeed(t, r.ParseForm())
		got = r
		answer(w, 200, `{"access_token":"a"}`)
	})
	change(&c)
	saslpeer.Must(saslpeer.Must(c.Provider())(t.Context()))
	return got
}

// Kafka's Java client, without sasl.oauthbearer.header.urlencode, and librdkafka encode
// nothing but base64.
func TestPlainHeader(t *testing.T) {
	got := asked(t, func(c *credentials) { c.PlainHeader = true })
	saslpeer.Equal(t, "the header", got.Header.Get("Authorization"),
		"Basic "+base64.StdEncoding.EncodeToString([]byte("my client:"+secret)))
	got = asked(t, func(c *credentials) { c.PlainHeader, c.SecretInBody = true, true })
	saslpeer.Equal(t, "the header with the secret in the body", got.Header.Get("Authorization"), "")
}

// A JWT with the claims of a real one; the signature is not looked at.
func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

// Kafka's Java client takes the expiry from the token, and the token from id_token if there
// is no access_token.
func TestAnswersOfRealEndpoints(t *testing.T) {
	for text, want := range map[string]int64{
		`{"access_token":"` + jwt(`{"exp":1800000000}`) + `"}`:                         1800000000,
		`{"access_token":"` + jwt(`{"exp":1800000000.75}`) + `","token_type":"JWT"}`:   1800000000,
		`{"id_token":"` + jwt(`{"exp":1800000000}`) + `","token_type":"bearer"}`:       1800000000,
		`{"access_token":"` + jwt(`{"exp":"1800000000"}`) + `","token_type":"jwt"}`:    1800000000,
		`{"access_token":"` + jwt(`{}`) + `","token_type":"Bearer"}`:                   0,
		`{"access_token":"` + jwt(`{"exp":{}}`) + `","token_type":""}`:                 0,
		`{"access_token":"` + jwt(`{"exp":-1}`) + `","refresh_token":"x"}`:             0,
		`{"access_token":"a.b.c","scope":"x","issued_token_type":"urn:x"}`:             0,
		`{"access_token":"a","id_token":"` + jwt(`{"exp":1800000000}`) + `","x":[{}]}`: 0,
	} {
		_, c := endpoint(t, answering(200, text))
		token, err := saslpeer.Must(c.Provider())(t.Context())
		saslpeer.ErrorIs(t, text, err, nil)
		if got := token.Expiry; got.IsZero() != (want == 0) || want != 0 && got.Unix() != want {
			t.Errorf("%s: got the expiry %v, want %d", text, got, want)
		}
	}
}

// Secrets go over http to this machine, and to others only if that is allowed.
func TestHTTP(t *testing.T) {
	s := httptest.NewServer(answering(200, `{"access_token":"a"}`))
	defer s.Close()
	_, c := endpoint(t, nil)
	c.TokenURL = s.URL
	saslpeer.Succeed(t, logInWith(t, c))
	for host, loopback := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "[::1]": true, "127.1.2.3": true,
		"localhost.": false, "idp.localhost": false, // which Go's resolver looks up in DNS
		"idp.example": false, "10.0.0.1": false, "localhost.example": false,
		"[::ffff:10.0.0.1]": false, "0.0.0.0": false,
	} {
		for _, allowed := range []bool{false, true} {
			c.TokenURL, c.AllowHTTP = "http://"+host+"/token", allowed
			_, err := c.Provider()
			saslpeer.Equal(t, fmt.Sprintf("%s, AllowHTTP %v: accepted", host, allowed), err == nil, loopback || allowed)
		}
	}
}

// A secret of few characters is in many texts by chance.
func TestShortSecrets(t *testing.T) {
	short := func(c *credentials) { c.ClientSecret = ports.NewSecret("1") }
	_, c := endpoint(t, answering(401, `{"error":"invalid_client","error_description":"code 1"}`))
	short(&c)
	e := saslpeer.Typed[*oauthbearer.EndpointError](t, logInWith(t, c))
	saslpeer.Equal(t, "the error", fmt.Sprintf("%d %s %s", e.Status, e.Code, e.Description),
		"401 invalid_client [redacted]")
	c.ClientSecret = ports.NewSecret("client")
	e = saslpeer.Typed[*oauthbearer.EndpointError](t, logInWith(t, c))
	saslpeer.Equal(t, "the code that contains the secret", e.Code, "invalid_client")

	_, c = endpoint(t, answering(400, `{"error":"invalid_target","error_description":"no audience kafka"}`))
	c.Audience, c.Parameters = "kafka", nil
	saslpeer.ErrorSays(t, "an audience, which is no secret", logInWith(t, c), `invalid_target: "no audience kafka"`)

	x := saslpeer.Begin(t, create(config{Tokens: always(bearer("a")), Runner: saslpeer.Inline}))
	saslpeer.Must(started(t, x))
	_, _, err := saslpeer.Step(x, []byte(`{"status":"invalid_token","scope":"a b"}`))
	refusal := saslpeer.Typed[*oauthbearer.Error](t, err)
	saslpeer.Equal(t, "the refusal of a short token", refusal.Status+" "+refusal.Scope, "invalid_token [redacted]")

	s, c := endpoint(t, nil)
	short(&c)
	s.Close()
	e = saslpeer.Typed[*oauthbearer.EndpointError](t, logInWith(t, c))
	if !saslpeer.Is[*net.OpError](e) {
		t.Errorf("closed: got %v, want the error of the network", e)
	}
	_, c = endpoint(t, hijacked(t, "HTTP/1.1 200 OK\r\n1\r\n\r\n", func(net.Conn) {}))
	short(&c)
	saslpeer.ErrorSays(t, "a malformed answer", logInWith(t, c), "redacted since it repeats a secret")
}

// verified returns the header and the claims of an assertion after a check of its
// signature, by Go's own functions.
func verified(t *testing.T, public crypto.PublicKey, signed string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(signed, ".")
	if len(parts) != 3 {
		t.Fatalf("got %d parts, want 3", len(parts))
	}
	decode := func(text string) []byte { return saslpeer.Must(base64.RawURLEncoding.DecodeString(text)) }
	sum, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decode(parts[2])
	ok := false
	switch public := public.(type) {
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
	case *ecdsa.PublicKey:
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		ok = len(signature) == 64 && ecdsa.Verify(public, sum[:], r, s)
	}
	saslpeer.Equal(t, "the signature is valid", ok, true)
	saslpeer.Succeed(t, json.Unmarshal(decode(parts[0]), &header))
	saslpeer.Succeed(t, json.Unmarshal(decode(parts[1]), &claims))
	return header, claims
}

func TestAssertion(t *testing.T) {
	rsaKey := saslpeer.Must(rsa.GenerateKey(rand.Reader, 2048))
	p256 := saslpeer.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := saslpeer.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	with := func(key crypto.Signer) func() (crypto.Signer, error) {
		return func() (crypto.Signer, error) { return key, nil }
	}
	a := oauthbearer.Assertion{Issuer: "me", Subject: "sub", Audience: "https://idp", Clock: fake.New(noon),
		Header: map[string]any{"kid": "k1", "alg": "none"}, Claims: map[string]any{"aud": "other", "exp": 1, "x": "y"}}
	for name, key := range map[string]crypto.Signer{"RS256": rsaKey, "ES256": p256} {
		a.Key = with(key)
		for range 20 { // the numbers of ECDSA have leading zeros at times
			header, claims := verified(t, key.Public(), saslpeer.Must(a.Sign(t.Context())).Reveal())
			saslpeer.Equal(t, "the header", fmt.Sprint(header), "map[alg:"+name+" kid:k1 typ:JWT]")
			at := float64(noon.Unix())
			saslpeer.Equal(t, "the claims", fmt.Sprint(claims),
				fmt.Sprint(map[string]any{"iss": "me", "sub": "sub", "aud": "other", "x": "y", "iat": at,
					"exp": at + 300, "nbf": at - 60}))
		}
	}
	a.Key, a.ID, a.Life, a.Before = with(p256), true, time.Hour, -1
	_, first := verified(t, p256.Public(), saslpeer.Must(a.Sign(t.Context())).Reveal())
	_, second := verified(t, p256.Public(), saslpeer.Must(a.Sign(t.Context())).Reveal())
	if first["exp"] != float64(noon.Add(time.Hour).Unix()) || first["nbf"] != float64(noon.Unix()) ||
		first["jti"] == nil || first["jti"] == second["jti"] {
		t.Errorf("got %v and %v, want a life of 1h from now, and each its own jti", first, second)
	}
	a.Key = with(p384)
	saslpeer.ErrorSays(t, "another curve", saslpeer.Err(a.Sign(t.Context())), "P-256")
	saslpeer.ErrorSays(t, "no key", saslpeer.Err(oauthbearer.Assertion{}.Sign(t.Context())), "no key")
	a.Key = func() (crypto.Signer, error) { return nil, os.ErrNotExist }
	saslpeer.ErrorIs(t, "no file", saslpeer.Err(a.Sign(t.Context())), os.ErrNotExist)
}

// The two uses of an assertion, by the RFC's names and as Kafka's Java client has them.
func TestAssertionRequests(t *testing.T) {
	signs := func(context.Context) (ports.Secret, error) { return ports.NewSecret("canary-assertion"), nil }
	common := url.Values{"audience": {"canary-parameter"}, "scope": {"a"}}
	for grant, want := range map[bool]url.Values{
		true: {"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"canary-assertion"}},
		false: {"grant_type": {"client_credentials"}, "client_id": {"my client"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {"canary-assertion"}},
	} {
		got := asked(t, func(c *credentials) {
			c.Assertion, c.AssertionGrant, c.Scopes = signs, grant, []string{"a"}
			c.ClientSecret = ports.Secret{}
		})
		for key, value := range common {
			want[key] = value
		}
		saslpeer.Equal(t, "the form", got.PostForm.Encode(), want.Encode())
		saslpeer.Equal(t, "the header", got.Header.Get("Authorization"), "")
	}

	_, c := endpoint(t, answering(400, `{"error":"invalid_grant","error_description":"canary-assertion is old"}`))
	c.Assertion = signs
	err := logInWith(t, c)
	saslpeer.ErrorSays(t, "an error that repeats it", err, `invalid_grant: "[redacted]"`, "canary-assertion")
	c.Assertion = func(context.Context) (ports.Secret, error) { return ports.Secret{}, os.ErrNotExist }
	saslpeer.ErrorIs(t, "no assertion", logInWith(t, c), os.ErrNotExist)
}

func TestTokenFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	write := func(text string) { saslpeer.Succeed(t, os.WriteFile(path, []byte(text), 0o600)) }
	clock := fake.New(noon)
	a := create(config{Tokens: oauthbearer.FromFile(path), Clock: clock, Runner: saslpeer.Inline})
	expiring := func(life time.Duration) string { return jwt(fmt.Sprintf(`{"exp":%d}`, clock.Now().Add(life).Unix())) }
	sent := func() string { return saslpeer.Must(sends(t, a)).token }

	one, two := expiring(time.Hour), expiring(2*time.Hour)
	write("\ufeff" + one + "\n")
	saslpeer.Equal(t, "the token", sent(), one)
	write(two)
	saslpeer.Equal(t, "before the first one is due", sent(), one)
	clock.Advance(55 * time.Minute)
	saslpeer.Equal(t, "after it", sent(), two)

	clock.Advance(3 * time.Hour)
	_, err := sends(t, a)
	saslpeer.ErrorIs(t, "an expired token", err, oauthbearer.ErrExpired)
	write("opaque")
	saslpeer.Equal(t, "an opaque token", sent(), "opaque")
	write("opaque-too")
	saslpeer.Equal(t, "another one, since nothing says how long it lasts", sent(), "opaque-too")
	write(" \n")
	saslpeer.ErrorSays(t, "an empty file", saslpeer.Err(sends(t, a)), "is empty")
	saslpeer.Succeed(t, os.Remove(path))
	saslpeer.ErrorIs(t, "no file", saslpeer.Err(sends(t, a)), os.ErrNotExist)
	saslpeer.ErrorIs(t, "no assertion", saslpeer.Err(oauthbearer.AssertionFile(path)(t.Context())), os.ErrNotExist)
	write("e30.e30.sig\n")
	saslpeer.Equal(t, "the assertion", saslpeer.Must(oauthbearer.AssertionFile(path)(t.Context())).Reveal(),
		"e30.e30.sig")
}

// Kafka's brokers take a new first message in place of 0x01 (measured with 4.4): a token
// that was revoked while it was held is replaced on the same connection.
func TestBetterTokenInPlace(t *testing.T) {
	const refusal = `{"status":"invalid_token"}`
	r := newHarness()
	r.gives("old", time.Hour)
	r.wants(t, "old", 1)
	login := func() ports.Exchange {
		x := saslpeer.Begin(t, r)
		m := saslpeer.Must(started(t, x))
		saslpeer.Equal(t, "the first token", m.token, "old")
		return x
	}
	r.gives("new", time.Hour)
	x := login()
	response, done, err := saslpeer.Step(x, []byte(refusal))
	if m, bad := read(response); bad != nil || m.token != "new" || done || err != nil {
		t.Fatalf("got %q, %v, %v, want another first message", response, done, err)
	}
	if response, done, err := saslpeer.Step(x, []byte{}); response != nil || !done || err != nil {
		t.Errorf("got %q, %v, %v, want a login", response, done, err)
	}
	r.wants(t, "new", 2)

	// Once, with another token only, and not with one that was requested for this login.
	refused := func(what string, x ports.Exchange, calls int) {
		t.Helper()
		response, _, err := saslpeer.Step(x, []byte(refusal))
		if e := saslpeer.Typed[*oauthbearer.Error](t, err); e == nil || string(response) != "\x01" {
			t.Errorf("%s: got %q, %v, want 0x01 and an *Error", what, response, err)
		}
		saslpeer.Equal(t, what+": calls", r.calls, calls)
	}
	for _, next := range []string{"twice", "old", ""} {
		r = newHarness()
		r.gives("old", time.Hour)
		r.wants(t, "old", 1)
		x = login()
		if r.gives(next, time.Hour); next == "twice" {
			saslpeer.Step(x, []byte(refusal))
		}
		refused(next, x, 2)
	}
	r = newHarness()
	r.gives("old", time.Hour)
	refused("a fresh token", login(), 1)
}
