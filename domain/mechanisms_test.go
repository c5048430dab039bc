package domain

import (
	"testing"

	"brokerconn/ports"
)

// namedAuth is an authenticator of a mechanism.
type namedAuth struct {
	ports.Authenticator
	name string
}

func (a namedAuth) Mechanism() string { return a.name }

// exposingAuth says itself whether it exposes its secret.
type exposingAuth struct {
	namedAuth
	exposes bool
}

func (a exposingAuth) Exposes() bool { return a.exposes }

// TestMechanismsThatExpose: PLAIN (RFC 4616) and OAUTHBEARER (RFC 7628) send their secret, SCRAM (RFC 5802) and GSSAPI
// (RFC 4752) do not. An unknown one may.
func TestMechanismsThatExpose(t *testing.T) {
	for _, c := range []struct {
		auth ports.Authenticator
		want bool
	}{
		{namedAuth{name: "PLAIN"}, true},
		{namedAuth{name: "OAUTHBEARER"}, true},
		{namedAuth{name: "SCRAM-SHA-256"}, false},
		{namedAuth{name: "SCRAM-SHA-512"}, false},
		{namedAuth{name: "GSSAPI"}, false},
		{namedAuth{name: "AWS_MSK_IAM"}, true},
		{exposingAuth{namedAuth{name: "AWS_MSK_IAM"}, false}, false},
		{exposingAuth{namedAuth{name: "GSSAPI"}, true}, true},
	} {
		got := mechanismsOf([]ports.Authenticator{c.auth})
		if len(got) != 1 || got[0].Name != c.auth.Mechanism() || got[0].Exposes != c.want {
			t.Errorf("%T %s: got %+v, want exposes %v", c.auth, c.auth.Mechanism(), got, c.want)
		}
	}
}
