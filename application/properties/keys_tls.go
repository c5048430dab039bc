package properties

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// The keys of TLS, whose scope is forTLS.
//
// Where kafka-python and librdkafka name PEM files, Java names stores, and only those of
// type PEM are read here: the truststore becomes CAFile, the keystore, which has key and
// chain, both CertFile and KeyFile.

var (
	caFileKey = &key{kafkaPython: "ssl_cafile", java: "ssl.truststore.location", librdkafka: "ssl.ca.location",
		to: "tls.Options.CAFile", system: true, empty: notInJava}
	caPEMKey = &key{java: "ssl.truststore.certificates", librdkafka: "ssl.ca.pem", to: "tls.Options.CAPEM",
		pem: authorities, empty: notInJava}
	trustTypeKey     = &key{java: "ssl.truststore.type", optional: true, words: storeTypes, empty: unset}
	trustPasswordKey = &key{java: "ssl.truststore.password", empty: rejected}

	certFileKey = &key{kafkaPython: "ssl_certfile", librdkafka: "ssl.certificate.location", to: "tls.Options.CertFile"}
	keyFileKey  = &key{kafkaPython: "ssl_keyfile", librdkafka: "ssl.key.location", to: "tls.Options.KeyFile"}
	certPEMKey  = &key{java: "ssl.keystore.certificate.chain", librdkafka: "ssl.certificate.pem",
		to: "tls.Options.CertPEM", pem: clientChain, empty: notInJava}
	keyPEMKey = &key{java: "ssl.keystore.key", librdkafka: "ssl.key.pem", to: "tls.Options.KeyPEM", pem: clientKey,
		empty: notInJava}
	keyStoreKey = &key{java: "ssl.keystore.location", librdkafka: "ssl.keystore.location",
		to: "tls.Options.CertFile tls.Options.KeyFile", empty: notInJava}
	keyTypeKey          = &key{java: "ssl.keystore.type", optional: true, words: storeTypes, empty: unset}
	keyStorePasswordKey = &key{java: "ssl.keystore.password", librdkafka: "ssl.keystore.password", empty: notInJava}
	keyPasswordKey      = &key{kafkaPython: "ssl_password", java: "ssl.key.password", librdkafka: "ssl.key.password",
		to: "tls.Options.KeyPassword"}
	crlFileKey = &key{kafkaPython: "ssl_crlfile", librdkafka: "ssl.crl.location", to: "tls.Options.CRLFile"}
)

var storeTypes = []string{"PEM", "JKS", "PKCS12"}

