package oauthbearer_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// first returns the first message of a login with this token.
func first(o config, token string) (string, error) {
	o.Tokens, o.Runner = always(bearer(token)), saslpeer.Inline
	a, err := oauthbearer.New(o)
	if err != nil {
		return "", err
	}
	x := a.Begin(ports.Endpoint{})
	defer x.Close()
	response, _, err := saslpeer.Step(x, nil)
	return string(response), err
}

// The eleven tests of Kafka's OAuthBearerClientInitialResponseTest. Where that test
// parses, the message is made here and parsed by read, which has Kafka's expressions.
// Kafka's client sends the extensions in the order of a hash map; ours are sorted.
func TestKafkasOwnTests(t *testing.T) {
	const rfc = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg"
	hostAndPort := map[string]string{"host": "server.example.com", "port": "143"}
	for _, c := range []struct {
		name       string
		token      string
		authzid    string
		extensions map[string]string
		want       string // "": an error
	}{
		{"BuildClientResponseToBytes", "123.345.567", "", map[string]string{"nineteen": "42"},
			"n,,\x01auth=Bearer 123.345.567\x01nineteen=42\x01\x01"},
		{"BuildServerResponseToBytes", "123.345.567", "", map[string]string{"nineteen": "42"},
			"n,,\x01auth=Bearer 123.345.567\x01nineteen=42\x01\x01"},
		{"ThrowsSaslExceptionOnInvalidExtensionKey", "123.345.567", "", map[string]string{"19": "42"}, ""},
		{"Token", "123.345.567", "", nil, "n,,\x01auth=Bearer 123.345.567\x01\x01"},
		{"AuthorizationId", "345", "myuser", nil, "n,a=myuser,\x01auth=Bearer 345\x01\x01"},
		{"Extensions", "567", "", map[string]string{"propA": "valueA1, valueA2", "propB": "valueB"},
			"n,,\x01auth=Bearer 567\x01propA=valueA1, valueA2\x01propB=valueB\x01\x01"},
		{"Rfc7688Example", rfc, "user@example.com", hostAndPort, "n,a=user@example.com,\x01auth=Bearer " + rfc +
			"\x01host=server.example.com\x01port=143\x01\x01"},
		{"CharSupportForRfc6750Token", "vF-9.df_t4qm~Tc2Nvb3RlckBhbHR+hdmlzdGEuY29/tCg==", "user@example.com",
			hostAndPort, "n,a=user@example.com,\x01auth=Bearer " +
				"vF-9.df_t4qm~Tc2Nvb3RlckBhbHR+hdmlzdGEuY29/tCg==\x01host=server.example.com\x01port=143\x01\x01"},
		{"NoExtensionsFromByteArray", rfc, "user@example.com", nil, "n,a=user@example.com,\x01auth=Bearer " + rfc +
			"\x01\x01"},
		{"NoExtensionsFromTokenAndNullExtensions", "token", "", nil, "n,,\x01auth=Bearer token\x01\x01"},
		{"ValidateNullExtensions", "token", "", map[string]string{}, "n,,\x01auth=Bearer token\x01\x01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := first(config{Authzid: c.authzid, Extensions: c.extensions}, c.token)
			if got != c.want || (err != nil) != (c.want == "") {
				t.Fatalf("got %q, %v, want %q", got, err, c.want)
			}
			if err != nil {
				return
			}
			m, err := read([]byte(got))
			if err != nil || m.token != c.token || m.authzid != c.authzid || !maps.Equal(m.extensions, c.extensions) {
				t.Errorf("got %v, %v from the message", m, err)
			}
		})
	}
}

func TestExtensionGrammar(t *testing.T) {
	for _, c := range []struct{ key, value, text string }{
		{"logicalCluster", "lkc-1", ""},
		{"k", " \t\r\n!~=,", ""},
		{"Auth", "another case", ""},
		{"auth", "Bearer other", `extension "auth"`},
		{"", "x", `extension ""`},
		{"a-b", "x", `"a-b": a key consists of letters`},
		{"a=b", "x", `"a=b": a key consists of letters`},
		{"clé", "x", "a key consists of letters"},
		{"a\x01auth=Bearer evil\x01b", "x", "a key consists of letters"},
		{"k\x1b[31m", "x", `"k` + "\uFFFD" + `[31m"`},
		{"k", "", `extension "k" has no value`},
		{"k", "a\x01auth=Bearer evil", `extension "k": a value consists of`},
		{"k", "a\x00", "a value consists of"},
		{"k", "a\x7f", "a value consists of"},
		{"k", "é", "a value consists of"},
		{"k", "\xff", "a value consists of"},
	} {
		pair := map[string]string{c.key: c.value}
		_, err := first(config{Extensions: pair}, "token")
		if c.text == "" {
			saslpeer.ErrorIs(t, c.key+"="+c.value, err, nil)
			continue
		}
		option, ok := errors.AsType[*sasl.OptionError](err)
		if !ok || option.Option != "Extensions" || !strings.Contains(err.Error(), c.text) ||
			strings.Contains(err.Error(), "evil") && c.key == "k" {
			t.Errorf("%q=%q: got %v, want %q in it", c.key, c.value, err, c.text)
		}
		withToken := bearer("token")
		withToken.Extensions = pair
		a := create(config{Tokens: always(withToken), Runner: saslpeer.Inline})
		saslpeer.ErrorSays(t, "with the token", saslpeer.Err(sends(t, a)), c.text)
	}
}

