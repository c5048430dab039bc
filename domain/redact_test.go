package domain

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestRefusalRepeatsASecret: whatever part of a reason repeats the password or the token, or
// a piece of it, it is not shown.
func TestRefusalRepeatsASecret(t *testing.T) {
	const phrase, token = "canary battery staple", "eyJhbGciOiJSUzI1NiJ9.canary-4711.c2lnbmF0dXJl"
	plain := func(name, password string) string { return "\x00" + name + "\x00" + password }
	bearer := "n,,\x01auth=Bearer " + token + "\x01logicalCluster=lkc-1234\x01\x01"
	for name, c := range map[string]struct{ token, reason, want string }{
		"whole":          {plain("alice", "canary-password"), "no canary-password here", "no [redacted] here"},
		"with spaces":    {plain("alice", phrase), "no '" + phrase + "' here", "no '[redacted]' here"},
		"with line ends": {plain("alice", "canary\tbat\r\n"), "no 'canary\tbat\r\n' here", "no '[redacted]' here"},
		"of the name's letters": {plain("canary-a", "canary-a-canary"), "canary-a has canary-a-canary",
			noneOfWords},
		"in the name": {plain("canary-alice", "canary-a"), "canary-alice has canary-a",
			"[redacted] has [redacted]"},
		"short words":        {plain("alice", "ca na ry wo rd"), "ca na ry wo rd is wrong", "[redacted] is wrong"},
		"short":              {plain("alice", "cana"), "not cana", noneOfWords},
		"short, in capitals": {plain("alice", "cana"), "not CANA", noneOfWords},
		"the name":           {plain("alice", phrase), "no user alice", "no user alice"},
		"the name is it":     {plain("cana", "cana"), "no user cana", noneOfWords},
		"a name of 7 bytes":  {plain("alice-7", phrase), "no user alice-7", "no user alice-7"},
		"a name of 8 bytes":  {plain("alice-78", phrase), "no user alice-78", "no user [redacted]"},
		"two names":          {"canary-x\x00canary-x-alice\x00" + phrase, "no canary-x-alice", "no [redacted]"},
		"with another user":  {"canary-x\x00alice\x00" + phrase, "canary-x is " + phrase, "[redacted] is [redacted]"},
		"cut off":            {plain("alice", phrase), "bad password: canary batt...", noneOfWords},
		"the end of it":      {plain("alice", phrase), "bad password: ...ry staple", noneOfWords},
		"quoted":             {plain("alice", `cana"ry"wo\rd`), fmt.Sprintf("not %q", `cana"ry"wo\rd`), noneOfWords},
		"not ASCII":          {plain("alice", "cänäry wörd"), `not c\u00e4n\u00e4ry w\u00f6rd`, noneOfWords},
		"in base64":          {plain("alice", phrase), base64.StdEncoding.EncodeToString([]byte(phrase)), noneOfWords},
		"the token in base64": {plain("alice", phrase),
			"login " + base64.URLEncoding.EncodeToString([]byte(plain("alice", phrase))), noneOfWords},
		"in hexadecimal": {plain("alice", phrase), fmt.Sprintf("0x%X", phrase), noneOfWords},
		"in a URL":       {plain("alice", "c@n ry!"), "u=alice&p=" + url.PathEscape("c@n ry!"), noneOfWords},
		"in a form":      {plain("alice", "c@n ry to go"), "p=" + url.QueryEscape("c@n ry to go"), noneOfWords},
		"in HTML":        {plain("alice", "c<n>ry&o<w>d"), "not c&lt;n&gt;ry&amp;o&lt;w&gt;d", noneOfWords},
		"in JSON":        {plain("alice", "c<n>ry&o<w>d"), `not c\u003cn\u003ery\u0026o\u003cw\u003ed`, noneOfWords},
		"split":          {plain("alice", "canary-4711"), "not c a n a r y - 4 7 1 1", noneOfWords},
		"as numbers":     {plain("alice", "canary"), "not [99, 97, 110, 97, 114, 121]", noneOfWords},
		"around the name": {plain("canary-a", "4711-xcanary-ax-4711"), "not 4711-xcanary-ax-471",
			noneOfWords},
		"nothing of it": {plain("alice", phrase), "Authentication failed: Invalid username or password",
			"Authentication failed: Invalid username or password"},
		"no password":     {plain("alice", ""), "empty password of alice", "empty password of alice"},
		"bearer":          {bearer, "bad token " + token, "bad token [redacted]"},
		"part of a token": {bearer, "bad signature c2lnbmF0dXJl of eyJhbGciOiJSUzI1NiJ9", noneOfWords},
		"an extension":    {bearer, "unknown lkc-1234", "unknown lkc-1234"},
		"short bearer":    {"n,,\x01auth=Bearer cana\x01\x01", "bad cana", noneOfWords},
		// A STRING of Kafka's protocol has at most 32,767 bytes, a COMPACT_STRING has no limit.
		"without end": {plain("alice", phrase), strings.Repeat("no", 32<<10) + phrase,
			strings.Repeat("no", 16<<10)},
		"of an own form": {"login canary-password", "no canary-password", "no [redacted]"},
	} {
		got := Mechanism{Name: "X", Exposes: true}.redact(c.reason, []byte(c.token))
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if kept := (Mechanism{Name: "X"}).redact(c.reason, []byte(c.token)); kept != c.reason {
			t.Errorf("%s: got %q for a mechanism that does not show it, want all", name, strings.ToUpper(kept))
		}
	}
}
