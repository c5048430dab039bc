package krb5

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance"
	"brokerconn/acceptance/need"
	"brokerconn/acceptance/saslpeer"
)

const shapeRealm = "SHAPES.TEST"

// shapeHosts are those whose realms are compared.
var shapeHosts = []string{"broker.shapes.test", "shapes.test", "x.y.other.test", "other.test", "alone", "127.0.0.1"}

// A shape is a krb5.conf as people have it. KDC is the address of the KDC, DIR the folder
// of the file; a line "--- NAME" begins another file.
type shape struct{ name, text string }

var shapes = []shape{
	{"the shortest", "[libdefaults]\n default_realm = SHAPES.TEST\n[realms]\n SHAPES.TEST = {\n  kdc = KDC\n }\n"},
	{"Red Hat's, with a realm", `# To opt out of the system crypto-policies configuration of krb5, remove the
# symlink below.
includedir DIR/krb5.conf.d/

[logging]
    default = FILE:/var/log/krb5libs.log
[libdefaults]
    dns_lookup_realm = false
    ticket_lifetime = 24h
    renew_lifetime = 7d
    forwardable = true
    rdns = false
    pkinit_anchors = FILE:/etc/pki/tls/certs/ca-bundle.crt
    spake_preauth_groups = edwards25519
    dns_canonicalize_hostname = fallback
    qualify_shortname = ""
    default_realm = SHAPES.TEST
    default_ccache_name = KEYRING:persistent:%{uid}
[realms]
 SHAPES.TEST = {
     kdc = KDC
     admin_server = kerberos.shapes.test
 }
[domain_realm]
# .example.com = EXAMPLE.COM
 .shapes.test = SHAPES.TEST
 shapes.test = SHAPES.TEST
--- krb5.conf.d/crypto-policies
[libdefaults]
permitted_enctypes = aes256-cts-hmac-sha384-192 aes128-cts-hmac-sha256-128 aes256-cts-hmac-sha1-96
`},
	{"Debian's", `[libdefaults]
	default_realm = SHAPES.TEST

# The following krb5.conf variables are only for MIT Kerberos.
	kdc_timesync = 1
	ccache_type = 4
	forwardable = true
	proxiable = true
	fcc-mit-ticketflags = true
	v4_instance_resolve = false
	v4_name_convert = {
		host = {
			rcmd = host
			ftp = ftp
		}
		plain = {
			something = something-else
		}
	}
[realms]
	SHAPES.TEST = {
		kdc = KDC
		admin_server = kerberos
		v4_instance_convert = {
			mit = mit.edu
			lithium = lithium.lcs.mit.edu
		}
	}
[domain_realm]
	.shapes.test = SHAPES.TEST
[login]
	krb4_convert = true
`},
	{"FreeIPA's", `#File modified by ipa-client-install

includedir DIR/
[libdefaults]
  default_realm = SHAPES.TEST
  dns_lookup_realm = false
  rdns = false
  dns_canonicalize_hostname = false
  dns_lookup_kdc = true
  ticket_lifetime = 24h
  forwardable = true
  udp_preference_limit = 0
  default_ccache_name = FILE:/tmp/krb5cc_%{uid}
[realms]
  SHAPES.TEST = {
    kdc = KDC
    master_kdc = KDC
    admin_server = ipa.shapes.test:749
    kpasswd_server = ipa.shapes.test:464
    default_domain = shapes.test
    pkinit_anchors = FILE:/var/lib/ipa-client/pki/kdc-ca-bundle.pem
    pkinit_pool = FILE:/var/lib/ipa-client/pki/ca-bundle.pem
  }
[domain_realm]
  .shapes.test = SHAPES.TEST
  shapes.test = SHAPES.TEST
  broker.shapes.test = SHAPES.TEST
--- localauth_plugin
[plugins]
 localauth = {
  module = sssd:/usr/lib64/sssd/modules/sssd_krb5_localauth_plugin.so
 }
--- krb5.conf.rpmsave
[libdefaults
`},
	{"Ambari's", `
[libdefaults]
  renew_lifetime = 7d
  forwardable = true
  default_realm = SHAPES.TEST
  ticket_lifetime = 24h
  dns_lookup_realm = false
  dns_lookup_kdc = false
  default_ccache_name = /tmp/krb5cc_%{uid}
  #default_tgs_enctypes = aes des3-cbc-sha1 rc4 des-cbc-md5
  #default_tkt_enctypes = aes des3-cbc-sha1 rc4 des-cbc-md5

[logging]
  default = FILE:/var/log/krb5kdc.log

[realms]
  SHAPES.TEST = {
    admin_server = KDC
    kdc = KDC
  }
`},
	{"a Java service's", `[libdefaults]
default_realm = SHAPES.TEST
dns_lookup_kdc = false
dns_lookup_realm = false
ticket_lifetime = 86400
renew_lifetime = 604800
forwardable = true
default_tgs_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 rc4-hmac des-cbc-crc
default_tkt_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 rc4-hmac des-cbc-crc
permitted_enctypes = aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 rc4-hmac des-cbc-crc
udp_preference_limit = 1
kdc_timeout = 3000
max_retries = 1
[realms]
SHAPES.TEST = {
kdc = KDC
admin_server = ad.shapes.test
}
[domain_realm]
`},
	{"Active Directory, with rules", `[libdefaults]
    default_realm = SHAPES.TEST
    default_keytab_name = FILE:/etc/krb5.keytab
    allow_weak_crypto = no
[realms]
    SHAPES.TEST = {
        kdc = KDC
        auth_to_local = RULE:[1:$1@$0](^.*@SHAPES\.TEST$)s/@.*//
        auth_to_local = RULE:[2:$1;$2](^.*;admin$)s/;admin$//
        auth_to_local = DEFAULT
        auth_to_local_names = {
            alice = wonder
        }
    }
[capaths]
    SHAPES.TEST = {
        OTHER.TEST = .
    }
    OTHER.TEST = {
        SHAPES.TEST = MIDDLE.TEST
        SHAPES.TEST = SECOND.TEST
    }
[appdefaults]
    pam = {
        debug = false
        SHAPES.TEST = {
            ignore_k5login = true
        }
    }
[domain_realm]
    .shapes.test = SHAPES.TEST
    other.test = OTHER.TEST
`},
	{"Windows' line ends", "[libdefaults]\r\n\tdefault_realm = SHAPES.TEST\r\n\r\n; a comment\r\n[realms]\r\n" +
		"\tSHAPES.TEST = {\r\n\t\tkdc = KDC\r\n\t}\r\n"},
	{"a brace on its own line", "[libdefaults]\n default_realm = SHAPES.TEST\n[realms]\n SHAPES.TEST =\n {\n" +
		"  kdc = KDC\n }\n"},
	{"sections and realms in parts", "[realms]\n SHAPES.TEST = {\n  kdc = 127.0.0.1:1\n }\n" +
		"[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 1h\n[realms]\n OTHER.TEST = {\n" +
		"  kdc = x\n }\n SHAPES.TEST = {\n  kdc = KDC\n }\n" +
		"[libdefaults]\n default_realm = OTHER.TEST\n ticket_lifetime = 2h\n"},
	{"hours and minutes", "[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 1h 30m\n" +
		" renew_lifetime = 1d 1h\nKDCS"},
	{"a time of a clock", "[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 02:15:10\n" +
		" renew_lifetime = 1-00:00:20\nKDCS"},
	{"minutes alone", "[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 600m\n" +
		" renew_lifetime = 0\nKDCS"},
	{"a lifetime of a realm", "[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 2h\n" +
		" SHAPES.TEST = {\n  ticket_lifetime = 3h\n  renew_lifetime = 4h\n }\nKDCS"},
	{"quotes", "[libdefaults]\n default_realm = \"SHAPES.TEST\" # of the company\n ticket_lifetime = \"2h\"\nKDCS"},
	{"a comment behind a brace", "[libdefaults]\n default_realm = SHAPES.TEST\n[realms]\n" +
		" SHAPES.TEST = {\n  kdc = KDC\n } # end\n"},
	{"words before the sections", "This file is made by the setup\n= { }\n[libdefaults]\n" +
		" default_realm = SHAPES.TEST\nKDCS"},
	{"booleans of many kinds", "[libdefaults]\n default_realm = SHAPES.TEST\n dns_lookup_kdc = No\n" +
		" forwardable = on\n proxiable = perhaps\n noaddresses = YES\n rdns = 0\n dns_lookup_realm = nil\nKDCS"},
	{"types of many kinds", "[libdefaults]\n default_realm = SHAPES.TEST\n" +
		" permitted_enctypes = AES, -aes256-cts\taes128-sha2 no-such-type camellia\nKDCS"},
	{"types by default but one", "[libdefaults]\n default_realm = SHAPES.TEST\n" +
		" permitted_enctypes = DEFAULT -aes256-cts-hmac-sha1-96 +rc4\nKDCS"},
	{"types by their other names", "[libdefaults]\n default_realm = SHAPES.TEST\n" +
		" permitted_enctypes = aes128-sha1 aes256-sha1 aes256-sha2 aes128-cts rc4-hmac arcfour-hmac-md5\nKDCS"},
	{"an older ticket cache", "[libdefaults]\n default_realm = SHAPES.TEST\n ccache_type = 3\nKDCS"},
	{"a clock that may be wrong", "[libdefaults]\n default_realm = SHAPES.TEST\n clockskew = 10m\nKDCS"},
	{"an included nothing", "include /dev/null\n[libdefaults]\n default_realm = SHAPES.TEST\nKDCS"},
	{"escapes in quotes", "[libdefaults]\n default_realm = \"SHAPES\\.TEST\"\n" +
		" clockskew = \"\\t5m\\n\\b\\\\\"\nKDCS"},
	{"a dead KDC first", "[libdefaults]\n default_realm = SHAPES.TEST\n udp_preference_limit = 1\n[realms]\n" +
		" SHAPES.TEST = {\n  kdc = 127.0.0.1:1\n  kdc = KDC\n  kdc = 127.0.0.1:2\n }\n"},
	{"a KDC behind HTTPS first", "[libdefaults]\n default_realm = SHAPES.TEST\n[realms]\n SHAPES.TEST = {\n" +
		"  kdc = https://127.0.0.1:1/KdcProxy\n  http_anchors = FILE:/no/such\n  kdc = KDC\n }\n"},
	{"included and final", "include DIR/realms\n[libdefaults]*\n default_realm* = SHAPES.TEST\n" +
		"--- realms\n[realms]\n SHAPES.TEST* = {\n  kdc = KDC\n }*\n"},
	{"tabs and blanks", "\n\t\n[libdefaults]  \n\tdefault_realm\t=\tSHAPES.TEST  \t\n  KEY=\"\"\n[realms]\t\n" +
		"SHAPES.TEST={\nkdc=KDC\n}\n[domain_realm]\n.shapes.test=SHAPES.TEST\n"},
	{"values of no use", "[libdefaults]\n default_realm = SHAPES.TEST\n clockskew = soon\n" +
		" kdc_timesync = maybe\nKDCS"},
	{"lifetimes with spaces", "[libdefaults]\n default_realm = SHAPES.TEST\n ticket_lifetime = 0d 9h 0m 0s\n" +
		" renew_lifetime = 2d\nKDCS"},
	{"the end within a block", "[libdefaults]\n default_realm = SHAPES.TEST\n[realms]\n SHAPES.TEST = {\n  kdc = KDC"},
	{"hosts that are domains", "[libdefaults]\n default_realm = SHAPES.TEST\n[domain_realm]\n test = TOP.TEST\n" +
		" .other.test = DOTTED.TEST\n other.test = OTHER.TEST\n alone = ALONE.TEST\nKDCS"},
}

