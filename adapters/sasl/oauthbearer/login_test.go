package oauthbearer_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

const canary = "canary-4711.signature"

func TestContract(t *testing.T) {
	porttest.Authenticator(t, porttest.AuthenticatorCase{
		Authenticator: create(t, oauthbearer.Options{
			Tokens:     always(bearer(canary)),
			Authzid:    "alice",
			Extensions: map[string]string{"tenant": "t"},
		}),
		NewServer: func() func([]byte) ([]byte, error) {
			return func(response []byte) ([]byte, error) {
				m, err := read(response)
				if err == nil && (m.token != canary || m.authzid != "alice" || m.extensions["tenant"] != "t") {
					err = errors.New("another login than the right one")
				}
				return []byte{}, err
			}
		},
		Secrets: []string{canary},
	})
}

func TestIsTakenForWhatItIs(t *testing.T) {
	a := create(t, oauthbearer.Options{Tokens: always(bearer("t"))})
	if a.Mechanism() != "OAUTHBEARER" || !a.Exposes() {
		t.Errorf("%s, exposes: %v", a.Mechanism(), a.Exposes())
	}
}

// refused is what a login fails with that the broker answers with this.
func refused(t testing.TB, answer []byte) *oauthbearer.Error {
	t.Helper()
	a := create(t, oauthbearer.Options{Tokens: always(bearer(canary)), Runner: at})
	x := a.Begin(ports.Endpoint{})
	defer x.Close()
	if _, err := started(t, x); err != nil {
		t.Fatal(err)
	}
	response, done, err := says(x, answer)
	var e *oauthbearer.Error
	if string(response) != "\x01" || done || !errors.As(err, &e) {
		t.Fatalf("%q is answered with %q, done: %v, %v; want 0x01 and an *Error", answer, response, done, err)
	}
	return e
}

// What Kafka's OAuthBearerSaslServer makes of a validator's words, RFC 7628's own
// example, and what others may say.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         oauthbearer.Error
		text         string
	}{
		{"Kafka", `{"status":"invalid_token"}`, oauthbearer.Error{Status: "invalid_token"},
			"oauthbearer: the broker refuses the token: invalid_token"},
		{"Kafka, with a scope", `{"status":"insufficient_scope", "scope":"[a, b]"}`, oauthbearer.Error{Status: "insufficient_scope", Scope: "[a, b]"},
			`: insufficient_scope, scope "[a, b]"`},
		{"RFC 7628, section 4.3", `{ "status":"invalid_token", "scope":"example_scope", "openid-configuration":"https://example.com/.well-known/openid-configuration" }`,
			oauthbearer.Error{Status: "invalid_token", Scope: "example_scope", Configuration: "https://example.com/.well-known/openid-configuration"},
			`, scope "example_scope", OpenID configuration "https://example.com/.well-known/openid-configuration"`},
		{"RFC 7628, section 3.2.2: more members", `{"status":"a","schemes":"bearer","x":[{}]}`, oauthbearer.Error{Status: "a"}, ""},
		{"null", `{"status":"a","scope":null}`, oauthbearer.Error{Status: "a"}, ""},
		{"other members twice", `{"x":1,"status":"a","x":2}`, oauthbearer.Error{Status: "a"}, ""},
		{"escapes of a terminal", "{\"status\":\"a\\u001b[2Jb\\n\\u202ec\"}", oauthbearer.Error{Status: "a\uFFFD[2Jb\uFFFD\uFFFDc"}, ""},
		{"not UTF-8", "{\"status\":\"a\xffb\"}", oauthbearer.Error{Status: "a\uFFFDb"}, ""},
		{"the token itself", `{"status":"` + canary + ` is bad","scope":"` + canary + `"}`, oauthbearer.Error{Status: "[redacted]", Scope: "[redacted]"}, ""},
		{"the token in escapes", `{"status":"\u0063anary-4711.signature"}`, oauthbearer.Error{Status: "[redacted]"}, ""},
		{"long", `{"status":"` + strings.Repeat("é", 500) + `"}`, oauthbearer.Error{Status: strings.Repeat("é", 200) + "…"}, ""},

		{"nothing but a space", " ", oauthbearer.Error{}, `: " ", which is no answer of RFC 7628: not a JSON object`},
		{"text", "go away\x1b[2J", oauthbearer.Error{}, `"go away` + "\uFFFD" + `[2J", which is`},
		{"the token as text", canary + " is bad", oauthbearer.Error{}, `"[redacted]"`},
		{"the token behind much else", strings.Repeat("x", 190) + canary, oauthbearer.Error{}, `"[redacted]"`},
		{"half an object", `{"status":`, oauthbearer.Error{}, "not JSON"},
		{"an object that does not end", `{"status":"a"`, oauthbearer.Error{}, "not JSON"},
		{"Kafka, with quotes in the scope", `{"status":"a", "scope":""b""}`, oauthbearer.Error{}, "not JSON"},
		{"two objects", `{"status":"a"}{"status":"b"}`, oauthbearer.Error{}, "more than one"},
		{"an array", `["status"]`, oauthbearer.Error{}, "not a JSON object"},
		{"no object", `null`, oauthbearer.Error{}, "not a JSON object"},
		{"an empty object", `{}`, oauthbearer.Error{}, "no status"},
		{"an empty status", `{"status":""}`, oauthbearer.Error{}, "no status"},
		{"another case", `{"Status":"a"}`, oauthbearer.Error{}, "no status"},
		{"two statuses", `{"status":"a","status":"b"}`, oauthbearer.Error{}, `two members "status"`},
		{"two statuses, one in escapes", `{"status":"a","statu\u0073":"b"}`, oauthbearer.Error{}, `two members "status"`},
		{"a number", `{"status":401}`, oauthbearer.Error{}, `"status" is not a text`},
		{"an object as scope", `{"status":"a","scope":{}}`, oauthbearer.Error{}, `"scope" is not a text`},
		{"deep", strings.Repeat("[", 10000), oauthbearer.Error{}, "not a JSON object"},
		{"deep inside", `{"status":"a","x":` + strings.Repeat("[", 10000), oauthbearer.Error{}, "not JSON"},
		{"large", `{"status":"` + strings.Repeat("a", 16<<10) + `"}`, oauthbearer.Error{}, "it has 16397 bytes"},
		{"0x01", "\x01", oauthbearer.Error{}, "not a JSON object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := refused(t, []byte(c.answer))
			if e.Status != c.want.Status || e.Scope != c.want.Scope || e.Configuration != c.want.Configuration {
				t.Errorf("%+v; want %+v", e, c.want)
			}
			tame(t, e)
			if !strings.Contains(e.Error(), c.text) {
				t.Errorf("%v; want %s", e, c.text)
			}
		})
	}
}

