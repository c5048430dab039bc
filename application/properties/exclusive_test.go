package properties

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/tls"
	"brokerconn/ports"
)

const (
	certText = "-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----"
	keyText  = "-----BEGIN PRIVATE KEY-----MA==-----END PRIVATE KEY-----"

	sslJava    = "security.protocol=SSL\nssl.truststore.type=PEM\nssl.keystore.type=PEM\n"
	sslRd      = "security.protocol=ssl\n"
	withGSSAPI = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\n"
	inJAAS     = `sasl.jaas.config=x.Krb5LoginModule required serviceName="j";`
)

// excluded: settings that exclude each other, each in a source of its own.
var excluded = []struct {
	dialect Dialect
	sources []string
	want    Settings
	ignored string // the losers
}{
	{KafkaPython, []string{"bootstrap_servers=a:1,b:2", "host=c"}, Settings{Servers: []Server{{"c", 9092}}}, "bootstrap_servers"},
	{KafkaPython, []string{"bootstrap_servers=a:1", "host=c\nport=3"}, Settings{Servers: []Server{{"c", 3}}}, "bootstrap_servers"},
	{KafkaPython, []string{"host=c\nport=3", "bootstrap_servers=a:1,b:2"}, Settings{Servers: []Server{{"a", 1}, {"b", 2}}}, "host port"},
	{KafkaPython, []string{"port=3", "bootstrap_servers=a:1", "host=c"}, Settings{Servers: []Server{{"c", 9092}}}, "bootstrap_servers port"},
	{KafkaPython, []string{"host=c", "bootstrap_servers=a:1", "bootstrap_servers="}, Settings{Servers: []Server{{"c", 9092}}}, ""},
	// What loses is not looked at.
	{KafkaPython, []string{"host=c:1\nport=none", "bootstrap_servers=a:1"}, Settings{Servers: []Server{{"a", 1}}}, "host port"},
	{KafkaPython, []string{"host=C:\\x\nport=", "bootstrap_servers=a:1"}, Settings{Servers: []Server{{"a", 1}}}, "host port"},
	{Librdkafka, []string{sslRd + "ssl.ca.location=DIR/none", "ssl.ca.pem=" + certText}, Settings{Security: SSL, TLS: tls.Options{CAPEM: unfolded(certText)}}, "ssl.ca.location"},
	{Librdkafka, []string{sslRd + "ssl.ca.pem=none", "ssl.ca.location=DIR/ca.pem"}, Settings{Security: SSL, TLS: tls.Options{CAFile: "DIR/ca.pem"}}, "ssl.ca.pem"},
	{
		Librdkafka, []string{sslRd + "ssl.certificate.location=DIR/none\nssl.key.location=DIR/none", "ssl.certificate.pem=" + certText + "\nssl.key.pem=" + keyText},
		Settings{Security: SSL, TLS: tls.Options{CertPEM: unfolded(certText), KeyPEM: ports.NewSecret(unfolded(keyText))}}, "ssl.certificate.location ssl.key.location",
	},
	{
		Librdkafka, []string{sslRd + "ssl.certificate.pem=none\nssl.key.pem=none", "ssl.certificate.location=DIR/chain.pem\nssl.key.location=DIR/key.pem"},
		Settings{Security: SSL, TLS: tls.Options{CertFile: "DIR/chain.pem", KeyFile: "DIR/key.pem"}}, "ssl.certificate.pem ssl.key.pem",
	},
	{
		Librdkafka, []string{sslRd + "ssl.keystore.location=DIR/my store.p12\nssl.keystore.password=" + canary, "ssl.certificate.location=DIR/chain.pem\nssl.key.location=DIR/key.pem"},
		Settings{Security: SSL, TLS: tls.Options{CertFile: "DIR/chain.pem", KeyFile: "DIR/key.pem"}}, "ssl.keystore.location ssl.keystore.password",
	},
	{
		Java, []string{sslJava + "ssl.keystore.location=DIR/none", "ssl.keystore.certificate.chain=" + certText + "\nssl.keystore.key=" + keyText},
		Settings{Security: SSL, TLS: tls.Options{CertPEM: unfolded(certText), KeyPEM: ports.NewSecret(unfolded(keyText))}}, "ssl.keystore.location",
	},
	{
		Java, []string{sslJava + "ssl.keystore.certificate.chain=none\nssl.keystore.key=none", "ssl.keystore.location=DIR/client.pem"},
		Settings{Security: SSL, TLS: tls.Options{CertFile: "DIR/client.pem", KeyFile: "DIR/client.pem"}}, "ssl.keystore.certificate.chain ssl.keystore.key",
	},
	// A password of a store that PEM takes the place of.
	{
		Java, []string{
			"security.protocol=SSL\nssl.truststore.location=DIR/store.jks\nssl.truststore.password=" + canary + "\nssl.keystore.location=DIR/store.jks\nssl.keystore.password=" + canary,
			"ssl.truststore.type=PEM\nssl.truststore.location=DIR/ca.pem\nssl.keystore.type=PEM\nssl.keystore.location=DIR/client.pem",
		},
		Settings{Security: SSL, TLS: tls.Options{CAFile: "DIR/ca.pem", CertFile: "DIR/client.pem", KeyFile: "DIR/client.pem"}}, "ssl.keystore.password ssl.truststore.password",
	},
	{
		Java, []string{
			"security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=DIR/store.jks\nssl.truststore.password=" + canary,
			"ssl.truststore.certificates=" + certText,
		},
		Settings{Security: SSL, TLS: tls.Options{CAPEM: unfolded(certText)}}, "ssl.truststore.location ssl.truststore.password",
	},
	{
		Librdkafka, []string{"security.protocol=sasl_plaintext\nsasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.client.id=i\nsasl.oauthbearer.client.secret=" + canary + "\nsasl.oauthbearer.token.endpoint.url=https://idp/\nhttps.ca.location=DIR/none", "https.ca.pem=" + certText},
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: "https://idp/", ClientID: "i", ClientSecret: ports.NewSecret(canary)}, CAPEM: unfolded(certText)}}}, "https.ca.location",
	},
	// The service is named in two places.
	{Java, []string{withGSSAPI + inJAAS, "sasl.kerberos.service.name=k"}, Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{ServiceName: "k"}}}, "sasl.jaas.config"},
	{Java, []string{withGSSAPI + "sasl.kerberos.service.name=k", inJAAS}, Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{ServiceName: "j"}}}, "sasl.kerberos.service.name"},
}

