package properties

import (
	"fmt"
	"slices"

	"brokerconn/adapters/tls/pemkey"
)

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
			r.s.TLS.CAPassword = nil
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
	switch r.s.Dialect {
	case Java:
		r.inspectStore(p, r.s.TLS.CAFile, javaTrust, trustTypeKey)
	case Librdkafka:
		r.inspect(p, r.s.TLS.CAFile, authoritiesOrFolder)
	default:
		r.inspect(p, r.s.TLS.CAFile, authorities)
	}
}

// inspectStore looks into a file that Java reads by the type of the store: PEM, or JKS and
// PKCS12, each of which opens the files of both. It returns the content if it is PEM.
func (r *reader) inspectStore(p *Property, name string, want *content, typeKey *key) []byte {
	data, pem := r.inspect(p, name, want), r.is(typeKey, "PEM")
	store := slices.Contains(want.stores, pemkey.FormatOf(data))
	switch {
	case data == nil:
	case store && pem:
		r.reject(r.given[typeKey], "PEM, but %q is a %v store: write %s=%v", name, pemkey.FormatOf(data),
			r.given[typeKey].Key, storeWord(pemkey.FormatOf(data)))
	case !store && !pem:
		r.needsPEM(typeKey, fmt.Sprintf("%q is PEM", name))
	}
	if store {
		return nil
	}
	return data
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
	if cert != nil && key == nil && r.s.Dialect == KafkaPython && clientKey.inFile(r.s.TLS.CertFile) {
		key, r.s.TLS.KeyFile = cert, r.s.TLS.CertFile // as Python's ssl does without a file of the key
	}
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
	if store == nil && r.s.TLS.KeyFile != "" && !r.rejected[keyFileKey] {
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
			r.s.TLS.StorePassword = nil
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
	if !java {
		r.validatePKCS12(p)
		return
	}
	data := r.inspectStore(p, r.s.TLS.CertFile, javaStore, keyTypeKey)
	switch {
	case data == nil && !pem && !r.has(keyStorePasswordKey):
		r.reject(p, "a store without its password: give %s as well", r.name(keyStorePasswordKey))
	case data == nil || !pem:
	case r.inspectData(p, r.s.TLS.CertFile, data, clientKey) != nil && isEncrypted(data) && !r.has(keyPasswordKey):
		r.reject(p, "the key in %q is encrypted: give %s as well", r.s.TLS.CertFile, r.name(keyPasswordKey))
	}
}

// validatePKCS12 looks at the store of librdkafka, which has one password.
func (r *reader) validatePKCS12(p *Property) {
	if password := r.given[keyPasswordKey]; password != nil {
		r.ignore(password, "the key in a store has the password of the store")
		r.s.TLS.KeyPassword = nil
	}
	data := r.inspect(p, r.s.TLS.CertFile, librdkafkaStore)
	if data != nil && pemkey.FormatOf(data) != pemkey.PKCS12 {
		r.reject(p, "%q is PEM: name it by %s and %s", r.s.TLS.CertFile, r.name(certFileKey), r.name(keyFileKey))
	}
}

// either returns the first of two settings that is given.
func (r *reader) either(a, b *key) *Property {
	if p := r.given[a]; p != nil {
		return p
	}
	return r.given[b]
}
