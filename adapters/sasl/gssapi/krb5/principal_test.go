package krb5

import (
	"fmt"
	"testing"

	"brokerconn/acceptance/saslpeer"

	"pgregory.net/rapid"
)

func TestParsePrincipal(t *testing.T) {
	for _, c := range []struct {
		text  string
		parts []string
		realm string
	}{
		{"alice", []string{"alice"}, ""},
		{"alice@EXAMPLE.ORG", []string{"alice"}, "EXAMPLE.ORG"},
		{"kafka/b1.example.org@EXAMPLE.ORG", []string{"kafka", "b1.example.org"}, "EXAMPLE.ORG"},
		{`alice\@corp@EXAMPLE.ORG`, []string{"alice@corp"}, "EXAMPLE.ORG"},
		{`a\/b\\c`, []string{`a/b\c`}, ""},
		{"a/b/c", []string{"a", "b", "c"}, ""},
		{"alice@SLASH/REALM", []string{"alice"}, "SLASH/REALM"},
		{"zoë@EXAMPLE.ORG", []string{"zoë"}, "EXAMPLE.ORG"},
	} {
		p := saslpeer.Must(parsePrincipal(c.text))
		saslpeer.Equal(t, c.text, fmt.Sprintf("%q", p.Name.NameString), fmt.Sprintf("%q", c.parts))
		saslpeer.Equal(t, c.text+": realm", p.Realm, c.realm)
	}
	for _, text := range []string{"", "@EXAMPLE.ORG", "alice@", "alice@A@B", "kafka/", "/x", "a\x00b", "a\\\x00b"} {
		if p, err := parsePrincipal(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, p)
		}
	}
}

func TestPrincipalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-z@/\\.é-]{1,8}`)
		p := Principal{nameOf(rapid.SliceOfN(part, 1, 3).Draw(t, "name")...),
			rapid.StringMatching(`[A-Z./@\\]{0,8}`).Draw(t, "realm")}
		again, err := parsePrincipal(p.String())
		if err != nil || !again.is(p) {
			t.Fatalf("%q: got %q, %v back", p, again, err)
		}
	})
}

func TestServiceOfHost(t *testing.T) {
	for host, want := range map[string]string{
		"Broker.Example.ORG.": "kafka/broker.example.org",
		"localhost":           "kafka/localhost",
		"127.0.0.1":           "kafka/127.0.0.1",
		"2001:db8::1":         "kafka/2001:db8::1",
	} {
		saslpeer.Equal(t, host, service("kafka", host).String(), want)
	}
}
