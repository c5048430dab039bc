package porttest_test

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// counter is a testing.TB that counts failures.
type counter struct {
	testing.TB
	failures int
}

func (h *counter) Helper()               {}
func (h *counter) Errorf(string, ...any) { h.failures++ }

type (
	asError    struct{ secret string }
	asLog      struct{ secret []byte }
	asText     struct{ secret []byte }
	asGoString struct{ *string }
)

func (e asError) Error() string        { return "wrong: " + e.secret }
func (l asLog) LogValue() slog.Value   { return slog.StringValue(string(l.secret)) }
func (l asLog) Format(fmt.State, rune) {}
func (m asText) Format(fmt.State, rune) {
}
func (m asText) MarshalText() ([]byte, error) { return m.secret, nil }
func (g asGoString) GoString() string         { return *g.string }

func TestNoSecretsFindsThem(t *testing.T) {
	const secret = "canary ü"
	text := secret
	for name, v := range map[string]any{
		"text":               secret,
		"bytes":              []byte(secret),
		"runes":              []rune(secret),
		"a field":            struct{ s string }{secret},
		"bytes in a field":   struct{ b []byte }{[]byte(secret)},
		"behind one pointer": &struct{ b []byte }{[]byte(secret)},
		"an error's text":    asError{secret},
		"a wrapped error":    fmt.Errorf("login: %w", errors.New(secret)),
		"only in a log":      asLog{[]byte(secret)},
		"only as JSON":       asText{[]byte(secret)},
		"only as Go":         asGoString{&text},
		"beside others":      []any{1, ports.NewSecret("x"), map[string][]byte{"k": []byte(secret)}},
	} {
		h := &counter{}
		porttest.NoSecrets(h, name, v, "another", secret)
		if h.failures == 0 {
			t.Errorf("not found: %s", name)
		}
	}
	for name, v := range map[string]any{
		"hidden":                 ports.NewSecret(secret),
		"hidden in a field":      struct{ s ports.Secret }{ports.NewSecret(secret)},
		"a function":             func() string { return secret },
		"behind a field pointer": struct{ s *string }{&text},
		"something else":         "can ary",
		"nothing":                nil,
	} {
		porttest.NoSecrets(t, name, v, secret)
	}
}

func TestNoSecretsInFindsThem(t *testing.T) {
	const secret = "canary >?ü"
	for name, text := range map[string]string{
		"as it is":               "password=" + secret,
		"quoted":                 fmt.Sprintf("%+q", secret),
		"in base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
		"behind one byte":        base64.StdEncoding.EncodeToString([]byte(":" + secret + "!")),
		"behind two":             base64.StdEncoding.EncodeToString([]byte("a:" + secret + "!!")),
		"behind three, for URLs": base64.URLEncoding.EncodeToString([]byte("\x00a\x00" + secret)),
		"in hex":                 fmt.Sprintf("00%x00", secret),
		"a dump":                 fmt.Sprintf("61 % x 0a", secret),
		"bytes":                  fmt.Sprint([]byte("a" + secret + "b")),
		"in a query":             "?p=" + url.QueryEscape(secret) + "&q",
		"in a path":              "/" + url.PathEscape(secret) + "/",
		"in capitals":            strings.ToUpper(secret),
		"in base32":              base32.StdEncoding.EncodeToString([]byte("ab" + secret)),
		"in base64 twice": base64.StdEncoding.EncodeToString([]byte("a" +
			base64.StdEncoding.EncodeToString([]byte("b"+secret)))),
		"a dump in pairs":     "00000000: 6163 616e 6172 7920 3e3f c3bc 0a",
		"a fingerprint":       strings.ReplaceAll(fmt.Sprintf("% X", "a"+secret), " ", ":"),
		"as JSON's list":      strings.ReplaceAll(fmt.Sprint([]byte("a"+secret)), " ", ","),
		"percents throughout": strings.ToUpper(strings.ReplaceAll(fmt.Sprintf("% x", " "+secret), " ", "%")),
	} {
		h := &counter{}
		porttest.NoSecretsIn(h, name, "before "+text+" after", "another", secret)
		if h.failures == 0 {
			t.Errorf("not found %s: %s", name, text)
		}
	}
	porttest.NoSecretsIn(t, "another text", "canary", secret)
	porttest.NoSecretsIn(t, "nothing", "", secret)
}
