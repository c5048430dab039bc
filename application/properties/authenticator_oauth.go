package properties

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// authenticator logs in with tokens of the endpoint, by a clock that may be nil.
// The error joins *sasl.OptionErrors, whose options oauthKey finds the settings of.
func (o *OAuth) authenticator(clock ports.Clock) (ports.Authenticator, error) {
	roots, bad := o.authorities()
	tokens, err := oauthbearer.ClientCredentials{
		TokenURL: o.TokenURL, ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		Scopes:  strings.Fields(o.Scope),
		RootCAs: roots,
	}.Provider()
	bad = errors.Join(bad, err)
	a, err := oauthbearer.New(oauthbearer.Options{
		Tokens:     func(ctx context.Context) (oauthbearer.Token, error) { return tokens(ctx) },
		Extensions: o.Extensions,
		Clock:      clock,
	})
	if err = errors.Join(bad, err); err != nil {
		return nil, err
	}
	return a, nil
}

// authorities are whom to trust about the endpoint. nil: the system's.
func (o *OAuth) authorities() (*x509.CertPool, error) {
	switch {
	case o.CAFile != "":
		text, err := readBounded(o.CAFile, maxStoreBytes)
		if err != nil {
			return nil, &sasl.OptionError{Option: "CAFile", Err: err}
		}
		return trusted("CAFile", fmt.Sprintf("%q", o.CAFile), text)
	case o.CAPEM != "":
		return trusted("CAPEM", "the text", []byte(unfolded(o.CAPEM)))
	}
	return nil, nil
}

func trusted(option, where string, text []byte) (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, &sasl.OptionError{Option: option, Err: fmt.Errorf("%s has no certificate that can be read: PEM, of whom to trust about the token endpoint", where)}
	}
	return roots, nil
}

// oauthKey is the setting behind an option of the adapter's. Java has extensions in
// its login module only.
func (s *Settings) oauthKey(option string) *setting {
	if s.Dialect == Java && option == "Extensions" {
		return jaasKey
	}
	return map[string]*setting{
		"TokenURL":     tokenURLKey,
		"ClientID":     clientIDKey,
		"ClientSecret": clientSecretKey,
		"Scopes":       scopeKey,
		"Extensions":   extensionsKey,
		"CAFile":       httpsCAFileKey,
		"CAPEM":        httpsCAPEMKey,
	}[option]
}
