package tls

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"brokerconn/adapters/tls/cipherlist"
)

// Validation of Options: all invalid ones are reported at once, each by its name.

// suiteChoice holds the validated options for versions and cipher suites.
type suiteChoice struct {
	ids        []uint16 // nil: crypto/tls's own choice
	minVersion uint16
}

// check validates the options. The error joins an *OptionError for each invalid one.
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
			refuse(v.option, "%s is not supported: want TLS 1.2 or TLS 1.3", tls.VersionName(v.number))
		}
	}
	for _, pair := range []struct {
		a, b       string
		hasA, hasB bool
	}{
		{"CAFile", "CAPEM", o.CAFile != "", o.CAPEM != ""},
		{"CertFile", "CertPEM", o.CertFile != "", o.CertPEM != ""},
		{"KeyFile", "KeyPEM", o.KeyFile != "", !o.KeyPEM.IsZero()},
		{"Ciphers", "CipherSuites", o.Ciphers != "", len(o.CipherSuites) > 0},
	} {
		if pair.hasA && pair.hasB {
			refuse(pair.a, "set together with %s: keep one of them", pair.b)
		}
	}
	if (o.KeyFile != "" || !o.KeyPEM.IsZero()) && o.CertFile == "" && o.CertPEM == "" {
		option := "KeyPEM"
		if o.KeyFile != "" {
			option = "KeyFile"
		}
		refuse(option, "a key without a certificate: set CertFile (ssl_certfile) or CertPEM")
	}
	if name := bareName(o.ServerName); strings.ContainsFunc(name, notOfName) {
		if _, err := netip.ParseAddr(name); err != nil {
			refuse("ServerName", "%q is not the name of a host alone", o.ServerName)
		}
	}
	chosen, err := o.chooseSuites()
	switch {
	case err != nil:
		problems = append(problems, err)
	case o.MaxVersion != 0 && o.MaxVersion < chosen.minVersion:
		refuse("MaxVersion", "%s is below %s, the minimum that MinVersion or CipherSuites set",
			tls.VersionName(o.MaxVersion), tls.VersionName(chosen.minVersion))
	}
	return chosen, errors.Join(problems...)
}

// notOfName reports whether a character cannot be in the name of a host.
func notOfName(r rune) bool {
	return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune(`/:,;[]@?#%\"`, r)
}

// Warnings returns a sentence for each part of verification that is switched off. Those of a
// transport by New are reported by broker.Hooks.Warning.
func (o *Options) Warnings() []string {
	const anyServer = ": any server is accepted as the broker, and receives the login and the requests"
	switch c := o.Config; {
	case c != nil && c.InsecureSkipVerify && c.VerifyConnection == nil && c.VerifyPeerCertificate == nil:
		return []string{"the broker's certificate is not verified, by tls.Options.Config.InsecureSkipVerify" +
			anyServer}
	case c != nil:
		return nil
	case o.AnyCertificate:
		return []string{"the broker's certificate is not verified, by tls.Options.AnyCertificate " +
			"(enable.ssl.certificate.verification)" + anyServer}
	case !o.AnyHost:
		return nil
	}
	const host = "the host of the broker's certificate is not verified, by tls.Options.AnyHost " +
		"(ssl_check_hostname, ssl.endpoint.identification.algorithm)"
	if o.CAFile == "" && o.CAPEM == "" {
		return []string{host + ", and the system's authorities are trusted, which sign for the owner of any domain" +
			anyServer}
	}
	return []string{host + ": any server with a certificate of the authorities in tls.Options.CAFile is accepted as " +
		"the broker, and receives the login and the requests"}
}

// chooseSuites parses Ciphers or CipherSuites.
func (o *Options) chooseSuites() (chosen suiteChoice, err error) {
	chosen.minVersion = max(o.MinVersion, tls.VersionTLS12)
	switch {
	case len(o.CipherSuites) > 0:
		return o.namedSuites(chosen)
	case o.Ciphers != "":
		if chosen.ids, err = cipherlist.Parse(o.Ciphers); err != nil {
			return chosen, &OptionError{"Ciphers", err}
		}
	}
	return chosen, nil
}

// namedSuites finds suites by IANA's names. A list of TLS 1.3 suites only excludes older
// versions.
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
		return chosen, refusal("CipherSuites", "crypto/tls supports none of %s; want names such as "+
			"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", strings.Join(o.CipherSuites, ", "))
	case chosen.ids == nil:
		chosen.minVersion = tls.VersionTLS13
	}
	return chosen, nil
}
