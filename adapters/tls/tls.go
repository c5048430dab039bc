// Package tls secures the connections of any dial function: TCP, a proxy, a unix
// socket, one of your own.
//
//	secure, err := tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: "ca.pem"})
//	...
//	broker.Config{Transport: secure}
//
// It is crypto/tls, and on top of it what that has not: revocation lists,
// encrypted keys, cipher lists in OpenSSL's language, files that are read anew when
// they change, and one typed [Error] for all that a handshake can fail of.
//
// What is verified. The chain must lead to an authority that is trusted, all of it
// must be valid at the time of the Clock, the certificate must be one for the host
// as it was configured (never for an address that it resolved to), and, where there
// is a CRLFile, its issuer must not have revoked it. A connection that resumes an
// earlier session is held to the same.
//
// The files, in the order in which a connection meets them:
//
//	tls       what a user fills in; New and Dial
//	reload    files on disk, and when they are read anew
//	identity  certificates and keys out of PEM; keys, pbes2: the encrypted ones
//	ciphers   the two ways to name cipher suites
//	sessions  what is kept to resume
//	conn      one connection: its handshake and its first read
//	verify    the broker's certificate; crl: whether it was revoked
//	explain   what the error of a handshake means; repeat: of one that old brokers cannot
//	          tell; errors: in words
package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// Options configure encryption. The zero value is good for use: it trusts the
// system's authorities and verifies the chain and the host's name. New and Dial
// copy them; what their pointers lead to must not be changed afterwards.
//
// Files are PEM, and are looked at before every handshake: what changed on disk
// serves that handshake, if all of it can be read and fits together. If not, the
// former stays in force, and Reloaded is told. Replace files by renaming; what is
// written in place may be seen half done.
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

// New returns the transport under with all its links secured, and its endpoints
// marked as such. The error joins an *OptionError for what cannot be used.
func New(under *netlink.Transport, o Options) (*netlink.Transport, error) {
	dial, err := Dial(under.Dial, o)
	if err != nil {
		return nil, err
	}
	return &netlink.Transport{Dial: dial, Lookup: under.Lookup, Secure: true}, nil
}

// Dial returns a function that dials with next and returns a *Conn before its
// handshake, which is netlink's to run. The name to verify is the Host of the
// endpoint in the context, see netlink.EndpointFrom; without one it is the host of
// the address. The error joins an *OptionError for what cannot be used.
func Dial(next netlink.DialFunc, o Options) (netlink.DialFunc, error) {
	if next == nil {
		panic("tls: there is no dial function to secure")
	}
	if o.Config != nil {
		return dialWith(next, o.Config), nil
	}
	suites, err := o.check()
	if err != nil {
		return nil, err
	}
	files, err := newLoader(o)
	if err != nil {
		return nil, err
	}
	now := o.now()
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		name := o.ServerName
		if name == "" {
			name = hostOf(ctx, address)
		}
		if name == "" && !o.AnyHost && !o.AnyCertificate {
			return nil, fmt.Errorf("tls: %s %q has no host name that a certificate could be for: set ServerName", network, address)
		}
		material := files.look()
		under, err := next(ctx, network, address)
		if err != nil || under == nil {
			return under, err
		}
		v := &verifier{
			name: name, anyHost: o.AnyHost, anyCertificate: o.AnyCertificate,
			roots: material.roots, authorities: material.authorities, revoked: material.revoked,
			now: now,
		}
		config := &tls.Config{
			ServerName:         name,
			MinVersion:         suites.minVersion,
			MaxVersion:         o.MaxVersion,
			CipherSuites:       suites.ids,
			Time:               now,
			InsecureSkipVerify: true, // the verifier does it all, and when a session is resumed, too
			VerifyConnection:   v.verifyConnection,
			// Shown even where the broker did not name its issuer, as OpenSSL does: what
			// the broker then has against it tells more than that it saw none.
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return material.identity, nil
			},
		}
		if !o.NoResumption {
			session := &sessionOf{kept: material.sessions, key: name + " " + network + " " + address, verifier: v}
			config.ClientSessionCache = session
			config.VerifyConnection = session.verify
		}
		return newConn(under, config, v), nil
	}, nil
}

