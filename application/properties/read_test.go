package properties

import (
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// goodConfigurations: what each comes to. Paths are within DIR.
var goodConfigurations = []struct {
	dialect Dialect // that it is, and is guessed to be
	text    string
	want    Settings // its Ignored are judged by their keys, in ignored
	ignored string
}{
	{KafkaPython, "host=broker-1.example.com\nport=9093", Settings{Servers: []Server{{"broker-1.example.com", 9093}}}, ""},
	{KafkaPython, "host=::1", Settings{Servers: []Server{{"::1", 9092}}}, ""},
	{KafkaPython, "port=9093", Settings{Servers: []Server{{"localhost", 9093}}}, ""},
	{KafkaPython, "bootstrap_servers=['a:1', 'b']", Settings{Servers: []Server{{"a", 1}, {"b", 9092}}}, ""},
	{KafkaPython, "afi=socket.AF_INET6\nreceive_buffer_bytes=1\nsend_buffer_bytes=2",
		Settings{Sockets: tcp.Options{AddressFamily: tcp.IPv6, ReceiveBufferBytes: 1, SendBufferBytes: 2}}, ""},
	{KafkaPython, "socket_options=[(6, 1, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, True,), ]",
		Settings{Sockets: tcp.Options{SocketOptions: []tcp.SocketOption{{Level: 6, Name: 1, Value: 1}, {Level: syscall.SOL_SOCKET, Name: syscall.SO_KEEPALIVE, Value: 1}}}}, ""},
	{KafkaPython, "socks5_proxy=socks5://[::1]:1080", Settings{Proxy: Proxy{Kind: SOCKS5, Address: "[::1]:1080", ResolveHere: true}}, ""},
	{KafkaPython, "proxy_url=socks5h://u%40d:" + canary + "@proxy:1080/", Settings{Proxy: Proxy{Kind: SOCKS5, Address: "proxy:1080", Username: "u@d", Password: ports.NewSecret(canary)}}, ""},
	{KafkaPython, "proxy_url=http://u:" + canary + "@proxy:3128", Settings{Proxy: Proxy{Kind: HTTPConnect, Address: "proxy:3128", Username: "u", Password: ports.NewSecret(canary)}}, ""},
	{KafkaPython, "proxy_url=None", Settings{}, ""},
	{KafkaPython, "socket_options=((0x6, -1, 0),)", Settings{Sockets: tcp.Options{SocketOptions: []tcp.SocketOption{{Level: 6, Name: -1, Value: 0}}}}, ""},
	{KafkaPython, "client_id=probe\nreconnect_backoff_ms=20\nreconnect_backoff_max_ms=30\nrequest_timeout_ms=5\nmax_in_flight_requests_per_connection=1\nmetric_group_prefix=mine",
		Settings{MetricGroupPrefix: "mine", Connection: broker.Config{ClientID: "probe", ReconnectBackoff: 20 * time.Millisecond,
			ReconnectBackoffMax: 30 * time.Millisecond, RequestTimeout: 5 * time.Millisecond, MaxInFlight: 1}}, ""},
	{KafkaPython, "reconnect_backoff_ms=0\nreconnect_backoff_max_ms=0", Settings{Connection: broker.Config{ReconnectBackoff: time.Millisecond, ReconnectBackoffMax: time.Millisecond}}, ""},
	{KafkaPython, "api_version=(0, 10)", Settings{Connection: broker.Config{APIVersion: broker.Release{Minor: 10}}}, ""},
	{KafkaPython, "api_version=0.10.1", Settings{Connection: broker.Config{APIVersion: broker.Release{Minor: 10, Patch: 1}}}, ""},
	{KafkaPython, "api_version=(0, 8, 2,)", Settings{Connection: broker.Config{APIVersion: broker.Release{Minor: 8, Patch: 2}}}, ""},
	{KafkaPython, "api_version=2.8.1\napi_version_auto_timeout_ms=9", Settings{Connection: broker.Config{APIVersion: broker.Release{Major: 2, Minor: 8, Patch: 1}}}, "api_version_auto_timeout_ms"},
	{KafkaPython, "api_version=auto\napi_version_auto_timeout_ms=9", Settings{Connection: broker.Config{APIVersionTimeout: 9 * time.Millisecond}}, ""},
	{KafkaPython, "api_version=None\nselector=None\nssl_context=None\nreceive_buffer_bytes=None\nssl_cafile=", Settings{}, ""},
	{KafkaPython, "sasl_mechanism=GSSAPI\nssl_check_hostname=False\nsasl_kerberos_service_name=kafka", Settings{}, "sasl_kerberos_service_name sasl_mechanism ssl_check_hostname"},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/ca.pem\nssl_certfile=DIR/chain.pem\nssl_keyfile=DIR/encrypted.pem\nssl_password=" + canary + "\nssl_crlfile=DIR/crl.der\nssl_ciphers=ECDHE+AESGCM:!aNULL\nssl_check_hostname=False",
		Settings{Security: SSL, TLS: tls.Options{CAFile: "DIR/ca.pem", CertFile: "DIR/chain.pem", KeyFile: "DIR/encrypted.pem", KeyPassword: tls.Password(canary),
			CRLFile: "DIR/crl.der", Ciphers: "ECDHE+AESGCM:!aNULL", AnyHost: true}}, ""},
	{KafkaPython, "security_protocol=SASL_SSL\nssl_crlfile=DIR/crl.pem\nsasl_mechanism=SCRAM-SHA-512\nsasl_plain_username=u\nsasl_plain_password=" + canary + "\nsasl_kerberos_domain_name=d",
		Settings{Security: SASLSSL, TLS: tls.Options{CRLFile: "DIR/crl.pem"}, SASL: SASL{Mechanism: "SCRAM-SHA-512", Login: scram.Options{Username: "u", Password: ports.NewSecret(canary)}}}, "sasl_kerberos_domain_name"},
	{KafkaPython, "security_protocol=sasl_plaintext\nsasl_mechanism=gssapi\nsasl_kerberos_domain_name=d\nsasl_plain_username=u",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{DomainName: "d"}}}, "sasl_plain_username"},
	{KafkaPython, "connections_max_idle_ms=540000\nclient_software_name=x\nclient_software_version=1.0\nreceive_message_max_bytes=1000\nsocket_connection_setup_timeout_ms=7\ngroup_id=g\nacks=all",
		Settings{Connection: broker.Config{IdleTimeout: 9 * time.Minute, SoftwareName: "x", SoftwareVersion: "1.0", MaxResponseBytes: 1000, SetupTimeout: 7 * time.Millisecond}}, "acks group_id"},

	{Java, "bootstrap.servers=PLAINTEXT://a:1, [::1]:2,\nclient.id=c\nkey.serializer=x\nclient.dns.lookup=use_all_dns_ips\nreceive.buffer.bytes=-1\nsend.buffer.bytes=3\nconnections.max.idle.ms=-1",
		Settings{Servers: []Server{{"a", 1}, {"::1", 2}}, Connection: broker.Config{ClientID: "c", IdleTimeout: -1}, Sockets: tcp.Options{SendBufferBytes: 3}}, "client.dns.lookup key.serializer"},
	{Java, "receive.buffer.bytes=1\nconnections.max.idle.ms=9223372036854775807", Settings{Connection: broker.Config{IdleTimeout: -1}, Sockets: tcp.Options{ReceiveBufferBytes: 1}}, ""},
	{Java, "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=DIR/ca.pem\nssl.keystore.type=PEM\nssl.keystore.location=DIR/encrypted.pem\nssl.key.password=" + canary + "\nssl.enabled.protocols=TLSv1.3\nssl.protocol=TLSv1.3\nssl.cipher.suites=TLS_AES_128_GCM_SHA256,TLS_OTHER\nssl.endpoint.identification.algorithm=\nssl.provider=BC",
		Settings{Security: SSL, TLS: tls.Options{CAFile: "DIR/ca.pem", CertFile: "DIR/encrypted.pem", KeyFile: "DIR/encrypted.pem", KeyPassword: tls.Password(canary), MinVersion: cryptotls.VersionTLS13,
			MaxVersion: cryptotls.VersionTLS13, CipherSuites: []string{"TLS_AES_128_GCM_SHA256", "TLS_OTHER"}, AnyHost: true}}, "ssl.protocol ssl.provider"},
	{Java, "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.certificates=-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----\nssl.enabled.protocols=TLSv1.3,TLSv1.2",
		Settings{Security: SSL, TLS: tls.Options{CAPEM: unfolded(certText), MinVersion: cryptotls.VersionTLS12, MaxVersion: cryptotls.VersionTLS13}}, ""},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----\nssl.keystore.key=-----BEGIN PRIVATE KEY-----MA==-----END PRIVATE KEY-----",
		Settings{Security: SSL, TLS: tls.Options{CertPEM: unfolded(certText), KeyPEM: ports.NewSecret(unfolded(keyText))}}, ""},
	{Java, "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=" + plainJAAS, Settings{Security: SASLSSL, SASL: SASL{Mechanism: "PLAIN", Login: scram.Options{Username: "u", Password: ports.NewSecret(canary)}}}, ""},
	{Java, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=x.ScramLoginModule required username=id password=\"" + canary + "\" tokenauth=true ;",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "SCRAM-SHA-256", Login: scram.Options{Username: "id", Password: ports.NewSecret(canary), DelegationToken: true}}}, ""},
	{Java, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\nsasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab=\"DIR/client.keytab\" principal=\"a@B\" serviceName=\"k\";",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{ServiceName: "k", Principal: "a@B", Keytab: "DIR/client.keytab"}}}, ""},
	{Java, "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\nsasl.kerberos.service.name=k\nsasl.jaas.config=x.Krb5LoginModule required useTicketCache=true ticketCache=\"/tmp/cc\";\nsasl.kerberos.kinit.cmd=kinit",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{ServiceName: "k", TicketCache: "/tmp/cc"}}}, "sasl.kerberos.kinit.cmd"},
	{Java, "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://idp/token\nsasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler\nsasl.jaas.config=x.OAuthBearerLoginModule required clientId=i clientSecret=\"" + canary + "\" scope=\"a b\" extension_tenant=\"t\";",
		Settings{Security: SASLSSL, SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: "https://idp/token", ClientID: "i", ClientSecret: ports.NewSecret(canary), Scopes: []string{"a", "b"}}, Extensions: map[string]string{"tenant": "t"}}}}, ""},

	{Librdkafka, "metadata.broker.list=a:1\nsocket.timeout.ms=4\nrequest.timeout.ms=5\nmax.in.flight=7\nbroker.address.family=v4\nsocket.nagle.disable=false\nsocket.keepalive.enable=1\nlinger.ms=5\nsocket.receive.buffer.bytes=0",
		Settings{Servers: []Server{{"a", 1}}, Connection: broker.Config{RequestTimeout: 4 * time.Millisecond, MaxInFlight: 7},
			Sockets: tcp.Options{AddressFamily: tcp.IPv4, DisableNoDelay: true, KeepAlive: net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}}}, "linger.ms"},
	{Librdkafka, "api.version.request=false", Settings{Connection: broker.Config{APIVersion: broker.Release{Minor: 10}}}, ""},
	{Librdkafka, "api.version.request=0\nbroker.version.fallback=0.9.0.1\napi.version.request.timeout.ms=9", Settings{Connection: broker.Config{APIVersion: broker.Release{Minor: 9}}}, "api.version.request.timeout.ms"},
	{Librdkafka, "broker.version.fallback=0.9.0\napi.version.request.timeout.ms=9", Settings{Connection: broker.Config{APIVersionTimeout: 9 * time.Millisecond}}, "broker.version.fallback"},
	{Librdkafka, "security.protocol=ssl\nssl.ca.location=probe\nssl.certificate.location=DIR/client.pem\nssl.key.location=DIR/client.pem\nenable.ssl.certificate.verification=false\nssl.endpoint.identification.algorithm=none\nssl.cipher.suites=DEFAULT",
		Settings{Security: SSL, TLS: tls.Options{CertFile: "DIR/client.pem", KeyFile: "DIR/client.pem", AnyHost: true, AnyCertificate: true, Ciphers: "DEFAULT"}}, ""},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=PLAIN\nsasl.username=u\nsasl.password=" + canary + "\nsession.timeout.ms=45000\nbasic.auth.user.info=" + canary,
		Settings{Security: SASLSSL, SASL: SASL{Mechanism: "PLAIN", Login: scram.Options{Username: "u", Password: ports.NewSecret(canary)}}}, "basic.auth.user.info session.timeout.ms"},
	{Librdkafka, `security.protocol=sasl_ssl` + "\n" + `sasl.mechanism=PLAIN` + "\n" + `sasl.username=DOM\user` + "\n" + `sasl.password=a\tb=c #d`,
		Settings{Security: SASLSSL, SASL: SASL{Mechanism: "PLAIN", Login: scram.Options{Username: `DOM\user`, Password: ports.NewSecret(`a\tb=c #d`)}}}, ""},
	{Librdkafka, "security.protocol=sasl_plaintext\nsasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.method=OIDC\nsasl.oauthbearer.client.id=i\nsasl.oauthbearer.client.secret=" + canary + "\nsasl.oauthbearer.token.endpoint.url=https://idp/\nsasl.oauthbearer.extensions=a=b,c=d\nhttps.ca.location=DIR/ca.pem",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "OAUTHBEARER", OAuth: OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: "https://idp/", ClientID: "i", ClientSecret: ports.NewSecret(canary)}, Extensions: map[string]string{"a": "b", "c": "d"}, CAFile: "DIR/ca.pem"}}}, ""},
	{Librdkafka, "security.protocol=sasl_plaintext\nsasl.mechanisms=GSSAPI\nsasl.kerberos.principal=p\nsasl.kerberos.keytab=DIR/client.keytab",
		Settings{Security: SASLPlaintext, SASL: SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{Principal: "p", Keytab: "DIR/client.keytab"}}}, ""},
}

