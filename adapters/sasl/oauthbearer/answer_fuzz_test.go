package oauthbearer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"brokerconn/ports"
)

// answering is an endpoint that gives one answer.
type answering struct {
	status     int
	kind, body string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}}, Request: r,
		Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// FuzzEndpoint lets a token endpoint answer anything: a token is one that the answer has as access_token or id_token,
// its life is the whole seconds that the answer says, and an error is one line that shows nothing of the secret.
func FuzzEndpoint(f *testing.F) {
	const kind = "application/json"
	for _, body := range []string{`{"access_token":"a.b.c","token_type":"bearer","expires_in":3600}`, `{}`, `[]`,
		"null", `{"access_token":"a","expires_in":"60.9"}`, `{"access_token":"a","expires_in":1e400}`,
		`{"id_token":"x.y.z"}`,
		`{"access_token":"a","expires_in":-1}`, `{"error":"invalid_client","error_description":"canary-4711\u001b"}`,
		"access_token=a&expires_in=5", `{"access_token":{"a":1}}`, `{"access_token":"a","token_type":"mac"}`, "<html>",
		`{"Access_Token":"a","access_token":"b"}`, `{"access_token":"a","access_token":"b"}`} {
		f.Add(200, kind, body)
		f.Add(400, kind, body)
	}
	f.Add(200, "application/x-www-form-urlencoded", "access_token=a&expires_in=5")
	f.Add(302, "text/html", "moved")
	f.Add(400, kind, `{"error":"invalid_client","error_description":"the canary-yellow client"}`)
	c := ClientCredentials{TokenURL: "https://idp.test/token?key=canary-query", ClientID: "me",
		ClientSecret: ports.NewSecret("canary-4711")}
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		if status < 200 || status > 599 || len(body) > 1<<16 {
			return
		}
		client := &http.Client{CheckRedirect: checkRedirect, Transport: whole{c, answering{status, kind, body}}}
		config, secrets := c.request()
		before := time.Now()
		got, err := config.Token(context.WithValue(context.Background(), oauth2.HTTPClient, client))
		token, err := fromOAuth2(got, err)
		if err != nil {
			text := c.explain(err, secrets).Error()
			hidden := func(r rune) bool { return !unicode.IsPrint(r) }
			if shows(text, "canary-4711") || shows(text, "canary-query") || strings.ContainsFunc(text, hidden) {
				t.Fatalf("%d %q: got %q, want one line without the secret", status, body, text)
			}
			return
		}
		var answer map[string]any
		if json.Unmarshal([]byte(body), &answer) != nil || answer == nil {
			return // a form, which x/oauth2 reads
		}
		secret := token.AccessToken.Reveal()
		named := false
		for name, value := range answer {
			named = named || value == secret && (strings.EqualFold(name, "access_token") || name == "id_token")
		}
		if secret == "" || !named {
			t.Fatalf("%q: got the token %q, want that of the answer", body, secret)
		}
		seconds, ok := answer["expires_in"].(float64)
		if !ok || seconds < 1 || hasOther(answer) {
			return
		}
		life := time.Duration(min(math.Floor(seconds), math.MaxInt32)) * time.Second
		if token.Expiry.Before(before.Add(life)) || token.Expiry.After(time.Now().Add(life)) {
			t.Fatalf("%q: got a life of %v, want %v", body, token.Expiry.Sub(before), life)
		}
	})
}

// shows reports whether text has eight bytes in a row of a secret: fewer may be a word of the answer's own.
func shows(text, secret string) bool {
	for i := range len(secret) - 7 {
		if strings.Contains(text, secret[i:i+8]) {
			return true
		}
	}
	return false
}

// hasOther reports whether another member differs from expires_in in its capitals, which encoding/json ignores.
func hasOther(answer map[string]any) bool {
	for name := range answer {
		if name != "expires_in" && strings.EqualFold(name, "expires_in") {
			return true
		}
	}
	return false
}

// FuzzExpiry compares the expiry of a JWT with its claims read as a plain map (RFC 7519, section 4.1.4): a number of
// seconds; without one, or with one that is no such time, there is no expiry.
func FuzzExpiry(f *testing.F) {
	for _, claims := range []string{`{"exp":1764500000}`, `{"exp":1764500000.9,"iat":1}`, `{}`, `{"exp":-1}`,
		`{"exp":1e300}`, `{"exp":null}`, `{"exp":{}}`, `[1]`, `{"exp":1,"exp":2}`, `{"exp":0}`, "\xff", `{"exp":1e3}`} {
		f.Add(claims, "e30", "c2ln")
		f.Add(claims, "", "")
	}
	f.Fuzz(func(t *testing.T, claims, header, signature string) {
		if strings.Contains(header+signature, ".") {
			return
		}
		encoded := base64.RawURLEncoding.EncodeToString([]byte(claims))
		got := expiryOf(header + "." + encoded + "." + signature)
		if none := expiryOf(header + "." + encoded); !none.IsZero() {
			t.Fatalf("%q: got %v of two parts, want none", claims, none)
		}
		if !got.IsZero() && (got.Unix() < 0 || got.Unix() > 1<<40) {
			t.Fatalf("%q: got %v", claims, got)
		}
		var all map[string]any
		if json.Unmarshal([]byte(claims), &all) != nil {
			if !got.IsZero() {
				t.Fatalf("%q: got %v of no JSON object", claims, got)
			}
			return
		}
		var number json.Number
		for name, value := range all {
			if name != "exp" && strings.EqualFold(name, "exp") {
				return // encoding/json ignores capitals
			}
			if text, ok := value.(string); ok && name == "exp" {
				number = json.Number(text)
			}
		}
		seconds, ok := all["exp"].(float64)
		if !ok && number != "" {
			return // a number in quotes is read too
		}
		var want time.Time
		if ok && seconds > 0 && seconds <= 1<<40 {
			want = time.Unix(int64(seconds), 0)
		}
		if !got.Equal(want) {
			t.Fatalf("%q: got %v, want %v", claims, got, want)
		}
	})
}
