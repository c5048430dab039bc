package properties

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/ports"
)

// kerberosFiles puts a krb5.conf and a keytab in place.
func kerberosFiles(t *testing.T) (dir string) {
	t.Helper()
	dir = filesOf(t, map[string][]byte{
		"krb5.conf":     []byte("[libdefaults]\n default_realm = EXAMPLE.ORG\n dns_lookup_kdc = false\n"),
		"client.keytab": keytabOf("EXAMPLE.ORG", "proxy", "host"),
		"other.keytab":  []byte(canary),
	})
	t.Setenv("KRB5_CONFIG", filepath.Join(dir, "krb5.conf"))
	t.Setenv("KRB5CCNAME", "FILE:"+filepath.Join(dir, "none"))
	return dir
}

// keytabOf writes a keytab with a key of AES-256, by MIT's description of the format.
func keytabOf(realm string, name ...string) []byte {
	text := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	entry := text(binary.BigEndian.AppendUint16(nil, uint16(len(name))), realm)
	for _, part := range name {
		entry = text(entry, part)
	}
	entry = append(entry, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 18) // type of the name, time, version, type of the key
	entry = text(entry, strings.Repeat(canary, 3)[:32])
	return append(binary.BigEndian.AppendUint32([]byte{5, 2}, uint32(len(entry))), entry...)
}

// Who logs in, and how far a login gets without a KDC and without tickets: far enough
// to say what of.
func TestKerberosLogins(t *testing.T) {
	dir := kerberosFiles(t)
	const who = "gssapi(proxy/host@EXAMPLE.ORG)"
	keys := filepath.Join(dir, "client.keytab")
	module := "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required "
	java := []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=GSSAPI", "sasl.kerberos.service.name=kafka"}
	for _, c := range []struct {
		name    string
		dialect Dialect
		lines   []string
		prints  string
		reason  gssapi.Reason
		names   string
	}{
		{"kinit's tickets", KafkaPython, []string{"security_protocol=SASL_PLAINTEXT", "sasl_mechanism=GSSAPI"},
			"gssapi()", gssapi.NoTicket, filepath.Join(dir, "none")},
		{"tickets in a file", Java, append(java, module+`useTicketCache=true ticketCache="`+dir+`/mine";`),
			"gssapi()", gssapi.NoTicket, dir + "/mine"},
		{"tickets of somebody", Java, append(java, module+`useTicketCache=true principal="proxy/host";`), who,
			gssapi.NoTicket, filepath.Join(dir, "none")},
		{"a keytab", Java, append(java, module+`useKeyTab=true keyTab="`+keys+`" principal="proxy/host@EXAMPLE.ORG";`),
			who, gssapi.UnknownRealm, "EXAMPLE.ORG"},
		{"a keytab, and the cache before it", Java, append(java,
			module+`useTicketCache=true ticketCache="`+dir+`/mine" `+
				`useKeyTab=true keyTab="`+keys+`" principal="proxy/host";`), who, gssapi.UnknownRealm, "EXAMPLE.ORG"},
		{"a keytab", Librdkafka, []string{"security.protocol=sasl_plaintext", "sasl.mechanisms=GSSAPI",
			"sasl.kerberos.keytab=" + keys, "sasl.kerberos.principal=proxy/host"}, who, gssapi.UnknownRealm,
			"EXAMPLE.ORG"},
	} {
		t.Run(c.dialect.String()+" "+c.name, func(t *testing.T) {
			_, cfg := configured(t, c.dialect, "", c.lines...)
			a := cfg.Authenticators[0]
			if a.Mechanism() != "GSSAPI" || fmt.Sprint(a) != c.prints {
				t.Errorf("%s of %v", a.Mechanism(), a)
			}
			ex := a.Begin(ports.Endpoint{Host: "broker.example.org"})
			defer ex.Close()
			_, _, err := saslpeer.Step(ex, nil)
			if e, ok := errors.AsType[*gssapi.Error](err); !ok || e.Reason != c.reason ||
				!strings.Contains(err.Error(), c.names) {
				t.Errorf("got %v, want reason %v and %q", err, c.reason, c.names)
			}
		})
	}
}

func TestKerberosNamesTheKeys(t *testing.T) {
	dir := kerberosFiles(t)
	other := filepath.Join(dir, "other.keytab")
	for _, c := range []struct {
		dialect Dialect
		login   gssapi.Options
		config  string // KRB5_CONFIG
		cache   string // KRB5CCNAME
		words   string
	}{
		{Librdkafka, gssapi.Options{Keytab: other, Principal: "a"}, "", "", "sasl.kerberos.keytab: " +
			fmt.Sprintf("%q", other) + ": not a keytab"},
		{Java, gssapi.Options{Keytab: other, Principal: "a"}, "", "", "sasl.jaas.config: " +
			fmt.Sprintf("%q", other) + ": not a keytab"},
		{Librdkafka, gssapi.Options{Principal: "a@b@c"}, "", "", "sasl.kerberos.principal: write a principal as"},
		{Java, gssapi.Options{Principal: "a@b@c"}, "", "", "sasl.jaas.config: write a principal as"},
		{Java, gssapi.Options{TicketCache: "KCM:"}, "", "", "sasl.jaas.config: ticket cache type KCM"},
		{KafkaPython, gssapi.Options{}, "", "KEYRING:x", "sasl_mechanism: ticket cache type KEYRING"},
		{Librdkafka, gssapi.Options{}, "", "DIR:x", "sasl.mechanisms: ticket cache type DIR"},
		{KafkaPython, gssapi.Options{}, filepath.Join(dir, "no-krb5.conf"), "", "sasl_mechanism: no krb5.conf found"},
	} {
		t.Run(c.words, func(t *testing.T) {
			if c.config != "" {
				t.Setenv("KRB5_CONFIG", c.config)
			}
			if c.cache != "" {
				t.Setenv("KRB5CCNAME", c.cache)
			}
			cfg, err := (&Settings{Dialect: c.dialect, Security: SASLPlaintext,
				SASL: SASL{Mechanism: "GSSAPI", Kerberos: c.login}}).Config()
			var wrong *Error
			if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), c.words) ||
				strings.Contains(err.Error(), canary) || cfg.Authenticators != nil {
				t.Errorf("got %v and %v, want %q", cfg.Authenticators, err, c.words)
			}
		})
	}
}