func TestGoodConfigurations(t *testing.T) {
	dir := filepath.ToSlash(stores(t))
	for _, c := range goodConfigurations {
		for _, dialect := range []Dialect{c.dialect, Guess} {
			got, err := Read(dialect, written(t, dir, c.text))
			if err != nil {
				t.Errorf("%v: %v\nin %s", dialect, err, c.text)
				continue
			}
			var ignored []string
			for _, i := range got.Ignored {
				ignored = append(ignored, i.Key)
				if i.Why == "" || !strings.HasPrefix(i.Where, "test.properties:") {
					t.Errorf("ignored: %+v", i)
				}
			}
			if strings.Join(ignored, " ") != c.ignored {
				t.Errorf("%v: ignored %q\nin %s", dialect, ignored, c.text)
			}
			want := c.want
			want.Dialect, want.Ignored = c.dialect, got.Ignored
			for _, file := range []*string{&want.TLS.CAFile, &want.TLS.CertFile, &want.TLS.KeyFile, &want.TLS.CRLFile, &want.SASL.Kerberos.Keytab, &want.SASL.OAuth.CAFile} {
				*file = strings.ReplaceAll(*file, "DIR", dir)
			}
			compare(t, got, &want, c.text)
		}
	}
}

// compare reports a difference, also of key passwords, which are functions.
func compare(t *testing.T, got, want *Settings, text string) {
	t.Helper()
	g, w := bare(*got), bare(*want)
	got.TLS.KeyPassword, want.TLS.KeyPassword = nil, nil
	if g != w || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got\n%s\nwant\n%s\nof %q", got.Dialect, g, w, text)
	}
}

