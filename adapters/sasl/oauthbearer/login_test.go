package oauthbearer_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711.signature"

func TestContract(t *testing.T) {
	a := create(config{
		Tokens: always(bearer(canary)), Authzid: "alice", Extensions: map[string]string{"tenant": "t"},
	})
	saslpeer.Contract(t, a, "OAUTHBEARER", true, func() saslpeer.Broker {
		return func(response []byte) ([]byte, error) {
			m, err := read(response)
			if err == nil && (m.token != canary || m.authzid != "alice" || m.extensions["tenant"] != "t") {
				err = fmt.Errorf("got the message %+v", m)
			}
			return []byte{}, err
		}
	}, canary)
}

// refused returns the error of a login that the broker rejects with an answer.
func refused(t testing.TB, answer []byte) *oauthbearer.Error {
	t.Helper()
	x := saslpeer.Begin(t, create(config{Tokens: always(bearer(canary)), Runner: saslpeer.Inline}))
	saslpeer.Must(started(t, x))
	response, done, err := saslpeer.Step(x, answer)
	if string(response) != "\x01" || done || err == nil {
		t.Fatalf("answer %q: got %q, %v, %v, want 0x01 and an *Error", answer, response, done, err)
	}
	porttest.NoSecrets(t, "the error", err, canary)
	return saslpeer.Typed[*oauthbearer.Error](t, err)
}

// Answers of Kafka's OAuthBearerSaslServer, RFC 7628's example, and others.
func TestRejections(t *testing.T) {
	const configuration = "https://example.com/.well-known/openid-configuration"
	for _, c := range []struct {
		name, answer string
		want         oauthbearer.Error
		text         string
	}{
		{"Kafka", `{"status":"invalid_token"}`, rejection{Status: "invalid_token"},
			"oauthbearer: the broker rejects the token: invalid_token"},
		{"Kafka, with a scope", `{"status":"insufficient_scope", "scope":"[a, b]"}`,
			rejection{Status: "insufficient_scope", Scope: "a b"},
			`: insufficient_scope, scope "a b"`},
		{"one scope", `{"status":"a", "scope":"[a]"}`, rejection{Status: "a", Scope: "a"}, ""},
		{"half a list", `{"status":"a", "scope":"[a, b"}`, rejection{Status: "a", Scope: "[a, b"}, ""},
		{"RFC 7628, section 4.3", `{ "status":"invalid_token", "scope":"example_scope", "openid-configuration":"` +
			configuration + `" }`,
			rejection{Status: "invalid_token", Scope: "example_scope", Configuration: configuration},
			`, scope "example_scope", OpenID configuration "` + configuration + `"`},
		{"RFC 7628, section 3.2.2: more members", `{"status":"a","schemes":"bearer","x":[{}]}`, rejection{Status: "a"},
			""},
		{"null", `{"status":"a","scope":null}`, rejection{Status: "a"}, ""},
		{"other members twice", `{"x":1,"status":"a","x":2}`, rejection{Status: "a"}, ""},
		{"escapes of a terminal", "{\"status\":\"a\\u001b[2Jb\\n\\u202ec\"}",
			rejection{Status: "a\uFFFD[2Jb\uFFFD\uFFFDc"}, ""},
		{"not UTF-8", "{\"status\":\"a\xffb\"}", rejection{Status: "a\uFFFDb"}, ""},
		{"the token itself", `{"status":"` + canary + ` is bad","scope":"` + canary + `"}`,
			rejection{Status: "[redacted]", Scope: "[redacted]"}, ""},
		{"the token in escapes", `{"status":"\u0063anary-4711.signature"}`, rejection{Status: "[redacted]"}, ""},
		{"a part of the token", `{"status":"bad ` + canary[3:14] + `"}`, rejection{Status: "[redacted]"}, ""},
		{"the token in base64", `{"status":"x","scope":"` +
			base64.StdEncoding.EncodeToString([]byte("Bearer "+canary)) + `"}`,
			rejection{Status: "x", Scope: "[redacted]"}, ""},
		{"the token in capitals", `{"status":"` + strings.ToUpper(canary) + `"}`, rejection{Status: "[redacted]"}, ""},
		{"the token in hexadecimal", `{"status":"` + fmt.Sprintf("%x", canary) + `"}`,
			rejection{Status: "[redacted]"}, ""},
		{"long", `{"status":"` + strings.Repeat("é", 500) + `"}`, rejection{Status: strings.Repeat("é", 200) + "..."},
			""},

		{"a space", " ", rejection{}, `: malformed answer (RFC 7628) " ": not a JSON object`},
		{"text", "go away\x1b[2J", rejection{}, `"go away` + "\uFFFD" + `[2J": `},
		{"the token as text", canary + " is bad", rejection{}, `"[redacted]"`},
		{"the token behind much else", strings.Repeat("x", 190) + canary, rejection{}, `"[redacted]"`},
		{"half an object", `{"status":`, rejection{}, "not JSON"},
		{"an object that does not end", `{"status":"a"`, rejection{}, "not JSON"},
		{"Kafka, with quotes in the scope", `{"status":"a", "scope":""b""}`, rejection{}, "not JSON"},
		{"two objects", `{"status":"a"}{"status":"b"}`, rejection{}, "more than one"},
		{"an array", `["status"]`, rejection{}, "not a JSON object"},
		{"no object", `null`, rejection{}, "not a JSON object"},
		{"an empty object", `{}`, rejection{}, "no status"},
		{"an empty status", `{"status":""}`, rejection{}, "no status"},
		{"another case", `{"Status":"a"}`, rejection{}, "no status"},
		{"two statuses", `{"status":"a","status":"b"}`, rejection{}, `member "status" is repeated`},
		{"two statuses, one in escapes", `{"status":"a","statu\u0073":"b"}`, rejection{},
			`member "status" is repeated`},
		{"a number", `{"status":401}`, rejection{}, `member "status" is not a string`},
		{"an object as scope", `{"status":"a","scope":{}}`, rejection{}, `member "scope" is not a string`},
		{"deep", strings.Repeat("[", 10000), rejection{}, "not a JSON object"},
		{"deep inside", `{"status":"a","x":` + strings.Repeat("[", 10000), rejection{}, "not JSON"},
		{"large", `{"status":"` + strings.Repeat("a", 16<<10) + `"}`, rejection{}, "16397 bytes, the limit is 16384"},
		{"0x01", "\x01", rejection{}, "not a JSON object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := refused(t, []byte(c.answer))
			if e.Status != c.want.Status || e.Scope != c.want.Scope || e.Configuration != c.want.Configuration {
				t.Errorf("got %+v, want %+v", e, c.want)
			}
			saslpeer.ErrorSays(t, c.name, e, c.text)
		})
	}
}

