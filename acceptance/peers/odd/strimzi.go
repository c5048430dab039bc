package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

const (
	strimzi = "0.17.1"
	// tokenLife is in whole seconds, and longer than the second that Kafka wants between two
	// logins of a session.
	tokenLife = 10 * time.Second
)

//go:embed testdata/strimzi-0.17.1.sha256
var strimziSums string

// startStrimzi starts a real broker that checks tokens with Strimzi's plugin, and an issuer of
// tokens.
func startStrimzi(ctx context.Context) (_ *peer, err error) {
	_, classpath, err := javaWith(ctx, "strimzi-"+strimzi, strimziSums, "io.strimzi:kafka-oauth-server:"+strimzi)
	if err != nil {
		return nil, err
	}
	issuer, err := startIssuer()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			issuer.stop()
		}
	}()
	login, err := issuer.login(clientID)
	if err != nil {
		return nil, err
	}
	const prefix, plugin = "listener.name.sasl_plaintext.oauthbearer.sasl.", "io.strimzi.kafka.oauth.server."
	b, err := acceptance.Start(ctx, acceptance.Config{
		Classpath: classpath,
		Listeners: []acceptance.Listener{acceptance.SASLPlaintext},
		Properties: map[string]string{
			prefix + "jaas.config": `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ` +
				`unsecuredLoginStringClaim_sub="broker" oauth.jwks.endpoint.uri="` + issuer.url + `/keys" ` +
				`oauth.valid.issuer.uri="` + issuer.url + `" oauth.check.access.token.type="false";`,
			prefix + "server.callback.handler.class": plugin + "JaasServerOauthValidatorCallbackHandler",
			"principal.builder.class":                plugin + "OAuthKafkaPrincipalBuilder",
		},
	})
	if err != nil {
		return nil, err
	}
	address := b.AddrOf(acceptance.SASLPlaintext)
	return &peer{
		name: "Kafka " + b.Version() + " with kafka-oauth-server " + strimzi, address: address,
		lineage: broker.KRaftBroker, login: login, sessions: true,
		ask:    func() ports.Message { return kmsg.NewPtrMetadataRequest() },
		remark: "a refused token is shown with its ErrId",
		before: func(ctx context.Context) error { return refused(ctx, address, issuer) },
		drop:   func() error { return b.Restart(ctx) },
		stop: func() {
			b.Close()
			issuer.stop()
		},
	}, nil
}

var errorID = regexp.MustCompile(`\(ErrId: [0-9a-f]{8}\)`)

// refused logs in with a token of another issuer.
func refused(ctx context.Context, address string, issuer *issuer) error {
	login, err := issuer.login(stranger)
	if err != nil {
		return err
	}
	cfg, err := (&peer{address: address, login: login}).config()
	if err != nil {
		return err
	}
	c, err := broker.Dial(ctx, cfg)
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, broker.ErrAuthentication) || !errorID.MatchString(err.Error()) {
		return fmt.Errorf("a refused token: got %v, want an ErrId in it", err)
	}
	return nil
}

const (
	clientID     = "odd"
	stranger     = "stranger" // it gets tokens of another issuer
	clientSecret = "odd-canary"
	// The broker repeats it in its refusal, before the ErrId.
	foreign = "https://login.elsewhere.test/0f8fad5b-d9cb-469f-a165-70867728950e/oauth2/default/v2.0/" +
		"policies/sign-in-of-machines-with-a-certificate-of-the-partner"
)

// issuer is a token endpoint with its keys.
type issuer struct {
	url  string
	key  *rsa.PrivateKey
	stop func()
}

func startIssuer() (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &issuer{url: "http://" + l.Addr().String(), key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", i.serveToken)
	mux.HandleFunc("GET /keys", i.serveKeys)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: answerLimit}
	go server.Serve(l)
	i.stop = func() { server.Close() }
	return i, nil
}

// login returns the mechanism with a client of the issuer.
func (i *issuer) login(id string) (*oauthbearer.Authenticator, error) {
	tokens, err := oauthbearer.ClientCredentials{TokenURL: i.url + "/token", ClientID: id,
		ClientSecret: ports.NewSecret(clientSecret)}.Provider()
	if err != nil {
		return nil, err
	}
	return oauthbearer.New(oauthbearer.Options{Tokens: tokens})
}

func (i *issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if secret != clientSecret || r.FormValue("grant_type") != "client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		reply(w, map[string]any{"error": "invalid_client"})
		return
	}
	// An assertion is a signed JWT, as tokens are.
	token := oauthbearer.Assertion{Key: func() (crypto.Signer, error) { return i.key, nil },
		Issuer: i.url, Subject: id, Life: tokenLife, ID: true, Header: map[string]any{"kid": "odd"}}
	if id == stranger {
		token.Issuer = foreign
	}
	text, err := token.Sign(r.Context())
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	reply(w, map[string]any{"access_token": text.Reveal(), "token_type": "Bearer",
		"expires_in": int(tokenLife.Seconds())})
}

// serveKeys answers with a JSON Web Key Set (RFC 7517).
func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	text := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	reply(w, map[string]any{"keys": []any{map[string]string{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "odd",
		"n": text(i.key.N), "e": text(big.NewInt(int64(i.key.E)))}}})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
