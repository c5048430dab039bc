package properties

import (
	"errors"
	"regexp"
	"strings"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls"
	"brokerconn/ports"
)

// transport is the way to the broker, and TLS over it if the protocol says so. problems are *Errors
// that name the keys.
func (s *Settings) transport() (t *netlink.Transport, problems []error) {
	t = s.Way()
	if !s.Security.TLS() {
		return t, nil
	}
	secure, err := tls.New(t, s.TLS.options(s.Connection.Clock))
	if err != nil {
		return nil, s.ofTLS(err)
	}
	return secure, nil
}

// ofTLS names the keys behind what the adapter refuses.
func (s *Settings) ofTLS(err error) (problems []error) {
	for _, each := range unjoined(err) {
		var e *tls.OptionError
		if !errors.As(each, &e) {
			problems = append(problems, &Error{Key: securityKey.name(s.Dialect), Problem: each.Error()})
			continue
		}
		problems = append(problems, &Error{Key: s.keyOf(e.Option).name(s.Dialect), Problem: e.Err.Error()})
	}
	return problems
}

// unjoined takes errors apart that errors.Join put together, at any depth.
func unjoined(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	for _, each := range joined.Unwrap() {
		all = append(all, unjoined(each)...)
	}
	return all
}

// options are the settings in the words of the adapter.
func (t *TLS) options(clock ports.Clock) tls.Options {
	o := tls.Options{
		CAFile: t.CAFile, CAPEM: unfolded(t.CAPEM),
		CertFile: t.CertFile, KeyFile: t.KeyFile,
		CertPEM: unfolded(t.CertPEM), KeyPEM: ports.NewSecret(unfolded(t.KeyPEM.Reveal())),
		CRLFile: t.CRLFile,
		Ciphers: t.Ciphers, CipherSuites: t.CipherSuites,
		MinVersion: t.MinVersion, MaxVersion: t.MaxVersion,
		AnyHost: t.AnyHost, AnyCertificate: t.AnyCertificate,
		Clock: clock,
	}
	if !t.KeyPassword.IsZero() {
		o.KeyPassword = tls.Password(t.KeyPassword.Reveal())
	}
	return o
}

// keyOf is the setting behind an option of the adapter's.
func (s *Settings) keyOf(option string) *setting {
	if s.Dialect == Java && (option == "CertFile" || option == "KeyFile") {
		return keyStoreKey
	}
	return map[string]*setting{
		"CAFile": caFileKey, "CAPEM": caPEMKey,
		"CertFile": certFileKey, "KeyFile": keyFileKey, "CertPEM": certPEMKey, "KeyPEM": keyPEMKey,
		"KeyPassword": keyPasswordKey,
		"CRLFile":     crlFileKey,
		"Ciphers":     ciphersKey, "CipherSuites": ciphersKey,
		"MinVersion": protocolsKey, "MaxVersion": protocolsKey,
	}[option]
}

var pemBlock = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END ([A-Z0-9 ]+)-----`)

// unfolded is PEM with its line ends, which values of properties often lack: Java
// takes blanks for them, and shells leave "\n" as it is. A block with headers, as
// that of a key encrypted in the older way, needs its own.
func unfolded(text string) string {
	text = strings.ReplaceAll(text, `\n`, "\n")
	return pemBlock.ReplaceAllStringFunc(text, func(block string) string {
		parts := pemBlock.FindStringSubmatch(block)
		if strings.Contains(parts[2], ":") {
			return block
		}
		body := strings.Join(strings.Fields(parts[2]), "\n")
		return "\n-----BEGIN " + parts[1] + "-----\n" + body + "\n-----END " + parts[3] + "-----\n"
	})
}

// Warnings are what is allowed, and should not stay so.
func (s *Settings) Warnings() (all []string) {
	if s.TLS.AnyCertificate {
		all = append(all, "the broker's certificate is not verified: whoever answers is taken for the broker, and given the login")
	}
	return all
}
