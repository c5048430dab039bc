package oauthbearer

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// checkRedirect refuses a redirect to another host, since id and secret are for one
// host, and to a GET, which would not send them.
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case r.URL.Scheme != first.URL.Scheme || authority(r.URL) != authority(first.URL):
		return fmt.Errorf("%w to another host: %q", errRedirect, quotation(r.URL.Scheme+"://"+r.URL.Host))
	case r.Method != http.MethodPost:
		return fmt.Errorf("%w to a %s, want a POST", errRedirect, r.Method)
	case len(via) > 5:
		return fmt.Errorf("%w more than 5 times", errRedirect)
	}
	return nil
}

var errRedirect = errors.New("redirect")

func authority(u *url.URL) string {
	return strings.ToLower(u.Hostname()) + ":" + cmp.Or(u.Port(), u.Scheme)
}

// whole reads answers to their end: x/oauth2 accepts a truncated answer and drops the
// error of the read. It sends what x/oauth2 has no setting for.
type whole struct {
	ClientCredentials
	next http.RoundTripper
}

const maxAnswer = 1 << 20

var (
	errTooLong  = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	errSwitched = errors.New("the answer has status 101, for a protocol that was not requested")
)

func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Encoding", "identity") // RFC 9110, section 12.5.3: without it any is acceptable
	if w.PlainHeader && r.Header.Get("Authorization") != "" {
		r.SetBasicAuth(w.ClientID, w.ClientSecret.Reveal())
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols { // its body is the connection, which no context closes
		_ = resp.Body.Close()
		return nil, errSwitched
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close() // the answer was read
	switch {
	case err != nil:
		return nil, fmt.Errorf("truncated answer: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	if plain := plainAnswer(body); plain != nil {
		body = plain
		// Kafka's client and librdkafka read JSON whatever its type; x/oauth2 takes text/plain for a form.
		resp.Header.Set("Content-Type", "application/json")
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// plainAnswer returns an answer that x/oauth2 reads: that wants whole seconds in
// expires_in, and knows no id_token. It returns nil for one that is not a JSON object.
func plainAnswer(body []byte) []byte {
	var answer map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || answer == nil {
		return nil
	}
	var life json.Number
	if text, ok := answer["expires_in"]; ok {
		err := json.Unmarshal(text, &life)
		if _, whole := life.Int64(); err != nil || whole != nil {
			delete(answer, "expires_in")
		}
		if seconds, bad := life.Float64(); err == nil && bad == nil {
			seconds = max(min(math.Floor(seconds), math.MaxInt32), math.MinInt32)
			answer["expires_in"] = strconv.AppendInt(nil, int64(seconds), 10)
		}
	}
	none := []string{"", "null", `""`}
	if token, ok := answer["id_token"]; ok && slices.Contains(none, string(answer["access_token"])) {
		answer["access_token"] = token
	}
	plain, _ := json.Marshal(answer) // what was read can be written
	return plain
}

// explain converts x/oauth2's errors to *EndpointErrors. Those errors contain the answer,
// which may contain the request.
func (c *ClientCredentials) explain(err error, secrets []string) error {
	u, _ := url.Parse(c.TokenURL) // checked before
	e := &EndpointError{Endpoint: u.Scheme + "://" + u.Host + u.EscapedPath()}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	failed, broken := errors.AsType[*url.Error](err)
	switch {
	case ok:
		e.Status = refused.Response.StatusCode
		if e.Code = refused.ErrorCode; !slices.Contains(errorCodes, e.Code) {
			e.Code = quotation(e.Code, secrets...)
		}
		e.Description = quotation(refused.ErrorDescription, secrets...)
	case broken:
		e.Err = redacted(failed.Err, secrets) // without the address, whose query may be secret
	case errors.Is(err, errTokenType):
		e.Err = errTokenType
	default:
		e.Err = errNoToken
	}
	return e
}

// errorCodes are those of RFC 6749, section 5.2, which are no secrets whatever is in them.
var errorCodes = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
	"unsupported_grant_type", "invalid_scope", "invalid_target", "access_denied", "server_error",
	"temporarily_unavailable"}

// redacted returns an error of net/http without secrets and as one printable line. The first
// quotation mark ends it: net/http quotes an answer that is malformed, in which the token may be.
// Errors of the connection quote nothing, so that a secret in them is a short one that is there by
// chance.
func redacted(err error, secrets []string) error {
	_, ofNet := errors.AsType[net.Error](err)
	_, ofTLS := errors.AsType[*tls.CertificateVerificationError](err)
	text := err.Error()
	if ofNet || ofTLS {
		return err
	}
	if what, _, quotes := strings.Cut(text, `"`); quotes && !errors.Is(err, errRedirect) {
		text = what + "[redacted]"
	}
	switch line := quotation(text, secrets...); {
	case line == "[redacted]":
		return errRedacted
	case line != err.Error():
		return errors.New(line)
	}
	return err
}

var (
	errNoToken  = errors.New("the answer has no token (RFC 6749, section 5.1)")
	errRedacted = errors.New("an error of HTTP, redacted since it repeats a secret")
)