func TestHints(t *testing.T) {
	for status, want := range map[string]string{"invalid_token": "issuer", "insufficient_scope": "scope", "other": ""} {
		saslpeer.Hint(t, status, &rejection{Status: status}, want)
	}
}

func TestMessageBeforeToken(t *testing.T) {
	x := saslpeer.Begin(t, create(config{Tokens: always(bearer(canary)), Runner: saslpeer.Inline}))
	if _, done, err := saslpeer.Step(x, []byte{}); done || !errors.Is(err, sasl.ErrUnexpected) {
		t.Errorf("got %v, %v, want ErrUnexpected", done, err)
	}
}

// FuzzBroker: an empty answer alone is success; any other ends the login with 0x01 and
// a printable error.
func FuzzBroker(f *testing.F) {
	for _, answer := range []string{
		"", "{}", `{"status":"invalid_token"}`, `{"status":"a","scope":"b","openid-configuration":"c"}`,
		`{"status":"a","status":"b"}`,
		`{"status":null}`, "{\"status\":\"\\u001b\"}", "{\"status\":\"\xff\"}", canary, `{"status":"` + canary + `"}`,
		strings.Repeat("[", 100), "\x01",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) > 0 {
			refused(t, answer)
			return
		}
		saslpeer.Must(sends(t, create(config{Tokens: always(bearer(canary)), Runner: saslpeer.Inline})))
	})
}

// FuzzExtensions: an extension is sent if Kafka's own expressions accept it and its key
// is not "auth".
func FuzzExtensions(f *testing.F) {
	for _, pair := range [][2]string{{"a", "b"}, {"auth", "b"}, {"", ""}, {"a", "\x01"}, {"a=", "b"}, {"a\n", "b"},
		{"a", "b\n"}, {"é", "é"}, {"\xff", "\xff"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		got, err := first(config{Extensions: map[string]string{key: value}}, canary)
		if valid := extensionKey.MatchString(key) && extensionValue.MatchString(value) &&
			key != "auth"; valid != (err == nil) {
			t.Fatalf("%q=%q: got %v, want valid %v", key, value, err, valid)
		}
		if err != nil {
			return
		}
		if m, err := read([]byte(got)); err != nil || m.token != canary || len(m.extensions) != 1 ||
			m.extensions[key] != value {
			t.Fatalf("%q: got %v, %v", got, m, err)
		}
	})
}
