package oauthbearer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/oauth2"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"
)

// EndpointError is a failed request to a token endpoint. It contains neither a token nor
// the client's secret.
type EndpointError struct {
	// Endpoint is the address without its query. It is empty if it is unknown.
	Endpoint string
	// Status is the HTTP status code. It is 0 without a valid answer: see Err.
	Status int
	// Code is an error code of RFC 6749, section 5.2, such as "invalid_client".
	// Description is the endpoint's text, as one printable line. Each may be empty.
	Code, Description string
	// Err is the underlying error, such as one of net or crypto/tls; it may be nil.
	Err error
}

var _ ports.Hinter = (*EndpointError)(nil)

// Error returns one printable line.
func (e *EndpointError) Error() string {
	status, description := "", ""
	if e.Status != 0 {
		status = fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Description != "" {
		description = fmt.Sprintf("%q", e.Description)
	}
	return fault.Line(strings.TrimSpace("token endpoint "+e.Endpoint), status, e.Code, description, fault.Text(e.Err))
}

// Hint returns what to change; it may be empty.
func (e *EndpointError) Hint() string {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](e.Err)
	switch {
	case e.Code == "invalid_client" || e.Code == "unauthorized_client" || e.Status == http.StatusUnauthorized:
		return "check ClientID and ClientSecret, and that the issuer allows the client the grant client_credentials; " +
			"a secret with characters such as + / = is percent-encoded in the header for some endpoints and not for " +
			"others: ClientCredentials.PlainHeader (sasl.oauthbearer.header.urlencode)"
	case e.Code == "invalid_grant":
		return "check the assertion: its audience, issuer and subject (sasl.oauthbearer.assertion.claim.aud, .iss, " +
			".sub), the key that the issuer knows, and the clocks"
	case e.Code == "invalid_target":
		return "check the audience: ClientCredentials.Audience (sasl.oauthbearer.audience)"
	case e.Code == "invalid_scope":
		return "check that the issuer allows the client these scopes: ClientCredentials.Scopes (sasl.oauthbearer.scope)"
	case e.Status == http.StatusNotFound || errors.Is(e.Err, errNoToken):
		return "check TokenURL: the issuer's .well-known/openid-configuration has the address as token_endpoint"
	case untrusted:
		return "the certificate is the token endpoint's, not the broker's: add its authority to RootCAs " +
			"(https.ca.location; Java: ssl.truststore.location among the options in sasl.jaas.config)"
	}
	return ""
}

// Unwrap returns Err.
func (e *EndpointError) Unwrap() error { return e.Err }

// withoutBody converts an *oauth2.RetrieveError, whose text is the endpoint's answer, to
// an *EndpointError. The answer may contain secrets.
func withoutBody(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return err
	}
	e := &EndpointError{Code: codePattern.FindString(refused.ErrorCode)}
	if refused.Response != nil {
		e.Status = refused.Response.StatusCode
	}
	return e
}

// codePattern matches the error codes of RFC 6749.
var codePattern = regexp.MustCompile(`^[a-z]+(_[a-z]+){1,4}$`)
