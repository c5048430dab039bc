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
//	reload     the content of the files in use; file: when a file is read again
//	identity   certificates in PEM; pemkey: private keys; cipherlist: OpenSSL's lists
//	sessions   sessions to resume
//	conn       one connection: its handshake and first read
//	verify     the broker's certificate; crl: revocation
//	inspect    one handshake and what it shows, also where it fails
//	explain    from the error of a handshake to a Reason; repeat: for old brokers
//	errors     the errors
package tls

import (
	"crypto/tls"

	"brokerconn/ports"
)

// Options configure encryption. The zero value is good for use: it trusts the
// system's authorities and verifies the chain and the host's name. New and Dial
// copy them; what their pointers lead to must not be changed afterwards.
//
// Files are PEM, and are looked at before every handshake: what changed on disk
// serves that handshake, if all of it can be read and fits together, and does not
// replace a certificate that is valid by one that is not. Otherwise the former stays
// in force, and Reloaded is told. Replace files by renaming; what is written in place
// may be seen half done.
type Options struct {
	// Config, if set, is used as it is, and all other options are ignored. Each
	// connection has a clone of it, with the host as ServerName if that is empty.
	Config *tls.Config

	// CAFile, or CAPEM itself, has the certificates that are trusted. Neither: the
	// system's.
	CAFile, CAPEM string

	// CertFile and KeyFile, or CertPEM and KeyPEM themselves, are the client's
	// certificate, first its own and then the chain above it, and its key. Without
	// KeyFile and KeyPEM the key stands beside the certificate. Neither: a broker
	// that asks is shown none.
	CertFile, KeyFile string
	CertPEM           string
	KeyPEM            ports.Secret
	// KeyPassword decrypts the key; see Password. It is asked when an encrypted key
	// is read, while other handshakes wait for it. nil: the key is not encrypted.
	KeyPassword func() ([]byte, error)

	// AnyHost leaves out the check that the certificate is one for the host. The
	// chain and revocation are still verified.
	AnyHost bool
	// AnyCertificate verifies nothing at all: whoever answers is talked to, and
	// given the login. Only for finding out what is wrong.
	AnyCertificate bool
	// ServerName is the host that the certificate has to be for, where that is not
	// the one configured: behind a tunnel or a forwarded port. Empty: the
	// endpoint's host.
	ServerName string
	// CRLFile has revocation lists, PEM or DER. As with OpenSSL's flag "check leaf"
	// there must be one, not expired, of the issuer of the broker's certificate.
	// Empty: nothing is revoked.
	CRLFile string

	// Ciphers is a list in OpenSSL's language, "ECDHE+AESGCM:!aNULL"; CipherSuites
	// one of names as IANA has them. At most one may be set; none: those of
	// crypto/tls. They choose among the suites of TLS 1.2: crypto/tls orders them
	// itself, and always offers all of TLS 1.3's. Names that crypto/tls lacks are
	// passed over; it is an error if none is left.
	Ciphers      string
	CipherSuites []string
	// MinVersion and MaxVersion are crypto/tls's numbers, VersionTLS12 at least. 0:
	// TLS 1.2, and the newest there is.
	MinVersion, MaxVersion uint16

	// Clock tells when certificates and revocation lists are valid. nil: the
	// machine's.
	Clock ports.Clock
	// NoResumption makes every handshake a full one. False: the last session with
	// each of up to 64 addresses is kept, and offered to it again.
	NoResumption bool
	// Reloaded, if not nil, is told that changed files are in force (nil), or why
	// they are not; each reason once. It runs on the goroutine that dials, and may
	// run on several at once.
	Reloaded func(error)
}

// Password is the KeyPassword that is always the same.
func Password[T string | []byte](password T) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(password), nil }
}
