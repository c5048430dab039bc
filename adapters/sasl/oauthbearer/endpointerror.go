package oauthbearer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/oauth2"
)

// EndpointError is why a token endpoint gave no token. It has neither the client's
// secret in it nor a token.
type EndpointError struct {
	// Endpoint is its address, without a query. Empty: not known here.
	Endpoint string
	// Status is that of HTTP. 0: there is no answer that could be used; Err tells.
	Status int
	// Code is an error code of RFC 6749, section 5.2, such as "invalid_client", and
	// Description what the endpoint says besides, as one line of printable
	// characters. Either may be empty.
	Code, Description string
	// Err is what lies under it, such as an error of net or crypto/tls; it may be nil.
	Err error
}

func (e *EndpointError) Error() string {
	var b strings.Builder
	b.WriteString("token endpoint")
	if e.Endpoint != "" {
		b.WriteString(" " + e.Endpoint)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Code != "" {
		b.WriteString(": " + e.Code)
	}
	if e.Description != "" {
		fmt.Fprintf(&b, ": %q", e.Description)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Hint is what to try; it may be empty.
func (e *EndpointError) Hint() string {
	var certificate *tls.CertificateVerificationError
	switch {
	case e.Code == "invalid_client" || e.Code == "unauthorized_client" || e.Status == http.StatusUnauthorized:
		return "check the client's id and secret, and whether the client may have tokens of its own (grant client_credentials)"
	case e.Code == "invalid_scope":
		return "ask for scopes that the client may have"
	case e.Status == http.StatusNotFound || errors.Is(e.Err, errNoAnswer):
		return "is this the address of the token endpoint? the issuer's .well-known/openid-configuration has it as token_endpoint"
	case errors.As(e.Err, &certificate):
		return "the certificate is the token endpoint's, not the broker's: trust its authority"
	}
	return ""
}

func (e *EndpointError) Unwrap() error { return e.Err }

// withoutBody makes an *EndpointError of an error of x/oauth2, which would print
// the endpoint's answer. What of that is secret is not known here.
func withoutBody(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return err
	}
	e := &EndpointError{}
	if refused.Response != nil {
		e.Status = refused.Response.StatusCode
	}
	if aCode.MatchString(refused.ErrorCode) {
		e.Code = refused.ErrorCode
	}
	return e
}

// aCode is what the codes of RFC 6749 look like.
var aCode = regexp.MustCompile(`^[a-z]+(_[a-z]+){1,4}$`)
