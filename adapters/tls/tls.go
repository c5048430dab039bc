// Package tls adds TLS to any dial function: TCP, a proxy, a unix socket, a custom
// one.
//
//	secure, err := tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: "ca.pem"})
//	...
//	broker.Config{Transport: secure}
//
// It uses crypto/tls, and adds revocation lists, encrypted keys, OpenSSL cipher lists,
// files that are read again when they change, and one typed [Error] for every failed
// handshake.
//
// Verification: the chain must lead to a trusted authority and be valid at the time of
// Options.Clock. The certificate must be for the host as configured, never for an
// address that it resolved to. With a CRLFile its issuer must not have revoked it. A
// resumed session is verified in the same way.
//
// The files, in the order in which a connection uses them:
//
//	tls        Options; check: their validation
//	dial       New and Dial
//	reload     the content of the files in use, in parts; load: how they are parsed
//	file       when a file is read again; folder: a folder of authorities
//	identity   certificates in PEM; pemkey: private keys; keystore: Java's stores;
//	           cipherlist: OpenSSL's lists
//	sessions   sessions to resume
//	conn       one connection: its handshake and first read
//	issuers    the client certificate and the authorities that the broker accepts
//	verify     the broker's certificate; crl: revocation
//	inspect    one handshake and what it shows, also where it fails
//	explain    from the error of a handshake to a Reason; repeat: for old brokers
//	errors     the errors
package tls

import (
	"crypto/tls"
	"time"

	"brokerconn/ports"
)

// Options configure TLS. The zero value is safe: it trusts the system's authorities and
// verifies the chain and the host name. New and Dial copy the Options; the targets of its
// pointers must not change afterwards.
//
// Files are PEM, where nothing else is said, and are checked for changes before every handshake. A changed file takes
// effect at that handshake: the authorities and the revocation lists each by themselves, a
// certificate and its key if both can be read and match, and if they do not replace a valid
// certificate by one that is not. Otherwise the previous content of that part stays in use,
// Reloaded receives the error, and Conn.Warnings reports it. Replace files by renaming: a
// file written in place may be read half written.
//
// Certificates in CAFile that crypto/x509 cannot read are skipped with a warning, unless none
// is left. A TRUSTED CERTIFICATE is an error, since OpenSSL may have it rejected for servers.
// A byte order mark is ignored.
type Options struct {
	// Config, if not nil, is used as it is, and all other options are ignored. Each
	// connection uses a clone of it, with the host as ServerName if that is empty. With
	// InsecureSkipVerify the broker counts as verified only if there is a VerifyConnection
	// or a VerifyPeerCertificate.
	Config *tls.Config

	// CAFile is the file of the trusted certificates, CAPEM its content. The file may be a
	// store of Java's, JKS or PKCS#12, or a folder as OpenSSL reads it: of files in PEM
	// with names as 5ed36f99.0, which openssl rehash makes. If both are empty, the default
	// is the system's authorities.
	CAFile, CAPEM string
	// CAPassword returns the password of a store in CAFile. If nil, the integrity of the
	// store is not checked, and it must not be encrypted.
	CAPassword func() ([]byte, error)

	// CertFile and KeyFile are the client's certificate, followed by its chain, and its
	// private key; CertPEM and KeyPEM are their content. If KeyFile and KeyPEM are empty,
	// the key is read from the certificate's file. That may be a store, JKS or PKCS#12. If
	// all are empty, no client certificate is sent.
	CertFile, KeyFile string
	CertPEM           string
	KeyPEM            ports.Secret
	// KeyPassword returns the password of the private key; see Password. It is called
	// when an encrypted key is read, while other handshakes wait. If nil, the key must
	// not be encrypted, and of a key in a store it is StorePassword.
	KeyPassword func() ([]byte, error)
	// StorePassword returns the password of a store in CertFile. If nil, the integrity of
	// the store is not checked, and it must not be encrypted.
	StorePassword func() ([]byte, error)

	// AnyHost skips the check that the certificate is for the host. The chain and
	// revocation are still verified. With the system's authorities that is next to nothing:
	// they sign for the owner of any domain. The endpoints of New are not Verified then, and
	// broker.Hooks.Warning reports it.
	AnyHost bool
	// AnyCertificate skips all verification: any peer receives the requests and the
	// credentials. Use it for diagnosis only. The endpoints of New are not Verified then,
	// and broker.Hooks.Warning reports it.
	AnyCertificate bool
	// ServerName is the host that the certificate must be for, and the server name (SNI) that
	// is sent, if it is not the host connected to: behind a tunnel, a forwarded port, or a
	// router by server name that is dialed by its address. No server name is sent for an
	// address. If empty, the default is the endpoint's host.
	ServerName string
	// CRLFile is a file of revocation lists, PEM or DER. It must contain a current list
	// of the issuer of the broker's certificate, as with OpenSSL's flag "check leaf". If
	// empty, revocation is not checked.
	CRLFile string
	// MaxCRLAge is the time after which a revocation list that does not say when the next
	// one follows has expired, since it was issued. If zero, the default is 30 days. If
	// negative, such a list never expires.
	MaxCRLAge time.Duration

	// Ciphers is a cipher list in OpenSSL's language, "ECDHE+AESGCM:!aNULL", and
	// CipherSuites a list of IANA's names. At most one may be set. If both are empty, the
	// default is crypto/tls's choice. They select suites of TLS 1.2: crypto/tls orders
	// them itself and always offers all suites of TLS 1.3. Names that crypto/tls lacks
	// are ignored; it is an error if no suite remains.
	Ciphers      string
	CipherSuites []string
	// MinVersion and MaxVersion are crypto/tls's numbers, at least VersionTLS12. If zero,
	// the defaults are TLS 1.2 and the newest version.
	MinVersion, MaxVersion uint16

	// Clock is the time for the validity of certificates and revocation lists. If nil,
	// the default is the system's clock.
	Clock ports.Clock
	// NoResumption makes every handshake a full one. Otherwise up to 16 sessions with each
	// of up to 64 addresses are kept, since each network thread of a broker resumes only its
	// own, and the oldest is resumed.
	NoResumption bool
	// Reloaded, if not nil, is called with nil when all changed files are in use, and with
	// an error when one of them cannot be, once for each error. It runs on the goroutine
	// that dials, and may run on several at once.
	Reloaded func(error)
}

// Password returns a KeyPassword function for a fixed password.
func Password[T string | []byte](password T) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(password), nil }
}
