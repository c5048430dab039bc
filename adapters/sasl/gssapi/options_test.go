package gssapi

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"brokerconn/adapters/sasl"
	"brokerconn/ports/porttest"
)

func TestOptionsRefused(t *testing.T) {
	w := newWorld()
	const canary = "canary-7f3a"
	secret := secretOf(canary)
	for _, c := range []struct {
		name   string
		o      Options
		option string
		want   string
	}{
		{"no krb5.conf", Options{ConfigFile: "/no/such/krb5.conf"}, "ConfigFile", "/no/such/krb5.conf"},
		{"a bad one", Options{Config: "nonsense"}, "Config", "none of"},
		{"text and file", Options{Config: worldConfig, ConfigFile: "/etc/krb5.conf"}, "Config", "keep one"},
		{"a password of nobody", Options{Config: worldConfig, Password: secret}, "Principal", "whose"},
		{"a keytab of nobody", Options{Config: worldConfig, KeytabData: secret}, "Principal", "whose"},
		{"a bad name", Options{Config: worldConfig, Principal: "a@b@c", Password: secret}, "Principal", "name@REALM"},
		{"no realm", Options{Config: "[realms]\n A = {\n kdc = a\n }\n", Principal: "alice", Password: secret}, "Principal", "default_realm"},
		{"password and keytab", Options{Config: worldConfig, Principal: "alice", Password: secret, Keytab: "x"}, "Keytab", "Password as well"},
		{"keytab and cache", Options{Config: worldConfig, Principal: "alice", KeytabData: secret, TicketCache: "x"}, "TicketCache", "KeytabData as well"},
		{"no keytab", Options{Config: worldConfig, Principal: "alice", Keytab: "/no/such/keytab"}, "Keytab", "/no/such/keytab"},
		{"a keytab of another", Options{Config: worldConfig, Principal: "bob", Keytab: w.keytabFile(t)}, "Keytab", "alice@EXAMPLE.ORG"},
		{"no keytab in memory", Options{Config: worldConfig, Principal: "alice", KeytabData: secret}, "KeytabData", "no keytab"},
		{"a keytab cut short", Options{Config: worldConfig, Principal: "alice", KeytabData: secretOf("\x05\x02\x00\x00\x00\x40" + canary)}, "KeytabData", "no keytab"},
		{"an empty keytab", Options{Config: worldConfig, Principal: "alice", KeytabData: secretOf("\x05\x02\x00\x00\x00\x00")}, "KeytabData", "nobody"},
		{"a cache of another type", Options{Config: worldConfig, TicketCache: "KCM:1000"}, "TicketCache", "KCM"},
		{"a negative time", Options{Config: worldConfig, TicketCache: "x", KDCTimeout: -1}, "KDCTimeout", "negative"},
	} {
		_, err := New(c.o)
		var e *sasl.OptionError
		if !errors.As(err, &e) || e.Option != c.option || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// All at once.
	_, err := New(Options{Config: worldConfig, Principal: "a@b@c", Keytab: "/no/such/keytab", KDCTimeout: -1})
	for _, option := range []string{"Principal", "KDCTimeout"} {
		if err == nil || !strings.Contains(err.Error(), option) {
			t.Errorf("%s is not in %v", option, err)
		}
	}
}

// Nothing that can be printed or marshalled shows a key, a password or a ticket,
// before a login and after it.
func TestSecretsDoNotShow(t *testing.T) {
	w := newWorld()
	var options []Options
	for _, change := range []func(*Options){
		func(o *Options) { o.Principal, o.Password = "alice", secretOf("opensesame") },
		func(o *Options) { o.Principal, o.KeytabData = "alice", secretOf(string(w.keytab(t))) },
		func(o *Options) { o.TicketCache = w.cacheFile(t, w.ticket("krbtgt", worldRealm)) },
	} {
		o := w.options()
		change(&o)
		options = append(options, o)
	}
	for _, o := range options {
		a := mustNew(t, o)
		ex := a.Begin(contractEndpoint)
		defer ex.Close()
		ex.Next(nil)
		if err := logIn(a, "broker.example.org", w.broker().login); err != nil {
			t.Fatal(err)
		}
		for _, what := range []any{a, *a, a.tickets.kdc, o, &o} {
			porttest.NoSecrets(t, "what is kept", what, w.secrets()...)
		}
	}
	if got := fmt.Sprint(mustNew(t, options[0])); got != "gssapi(alice@EXAMPLE.ORG)" {
		t.Errorf("it prints as %s", got)
	}
}

// secrets are those of clients, and every ticket with its key.
func (w *world) secrets() []string {
	all := []string{w.clients["alice"], string(w.clientKey("alice").KeyValue), string(w.keytab(nil))}
	for cipher, known := range w.tickets {
		all = append(all, cipher, string(known.key.KeyValue))
	}
	return all
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := Other; int(r) < len(reasons); r++ {
		if name := r.String(); name == "" || seen[name] || reasons[r].sentence == "" || r != Other && reasons[r].hint == "" {
			t.Errorf("reason %d is %q", r, name)
		} else {
			seen[name] = true
		}
	}
	if got := Reason(200).String(); got != "unknown reason 200" {
		t.Error(got)
	}
}