// readSources reads texts as sources, in which DIR is a folder.
func readSources(t *testing.T, dialect Dialect, dir string, texts ...string) (*Settings, error) {
	t.Helper()
	var sources [][]Property
	for _, text := range texts {
		sources = append(sources, written(t, dir, text))
	}
	return Read(dialect, sources...)
}

func TestOfExcludedSettingsTheLaterSourceWins(t *testing.T) {
	dir := filepath.ToSlash(stores(t))
	for _, c := range excluded {
		got, err := readSources(t, c.dialect, dir, c.sources...)
		if err != nil {
			t.Errorf("%v\nin %q", err, c.sources)
			continue
		}
		var ignored []string
		for _, i := range got.Ignored {
			ignored = append(ignored, i.Key)
			if i.Why == "" || !strings.HasPrefix(i.Where, "test.properties:") || strings.Contains(i.Why, canary) {
				t.Errorf("ignored: %+v", i)
			}
		}
		if strings.Join(ignored, " ") != c.ignored {
			t.Errorf("ignored %q, want %q\nin %q", ignored, c.ignored, c.sources)
		}
		want := c.want
		want.Dialect, want.Ignored = c.dialect, got.Ignored
		for _, file := range []*string{&want.TLS.CAFile, &want.TLS.CertFile, &want.TLS.KeyFile} {
			*file = strings.ReplaceAll(*file, "DIR", dir)
		}
		compare(t, got, &want, strings.Join(c.sources, "; "))
		// In one source they are a contradiction, unless the later took the earlier back.
		if c.ignored == "" {
			continue
		}
		if s, err := readSources(t, c.dialect, dir, strings.Join(c.sources, "\n")); err == nil {
			t.Errorf("in one source: %s\nof %q", bare(*s), c.sources)
		}
	}
}

func TestWhyOneOfTwoIsIgnored(t *testing.T) {
	s, err := Read(Guess, written(t, "", "bootstrap_servers=a"), []Property{{Key: "host", Value: ports.NewSecret("c"), Where: "-X"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Ignored{{"bootstrap_servers", "test.properties:1", "host of a later source (-X) takes its place"}}
	if !reflect.DeepEqual(s.Ignored, want) {
		t.Errorf("%+v", s.Ignored)
	}
}

// It would go to localhost, where a file names the brokers.
func TestAPortAloneTakesNoPlace(t *testing.T) {
	for _, sources := range [][]string{{"bootstrap_servers=a:1", "port=3"}, {"host=c", "bootstrap_servers=a:1", "port=3"}} {
		_, err := readSources(t, KafkaPython, "", sources...)
		if all := problems(t, err); len(all) != 1 || all[0].Key != "port" || !strings.Contains(all[0].Problem, "host") || !strings.Contains(all[0].Problem, "bootstrap_servers") {
			t.Errorf("%q: %v", sources, err)
		}
	}
}

// A password that comes after the PEM it would be for is a mistake.
func TestALaterPasswordOfPEMIsRefused(t *testing.T) {
	dir := stores(t)
	_, err := readSources(t, Java, dir, sslJava+"ssl.truststore.location=DIR/ca.pem\nssl.keystore.location=DIR/client.pem", "ssl.truststore.password="+canary+"\nssl.keystore.password="+canary)
	if all := problems(t, err); len(all) != 2 || all[0].Key != "ssl.truststore.password" || all[1].Key != "ssl.keystore.password" {
		t.Errorf("%v", err)
	}
}