// bare shows the secrets as well: they are the test's.
func bare(s Settings) string {
	password := ""
	if s.TLS.KeyPassword != nil {
		text, _ := s.TLS.KeyPassword()
		password = string(text)
		s.TLS.KeyPassword = nil
	}
	return fmt.Sprintf("%+v secrets %q %q %q %q %q", s, s.Proxy.Password.Reveal(), password, s.TLS.KeyPEM.Reveal(),
		s.SASL.Login.Password.Reveal(), s.SASL.OAuth.ClientSecret.Reveal())
}

// What Java and librdkafka both have decides nothing, so it is read the same,
// whatever of it stands there.
func TestSharedKeysMeanTheSame(t *testing.T) {
	dir := stores(t)
	values := map[string][]string{
		"bootstrap.servers":                                 {"a:1", "a,b", "x y"},
		"security.protocol":                                 {"PLAINTEXT", "SSL", "sasl_ssl", "TLS"},
		"client.dns.lookup":                                 {"use_all_dns_ips", "x"},
		"sasl.mechanism":                                    {"PLAIN", "GSSAPI", "x"},
		"ssl.endpoint.identification.algorithm":             {"", "https", "none", "x"},
		"ssl.cipher.suites":                                 {"DEFAULT", "TLS_AES_128_GCM_SHA256", "TLS_X", "a;"},
		"ssl.key.password":                                  {canary},
		"ssl.keystore.location":                             {filepath.Join(dir, "store.jks")},
		"ssl.keystore.password":                             {canary},
		"sasl.oauthbearer.token.endpoint.url":               {"https://idp/", "x"},
		"sasl.oauthbearer.grant.type":                       {"client_credentials", "x"},
		"sasl.oauthbearer.scope":                            {"s"},
		"sasl.kerberos.service.name":                        {"k"},
		"sasl.oauthbearer.client.credentials.client.id":     {"i"},
		"sasl.oauthbearer.client.credentials.client.secret": {canary},
	}
	numbers := []string{"-1", "0", "1", "500", "2147483647", "2147483648", "x", ""}
	var shared []string
	for key := range index[Java] {
		if index[Librdkafka][key] != nil {
			shared = append(shared, key)
		}
	}
	if len(shared) < 20 {
		t.Errorf("only %d shared keys: %v", len(shared), shared)
	}
	rapid.Check(t, func(t *rapid.T) {
		pairs := map[string]string{}
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom(shared), rapid.ID[string]).Draw(t, "keys") {
			from := values[key]
			if from == nil {
				from = numbers
			}
			pairs[key] = rapid.SampledFrom(from).Draw(t, key)
		}
		java, javaErr := Read(Java, Pairs(pairs))
		rdkafka, rdkafkaErr := Read(Librdkafka, Pairs(pairs))
		guessed, guessedErr := Read(Guess, Pairs(pairs))
		if (javaErr == nil) != (rdkafkaErr == nil) || (javaErr == nil) != (guessedErr == nil) {
			t.Fatalf("java: %v\nlibrdkafka: %v\nguessed: %v", javaErr, rdkafkaErr, guessedErr)
		}
		if javaErr != nil {
			return
		}
		if guessed.Dialect != Java {
			t.Errorf("guessed %v", guessed.Dialect)
		}
		rdkafka.Dialect = Java
		java.TLS.KeyPassword, rdkafka.TLS.KeyPassword, guessed.TLS.KeyPassword = nil, nil, nil
		if !reflect.DeepEqual(java, rdkafka) || !reflect.DeepEqual(java, guessed) {
			t.Errorf("java       %s\nlibrdkafka %s\nguessed    %s", bare(*java), bare(*rdkafka), bare(*guessed))
		}
	})
}