var tlsKeys = []*key{
	{kafkaPython: "ssl_context", object: "a TLS configuration", to: "tls.Options.Config"},
	caFileKey, caPEMKey, trustTypeKey, trustPasswordKey, certFileKey, keyFileKey, certPEMKey, keyPEMKey,
	keyStoreKey, keyTypeKey, keyStorePasswordKey, keyPasswordKey, crlFileKey,
	// None is false to Python, and more probably meant as no value.
	{kafkaPython: "ssl_check_hostname", optional: true, to: "tls.Options.AnyHost", not: true, empty: meaningful},
	{
		java: "ssl.endpoint.identification.algorithm", librdkafka: "ssl.endpoint.identification.algorithm",
		to: "tls.Options.AnyHost", optional: true, empty: meaningful, read: readIdentification,
	},
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

// validateTLS looks for contradictions, and into the files.
func (r *reader) validateTLS() {
	r.validateTrust()
	r.validateIdentity()
	if p := r.given[crlFileKey]; p != nil && !r.rejected[crlFileKey] {
		r.inspect(p, r.s.TLS.CRLFile, revocations)
	}
}

// validateTrust looks at the certificates that the connection trusts.
func (r *reader) validateTrust() {
	pem := r.is(trustTypeKey, "PEM")
	if p := r.given[trustPasswordKey]; p != nil {
		switch {
		case !r.has(caFileKey) && !r.has(caPEMKey):
			r.reject(p, "given without ssl.truststore.location")
		case pem && r.later(trustTypeKey, trustPasswordKey):
			r.ignore(p, r.inPlace(trustTypeKey, "PEM, which has no password,"))
		case pem || r.has(caPEMKey):
			r.reject(p, "PEM has no password: leave it out")
		}
	}
	if r.has(caPEMKey) && r.s.Dialect == Java && !pem {
		r.needsPEM(trustTypeKey, r.given[caPEMKey].Key+" is PEM")
	}
	p := r.given[caFileKey]
	if p == nil || r.rejected[caFileKey] || r.s.TLS.CAFile == "" {
		return
	}
	if data := r.inspect(p, r.s.TLS.CAFile, authorities); data != nil && r.s.Dialect == Java && !pem {
		r.needsPEM(trustTypeKey, fmt.Sprintf("%q is PEM", r.s.TLS.CAFile))
	}
}

// needsPEM rejects the type of a store, which is JKS to Java if it is not given.
func (r *reader) needsPEM(typeKey *key, why string) {
	if p := r.given[typeKey]; p != nil {
		r.reject(p, "%s, but %s: write %s=PEM", quoted(p), why, p.Key)
		return
	}
	r.missing(typeKey, "not given, which means JKS, but %s: write %s=PEM", why, r.name(typeKey))
}

// validateIdentity looks at the client's certificate and key.
func (r *reader) validateIdentity() {
	cert, key, store := r.either(certFileKey, certPEMKey), r.either(keyFileKey, keyPEMKey), r.given[keyStoreKey]
	certName, keyName := certFileKey, keyFileKey
	if r.s.Dialect == Java {
		certName, keyName = certPEMKey, keyPEMKey
	}
	switch {
	case cert != nil && key == nil && store == nil:
		r.reject(cert, "a certificate without its key: give %s as well", r.name(keyName))
	case key != nil && cert == nil && store == nil:
		r.reject(key, "a key without its certificate: give %s as well", r.name(certName))
	}
	password := r.given[keyPasswordKey]
	if password != nil && key == nil && store == nil {
		r.reject(password, "a password without a key: give %s and %s as well", r.name(certName), r.name(keyName))
	}
	r.validateStore(store)

	if store == nil && r.has(certFileKey) && !r.rejected[certFileKey] {
		r.inspect(cert, r.s.TLS.CertFile, clientChain)
	}
	data := []byte(r.s.TLS.KeyPEM.Reveal())
	if store == nil && r.has(keyFileKey) && !r.rejected[keyFileKey] {
		data = r.inspect(key, r.s.TLS.KeyFile, clientKey)
	}
	if isEncrypted(data) && password == nil {
		r.reject(key, "the key is encrypted: give %s as well", r.name(keyPasswordKey))
	}
}

// validateStore looks at a store of key and chain, which is PKCS#12 to librdkafka.
func (r *reader) validateStore(p *Property) {
	pem := r.is(keyTypeKey, "PEM")
	java := r.s.Dialect == Java
	if password := r.given[keyStorePasswordKey]; password != nil {
		switch {
		case p == nil && !r.has(keyPEMKey):
			r.reject(password, "given without %s", r.name(keyStoreKey))
		case pem && r.later(keyTypeKey, keyStorePasswordKey):
			r.ignore(password, r.inPlace(keyTypeKey, "PEM, which has no password,"))
		case pem || r.has(keyPEMKey):
			r.reject(password, "PEM has no password of the store: leave it out; that of the key is %s",
				r.name(keyPasswordKey))
		}
	}
	if java && !pem && r.either(certPEMKey, keyPEMKey) != nil {
		r.needsPEM(keyTypeKey, r.either(certPEMKey, keyPEMKey).Key+" is PEM")
	}
	if p == nil || r.rejected[keyStoreKey] {
		return
	}
	data := r.inspect(p, r.s.TLS.CertFile, clientChain)
	switch {
	case data == nil:
		return
	case !java:
		r.reject(p, "%q is PEM: name it by %s and %s", r.s.TLS.CertFile, r.name(certFileKey), r.name(keyFileKey))
		return
	case !pem:
		r.needsPEM(keyTypeKey, fmt.Sprintf("%q is PEM", r.s.TLS.CertFile))
	}
	if r.inspectData(p, r.s.TLS.CertFile, data, clientKey) != nil && isEncrypted(data) && !r.has(keyPasswordKey) {
		r.reject(p, "the key in %q is encrypted: give %s as well", r.s.TLS.CertFile, r.name(keyPasswordKey))
	}
}

// either returns the first of two settings that is given.
func (r *reader) either(a, b *key) *Property {
	if p := r.given[a]; p != nil {
		return p
	}
	return r.given[b]
}