// dialWith secures with a configuration of the user's.
func dialWith(next netlink.DialFunc, config *tls.Config) netlink.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		under, err := next(ctx, network, address)
		if err != nil || under == nil {
			return under, err
		}
		own := config.Clone()
		if own.ServerName == "" {
			own.ServerName = hostOf(ctx, address)
		}
		now := own.Time
		if now == nil {
			now = time.Now
		}
		return newConn(under, own, &verifier{name: own.ServerName, now: now}), nil
	}
}

// hostOf returns the name to verify: no trailing dot, which no certificate has, no
// zone and no brackets.
func hostOf(ctx context.Context, address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = ""
	}
	if ep, ok := netlink.EndpointFrom(ctx); ok && ep.Host != "" {
		host = ep.Host
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.WithZone("").String()
	}
	return strings.TrimSuffix(host, ".")
}

func (o *Options) now() func() time.Time {
	if o.Clock == nil {
		return time.Now
	}
	return o.Clock.Now
}

// suiteChoice is the options that choose versions and ciphers, checked.
type suiteChoice struct {
	ids        []uint16 // nil: crypto/tls's own choice
	minVersion uint16
}

// check looks for options that cannot be. The error joins an *OptionError for each.
func (o *Options) check() (suiteChoice, error) {
	var problems []error
	refuse := func(option, format string, args ...any) {
		problems = append(problems, refusal(option, format, args...))
	}
	for _, v := range []struct {
		option string
		number uint16
	}{{"MinVersion", o.MinVersion}, {"MaxVersion", o.MaxVersion}} {
		if v.number != 0 && (v.number < tls.VersionTLS12 || v.number > tls.VersionTLS13) {
			refuse(v.option, "%s is not spoken here: TLS 1.2 or TLS 1.3", tls.VersionName(v.number))
		}
	}
	for _, pair := range []struct {
		a, b       string
		hasA, hasB bool
	}{
		{"CAFile", "CAPEM", o.CAFile != "", o.CAPEM != ""},
		{"CertFile", "CertPEM", o.CertFile != "", o.CertPEM != ""},
		{"KeyFile", "KeyPEM", o.KeyFile != "", o.KeyPEM != ports.Secret{}},
		{"Ciphers", "CipherSuites", o.Ciphers != "", len(o.CipherSuites) > 0},
	} {
		if pair.hasA && pair.hasB {
			refuse(pair.a, "given beside %s, which is the same: keep one", pair.b)
		}
	}
	if (o.KeyFile != "" || o.KeyPEM != ports.Secret{}) && o.CertFile == "" && o.CertPEM == "" {
		option := "KeyPEM"
		if o.KeyFile != "" {
			option = "KeyFile"
		}
		refuse(option, "a key without its certificate: set CertFile or CertPEM as well")
	}
	chosen, err := o.chooseSuites()
	switch {
	case err != nil:
		problems = append(problems, err)
	case o.MaxVersion != 0 && o.MaxVersion < chosen.minVersion:
		refuse("MaxVersion", "at most %s, but MinVersion or CipherSuites ask for %s at least", tls.VersionName(o.MaxVersion), tls.VersionName(chosen.minVersion))
	}
	return chosen, errors.Join(problems...)
}

// chooseSuites reads the cipher lists.
func (o *Options) chooseSuites() (chosen suiteChoice, err error) {
	chosen.minVersion = max(o.MinVersion, tls.VersionTLS12)
	switch {
	case len(o.CipherSuites) > 0:
		return o.namedSuites(chosen)
	case o.Ciphers != "":
		if chosen.ids, err = parseCiphers(o.Ciphers); err != nil {
			return chosen, &OptionError{"Ciphers", err}
		}
	}
	return chosen, nil
}

// namedSuites finds suites by IANA's names. Whoever names only suites of TLS 1.3
// wants nothing older.
func (o *Options) namedSuites(chosen suiteChoice) (suiteChoice, error) {
	newest := false
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		switch {
		case !slices.Contains(o.CipherSuites, s.Name):
		case s.SupportedVersions[0] == tls.VersionTLS13:
			newest = true
		default:
			chosen.ids = append(chosen.ids, s.ID)
		}
	}
	switch {
	case chosen.ids == nil && !newest:
		return chosen, refusal("CipherSuites", "crypto/tls has none of %s; names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", strings.Join(o.CipherSuites, ", "))
	case chosen.ids == nil:
		chosen.minVersion = tls.VersionTLS13
	}
	return chosen, nil
}
