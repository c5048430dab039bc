package properties

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/tls/keystore"
	"brokerconn/adapters/tls/pemkey"
	"brokerconn/ports"
)

// authenticator logs in with tokens of the endpoint, or of the file.
func (o *OAuth) authenticator(clock ports.Clock) (ports.Authenticator, error) {
	tokens, tokensErr := o.provider(clock)
	a, err := oauthbearer.New(oauthbearer.Options{
		Tokens:     func(ctx context.Context) (oauthbearer.Token, error) { return tokens(ctx) },
		Extensions: o.Extensions,
		Clock:      clock,
	})
	return a, errors.Join(tokensErr, err)
}

func (o *OAuth) provider(clock ports.Clock) (oauthbearer.Provider, error) {
	if path, ok := strings.CutPrefix(o.TokenURL, "file://"); ok {
		return oauthbearer.FromFile(path), nil
	}
	credentials := o.ClientCredentials
	roots, rootsErr := o.authorities()
	if roots != nil {
		credentials.RootCAs = roots
	}
	var assertionErr error
	switch {
	case o.AssertionFile != "":
		credentials.Assertion = oauthbearer.AssertionFile(o.AssertionFile)
	case o.KeyFile != "", !o.KeyPEM.IsZero():
		var signed oauthbearer.Assertion
		signed, assertionErr = o.signed(clock)
		credentials.Assertion = signed.Sign
	}
	tokens, err := credentials.Provider()
	return tokens, errors.Join(rootsErr, assertionErr, err)
}

// signed returns what signs assertions. The key is read for each, and now to check it.
func (o *OAuth) signed(clock ports.Clock) (oauthbearer.Assertion, error) {
	a := o.Claims
	a.Key, a.Clock = o.key, clock
	option := "KeyFile"
	if o.KeyFile == "" {
		option = "KeyPEM"
	}
	key, err := o.key()
	if err == nil {
		var algorithm string
		if algorithm, err = oauthbearer.AlgorithmOf(key); err == nil && o.Algorithm != "" && o.Algorithm != algorithm {
			option, err = "Algorithm", fmt.Errorf("%s, and the private key is for %s", o.Algorithm, algorithm)
		}
	}
	if err != nil {
		return a, &sasl.OptionError{Option: option, Err: err}
	}
	if a.Header, a.Claims, err = readTemplate(o.TemplateFile); err != nil {
		return a, &sasl.OptionError{Option: "TemplateFile", Err: err}
	}
	return a, nil
}

func (o *OAuth) key() (crypto.Signer, error) {
	text := []byte(unfolded(o.KeyPEM.Reveal()))
	if o.KeyFile != "" {
		var err error
		if text, err = readBounded(o.KeyFile, maxStoreBytes); err != nil {
			return nil, err
		}
	}
	return pemkey.Load(text, func() ([]byte, error) { return []byte(o.KeyPassphrase.Reveal()), nil })
}

// readTemplate reads a template of a JWT.
func readTemplate(file string) (header, claims map[string]any, err error) {
	if file == "" {
		return nil, nil, nil
	}
	text, err := readBounded(file, maxStoreBytes)
	if err != nil {
		return nil, nil, err
	}
	var template struct{ Header, Payload map[string]any }
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // as it is written
	if d.Decode(&template) != nil {
		return nil, nil, fmt.Errorf(`%q is not a JSON object with the objects "header" and "payload"`, file)
	}
	return template.Header, template.Payload, nil
}

// authorities returns the certificates that are trusted for the endpoint, or nil for the
// system's.
func (o *OAuth) authorities() (*x509.CertPool, error) {
	option, where, text := "CAPEM", "the text", []byte(unfolded(o.CAPEM))
	var err error
	if o.CAFile != "" {
		option, where = "CAFile", fmt.Sprintf("%q", o.CAFile)
		text, err = readAuthorities(o.CAFile)
		if keystore.Is(text) {
			var password []byte // without one, the store is not checked
			if !o.CAPassword.IsZero() {
				password = []byte(o.CAPassword.Reveal())
			}
			text, err = keystore.Authorities(text, password)
		}
	}
	roots := x509.NewCertPool()
	switch {
	case err != nil:
		return nil, &sasl.OptionError{Option: option, Err: err}
	case o.CAFile == "" && o.CAPEM == "":
		return nil, nil
	case !roots.AppendCertsFromPEM(text):
		return nil, sasl.Refused(option, "%s has no valid certificate, of the authorities of the token endpoint",
			where)
	}
	return roots, nil
}

// readAuthorities reads a file, or the files of a folder. Those in it that cannot be read
// are passed over.
func readAuthorities(path string) ([]byte, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return readBounded(path, maxStoreBytes)
	}
	var all strings.Builder
	for _, e := range entries {
		if text, err := readBounded(filepath.Join(path, e.Name()), maxStoreBytes); err == nil {
			all.Write(append(text, '\n'))
		}
	}
	return []byte(all.String()), nil
}

// inspectAuthorities is inspect, of a file or a folder.
func (r *reader) inspectAuthorities(p *Property, path string) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		r.inspect(p, path, authorities)
	}
}