func TestLaterSourcesWin(t *testing.T) {
	file := written(t, "", "metadata.broker.list=a", "socket.timeout.ms=1", "ssl.ca.location=/none", "linger.ms=5")
	flags := []Property{
		{Key: "bootstrap.servers", Value: ports.NewSecret("b:1"), Where: "-X"},
		{Key: "ssl.ca.location", Where: "-X"}, // taken back
	}
	s, err := Read(Guess, file, flags)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Servers) != 1 || s.Servers[0] != (Server{"b", 1}) || s.Connection.RequestTimeout != time.Millisecond || s.Dialect != Librdkafka {
		t.Errorf("%+v", s)
	}
	_, err = Read(Guess, file, append(flags, Property{Key: "host", Value: ports.NewSecret("c"), Where: "-X"}))
	if all := problems(t, err); len(all) != 1 || all[0].Key != "host" || !strings.Contains(all[0].Problem, "mixed dialects") {
		t.Errorf("%v", err)
	}
}

func TestConfig(t *testing.T) {
	s, err := Read(Guess, Pairs(map[string]string{"host": "::1", "port": "7", "client_id": "c", "send_buffer_bytes": "4096"}))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := s.Config()
	if err != nil || cfg.Host != "::1" || cfg.Port != 7 || cfg.ClientID != "c" || cfg.Transport == nil {
		t.Errorf("%+v %v", cfg, err)
	}
	if _, err := broker.NewPolled(cfg); err != nil {
		t.Error(err)
	}
	if cfg, err = new(Settings).Config(); err != nil || cfg.Host != "" || cfg.Port != 0 {
		t.Errorf("of nothing: %+v %v", cfg, err)
	}
}

