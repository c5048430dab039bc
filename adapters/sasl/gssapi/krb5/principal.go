package krb5

import (
	"errors"
	"strings"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// principal is a name in a realm: "alice@EXAMPLE.ORG",
// "kafka/broker.example.org@EXAMPLE.ORG".
type Principal struct {
	Name  types.PrincipalName
	Realm string // "": not known yet
}

var escape = strings.NewReplacer(`\`, `\\`, `/`, `\/`, `@`, `\@`)

// String writes the name as MIT's tools do.
func (p Principal) String() string {
	var parts []string
	for _, part := range p.Name.NameString {
		parts = append(parts, escape.Replace(part))
	}
	text := strings.Join(parts, "/")
	if p.Realm != "" {
		text += "@" + p.Realm
	}
	return text
}

func (p Principal) is(other Principal) bool {
	return p.Realm == other.Realm && p.Name.Equal(other.Name)
}

// parsePrincipal reads a name with a backslash before what else would divide it. The
// realm may be missing.
func parsePrincipal(text string) (p Principal, err error) {
	p.Name.NameType = nametype.KRB_NT_PRINCIPAL
	part, inRealm := "", false
	end := func() {
		if inRealm {
			p.Realm = part
		} else {
			p.Name.NameString = append(p.Name.NameString, part)
		}
		part = ""
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			part += text[i : i+1]
		case c == '/' && !inRealm:
			end()
		case c == '@' && !inRealm:
			end()
			inRealm = true
		case c == '@', c == 0:
			return Principal{}, errors.New(`a principal is written name@REALM or name/instance@REALM, with a backslash before "@" within a name`)
		default:
			part += text[i : i+1]
		}
	}
	end()
	for _, part := range p.Name.NameString {
		if part == "" {
			return Principal{}, errors.New("a part of the principal is empty")
		}
	}
	if inRealm && p.Realm == "" {
		return Principal{}, errors.New(`there is no realm after the "@"`)
	}
	return p, nil
}

// service is the principal of a service on a host. MIT and Java write the host in
// small letters; unlike them this never asks DNS for another name of the host, which
// whoever answers for DNS could choose.
func service(name, host string) Principal {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return Principal{Name: types.PrincipalName{NameType: nametype.KRB_NT_SRV_HST, NameString: []string{name, host}}}
}

// granting is the principal of the ticket-granting service of a realm, as it is
// known in another one or in its own.
func granting(realm, in string) Principal {
	return Principal{types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", realm}}, in}
}

// grants returns the realm whose tickets a ticket for p is good for.
func (p Principal) grants() (realm string, ok bool) {
	parts := p.Name.NameString
	if len(parts) == 2 && parts[0] == "krbtgt" {
		return parts[1], true
	}
	return "", false
}