// tame: whatever the broker says, an error is one short line without the token.
func tame(t *testing.T, e *oauthbearer.Error) {
	t.Helper()
	porttest.NoSecrets(t, "the error", e, canary)
	line := e.Error()
	if len(line) > 4000 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%d bytes: %q", len(line), line)
	}
}

func TestHints(t *testing.T) {
	for status, want := range map[string]string{"invalid_token": "issuer", "insufficient_scope": "scope", "other": ""} {
		var h ports.Hinter = &oauthbearer.Error{Status: status}
		if got := h.Hint(); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", status, got)
		}
	}
}

func TestBrokerSpeaksFirst(t *testing.T) {
	x := create(t, oauthbearer.Options{Tokens: always(bearer(canary)), Runner: at}).Begin(ports.Endpoint{})
	defer x.Close()
	if _, done, err := says(x, []byte{}); done || !errors.Is(err, sasl.ErrUnexpected) {
		t.Errorf("done: %v, %v", done, err)
	}
}

// FuzzBroker: an empty answer alone is success; any other ends the login with 0x01 and
// an error that is fit to be shown.
func FuzzBroker(f *testing.F) {
	for _, answer := range []string{
		"", "{}", `{"status":"invalid_token"}`, `{"status":"a","scope":"b","openid-configuration":"c"}`, `{"status":"a","status":"b"}`,
		`{"status":null}`, "{\"status\":\"\\u001b\"}", "{\"status\":\"\xff\"}", canary, `{"status":"` + canary + `"}`, strings.Repeat("[", 100), "\x01",
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) > 0 {
			tame(t, refused(t, answer))
			return
		}
		x := create(t, oauthbearer.Options{Tokens: always(bearer(canary)), Runner: at}).Begin(ports.Endpoint{})
		defer x.Close()
		if _, err := started(t, x); err != nil {
			t.Fatal(err)
		}
		if response, done, err := says(x, []byte{}); response != nil || !done || err != nil {
			t.Fatalf("%q, done: %v, %v", response, done, err)
		}
	})
}

// FuzzExtensions: what is sent is what Kafka's own expressions take, and "auth" is
// not among it.
func FuzzExtensions(f *testing.F) {
	for _, pair := range [][2]string{{"a", "b"}, {"auth", "b"}, {"", ""}, {"a", "\x01"}, {"a=", "b"}, {"a\n", "b"}, {"a", "b\n"}, {"é", "é"}, {"\xff", "\xff"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		got, err := first(oauthbearer.Options{Extensions: map[string]string{key: value}}, canary)
		if valid := extensionKey.MatchString(key) && extensionValue.MatchString(value) && key != "auth"; valid != (err == nil) {
			t.Fatalf("%q=%q: %v", key, value, err)
		}
		if err != nil {
			return
		}
		if m, err := read([]byte(got)); err != nil || m.token != canary || len(m.extensions) != 1 || m.extensions[key] != value {
			t.Fatalf("%q is read as %v, %v", got, m, err)
		}
	})
}
