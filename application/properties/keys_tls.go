package properties

import (
	"cmp"
	"crypto/tls"
	"slices"
	"strings"
)

// The keys of TLS, whose scope is forTLS.
//
// Where kafka-python and librdkafka name PEM files, Java names stores: the truststore becomes
// CAFile, the keystore, which has key and chain, both CertFile and KeyFile.

var (
	caFileKey = &key{kafkaPython: "ssl_cafile", java: "ssl.truststore.location", librdkafka: "ssl.ca.location",
		to: "tls.Options.CAFile", system: true, empty: notInJava}
	caPEMKey = &key{java: "ssl.truststore.certificates", librdkafka: "ssl.ca.pem", to: "tls.Options.CAPEM",
		pem: authorities, empty: notInJava}
	trustTypeKey     = &key{java: "ssl.truststore.type", optional: true, words: storeTypes, empty: unset}
	trustPasswordKey = &key{java: "ssl.truststore.password", to: "tls.Options.CAPassword", empty: rejected}

	certFileKey = &key{kafkaPython: "ssl_certfile", librdkafka: "ssl.certificate.location", to: "tls.Options.CertFile"}
	keyFileKey  = &key{kafkaPython: "ssl_keyfile", librdkafka: "ssl.key.location", to: "tls.Options.KeyFile"}
	certPEMKey  = &key{java: "ssl.keystore.certificate.chain", librdkafka: "ssl.certificate.pem",
		to: "tls.Options.CertPEM", pem: clientChain, empty: notInJava}
	keyPEMKey = &key{java: "ssl.keystore.key", librdkafka: "ssl.key.pem", to: "tls.Options.KeyPEM", pem: clientKey,
		empty: notInJava}
	keyStoreKey = &key{java: "ssl.keystore.location", librdkafka: "ssl.keystore.location",
		to: "tls.Options.CertFile tls.Options.KeyFile", empty: notInJava}
	keyTypeKey          = &key{java: "ssl.keystore.type", optional: true, words: storeTypes, empty: unset}
	keyStorePasswordKey = &key{java: "ssl.keystore.password", librdkafka: "ssl.keystore.password",
		to: "tls.Options.StorePassword", empty: notInJava}
	keyPasswordKey = &key{kafkaPython: "ssl_password", java: "ssl.key.password", librdkafka: "ssl.key.password",
		to: "tls.Options.KeyPassword"}
	crlFileKey = &key{kafkaPython: "ssl_crlfile", librdkafka: "ssl.crl.location", to: "tls.Options.CRLFile"}
	// Of our own, as the clients accept a list without nextUpdate without limit.
	crlAgeKey = &key{kafkaPython: "ssl_crl_max_age_ms", librdkafka: "ssl.crl.max.age.ms",
		to: "tls.Options.MaxCRLAge", optional: true}
)

var storeTypes = []string{"PEM", "JKS", "PKCS12"}

var tlsKeys = []*key{
	{kafkaPython: "ssl_context", object: "a TLS configuration", to: "tls.Options.Config"},
	caFileKey, caPEMKey, trustTypeKey, trustPasswordKey, certFileKey, keyFileKey, certPEMKey, keyPEMKey,
	keyStoreKey, keyTypeKey, keyStorePasswordKey, keyPasswordKey, crlFileKey, crlAgeKey,
	// None is false to Python, and more probably meant as no value.
	{kafkaPython: "ssl_check_hostname", optional: true, to: "tls.Options.AnyHost", not: true, empty: meaningful},
	{
		java: "ssl.endpoint.identification.algorithm", librdkafka: "ssl.endpoint.identification.algorithm",
		to: "tls.Options.AnyHost", optional: true, empty: meaningful, read: readIdentification,
	},
	// Of this library: no client has a setting for it.
	{kafkaPython: "ssl_server_name", java: "ssl.server.name", librdkafka: "ssl.server.name",
		to: "tls.Options.ServerName", optional: true, read: readServerName},
	{librdkafka: "enable.ssl.certificate.verification", to: "tls.Options.AnyCertificate", optional: true, not: true},
	{kafkaPython: "ssl_ciphers", java: "ssl.cipher.suites", librdkafka: "ssl.cipher.suites",
		to: "tls.Options.Ciphers tls.Options.CipherSuites", read: readCiphers},
	{java: "ssl.enabled.protocols", to: "tls.Options.MinVersion tls.Options.MaxVersion",
		optional: true, read: readProtocols},
	{java: "ssl.protocol", optional: true, words: []string{"TLS", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "SSL",
		"SSLv3"}, unused: "ssl.enabled.protocols decides"},
	{librdkafka: "ssl.curves.list", optional: true, why: "crypto/tls chooses its curves: leave it out"},
	{librdkafka: "ssl.sigalgs.list", optional: true, why: "crypto/tls chooses its signature algorithms: leave it out"},
	{librdkafka: "ssl.ca.certificate.stores", optional: true,
		why: "the system's authorities are trusted without it: leave it out, or name a PEM file as ssl.ca.location"},
	{librdkafka: "ssl.engine.location ssl.engine.id ssl.providers",
		why: "OpenSSL's engines are not available: keys are PEM files, named by ssl.key.location"},
	{java: "ssl.engine.factory.class", why: "a Java class cannot run here: set Config.Transport in Go"},
}