// refusedShapes are refused by MIT as well.
var refusedShapes = []shape{
	{"a section within a block", "[realms]\n SHAPES.TEST = {\n  kdc = KDC\n[libdefaults]\n" +
		" default_realm = SHAPES.TEST\n"},
	{"a brace too many", "[libdefaults]\n default_realm = SHAPES.TEST\n }\nKDCS"},
	{"no value", "[libdefaults]\n default_realm =\n ticket_lifetime = 1h\nKDCS"},
	{"a blank in a name", "[libdefaults]\n default realm = SHAPES.TEST\nKDCS"},
	{"no equals sign", "[realms]\n SHAPES.TEST {\n  kdc = KDC\n }\n"},
	{"text behind a section", "[libdefaults] default_realm = SHAPES.TEST\nKDCS"},
	{"no such included file", "include DIR/none\n[libdefaults]\n default_realm = SHAPES.TEST\nKDCS"},
	{"no such included folder", "includedir DIR/none\n[libdefaults]\n default_realm = SHAPES.TEST\nKDCS"},
}

// write writes the files of a shape and returns the first one.
func (s shape) write(t *testing.T, kdc *acceptance.KDC) (file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "krb5.conf")
	folder := filepath.Join(dir, "included")
	saslpeer.Succeed(t, os.MkdirAll(folder, 0o700))
	text := strings.ReplaceAll(s.text, "KDCS", "[realms]\n SHAPES.TEST = {\n  kdc = KDC\n }\n")
	text = strings.NewReplacer("KDC", kdc.Addr(), "DIR", folder).Replace(text)
	name := file
	for i, part := range strings.Split(text, "\n--- ") {
		if i > 0 {
			name, part, _ = strings.Cut(part, "\n")
			name = filepath.Join(folder, name)
			saslpeer.Succeed(t, os.MkdirAll(filepath.Dir(name), 0o700))
		}
		saslpeer.Succeed(t, os.WriteFile(name, []byte(part+"\n"), 0o600))
	}
	return file
}