// What cannot be carried out is said, not left out.
func TestConfigIsHonest(t *testing.T) {
	s := &Settings{Dialect: Librdkafka, Servers: []Server{{"a", 1}, {"b", 2}}, Security: SASLSSL, SASL: SASL{Mechanism: "OAUTHBEARER"}}
	_, err := s.Config()
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, word := range []string{"sasl.oauthbearer.token.endpoint.url: ", "sasl.oauthbearer.client.secret: ", "bootstrap.servers: 2 brokers: a:1, b:2"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in %v", word, err)
		}
	}
	if cfg, err := (&Settings{Security: SASLSSL}).Config(); err == nil || !reflect.DeepEqual(cfg, broker.Config{}) {
		t.Errorf("%+v %v", cfg, err)
	}
}

// A configuration that was read is one that broker takes.
func TestNumbersThatBrokerTakes(t *testing.T) {
	for _, s := range connectionKeys {
		for _, d := range []Dialect{KafkaPython, Java, Librdkafka} {
			for _, key := range s.in(d) {
				for _, n := range []int64{1, 1000, math.MaxInt32} {
					settings, err := Read(d, Pairs(map[string]string{key: fmt.Sprint(n)}))
					if err != nil {
						continue
					}
					cfg, err := settings.Config()
					if err != nil {
						t.Errorf("%s=%d: %v", key, n, err)
					} else if _, err := broker.NewPolled(cfg); err != nil {
						t.Errorf("%s=%d: %v", key, n, err)
					}
				}
			}
		}
	}
}

func TestDialect(t *testing.T) {
	for d := Guess; d <= lastDialect; d++ {
		if got, err := ParseDialect(strings.ToUpper(d.String())); err != nil || got != d {
			t.Errorf("%v: %v %v", d, got, err)
		}
	}
	if d, err := ParseDialect(""); err != nil || d != Guess {
		t.Error(d, err)
	}
	if _, err := ParseDialect("python"); err == nil || !strings.Contains(err.Error(), "kafka-python, java, librdkafka") {
		t.Error(err)
	}
}

// No key that means something here is on the list of those that do not.
func TestIrrelevantKeys(t *testing.T) {
	for key := range irrelevant {
		if dialectsOf(key) != 0 {
			t.Errorf("%s", key)
		}
		if label(key) != key {
			t.Errorf("%s is not shown in errors", key)
		}
	}
	for d := firstDialect; d <= lastDialect; d++ {
		for key := range index[d] {
			if label(key) != key {
				t.Errorf("%s is not shown in errors", key)
			}
		}
	}
}
