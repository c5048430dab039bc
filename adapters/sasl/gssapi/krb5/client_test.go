package krb5

import (
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
)

func TestOptionsRefused(t *testing.T) {
	const canary = "canary-7f3a"
	secret := ports.NewSecret(canary)
	alices := newKDC().keytabFile(t)
	for _, c := range []struct {
		name   string
		o      Options
		option string
		want   string
	}{
		{"no krb5.conf", Options{ConfigFile: "/no/such/krb5.conf"}, "ConfigFile", "/no/such/krb5.conf"},
		{"a bad one", Options{Config: "nonsense"}, "Config", "no section"},
		{"text and file", Options{Config: fakeConfig, ConfigFile: "/etc/krb5.conf"}, "Config", "keep one"},
		{"a password without a principal", Options{Password: secret}, "Principal", "needs a principal"},
		{"a keytab without a principal", Options{KeytabData: secret}, "Principal", "needs a principal"},
		{"a bad name", Options{Principal: "a@b@c", Password: secret}, "Principal", "name@REALM"},
		{"no realm", Options{Config: "[realms]\n A = {\n kdc = a\n }\n", Principal: "alice", Password: secret},
			"Principal", "default_realm"},
		{"password and keytab", Options{Principal: "alice", Password: secret, Keytab: "x"}, "Keytab",
			"together with Password"},
		{"keytab and cache", Options{Principal: "alice", KeytabData: secret, TicketCache: "x"}, "TicketCache",
			"together with KeytabData"},
		{"no such keytab", Options{Principal: "alice", Keytab: "/no/such/keytab"}, "Keytab", "/no/such/keytab"},
		{"a keytab of another", Options{Principal: "bob", Keytab: alices}, "Keytab", "alice@EXAMPLE.ORG"},
		{"no keytab in memory", Options{Principal: "alice", KeytabData: secret}, "KeytabData", "not a keytab"},
		{"a truncated keytab", Options{Principal: "alice", KeytabData: ports.NewSecret("\x05\x02\x00\x00\x00\x40" +
			canary)}, "KeytabData", "not a keytab"},
		{"an empty keytab", Options{Principal: "alice", KeytabData: ports.NewSecret("\x05\x02\x00\x00\x00\x00")},
			"KeytabData", "no principal"},
		{"a cache of another type", Options{TicketCache: "KCM:1000"}, "TicketCache", "KCM"},
		{"a negative time", Options{TicketCache: "x", KDCTimeout: -1}, "KDCTimeout", "negative"},
	} {
		if c.o.Config == "" && c.o.ConfigFile == "" {
			c.o.Config = fakeConfig
		}
		saslpeer.OptionError(t, c.name, saslpeer.Err(New(c.o)), c.option, c.want, canary)
	}
	// All at once.
	_, err := New(Options{Config: fakeConfig, Principal: "a@b@c", Keytab: "/no/such/keytab", KDCTimeout: -1})
	for _, option := range []string{"Principal", "KDCTimeout"} {
		saslpeer.ErrorSays(t, "two options", err, option)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := Other; int(r) < len(kinds); r++ {
		if name := r.String(); name == "" || seen[name] || kinds[r].Text == "" || r != Other && kinds[r].Hint == "" {
			t.Errorf("reason %d: got the name %q, text %q, hint %q; want them all, and the name once", r, name,
				kinds[r].Text, kinds[r].Hint)
		} else {
			seen[name] = true
		}
	}
}