func readServerName(r *reader, p *Property) {
	if !hostAlone(value(p)) {
		r.reject(p, "%s is not the name of a host alone: without scheme and port", quoted(p))
		return
	}
	r.s.TLS.ServerName = value(p)
}

// readCiphers reads a list of IANA's names as such, and everything else as OpenSSL's
// language, whatever the dialect: no name is in both.
func readCiphers(r *reader, p *Property) {
	names := strings.FieldsFunc(value(p), func(c rune) bool { return strings.ContainsRune(",: ", c) })
	iana := func(name string) bool { return strings.HasPrefix(name, "TLS_") || strings.HasPrefix(name, "SSL_") }
	if len(names) > 0 && !iana(names[0]) && r.s.Dialect == Java && r.sure {
		r.reject(p, "%s; names of cipher suites as Java's client takes them, such as "+
			"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", quoted(p))
		return
	}
	if len(names) == 0 || !iana(names[0]) {
		foreign := func(c rune) bool {
			return !strings.ContainsRune("-+!@=_.:, ", c) && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
		}
		if len(names) == 0 || strings.ContainsFunc(value(p), foreign) || slices.ContainsFunc(names, iana) {
			r.reject(p, "%s; a list in OpenSSL's language, such as ECDHE+AESGCM:!aNULL, "+
				"or one of names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", quoted(p))
			return
		}
		r.s.TLS.Ciphers = value(p)
		return
	}
	known := slices.ContainsFunc(slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()),
		func(s *tls.CipherSuite) bool {
			return slices.Contains(names, s.Name)
		})
	if !known || !allOf(names, iana) {
		r.reject(p, "%s; names of cipher suites, at least one of them known to crypto/tls, "+
			"such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", quoted(p))
		return
	}
	r.s.TLS.CipherSuites = names
}

func allOf[T any](s []T, is func(T) bool) bool {
	return !slices.ContainsFunc(s, func(v T) bool { return !is(v) })
}

// readIdentification reads which names the broker's certificate may have. Java's client
// checks none if the value is empty, and fails at every handshake if it is a word that it
// does not know, as librdkafka's none; librdkafka refuses an empty value.
func readIdentification(r *reader, p *Property) {
	check, none := "https", ""
	if r.s.Dialect == Librdkafka {
		none = "none"
	}
	switch word := strings.ToLower(value(p)); {
	case word == check:
	case word == none:
		r.s.TLS.AnyHost = true
	case r.s.Dialect == Java && word == "none":
		r.reject(p, "%s is librdkafka's word, and Java's client fails with it: https, or empty for no check; if the "+
			"file is librdkafka's, give that dialect", quoted(p))
	default:
		r.reject(p, "%s; https, or %q for no check", quoted(p), none)
	}
}

// readProtocols reads "TLSv1.2,TLSv1.3". Versions that crypto/tls does not offer here are
// passed over while one is left.
func readProtocols(r *reader, p *Property) {
	versions := map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13,
		"TLSv1.1": 0, "TLSv1": 0, "SSLv3": 0, "SSLv2Hello": 0}
	var low, high uint16
	var old []string
	for _, name := range list(value(p)) {
		switch version, known := versions[name]; {
		case !known:
			r.reject(p, "%s: %q is not a version of TLS; TLSv1.2, TLSv1.3 or both with a comma", quoted(p), name)
			return
		case version == 0:
			old = append(old, name)
		default:
			low, high = min(version, cmp.Or(low, version)), max(version, high)
		}
	}
	switch {
	case low == 0:
		r.reject(p, "%s; TLSv1.2, TLSv1.3 or both with a comma; older versions are not supported", quoted(p))
		return
	case old != nil:
		r.ignore(p, strings.Join(old, ", ")+" of its list: not offered here")
	}
	r.s.TLS.MinVersion, r.s.TLS.MaxVersion = low, high
}
