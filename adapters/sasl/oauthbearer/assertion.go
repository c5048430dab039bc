package oauthbearer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"time"

	"brokerconn/adapters/internal/wholefile"
	"brokerconn/ports"
)

// Assertion makes the JWTs by which a client proves its identity to a token endpoint (RFC
// 7523; KIP-1139). It is not changed while Sign may be called. Only Key is required.
type Assertion struct {
	// Key returns the private key: of RSA, for the algorithm RS256, or of ECDSA on the
	// curve P-256, for ES256. It is called for each assertion, so that a file that is
	// replaced is read again.
	Key func() (crypto.Signer, error)
	// Issuer, Subject and Audience are the claims iss, sub and aud. If empty, the claim
	// is left out.
	Issuer, Subject, Audience string
	// Life is the time until the claim exp. If zero, the default is 5 minutes. If
	// negative, exp is the time of the assertion.
	Life time.Duration
	// Before is the time from the claim nbf, which allows for a slow clock of the
	// endpoint. If zero, the default is 1 minute. If negative, nbf is the time of the
	// assertion.
	Before time.Duration
	// ID adds the claim jti, a random number.
	ID bool
	// Header and Claims are added, such as "kid" to the header. Claims overrides Issuer,
	// Subject and Audience. The other fields override both.
	Header, Claims map[string]any
	// Clock gives the time. If nil, the default is the system's clock.
	Clock ports.Clock
}

const defaultLife, defaultBefore = 5 * time.Minute, time.Minute

// Sign returns a new assertion. It does not block, and its errors contain no key.
func (a Assertion) Sign(context.Context) (ports.Secret, error) {
	if a.Key == nil {
		return ports.Secret{}, errors.New("no key to sign with")
	}
	key, err := a.Key()
	if err != nil {
		return ports.Secret{}, err
	}
	algorithm, err := AlgorithmOf(key)
	if err != nil {
		return ports.Secret{}, err
	}
	now := time.Now()
	if a.Clock != nil {
		now = a.Clock.Now()
	}
	header, claims := map[string]any{}, map[string]any{}
	for name, value := range map[string]string{"iss": a.Issuer, "sub": a.Subject, "aud": a.Audience} {
		if value != "" {
			claims[name] = value
		}
	}
	maps.Copy(header, a.Header)
	maps.Copy(claims, a.Claims)
	header["alg"], header["typ"] = algorithm, "JWT"
	claims["iat"] = now.Unix()
	claims["exp"] = now.Add(orZero(a.Life, defaultLife)).Unix()
	claims["nbf"] = now.Add(-orZero(a.Before, defaultBefore)).Unix()
	if a.ID {
		claims["jti"] = rand.Text()
	}
	signed := encodePart(header) + "." + encodePart(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err == nil && algorithm == "ES256" {
		signature, err = joined(signature)
	}
	if err != nil {
		return ports.Secret{}, errors.New("the key does not sign")
	}
	return ports.NewSecret(signed + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

// AlgorithmOf returns the algorithm of assertions signed with a key: RS256 or ES256.
func AlgorithmOf(key crypto.Signer) (string, error) {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return "RS256", nil
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return "ES256", nil
		}
	}
	return "", fmt.Errorf("a key of type %T: want one of RSA, or of ECDSA on the curve P-256", key.Public())
}

func orZero(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return max(d, 0)
}

// encodePart encodes a part of a JWT. Maps of JSON values can be encoded.
func encodePart(members map[string]any) string {
	text, _ := json.Marshal(members)
	return base64.RawURLEncoding.EncodeToString(text)
}

// joined converts a signature of ECDSA to the form of RFC 7518, section 3.4.
func joined(signature []byte) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &parts); err != nil {
		return nil, err
	}
	return append(parts.R.FillBytes(make([]byte, 32)), parts.S.FillBytes(make([]byte, 32))...), nil
}

// AssertionFile returns a function for ClientCredentials.Assertion that reads a file,
// which another program keeps up to date, each time.
func AssertionFile(path string) func(context.Context) (ports.Secret, error) {
	return func(context.Context) (ports.Secret, error) {
		text, err := readToken(path)
		return ports.NewSecret(text), err
	}
}

// FromFile returns a Provider of the token in a file, which another program keeps up to
// date: a projected token of Kubernetes, or what Kafka's Java client reads from a
// file:// address. The file is read for each new token. Its expiry is that in the token,
// if the token is a JWT.
func FromFile(path string) Provider {
	return func(context.Context) (Token, error) {
		text, err := readToken(path)
		return Token{AccessToken: ports.NewSecret(text), Expiry: expiryOf(text)}, err
	}
}

// readToken reads a file with a token and nothing else.
func readToken(path string) (string, error) {
	data, _, err := wholefile.Read(path, maxAnswer)
	text := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	if err == nil && text == "" {
		err = fmt.Errorf("%q is empty", path)
	}
	return text, err
}

// expiryOf returns the time in the claim exp of a JWT, or zero. The signature is the
// broker's affair.
func expiryOf(token string) (t time.Time) {
	parts := strings.SplitN(token, ".", 4) // a JWT has three; more are not counted
	if len(parts) != 3 {
		return t
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Exp json.Number `json:"exp"`
	}
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return t
	}
	seconds, err := claims.Exp.Float64()
	if err != nil || seconds <= 0 || seconds > 1<<40 {
		return t
	}
	return time.Unix(int64(seconds), 0)
}
