package krb5

import (
	"slices"
	"strings"
	"testing"
)

// FuzzPrincipal writes a principal of any parts as MIT's krb5_unparse_name does, with a backslash before each separator
// and each backslash, and reads it again; and what is read of any text is written as a text that is read as the same.
func FuzzPrincipal(f *testing.F) {
	for _, text := range []string{"alice@EXAMPLE.ORG", "kafka/broker.example.org@EXAMPLE.ORG", `a\@b/c\/d\\@R\\S`,
		"@", "a@", "a@b@c", "a//b", `a\`, "a\x00b", "a\\\x00", `a@R\@S`} {
		f.Add(text, "alice", "host", "REALM")
		f.Add(text, `a\@`, "/", `R\E/A@L`)
	}
	f.Fuzz(func(t *testing.T, text, name, instance, realm string) {
		if p, err := parsePrincipal(text); err == nil {
			again, err := parsePrincipal(p.String())
			if err != nil || !again.is(p) || !slices.Equal(again.Name.NameString, p.Name.NameString) {
				t.Fatalf("%q: got %q (%v), want %q", text, again, err, p)
			}
		}
		if name == "" || instance == "" || realm == "" || strings.Contains(name+instance+realm, "\x00") {
			return
		}
		mit := strings.NewReplacer(`\`, `\\`, `/`, `\/`, `@`, `\@`)
		written := mit.Replace(name) + "/" + mit.Replace(instance) + "@" + mit.Replace(realm)
		p, err := parsePrincipal(written)
		if err != nil || !slices.Equal(p.Name.NameString, []string{name, instance}) || p.Realm != realm {
			t.Fatalf("%q: got %q (%v), want %q, %q and %q", written, p, err, name, instance, realm)
		}
	})
}