// startShapes starts a KDC with alice, and compiles the program that prints what MIT's
// library reads.
func startShapes(t *testing.T) (kdc *acceptance.KDC, program string) {
	t.Helper()
	missing := acceptance.KDCRequirements()
	if _, err := exec.LookPath("gcc"); missing == nil {
		missing = err
	}
	need.Extra{Name: "a KDC", Variable: "KDC", Untested: "No krb5.conf was compared with MIT's."}.Test(t, missing)
	kdc = saslpeer.Must(acceptance.StartRealms(t.Context(), shapeRealm))
	t.Cleanup(func() { saslpeer.Succeed(t, kdc.Close()) })
	saslpeer.Succeed(t, kdc.Admin(t.Context(), shapeRealm, "addprinc -randkey alice",
		"ktadd -k "+kdc.Path("alice.keytab")+" alice"))
	program = kdc.Path("krb5conf")
	saslpeer.Succeed(t, kdc.Run(t.Context(), "", "gcc", "-o", program, "testdata/krb5conf.c", "-lkrb5"))
	return kdc, program
}

// mit runs one of MIT's programs with a krb5.conf.
func mit(kdc *acceptance.KDC, config, name string, args ...string) (string, error) {
	cmd := kdc.Command(name, args...)
	cmd.Env = append(cmd.Env, "KRB5_CONFIG="+config)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// readings is what testdata/krb5conf.c prints, of our reading.
func readings(file string) string {
	c, err := loadConf("", file)
	if err != nil {
		return "refused\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "default <%s>\n", c.defaultRealm)
	line := func(what string, values []string) {
		b.WriteString(what)
		for _, v := range values {
			fmt.Fprintf(&b, " <%s>", v)
		}
		b.WriteString("\n")
	}
	for _, name := range []string{"ticket_lifetime", "renew_lifetime", "clockskew", "default_ccache_name"} {
		if values := c.root.child("libdefaults").values(name); values != nil {
			line(name, values)
		}
	}
	for _, name := range []string{"OTHER.TEST", shapeRealm} {
		if c.root.child("realms").child(name) != nil {
			line(name, c.kdcsOf(name))
		}
	}
	for _, host := range shapeHosts {
		line(host, []string{c.realmOf(host)})
	}
	line(fmt.Sprint("types ", c.tgsTypes), nil)
	return b.String()
}

// MIT's library and kinit read the same of each shape, from MIT's KDC.
func TestConfigsOfMIT(t *testing.T) {
	kdc, program := startShapes(t)
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			file := s.write(t, kdc)
			read, err := mit(kdc, file, program, shapeHosts...)
			saslpeer.Succeed(t, err)
			saslpeer.Equal(t, "what is read", readings(file), read)

			cache := filepath.Join(t.TempDir(), "cache")
			if out, err := mit(kdc, file, "kinit", "-k", "-t", kdc.Path("alice.keytab"), "-c", "FILE:"+cache,
				"alice"); err != nil {
				t.Fatalf("got %v of kinit, want a ticket: %s", err, out)
			}
			written := saslpeer.Must(parseCache(saslpeer.Must(os.ReadFile(cache))))
			theirs := written.find(granting(shapeRealm, shapeRealm))
			ours, err := grantOf(kdc, file)
			saslpeer.Succeed(t, err)
			saslpeer.Equal(t, "the ticket", ours.summary(), theirs.summary())
		})
	}
	for _, s := range refusedShapes {
		file := s.write(t, kdc)
		read, err := mit(kdc, file, program, shapeHosts...)
		saslpeer.Succeed(t, err)
		saslpeer.Equal(t, s.name, readings(file), read)
	}
}

