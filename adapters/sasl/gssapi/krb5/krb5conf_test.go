package krb5

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
)

// Real files, with the settings that MIT reads from each.
func TestConfigs(t *testing.T) {
	const (
		aes    = "AS [18 17 20 19] TGS [18 17 20 19] "
		realms = "[realms]\n A.ORG = {\n  kdc = kdc.a.org\n }\n"
		block  = "[realms]\n A.ORG = {\n  %s = {\n   x = y\n  }\n  kdc = a\n }\n B.ORG = {\n  kdc = b\n }\n"
	)
	for _, c := range []struct{ name, text, want string }{
		{"plain", fakeConfig, "EXAMPLE.ORG lookup false " + aes + "EXAMPLE.ORG[kdc.example.org] "},
		{"lookup of KDCs is the default", realms, " lookup true " + aes + "A.ORG[kdc.a.org] "},
		{"comments and Windows' line ends", "# one\r\n; two\r\n[libdefaults]\r\n default_realm = A.ORG\r\n",
			"A.ORG lookup true " + aes},
		{"a block within a realm", fmt.Sprintf(block, "auth_to_local_names"),
			" lookup true " + aes + "A.ORG[a] B.ORG[b] "},
		{"settings of version 4, which gokrb5 refuses", fmt.Sprintf(block, "v4_instance_convert"),
			" lookup true " + aes + "A.ORG[a] B.ORG[b] "},
		{"a block within the defaults",
			"[libdefaults]\n A.ORG = {\n  dns_lookup_kdc = false\n }\n default_realm = A.ORG\n",
			"A.ORG lookup true " + aes},
		{"repeated sections, of which the first counts", "[libdefaults]\n default_realm = A.ORG\n" + realms +
			"[libdefaults]\n default_realm = B.ORG\n[realms]\n B.ORG = {\n  kdc = kdc.b.org\n }\n",
			"A.ORG lookup true " + aes + "A.ORG[kdc.a.org] B.ORG[kdc.b.org] "},
		{"other sections", "[logging]\n default = FILE:/dev/null\n[appdefaults]\n pam = {\n  debug = false\n }\n" +
			realms, " lookup true " + aes + "A.ORG[kdc.a.org] "},
		{"types by name", "[libdefaults]\n permitted_enctypes = aes256-sha2 camellia256-cts aes128-cts\n",
			" lookup true AS [20 17] TGS [20 17] "},
		{"RC4 if it is permitted, and not for a service",
			"[libdefaults]\n default_tkt_enctypes = arcfour-hmac aes256-cts\n",
			" lookup true AS [23 18] TGS [18 17 20 19] "},
	} {
		got, err := loadConf(c.text, "")
		if err != nil {
			t.Errorf("%s: got %v, want no error", c.name, err)
			continue
		}
		text := fmt.Sprintf("%s lookup %v AS %v TGS %v ", got.defaultRealm, got.lookupKDC, got.asTypes, got.tgsTypes)
		for _, r := range got.root.open("realms").inner {
			text += fmt.Sprintf("%s%v ", r.name, got.kdcsOf(r.name))
		}
		saslpeer.Equal(t, c.name, text, c.want)
	}
}

func TestRealmOfHost(t *testing.T) {
	const realms = "[domain_realm]\n .b.org = B.ORG\n Host.C.ORG = C.ORG\n 127.0.0.1 = D.ORG\n" +
		" .0.0.1 = WRONG\n e.org = E.ORG\n"
	c := saslpeer.Must(loadConf(realms, ""))
	for host, want := range map[string]string{
		"x.y.b.org": "B.ORG", "b.org": "", "x.e.org": "E.ORG", "host.c.org": "C.ORG", "127.0.0.1": "D.ORG",
		"10.0.0.1": "",
	} {
		saslpeer.Equal(t, host, c.realmOf(host), want)
	}
}

func TestConfigsRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"[realms]\n A.ORG {\n }\n", "line 2: neither name = value"},
		{"[realms]\n }\n", `line 2: "}" without`},
		{"[realms]\n A.ORG = {\n[libdefaults]\n", `line 3: the section "libdefaults" begins within a block`},
		{"[libdefaults]\n default_realm =\n dns_lookup_kdc = no\n", "line 3: a name without a value"},
		{"[libdefaults]\n default realm = A.ORG\n", "line 2: neither"},
		{"nonsense", "no section"},
		{"[libdefaults\n", "line 1: a section is"},
		{"[libdefaults] default_realm = A.ORG\n", "line 1: a section is"},
		{"[libdefaults]\n permitted_enctypes = arcfour-hmac\n", "full name"},
		{"include /no/such/file\n", "/no/such/file"},
		{"includedir /no/such/directory\n", "/no/such/directory"},
	} {
		saslpeer.ErrorSays(t, c.text, saslpeer.Err(loadConf(c.text, "")), c.want)
	}
}

func TestConfigFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		saslpeer.Succeed(t, os.MkdirAll(filepath.Dir(path), 0o700))
		saslpeer.Succeed(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	realm := func(name string) string { return "[realms]\n " + name + " = {\n  kdc = kdc\n }\n" }
	put("conf.d/a.conf", realm("A.ORG"))
	put("conf.d/b-2", realm("B.ORG"))
	put("conf.d/.hidden.conf", realm("HIDDEN.ORG"))
	put("conf.d/c.conf~", realm("BACKUP.ORG"))
	put("conf.d/d.rpmsave", realm("SAVED.ORG"))
	included := put("included", realm("C.ORG"))
	main := put("krb5.conf", "includedir "+filepath.Join(dir, "conf.d")+"\ninclude "+included+"\n"+realm("D.ORG"))
	second := put("second.conf", realm("E.ORG"))
	missing := filepath.Join(dir, "missing.conf")
	names := func(file string) string {
		c, err := loadConf("", file)
		if err != nil {
			return err.Error()
		}
		var all []string
		for _, r := range c.root.open("realms").inner {
			all = append(all, r.name)
		}
		slices.Sort(all)
		return strings.Join(all, " ")
	}
	list := strings.Join([]string{missing, main, second}, string(filepath.ListSeparator))
	for _, c := range []struct{ file, want string }{
		{main, "A.ORG B.ORG C.ORG D.ORG"},
		{list, "A.ORG B.ORG C.ORG D.ORG E.ORG"},
	} {
		saslpeer.Equal(t, "the realms of "+c.file, names(c.file), c.want)
	}
	t.Setenv("KRB5_CONFIG", second)
	saslpeer.Equal(t, "the realms of KRB5_CONFIG", names(""), "E.ORG")
	loop := put("loop", "include "+filepath.Join(dir, "loop")+"\n")
	for file, want := range map[string]string{missing: "missing.conf", loop: "deep", dir: "not a regular file"} {
		if got := names(file); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s in it", file, got, want)
		}
	}
	saslpeer.ErrorSays(t, "Config and ConfigFile", saslpeer.Err(loadConf(fakeConfig, main)), "keep one")
}

// A "*" behind a section or a block keeps later files from adding to it, and behind a value it
// has no effect: krb5.conf(5), and what profile_get_values of MIT 1.20 returns of these files.
func TestFinalSections(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		saslpeer.Succeed(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	later := put("later", "[libdefaults]\nx = b\n[realms]\nR = {\nkdc = z\n}\nS = {\nkdc = s\n}\n")
	for first, want := range map[string]string{
		"[libdefaults]*\nx = c\n[libdefaults]\nx = d\n": "[c d] [z] [s]",
		"[libdefaults]\nx* = c\n":                       "[c b] [z] [s]",
		"[realms]\nR = {\nkdc = a\n}*\n":                "[b] [a] [s]",
		"[realms]\nR* = {\nkdc = a\n}\n":                "[b] [a] [s]",
		"[realms]*\nR = {\nkdc = a\n}\n":                "[b] [a] []",
	} {
		c, err := loadConf("", put("first", first)+string(filepath.ListSeparator)+later)
		saslpeer.Succeed(t, err)
		got := fmt.Sprint(c.root.child("libdefaults").values("x"), c.kdcsOf("R"), c.kdcsOf("S"))
		saslpeer.Equal(t, fmt.Sprintf("the values after %q", first), got, want)
	}
}

// MIT refuses a file that includes a missing one, and passes over a missing file itself.
func TestMissingInclude(t *testing.T) {
	file := filepath.Join(t.TempDir(), "krb5.conf")
	saslpeer.Succeed(t, os.WriteFile(file, []byte("include /nonexistent\n"+fakeConfig), 0o600))
	err := saslpeer.Err(loadConf("", file+string(filepath.ListSeparator)+file))
	saslpeer.ErrorSays(t, "a missing include", err, "line 1: ", "no krb5.conf found")
}

func TestCacheNames(t *testing.T) {
	uid := fmt.Sprint(os.Getuid())
	if os.Getuid() < 0 {
		uid = ""
	}
	c := &conf{}
	for _, w := range []struct{ env, config, want, refused string }{
		{"FILE:/tmp/x", "FILE:/tmp/y", "/tmp/x", ""},
		{"/tmp/x", "", "/tmp/x", ""},
		{"", "FILE:/tmp/y_%{uid}", "/tmp/y_" + uid, ""},
		{"", "", "/tmp/krb5cc_" + uid, ""},
		{"KCM:", "", "", "type KCM"},
		{"", "KEYRING:persistent:%{uid}", "", "type KEYRING"},
		{"DIR:/tmp", "", "", "type DIR"},
		{"MEMORY:x", "", "", "type MEMORY"},
		{"FILE:%{LOCAL_APPDATA}", "", "", "not a file name"},
		{"FILE:", "", "", "not a file name"},
	} {
		if uid == "" && strings.Contains(w.want, "_") {
			continue
		}
		t.Setenv("KRB5CCNAME", w.env)
		c.cache = w.config
		got, err := c.cacheFile("")
		if got != w.want || (err == nil) != (w.refused == "") || err != nil &&
			!strings.Contains(err.Error(), w.refused) {
			t.Errorf("KRB5CCNAME=%q, default_ccache_name=%q: got %q, %v, want %q", w.env, w.config, got, err, w.want)
		}
	}
}

func TestKDCAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"kdc.example.org": "kdc.example.org:88", "kdc.example.org:750": "kdc.example.org:750",
		"192.0.2.1": "192.0.2.1:88", "[2001:db8::1]:750": "[2001:db8::1]:750", "[2001:db8::1]": "[2001:db8::1]:88",
		"2001:db8::1": "[2001:db8::1]:88", "kdc.example.org # the first": "kdc.example.org:88",
		"tcp/kdc.example.org": "kdc.example.org:88", "udp/kdc.example.org:750": "kdc.example.org:750",
		"https://kdc.example.org/KdcProxy": "", "": "",
	} {
		got, ok := kdcAddress(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q and %v, want %q", text, got, ok, want)
		}
	}
	// A realm whose only KDC cannot be asked.
	k := newKDC()
	o := k.options()
	o.Config = "[realms]\n EXAMPLE.ORG = {\n  kdc = https://kdc.example.org/KdcProxy\n }\n"
	o.Principal = "alice@EXAMPLE.ORG"
	e := mustNotGet(t, saslpeer.Must(New(o)), "b1.example.org", UnknownRealm)
	saslpeer.ErrorSays(t, "a KDC behind HTTPS", e, `kdc = "https://kdc.example.org/KdcProxy"`)
}
