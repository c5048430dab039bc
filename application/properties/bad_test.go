package properties

import (
	"strings"
	"testing"
)

// canary stands wherever a configuration has a secret. No error may show it.
const canary = "canary-4711"

const (
	saslPython = "security_protocol=SASL_PLAINTEXT\n"
	saslJava   = "security.protocol=SASL_SSL\n"
	plainJAAS  = `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="` + canary + `";`
	scramJAAS  = `org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="` + canary + `";`
)

// badConfigurations: each has one thing wrong. key is the one that is to blame;
// right are words that tell what would be right.
var badConfigurations = []struct {
	dialect Dialect
	text    string
	key     string
	right   []string
}{
	// kafka-python: every typed key, and its rules.
	{KafkaPython, "client_idd=x", "client_idd", []string{"unknown key", `nearest is "client_id"`}},
	{KafkaPython, "reconnect.backoff_ms=1", "reconnect.backoff_ms", []string{"unknown key", `nearest is "reconnect_backoff_ms"`}},
	{KafkaPython, "host=broker:9092", "host", []string{"port="}},
	{KafkaPython, "host=a b", "host", []string{"host name or address"}},
	{KafkaPython, "host=" + canary + "@broker", "host", []string{"host name or address"}},
	{KafkaPython, "port=0", "port", []string{"1 to 65535"}},
	{KafkaPython, "port=kafka", "port", []string{"1 to 65535"}},
	{KafkaPython, "port=", "port", []string{"no value"}},
	{KafkaPython, "afi=AF_UNIX", "afi", []string{"AF_UNSPEC", "AF_INET", "AF_INET6"}},
	{KafkaPython, "client_id=" + strings.Repeat("x", 250), "client_id", []string{"at most 249"}},
	{KafkaPython, `client_id=a\u0007b`, "client_id", []string{"control characters"}},
	{KafkaPython, "reconnect_backoff_ms=-1", "reconnect_backoff_ms", []string{"whole number from 0"}},
	{KafkaPython, "reconnect_backoff_ms=50ms", "reconnect_backoff_ms", []string{"milliseconds", "whole number"}},
	{KafkaPython, "reconnect_backoff_ms=2000\nreconnect_backoff_max_ms=1000", "reconnect_backoff_max_ms", []string{"reconnect_backoff_ms", "at least as much"}},
	{KafkaPython, "reconnect_backoff_max_ms=1e3", "reconnect_backoff_max_ms", []string{"whole number"}},
	{KafkaPython, "request_timeout_ms=0", "request_timeout_ms", []string{"whole number from 1"}},
	{KafkaPython, "request_timeout_ms=2147483648", "request_timeout_ms", []string{"to 2147483647"}},
	{KafkaPython, "max_in_flight_requests_per_connection=0", "max_in_flight_requests_per_connection", []string{"from 1"}},
	{KafkaPython, "receive_buffer_bytes=-1", "receive_buffer_bytes", []string{"from 1"}},
	{KafkaPython, "send_buffer_bytes=1.5", "send_buffer_bytes", []string{"whole number"}},
	{KafkaPython, "socket_options=6,1,1", "socket_options", []string{"list of tuples", "TCP_NODELAY, 1"}},
	{KafkaPython, "socket_options=[(6, 1)]", "socket_options", []string{"tuples of three"}},
	{KafkaPython, "socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELY, 1)]", "socket_options", []string{"TCP_NODELY", "number", `nearest is "TCP_NODELAY"`}},
	{KafkaPython, "security_protocol=TLS", "security_protocol", []string{"PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"}},
	{KafkaPython, "security_protocol=SSL\nssl_context=ctx", "ssl_context", []string{"tls.Options.Config", "in Go"}},
	{KafkaPython, "security_protocol=SSL\nssl_check_hostname=yes", "ssl_check_hostname", []string{"true or false"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/none.pem", "ssl_cafile", []string{"no file", "PEM"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR", "ssl_cafile", []string{"folder", "one file"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/store.jks", "ssl_cafile", []string{"JKS", "convert it", "keytool -list -rfc -keystore ", "DIR/store.jks"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/my store.p12", "ssl_cafile", []string{"PKCS#12", "convert it", "openssl pkcs12 -nokeys -in 'DIR/my store.p12'"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/cert.der", "ssl_cafile", []string{"DER", "convert it", "openssl x509 -inform der"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/key.pem", "ssl_cafile", []string{"no certificates"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/empty.pem", "ssl_cafile", []string{"empty", "PEM"}},
	{KafkaPython, "security_protocol=SSL\nssl_cafile=DIR/notes.txt", "ssl_cafile", []string{"not PEM", "-----BEGIN"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/chain.pem", "ssl_certfile", []string{"without its key", "ssl_keyfile"}},
	{KafkaPython, "security_protocol=SSL\nssl_keyfile=DIR/key.pem", "ssl_keyfile", []string{"without its certificate", "ssl_certfile"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/key.pem\nssl_keyfile=DIR/key.pem", "ssl_certfile", []string{"no certificates"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/chain.pem\nssl_keyfile=DIR/chain.pem", "ssl_keyfile", []string{"no private key"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/chain.pem\nssl_keyfile=DIR/key.der", "ssl_keyfile", []string{"convert it", "openssl pkey -inform der"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/chain.pem\nssl_keyfile=DIR/encrypted.pem", "ssl_keyfile", []string{"encrypted", "ssl_password"}},
	{KafkaPython, "security_protocol=SSL\nssl_certfile=DIR/chain.pem\nssl_keyfile=DIR/legacy.pem", "ssl_keyfile", []string{"encrypted", "ssl_password"}},
	{KafkaPython, "security_protocol=SSL\nssl_password=" + canary, "ssl_password", []string{"without a key", "ssl_keyfile"}},
	{KafkaPython, "security_protocol=SSL\nssl_crlfile=DIR/chain.pem", "ssl_crlfile", []string{"no revocation lists"}},
	{KafkaPython, "security_protocol=SSL\nssl_crlfile=DIR/store.jks", "ssl_crlfile", []string{"JKS", "revocation lists"}},
	{KafkaPython, "security_protocol=SSL\nssl_ciphers=ECDHE+AESGCM;RC4", "ssl_ciphers", []string{"OpenSSL's language"}},
	{KafkaPython, "ssl_cafile=DIR/ca.pem", "ssl_cafile", []string{"security_protocol", "SSL or SASL_SSL"}},
	{KafkaPython, "security_protocol=PLAINTEXT\nssl_cafile=DIR/ca.pem", "ssl_cafile", []string{"security_protocol=PLAINTEXT", "SSL or SASL_SSL", "leave this out"}},
	{KafkaPython, "security_protocol=SSL\nsasl_plain_password=" + canary, "sasl_plain_password", []string{"security_protocol=SSL", "SASL_SSL or SASL_PLAINTEXT"}},
	{KafkaPython, "api_version=ten", "api_version", []string{"a release of Kafka", "2.8.1"}},
	{KafkaPython, "api_version=(0, 7)", "api_version", []string{"0.8.0 is the first"}},
	{KafkaPython, "api_version_auto_timeout_ms=soon", "api_version_auto_timeout_ms", []string{"milliseconds"}},
	{KafkaPython, "selector=selectors.DefaultSelector", "selector", []string{"Config.Selector", "in Go"}},
	{KafkaPython, "state_change_callback=print", "state_change_callback", []string{"Config.Hooks.StateChanged", "in Go"}},
	{KafkaPython, "metrics=Metrics()", "metrics", []string{"Config.Metrics", "in Go"}},
	{KafkaPython, `metric_group_prefix=a\nb`, "metric_group_prefix", []string{"control characters"}},
	{KafkaPython, saslPython, "sasl_mechanism", []string{"not given", "SASL_PLAINTEXT", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER"}},
	{KafkaPython, saslPython + "sasl_mechanism=CRAM-MD5", "sasl_mechanism", []string{"PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER"}},
	{KafkaPython, saslPython + "sasl_mechanism=PLAIN\nsasl_plain_password=" + canary, "sasl_plain_username", []string{"not given", "PLAIN needs it"}},
	{KafkaPython, saslPython + "sasl_mechanism=SCRAM-SHA-256\nsasl_plain_username=u\nsasl_plain_password=", "sasl_plain_password", []string{"not given", "SCRAM-SHA-256 needs it"}},
	{KafkaPython, saslPython + "sasl_mechanism=OAUTHBEARER", "sasl_oauth_token_provider", []string{"Config.Authenticators", "in Go"}},
	{KafkaPython, saslPython + "sasl_mechanism=OAUTHBEARER\nsasl_oauth_token_provider=provider", "sasl_oauth_token_provider", []string{"Config.Authenticators", "in Go"}},
	{KafkaPython, saslPython + `sasl_mechanism=GSSAPI` + "\n" + `sasl_kerberos_service_name=a\tb`, "sasl_kerberos_service_name", []string{"control characters"}},
	{KafkaPython, saslPython + `sasl_mechanism=GSSAPI` + "\n" + `sasl_kerberos_domain_name=a\tb`, "sasl_kerberos_domain_name", []string{"control characters"}},
	{KafkaPython, saslPython + "sasl_mechanism=GSSAPI\nsasl_kerberos_name=alice", "sasl_kerberos_name", []string{"sasl_kerberos_service_name"}},
	{KafkaPython, "bootstrap_servers=['a:9092', 'b:0']", "bootstrap_servers", []string{"1 to 65535", "host:port"}},
	{KafkaPython, "bootstrap_servers=a\nhost=b", "host", []string{"bootstrap_servers", "keep one"}},
	{KafkaPython, "bootstrap_servers=,", "bootstrap_servers", []string{"names no broker", "host:port"}},
	{KafkaPython, "client_id=a\nclient_id=b", "client_id", []string{"twice", "test.properties:1", "keep one", "Java takes the last"}},
	{KafkaPython, "socks5_proxy=socks5://proxy", "socks5_proxy", []string{"the port is missing", "1080"}},
	{KafkaPython, "proxy_url=proxy:1080", "proxy_url", []string{"not the URL of a proxy", "socks5h://"}},
	{KafkaPython, "proxy_url=//u:" + canary + "@proxy:1080", "proxy_url", []string{`"" is not a scheme for a proxy`, "socks5://host:port"}},
	{KafkaPython, "proxy_url=" + canary, "proxy_url", []string{"not the URL of a proxy"}},
	{KafkaPython, "proxy_url=socks5://u:" + canary + "@pro xy:1", "proxy_url", []string{"not the URL of a proxy"}},
	{KafkaPython, "proxy_url=socks5://u:" + canary + "%zz@proxy:1", "proxy_url", []string{"not the URL of a proxy"}},
	{KafkaPython, "proxy_url=socks4://u:" + canary + "@proxy:1", "proxy_url", []string{`"socks4" is not a scheme`, "socks5://"}},
	{KafkaPython, "proxy_url=https://u:" + canary + "@proxy:1", "proxy_url", []string{"over TLS", "Config.Transport", "httpconnect"}},
	{KafkaPython, "proxy_url=http://u:" + canary + "@proxy:1/" + canary, "proxy_url", []string{"more than host and port"}},
	{KafkaPython, "proxy_url=http://proxy:1?" + canary, "proxy_url", []string{"more than host and port"}},
	{KafkaPython, "proxy_url=http://proxy:99999", "proxy_url", []string{"from 1 to 65535"}},
	{KafkaPython, "proxy_url=http://a%3Ab:" + canary + "@proxy:1", "proxy_url", []string{"a colon in the user name"}},
	{KafkaPython, "proxy_url=socks5://:" + canary + "@proxy:1", "proxy_url", []string{"a user name has 1 to 255 bytes"}},
	{KafkaPython, "proxy_url=http://proxy:1\nsocks5_proxy=socks5://proxy:1", "socks5_proxy", []string{"the same setting as proxy_url"}},
	{KafkaPython, "client_software_name=-x-", "client_software_name", []string{"letters, digits"}},
	{KafkaPython, "ssl.ca.location=x", "ssl.ca.location", []string{"mixed dialects", "librdkafka", "ssl_cafile"}},
	{KafkaPython, `ssl_cafile=C:\keys`, "ssl_cafile", []string{"backslash", `\\`}},

	// Java.
	{Java, "bootstrap.server=a", "bootstrap.server", []string{"unknown key", `nearest is "bootstrap.servers"`}},
	{Java, "bootstrap.servers=sasl://u:" + canary + "@a:9092", "bootstrap.servers", []string{"host:port", "without a login"}},
	{Java, "connections.max.idle.ms=never", "connections.max.idle.ms", []string{"milliseconds"}},
	{Java, "receive.buffer.bytes=-2", "receive.buffer.bytes", []string{"from -1"}},
	{Java, "client.dns.lookup=resolve_canonical_bootstrap_servers_only", "client.dns.lookup", []string{"bootstrap.servers"}},
	{Java, "sasl.username=u", "sasl.username", []string{"mixed dialects", "librdkafka"}},
	{Java, "security_protocol=SSL", "security_protocol", []string{"mixed dialects", "security.protocol"}},
	{Java, "security.protocol=SSL\nssl.truststore.location=DIR/store.jks\nssl.truststore.password=" + canary, "ssl.truststore.location", []string{"JKS", "convert it", "keytool -list -rfc"}},
	{Java, "security.protocol=SSL\nssl.truststore.location=DIR/ca.pem", "ssl.truststore.type", []string{"means JKS", "ssl.truststore.type=PEM"}},
	{Java, "security.protocol=SSL\nssl.truststore.type=JKS\nssl.truststore.location=DIR/ca.pem", "ssl.truststore.type", []string{"is PEM", "ssl.truststore.type=PEM"}},
	{Java, "security.protocol=SSL\nssl.truststore.type=BCFKS", "ssl.truststore.type", []string{"PEM, JKS or PKCS12"}},
	{Java, "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=DIR/ca.pem\nssl.truststore.password=" + canary, "ssl.truststore.password", []string{"PEM has no password", "leave it out"}},
	{Java, "security.protocol=SSL\nssl.truststore.password=" + canary, "ssl.truststore.password", []string{"ssl.truststore.location"}},
	{Java, "security.protocol=SSL\nssl.keystore.location=DIR/my store.p12\nssl.keystore.type=PKCS12\nssl.keystore.password=" + canary, "ssl.keystore.location", []string{"convert it", "openssl pkcs12 -in 'DIR/my store.p12'"}},
	{Java, "security.protocol=SSL\nssl.keystore.location=DIR/store.jks", "ssl.keystore.location", []string{"keytool -importkeystore", "openssl pkcs12"}},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=DIR/chain.pem", "ssl.keystore.location", []string{"no private key"}},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=DIR/encrypted.pem", "ssl.keystore.location", []string{"encrypted", "ssl.key.password"}},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=DIR/client.pem\nssl.keystore.password=" + canary, "ssl.keystore.password", []string{"PEM has no password of the store", "ssl.key.password"}},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.key=-----BEGIN PRIVATE KEY-----MA==-----END PRIVATE KEY-----", "ssl.keystore.key", []string{"without its certificate", "ssl.keystore.certificate.chain"}},
	{Java, "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----\nssl.keystore.key=" + canary, "ssl.keystore.key", []string{"private key as PEM", "-----BEGIN"}},
	{Java, "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.certificates=" + canary, "ssl.truststore.certificates", []string{"-----BEGIN"}},
	{Java, "security.protocol=SSL\nssl.enabled.protocols=TLSv1.1,TLSv1.2", "ssl.enabled.protocols", []string{"TLSv1.2", "TLSv1.3"}},
	{Java, "security.protocol=SSL\nssl.protocol=SSLv3", "ssl.protocol", []string{"TLSv1.3"}},
	{Java, "security.protocol=SSL\nssl.cipher.suites=TLS_NONE_SUCH", "ssl.cipher.suites", []string{"crypto/tls", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
	{Java, "security.protocol=SSL\nssl.endpoint.identification.algorithm=ldaps", "ssl.endpoint.identification.algorithm", []string{"https", "none"}},
	{Java, "security.protocol=SSL\nssl.engine.factory.class=com.example.Engine", "ssl.engine.factory.class", []string{"Java class", "Config.Transport"}},
	{Java, saslJava + "sasl.mechanism=PLAIN", "sasl.jaas.config", []string{"not given", "PlainLoginModule", "username", "password"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=" + scramJAAS, "sasl.mechanism", []string{"ScramLoginModule", "SCRAM-SHA-256 or SCRAM-SHA-512"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=" + strings.TrimSuffix(plainJAAS, ";"), "sasl.jaas.config", []string{"semicolon"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=" + canary + ";", "sasl.jaas.config", []string{`after the class comes "required"`}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=u password=" + canary + "!;", "sasl.jaas.config", []string{"quotes"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=\"" + canary, "sasl.jaas.config", []string{"not closed"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required user=\"u\" username=\"u\" password=\"" + canary + "\";", "sasl.jaas.config", []string{"no option", `nearest is "username"`}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=\"u\";", "sasl.jaas.config", []string{`password="..."`}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=com.example.VaultLoginModule required;", "sasl.jaas.config", []string{"PlainLoginModule, ScramLoginModule"}},
	{Java, saslJava + "sasl.mechanism=GSSAPI\nsasl.jaas.config=x.Krb5LoginModule required useKeyTab=true principal=\"a@B\";", "sasl.jaas.config", []string{"useKeyTab", "keyTab"}},
	{Java, saslJava + "sasl.mechanism=GSSAPI\nsasl.jaas.config=x.Krb5LoginModule required serviceName=\"kafka\";\nsasl.kerberos.service.name=other", "sasl.kerberos.service.name", []string{"sasl.jaas.config", "keep one"}},
	{Java, saslJava + "sasl.mechanism=OAUTHBEARER\nsasl.jaas.config=x.OAuthBearerLoginModule required clientId=\"i\" clientSecret=\"" + canary + "\";\nsasl.oauthbearer.token.endpoint.url=http://idp/token", "sasl.oauthbearer.token.endpoint.url", []string{"https://"}},
	{Java, saslJava + "sasl.mechanism=OAUTHBEARER\nsasl.jaas.config=x.OAuthBearerLoginModule required clientId=\"i\" clientSecret=\"" + canary + "\";\nsasl.oauthbearer.token.endpoint.url=https://idp/token\nsasl.login.callback.handler.class=com.example.Handler", "sasl.login.callback.handler.class", []string{"Config.Authenticators"}},
	{Java, "sasl.jaas.config=" + plainJAAS, "sasl.jaas.config", []string{"security.protocol", "SASL_SSL or SASL_PLAINTEXT"}},

	// librdkafka.
	{Librdkafka, "metadata.broker.list=a\nbootstrap.servers=b", "bootstrap.servers", []string{"metadata.broker.list", "keep one"}},
	{Librdkafka, "broker.address.family=ipv4", "broker.address.family", []string{"any, v4 or v6"}},
	{Librdkafka, "socket.timeout.ms=0", "socket.timeout.ms", []string{"whole number from 1"}},
	{Librdkafka, "max.in.flight=1\nmax.in.flight.requests.per.connection=1", "max.in.flight.requests.per.connection", []string{"the same setting as max.in.flight", "keep one"}},
	{Librdkafka, "socket.keepalive.enable=maybe", "socket.keepalive.enable", []string{"true or false"}},
	{Librdkafka, "receive.message.max.bytes=999", "receive.message.max.bytes", []string{"from 1000"}},
	{Librdkafka, "api.version.request=false\nbroker.version.fallback=new", "broker.version.fallback", []string{"a release of Kafka"}},
	{Librdkafka, "security.protocol=ssl\nssl.keystore.location=DIR/client.pem", "ssl.keystore.location", []string{"ssl.certificate.location", "ssl.key.location"}},
	{Librdkafka, "security.protocol=ssl\nssl.keystore.location=DIR/my store.p12\nssl.keystore.password=" + canary, "ssl.keystore.location", []string{"PKCS#12", "openssl pkcs12"}},
	{Librdkafka, "security.protocol=ssl\nssl.ca.location=DIR/ca.pem\nssl.ca.pem=-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----", "ssl.ca.pem", []string{"ssl.ca.location", "keep one"}},
	{Librdkafka, "security.protocol=ssl\nssl.curves.list=P-256", "ssl.curves.list", []string{"leave it out"}},
	{Librdkafka, "security.protocol=ssl\nssl.truststore.location=DIR/ca.pem", "ssl.truststore.location", []string{"mixed dialects", "java", "ssl.ca.location"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=PLAIN\nsasl.username=u", "sasl.password", []string{"not given", "PLAIN needs it"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=GSSAPI\nsasl.kerberos.principal=me\nsasl.kerberos.keytab=DIR/none.keytab", "sasl.kerberos.keytab", []string{"no file", "keytab"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=GSSAPI\nsasl.kerberos.keytab=DIR/client.keytab", "sasl.kerberos.keytab", []string{"principal", "give both"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.client.id=i\nsasl.oauthbearer.client.secret=" + canary, "sasl.oauthbearer.token.endpoint.url", []string{"not given", "https://"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.client.id=i\nsasl.oauthbearer.client.secret=" + canary + "\nsasl.oauthbearer.token.endpoint.url=https://u:" + canary + "@idp/", "sasl.oauthbearer.token.endpoint.url", []string{"login in it", "sasl.oauthbearer.client.secret"}},
	{Librdkafka, "security.protocol=sasl_ssl\nsasl.mechanisms=OAUTHBEARER\nsasl.oauthbearer.method=default\nsasl.oauthbearer.client.id=i\nsasl.oauthbearer.client.secret=" + canary + "\nsasl.oauthbearer.token.endpoint.url=https://idp/", "sasl.oauthbearer.method", []string{"oidc"}},
	{Librdkafka, "sasl.password=" + canary, "sasl.password", []string{"security.protocol", "SASL_SSL or SASL_PLAINTEXT"}},
	{Librdkafka, "sasl.pasword=" + canary, "sasl.pasword", []string{"unknown key", `nearest is "sasl.password"`}},

	{Java, "client.id=x\n" + canary, "(no key)", []string{"neither key=value nor a comment"}},
	{Java, saslJava + "sasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required username=u username=v password=\"" + canary + "\";", "sasl.jaas.config", []string{"username is given twice", "keep one"}},
	{Java, "security.protocol=SSL\nssl.cipher.suites=TLS_AES_128_GCM_SHA256,AES", "ssl.cipher.suites", []string{"crypto/tls", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}},
	{Java, "security.protocol=SSL\nssl.truststore.location=DIR/it's.jks", "ssl.truststore.location", []string{"-keystore 'DIR/it'\\''s.jks'"}},

	// The dialect is guessed.
	{Guess, "ssl_cafil=x", "ssl_cafil", []string{"unknown key", `nearest is "ssl_cafile"`}},
	{Guess, "security.protocol=SSL\nssl.ca.locatio=x", "ssl.ca.locatio", []string{"unknown key", `nearest is "ssl.ca.location"`}},
	{Guess, "client_id=a\nhost=b\nclient.id=c", "client.id", []string{"mixed dialects", "kafka-python", "client_id"}},
	{Guess, "-----BEGIN PRIVATE KEY-----", "(no key)", []string{"neither key=value nor a comment", "backslash"}},
}

func TestBadConfigurations(t *testing.T) {
	const wanted = 60
	if n := len(badConfigurations); n < wanted {
		t.Errorf("%d bad configurations, at least %d", n, wanted)
	}
	t.Logf("%d bad configurations", len(badConfigurations))
	dir := stores(t)
	seen := map[string]bool{}
	for _, c := range badConfigurations {
		if name := c.dialect.String() + c.text; seen[name] {
			t.Errorf("twice in the table: %s", c.text)
		} else {
			seen[name] = true
		}
		t.Run(c.key, func(t *testing.T) {
			settings, err := Read(c.dialect, written(t, dir, c.text))
			all := problems(t, err)
			if len(all) != 1 || settings != nil {
				t.Fatalf("%d problems, not one: %v\nin %q", len(all), err, c.text)
			}
			t.Log(err)
			e := all[0]
			if e.Key != c.key {
				t.Errorf("key %q, not %q: %v", e.Key, c.key, err)
			}
			for _, word := range c.right {
				if word = strings.ReplaceAll(word, "DIR", dir); !strings.Contains(e.Problem, word) {
					t.Errorf("%q is not in %q", word, e.Problem)
				}
			}
			if strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n") {
				t.Errorf("a secret, or a line too many: %q", err.Error())
			}
			if given := strings.Contains(c.text, c.key+"="); given && !strings.Contains(e.Where, "test.properties:") {
				t.Errorf("no place: %v", err)
			}
		})
	}
}

// Everything wrong is told at once.
func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Read(Guess, written(t, t.TempDir(),
		"security.protocol=SASL_SSL", "sasl.mechanism=PLAN", "reconnect.backoff.ms=x", "ssl.truststore.location=DIR/none.jks", "foo.bar=1", "security.protocol=SSL"))
	var keys []string
	for _, e := range problems(t, err) {
		keys = append(keys, e.Where+" "+e.Key)
	}
	const want = "test.properties:5 foo.bar, test.properties:6 security.protocol, test.properties:3 reconnect.backoff.ms, test.properties:2 sasl.mechanism, test.properties:4 ssl.truststore.location"
	if got := strings.Join(keys, ", "); got != want {
		t.Errorf("got %s", got)
	}
}