// grantOf requests alice's ticket with a krb5.conf.
func grantOf(kdc *acceptance.KDC, file string) (*Ticket, error) {
	c, err := New(Options{ConfigFile: file, Principal: "alice", Keytab: kdc.Path("alice.keytab")})
	if err != nil {
		return nil, err
	}
	return c.origin.grant(context.Background())
}

// Lifetimes that kinit refuses.
func TestLifetimesRefusedByMIT(t *testing.T) {
	kdc, _ := startShapes(t)
	for _, line := range []string{"ticket_lifetime = tomorrow", "renew_lifetime = 2 d",
		"renew_lifetime = 10:xx"} {
		s := shape{line, "[libdefaults]\n default_realm = SHAPES.TEST\n " + line + "\nKDCS"}
		file := s.write(t, kdc)
		out, err := mit(kdc, file, "kinit", "-k", "-t", kdc.Path("alice.keytab"), "-c", "MEMORY:x", "alice")
		if err == nil || !strings.Contains(out, "Invalid format") {
			t.Errorf("%s: got %v and %q of kinit, want it refused", line, err, out)
		}
		name, _, _ := strings.Cut(line, " ")
		saslpeer.ErrorSays(t, line, saslpeer.Err(grantOf(kdc, file)), name)
	}
}

// summary is what the configuration decides about a ticket. A time begins with a request,
// and is a whole number of seconds for the KDC.
func (t *Ticket) summary() string {
	renew := ""
	if !t.renewTill.IsZero() {
		renew = t.renewTill.Sub(t.start).Round(10 * time.Second).String()
	}
	return fmt.Sprintf("%s type %d for %v, renewable %s", t.Client, t.Key.KeyType,
		t.end.Sub(t.start).Round(10*time.Second), renew)
}
