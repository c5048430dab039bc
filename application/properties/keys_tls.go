package properties

import (
	"crypto/tls"
	"slices"
	"strings"

	"brokerconn/ports"
)

// The settings of TLS.
//
// Where kafka-python and librdkafka name PEM files, Java names stores, and only
// those of type PEM are read here: the one that is trusted becomes TLS.CAFile,
// the one with key and chain both TLS.CertFile and TLS.KeyFile.

var (
	caFileKey = &setting{
		kafkaPython: "ssl_cafile",
		java:        "ssl.truststore.location",
		librdkafka:  "ssl.ca.location",
		about:       forTLS,
		read: func(r *reader, p *Property) {
			if r.s.Dialect == Librdkafka && value(p) == "probe" {
				return // it looks where systems have theirs; so does crypto/tls
			}
			text(func(r *reader) *string { return &r.s.TLS.CAFile })(r, p)
		},
	}
	caPEMKey = &setting{
		java:       "ssl.truststore.certificates",
		librdkafka: "ssl.ca.pem",
		about:      forTLS,
		read: func(r *reader, p *Property) {
			r.inspectText(p, authorities)
			r.s.TLS.CAPEM = p.Value.Reveal()
		},
	}
	trustTypeKey = &setting{
		java:  "ssl.truststore.type",
		about: forTLS, mild: true,
		read: choice(func(r *reader, word string) { r.trustType = word }, storeTypes...),
	}
	trustPasswordKey = &setting{java: "ssl.truststore.password", about: forTLS, read: func(*reader, *Property) {}}

	certFileKey = &setting{
		kafkaPython: "ssl_certfile",
		librdkafka:  "ssl.certificate.location",
		about:       forTLS,
		read:        text(func(r *reader) *string { return &r.s.TLS.CertFile }),
	}
	keyFileKey = &setting{
		kafkaPython: "ssl_keyfile",
		librdkafka:  "ssl.key.location",
		about:       forTLS,
		read:        text(func(r *reader) *string { return &r.s.TLS.KeyFile }),
	}
	certPEMKey = &setting{
		java:       "ssl.keystore.certificate.chain",
		librdkafka: "ssl.certificate.pem",
		about:      forTLS,
		read: func(r *reader, p *Property) {
			r.inspectText(p, clientChain)
			r.s.TLS.CertPEM = p.Value.Reveal()
		},
	}
	keyPEMKey = &setting{
		java:       "ssl.keystore.key",
		librdkafka: "ssl.key.pem",
		about:      forTLS,
		read: func(r *reader, p *Property) {
			r.inspectText(p, clientKey)
			r.s.TLS.KeyPEM = p.Value
		},
	}
	keyStoreKey = &setting{
		java:       "ssl.keystore.location",
		librdkafka: "ssl.keystore.location",
		about:      forTLS,
		read: func(r *reader, p *Property) {
			text(func(r *reader) *string { return &r.s.TLS.CertFile })(r, p)
			r.s.TLS.KeyFile = r.s.TLS.CertFile
		},
	}
	keyTypeKey = &setting{
		java:  "ssl.keystore.type",
		about: forTLS, mild: true,
		read: choice(func(r *reader, word string) { r.keyType = word }, storeTypes...),
	}
	keyStorePasswordKey = &setting{
		java:       "ssl.keystore.password",
		librdkafka: "ssl.keystore.password",
		about:      forTLS,
		read:       func(*reader, *Property) {},
	}
	keyPasswordKey = &setting{
		kafkaPython: "ssl_password",
		java:        "ssl.key.password",
		librdkafka:  "ssl.key.password",
		about:       forTLS,
		read:        secret(func(r *reader) *ports.Secret { return &r.s.TLS.KeyPassword }),
	}
	crlFileKey = &setting{
		kafkaPython: "ssl_crlfile",
		librdkafka:  "ssl.crl.location",
		about:       forTLS,
		read:        text(func(r *reader) *string { return &r.s.TLS.CRLFile }),
	}
	ciphersKey = &setting{
		kafkaPython: "ssl_ciphers",
		java:        "ssl.cipher.suites",
		librdkafka:  "ssl.cipher.suites",
		about:       forTLS,
		read:        readCiphers,
	}
	protocolsKey = &setting{java: "ssl.enabled.protocols", about: forTLS, mild: true, read: readProtocols}
)

var storeTypes = []string{"PEM", "JKS", "PKCS12"}

