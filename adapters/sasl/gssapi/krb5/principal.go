package krb5

import (
	"errors"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Principal is a name in a realm, such as "alice@EXAMPLE.ORG" or
// "kafka/broker.example.org@EXAMPLE.ORG".
type Principal struct {
	Name  types.PrincipalName
	Realm string // empty if it is not known yet
}

var escape = strings.NewReplacer(`\`, `\\`, `/`, `\/`, `@`, `\@`)

// String returns the name as MIT's tools write it.
func (p Principal) String() string {
	var parts []string
	for _, part := range p.Name.NameString {
		parts = append(parts, escape.Replace(part))
	}
	text := strings.Join(parts, "/")
	if p.Realm != "" {
		text += "@" + escape.Replace(p.Realm)
	}
	return text
}

func (p Principal) is(other Principal) bool {
	return p.Realm == other.Realm && p.Name.Equal(other.Name)
}

// parsePrincipal parses a name in which a backslash escapes a separator. The realm may
// be missing.
func parsePrincipal(text string) (p Principal, err error) {
	parts, inRealm := []string{""}, false // the realm is the last part
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case (c == '/' || c == '@') && !inRealm:
			parts, inRealm = append(parts, ""), c == '@'
		case c == '@', c == 0:
			return Principal{}, errors.New(
				`write a principal as name@REALM or name/instance@REALM, with a backslash before "@" within a name`)
		default:
			if c == '\\' && i+1 < len(text) && text[i+1] != 0 {
				i++
			}
			parts[len(parts)-1] += text[i : i+1]
		}
	}
	if inRealm {
		parts, p.Realm = parts[:len(parts)-1], parts[len(parts)-1]
	}
	p.Name = types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: parts}
	switch {
	case slices.Contains(parts, ""):
		return Principal{}, errors.New("empty part in the principal")
	case inRealm && p.Realm == "":
		return Principal{}, errors.New(`empty realm after the "@" of the principal`)
	}
	return p, nil
}

// service returns the principal of a service on a host. The host is in lower case, as
// with MIT and Java. Unlike them this function asks DNS for no other name of the host:
// an attacker who controls DNS could choose it.
func service(name, host string) Principal {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return Principal{Name: types.PrincipalName{NameType: nametype.KRB_NT_SRV_HST, NameString: []string{name, host}}}
}

// granting returns the principal of a realm's ticket-granting service, as it is known
// in another realm or in its own.
func granting(realm, in string) Principal {
	return Principal{types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}, in}
}

// grants returns the realm whose ticket-granting service p is.
func (p Principal) grants() (realm string, ok bool) {
	parts := p.Name.NameString
	if len(parts) == 2 && parts[0] == "krbtgt" {
		return parts[1], true
	}
	return "", false
}