func TestTokenExtensionOverridesOption(t *testing.T) {
	token := bearer("token")
	token.Extensions = map[string]string{"a": "token", "c": "token"}
	options := map[string]string{"a": "options", "b": "options"}
	a := create(config{Tokens: always(token), Extensions: options, Runner: saslpeer.Inline})
	options["b"] = "changed afterwards"
	for range 2 {
		m, err := sends(t, a)
		if want := map[string]string{"a": "token", "b": "options", "c": "token"}; err != nil ||
			!maps.Equal(m.extensions, want) {
			t.Errorf("got %v, %v, want %v", m.extensions, err, want)
		}
	}
}

// RFC 6750, section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
func TestTokenGrammar(t *testing.T) {
	for _, text := range []string{"a", "0", "-._~+/", "a=", "a==", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."} {
		saslpeer.ErrorIs(t, text, saslpeer.Err(first(config{}, text)), nil)
	}
	for _, text := range []string{
		"", "=", "==", "a=b", "a b", " a", "a\n", "a\x01", "a\x01auth=Bearer b", "a\x00", "a,b", "é", "a\u200b", "\xff",
		`"a"`, "Bearer a",
	} {
		_, err := first(config{}, text)
		if err == nil || len(text) > 4 && strings.Contains(err.Error(), text) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// RFC 5801, section 4; RFC 4616 has the same alphabet for names.
func TestAuthzid(t *testing.T) {
	for name, want := range map[string]string{
		"alice":  "n,a=alice,\x01",
		"a,b=c":  "n,a=a=2Cb=3Dc,\x01",
		"=2C":    "n,a==3D2C,\x01",
		"Jürgen": "n,a=Jürgen,\x01",
		"":       "n,,\x01",
	} {
		got, err := first(config{Authzid: name}, "token")
		if err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"a\x01auth=Bearer evil\x01", "a\x00", "a\n", "\xff", "\u0085"} {
		saslpeer.OptionError(t, name, saslpeer.Err(first(config{Authzid: name}, "token")), "Authzid", "", "evil")
	}
}

// The broker reads each valid message as it was meant.
func TestNothingIsInjected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		any := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z]{1,4}`),
			rapid.StringMatching(`[ -~\t\r\n\x01=,]{0,6}`))
		authzid, token := any.Draw(t, "authzid"), any.Draw(t, "token")
		extensions := rapid.MapOfN(any, any, 0, 3).Draw(t, "extensions")
		got, err := first(config{Authzid: authzid, Extensions: extensions}, token)
		if err != nil {
			return
		}
		if strings.ContainsFunc(authzid, func(r rune) bool { return r > 0x7f }) {
			return // the RFCs allow it; Kafka reads ASCII only
		}
		m, err := read([]byte(got))
		if err != nil || m.authzid != authzid || m.token != token || !maps.Equal(m.extensions, extensions) {
			t.Fatalf("%q: got %q, %v", got, m, err)
		}
	})
}

func TestOptions(t *testing.T) {
	_, err := oauthbearer.New(config{Authzid: "\x01", Extensions: map[string]string{"1": "a", "b": ""}})
	if err == nil || strings.Count(err.Error(), "\n") != 3 ||
		!strings.Contains(err.Error(), "sasl: Tokens: not given") {
		t.Errorf("got %v, want four problems", err)
	}
	saslpeer.Panics(t, "oauthbearer: FromSource without a source", func() { oauthbearer.FromSource(nil) })
}

func TestProviderIsCalledByNext(t *testing.T) {
	a := create(config{Runner: saslpeer.Inline, Tokens: func(context.Context) (oauthbearer.Token, error) {
		t.Error("got a call by New or Begin, want none")
		return oauthbearer.Token{}, nil
	}})
	a.Begin(ports.Endpoint{}).Close()
}