var tlsSettings = []*setting{
	{kafkaPython: "ssl_context", about: forTLS, read: object("a TLS configuration", "tls.Options.Config")},
	caFileKey,
	caPEMKey,
	trustTypeKey,
	trustPasswordKey,
	certFileKey,
	keyFileKey,
	certPEMKey,
	keyPEMKey,
	keyStoreKey,
	keyTypeKey,
	keyStorePasswordKey,
	keyPasswordKey,
	crlFileKey,
	{
		kafkaPython: "ssl_check_hostname",
		about:       forTLS, mild: true,
		empty: refused,
		read:  boolean(func(r *reader, on bool) { r.s.TLS.AnyHost = !on }),
	},
	{
		java:       "ssl.endpoint.identification.algorithm",
		librdkafka: "ssl.endpoint.identification.algorithm",
		about:      forTLS, mild: true,
		empty: meant, // to Java: no check
		read: choice(func(r *reader, word string) { r.s.TLS.AnyHost = word != "https" },
			"https", "none", ""),
	},
	{
		librdkafka: "enable.ssl.certificate.verification",
		about:      forTLS, mild: true,
		empty: refused,
		read:  boolean(func(r *reader, on bool) { r.s.TLS.AnyCertificate = !on }),
	},
	ciphersKey,
	protocolsKey,
	{
		java:  "ssl.protocol",
		about: forTLS, mild: true,
		read: func(r *reader, p *Property) {
			choice(func(r *reader, _ string) { r.ignore(p, "ssl.enabled.protocols decides") }, "TLS", "TLSv1.2", "TLSv1.3")(r, p)
		},
	},
	{librdkafka: "ssl.curves.list", about: forTLS, mild: true, read: never("crypto/tls chooses its curves: leave it out")},
	{librdkafka: "ssl.sigalgs.list", about: forTLS, mild: true, read: never("crypto/tls chooses its signature algorithms: leave it out")},
	{librdkafka: "ssl.ca.certificate.stores", about: forTLS, mild: true, read: never("the system's authorities are trusted without it: leave it out, or name a PEM file as ssl.ca.location")},
	{librdkafka: "ssl.engine.location ssl.engine.id ssl.providers", about: forTLS, read: never("there is no OpenSSL here: keys are PEM files, named by ssl.key.location")},
	{java: "ssl.engine.factory.class", about: forTLS, read: never("a Java class cannot run here: set Config.Transport in Go")},
}

// readCiphers takes names as IANA has them for a list of those, and all else for
// OpenSSL's language, whatever the dialect: no name is both.
func readCiphers(r *reader, p *Property) {
	names := strings.FieldsFunc(value(p), func(c rune) bool { return strings.ContainsRune(",: ", c) })
	iana := func(name string) bool { return strings.HasPrefix(name, "TLS_") || strings.HasPrefix(name, "SSL_") }
	if len(names) == 0 || !iana(names[0]) {
		foreign := func(c rune) bool {
			return !strings.ContainsRune("-+!@=_.:, ", c) && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z')
		}
		if len(names) == 0 || strings.ContainsFunc(value(p), foreign) || slices.ContainsFunc(names, iana) {
			r.refuse(p, "%s; a list in OpenSSL's language, such as ECDHE+AESGCM:!aNULL, or one of names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", quoted(p))
			return
		}
		r.s.TLS.Ciphers = value(p)
		return
	}
	known := slices.ContainsFunc(slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()), func(s *tls.CipherSuite) bool {
		return slices.Contains(names, s.Name)
	})
	if !known || !allOf(names, iana) {
		r.refuse(p, "%s; names of cipher suites, of which crypto/tls has at least one, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", quoted(p))
		return
	}
	r.s.TLS.CipherSuites = names
}

func allOf[T any](s []T, is func(T) bool) bool {
	return !slices.ContainsFunc(s, func(v T) bool { return !is(v) })
}

// readProtocols reads "TLSv1.2,TLSv1.3".
func readProtocols(r *reader, p *Property) {
	versions := map[string]uint16{"TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	names := list(value(p))
	if len(names) == 0 || !allOf(names, func(name string) bool { return versions[name] != 0 }) {
		r.refuse(p, "%s; TLSv1.2, TLSv1.3 or both with a comma: nothing older is spoken", quoted(p))
		return
	}
	r.s.TLS.MinVersion, r.s.TLS.MaxVersion = tls.VersionTLS13, tls.VersionTLS12
	for _, name := range names {
		r.s.TLS.MinVersion = min(r.s.TLS.MinVersion, versions[name])
		r.s.TLS.MaxVersion = max(r.s.TLS.MaxVersion, versions[name])
	}
}
