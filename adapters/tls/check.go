package tls

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"

	"brokerconn/adapters/tls/cipherlist"
)

// What of the options cannot be, each told under its name, and all of it at once.

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
		{"KeyFile", "KeyPEM", o.KeyFile != "", !o.KeyPEM.IsZero()},
		{"Ciphers", "CipherSuites", o.Ciphers != "", len(o.CipherSuites) > 0},
	} {
		if pair.hasA && pair.hasB {
			refuse(pair.a, "given beside %s, which is the same: keep one", pair.b)
		}
	}
	if (o.KeyFile != "" || !o.KeyPEM.IsZero()) && o.CertFile == "" && o.CertPEM == "" {
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
		if chosen.ids, err = cipherlist.Parse(o.Ciphers); err != nil {
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
