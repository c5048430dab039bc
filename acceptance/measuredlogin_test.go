//go:build acceptance

package acceptance

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What a real broker does with logins where a good guess is wrong: rows of acceptance/discoveries.
// The listener SASL_PLAINTEXT checks signed tokens by a file of keys, and sets no
// connections.max.reauth.ms; the listener REAUTH takes unsigned tokens that have a scope.

const audience, issuer = "canary-audience", "https://issuer.test"

func TestMeasuredLogins(t *testing.T) {
	t.Parallel()
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	keys := filepath.Join(t.TempDir(), "keys.json")
	fakebroker.Must(t, os.WriteFile(keys, jwks(key), 0o600))
	const signed = "listener.name.sasl_plaintext.oauthbearer.sasl."
	b := privateBroker(t, Config{
		Listeners: []Listener{SASLPlaintext, Reauth},
		Flags:     []string{"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://" + keys},
		Properties: map[string]string{
			"connection.failed.authentication.delay.ms": "500",
			signed + "jaas.config":                      loginModule + ";",
			signed + "server.callback.handler.class":    oauthPackage + "OAuthBearerValidatorCallbackHandler",
			signed + "oauthbearer.jwks.endpoint.url":    "file://" + keys,
			signed + "oauthbearer.expected.audience":    audience,
			signed + "oauthbearer.expected.issuer":      issuer,
			"listener.name.reauth.oauthbearer.sasl.jaas.config": loginModule +
				` unsecuredLoginStringClaim_sub="broker" unsecuredValidatorRequiredScope="read write";`,
		},
	})
	m := &measuredLogins{b: b, key: key}
	for name, test := range map[string]func(*testing.T){
		"a session ends with its token":      m.sessionEndsWithToken,
		"a token without the audience":       m.noAudience,
		"a token that ended within the skew": m.endedWithinSkew,
		"a token without the scope":          m.noScope,
		"a better token in place":            m.betterToken,
		"another principal":                  m.anotherPrincipal,
		"another mechanism":                  m.anotherMechanism,
		"a reauthentication within a second": m.withinSecond,
		"metadata within a login":            m.metadataWithinLogin,
		"a refusal that comes late":          m.lateRefusal,
		"a large request before a login":     m.largeBeforeLogin,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

const (
	oauthPackage = "org.apache.kafka.common.security.oauthbearer."
	loginModule  = oauthPackage + "OAuthBearerLoginModule required"
)

type measuredLogins struct {
	b   *Broker
	key *rsa.PrivateKey
}

// with returns the configuration of a login at a listener.
func (m *measuredLogins) with(t *testing.T, l Listener, login ports.Authenticator) broker.Config {
	cfg := configAt(t, m.b, l)
	cfg.Authenticators = []ports.Authenticator{login}
	return cfg
}

// bearer returns a login with the tokens of a function that is called with how often it was
// called before.
func bearer(t *testing.T, next func(n int) oauthbearer.Token) (login ports.Authenticator, calls *atomic.Int32) {
	calls = new(atomic.Int32)
	return must(oauthbearer.New(oauthbearer.Options{Tokens: func(context.Context) (oauthbearer.Token, error) {
		return next(int(calls.Add(1)) - 1), nil
	}}))(t), calls
}

func (m *measuredLogins) sessionEndsWithToken(t *testing.T) {
	login, _ := bearer(t, func(int) oauthbearer.Token { return m.sign(4*time.Second, audience) })
	conn := connect(t, m.with(t, SASLPlaintext, login))
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		fakebroker.Must(t, askMetadata(t.Context(), conn))
	}
	if s := conn.Stats(); s.Relogins == 0 || s.Ready != 1 {
		t.Errorf("got %d reauthentications and %d connections, want one at least and 1", s.Relogins, s.Ready)
	}
}

func (m *measuredLogins) noAudience(t *testing.T) {
	login, _ := bearer(t, func(int) oauthbearer.Token { return m.sign(time.Hour, "") })
	_, err := broker.Dial(t.Context(), m.with(t, SASLPlaintext, login))
	if !errors.Is(err, broker.ErrAuthentication) || !strings.Contains(err.Error(), "invalid_token") {
		t.Errorf("got %v, want invalid_token", err)
	}
	wantHint(t, err, "expected.audience")
}

// The broker's clock may be 30 s late (sasl.oauthbearer.clock.skew.seconds).
func (m *measuredLogins) endedWithinSkew(t *testing.T) {
	login, _ := bearer(t, func(int) oauthbearer.Token {
		token := m.sign(-5*time.Second, audience)
		token.Expiry = time.Time{}
		return token
	})
	conn, err := broker.Dial(t.Context(), m.with(t, SASLPlaintext, login))
	if err == nil {
		defer fakebroker.Close(t, conn)
		err = askMetadata(t.Context(), conn)
	}
	wantHint(t, err, "the end of the token")
}

func (m *measuredLogins) noScope(t *testing.T) {
	login, _ := bearer(t, func(int) oauthbearer.Token { return unsigned("carol", time.Hour, "read") })
	_, err := broker.Dial(t.Context(), m.with(t, Reauth, login))
	refused, ok := errors.AsType[*oauthbearer.Error](err)
	if !ok || refused.Status != "insufficient_scope" || refused.Scope != "read write" {
		t.Errorf("got %v, want insufficient_scope and %q", err, "read write")
	}
}

func (m *measuredLogins) betterToken(t *testing.T) {
	login, calls := bearer(t, func(n int) oauthbearer.Token {
		token := unsigned("carol", time.Hour, "read", "write")
		if n == 0 { // it ends before its endpoint said
			token.AccessToken = unsigned("carol", 2*time.Second, "read", "write").AccessToken
		}
		return token
	})
	cfg := m.with(t, Reauth, login)
	fakebroker.Close(t, connect(t, cfg))
	time.Sleep(2500 * time.Millisecond)
	conn := connect(t, cfg)
	fakebroker.Must(t, askMetadata(t.Context(), conn))
	if s := conn.Stats(); s.Attempts != 1 || s.LoginsFailed != 0 || calls.Load() != 2 {
		t.Errorf("got %d connections, %d failed logins and %d tokens, want 1, 0 and 2", s.Attempts, s.LoginsFailed,
			calls.Load())
	}
}

func (m *measuredLogins) anotherPrincipal(t *testing.T) {
	login, _ := bearer(t, func(n int) oauthbearer.Token {
		token := unsigned(fmt.Sprintf("carol-%d", n), time.Hour, "read", "write")
		token.Expiry = time.Time{} // each login gets one of its own
		return token
	})
	cfg := m.with(t, Reauth, login)
	refusal := make(chan error, 1)
	cfg.Hooks = &broker.Hooks{AuthDone: func(_ broker.Endpoint, l broker.LoginInfo, err error) {
		if l.Again {
			refusal <- err
		}
	}}
	conn := connect(t, cfg)
	fakebroker.Must(t, askMetadata(t.Context(), conn))
	fakebroker.Must(t, conn.Reauthenticate(t.Context()))
	err := <-refusal
	if refused, ok := errors.AsType[*broker.BrokerError](err); !ok || refused.Code != 58 ||
		!errors.Is(err, broker.ErrReauthentication) {
		t.Errorf("got %v, want ErrReauthentication and error 58", err)
	}
	fakebroker.Must(t, askMetadata(t.Context(), conn))
	if s := conn.Stats(); s.Ready != 2 {
		t.Errorf("got %d connections, want another one behind the refusal", s.Ready)
	}
}

// Another mechanism within a session: the handshake is answered with 0, and the first token
// closed on.
func (m *measuredLogins) anotherMechanism(t *testing.T) {
	conn := m.plainSession(t)
	if code := handshake(t, conn, "SCRAM-SHA-256"); code != 0 {
		t.Errorf("got error %d of the handshake, want 0", code)
	}
	closedOn(t, conn, authenticate("n,,n=bob,r=abc"))
	conn = m.plainSession(t)
	unoffered := kmsg.NewPtrSASLHandshakeRequest()
	unoffered.Version, unoffered.Mechanism = 1, "NONE"
	closedOn(t, conn, unoffered)

	connection := connect(t, m.with(t, Reauth, newPlain(t, PlainPassword)))
	fakebroker.Must(t, askMetadata(t.Context(), connection))
	connection.SetAuthenticators(newScram(t, "SCRAM-SHA-256", ScramPassword))
	fakebroker.Must(t, askMetadata(t.Context(), connection))
	if s := connection.Stats(); s.Ready != 2 || s.ReloginsFailed != 0 || s.Failed != 0 {
		t.Errorf("got %d connections, %d failed reauthentications and %d failed requests, want 2, 0 and 0", s.Ready,
			s.ReloginsFailed, s.Failed)
	}
}

func (m *measuredLogins) withinSecond(t *testing.T) {
	conn := m.plainSession(t)
	for i, want := range []int16{0, 34} {
		if code := handshake(t, conn, "PLAIN"); code != want {
			t.Errorf("reauthentication %d: got error %d of the handshake, want %d", i, code, want)
		}
		answer := callOver(t, conn, plainToken()).(*kmsg.SASLAuthenticateResponse)
		if answer.ErrorCode != want {
			t.Errorf("reauthentication %d: got error %d, want %d", i, answer.ErrorCode, want)
		}
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 8
	if answer := callOver(t, conn, metadata).(*kmsg.MetadataResponse); len(answer.Brokers) != 1 {
		t.Errorf("got %d brokers behind a refusal, want 1: the session goes on", len(answer.Brokers))
	}

	connection := connect(t, m.with(t, Reauth, newPlain(t, PlainPassword)))
	for range 2 {
		fakebroker.Must(t, askMetadata(t.Context(), connection))
		fakebroker.Must(t, connection.Reauthenticate(t.Context()))
	}
	if s := connection.Stats(); s.Relogins != 2 || s.Ready != 1 {
		t.Errorf("got %d reauthentications on %d connections, want 2 on 1", s.Relogins, s.Ready)
	}
}

// Metadata between SaslHandshake and SaslAuthenticate is a healthy answer without brokers.
func (m *measuredLogins) metadataWithinLogin(t *testing.T) {
	conn := dial(t, m.b.AddrOf(SASLPlaintext))
	if code := handshake(t, conn, "PLAIN"); code != 0 {
		t.Fatalf("got error %d of the handshake, want 0", code)
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 8
	if answer := callOver(t, conn, metadata).(*kmsg.MetadataResponse); len(answer.Brokers) != 0 {
		t.Errorf("got %d brokers within a login, want none", len(answer.Brokers))
	}
	if err := read(conn); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a closed connection", err)
	}
}

func (m *measuredLogins) lateRefusal(t *testing.T) {
	_, err := broker.Dial(t.Context(), m.with(t, SASLPlaintext, newPlain(t, wrongPassword)))
	refused, ok := errors.AsType[*broker.BrokerError](err)
	if !ok || refused.Code != 58 || refused.Message == "" || errors.Is(err, broker.ErrTimeout) {
		t.Errorf("got %v, want error 58 with its reason", err)
	}
}

// Before a login, Kafka accepts 524288 bytes.
func (m *measuredLogins) largeBeforeLogin(t *testing.T) {
	conn := connect(t, configAt(t, m.b, SASLPlaintext))
	_, err := conn.RequestRaw(t.Context(), &ports.RawRequest{APIKey: 3, APIVersion: 8, Body: make([]byte, 600<<10)})
	if broker.SafeToRetry(err) {
		t.Errorf("got %v that is safe to retry", err)
	}
	wantHint(t, err, "socket.request.max.bytes")
}

// ticketOfAnother logs in with a ticket that the broker has no key for. Its refusal has one text for
// all such reasons.
func ticketOfAnother(t *testing.T, b *Broker) {
	const another = ServiceName + "/another.test"
	kdc := sharedKDC(t)
	fakebroker.Must(t, kdc.Admin(t.Context(), kdc.realms[0], "addprinc -randkey "+another))
	cfg := configAt(t, b, SASLPlaintext)
	cfg.Authenticators = []ports.Authenticator{must(gssapi.New(gssapi.Options{Principal: KerberosUser,
		Keytab: kdc.UserKeytab(), ConfigFile: kdc.ConfigFile(), DomainName: "another.test"}))(t)}
	_, err := broker.Dial(t.Context(), cfg)
	if refused, ok := errors.AsType[*broker.BrokerError](err); !ok || refused.Code != 58 {
		t.Errorf("got %v, want error 58", err)
	}
	wantHint(t, err, another)
	wantHint(t, err, "aes256")
}

// plainSession returns a connection that is logged in by PLAIN.
func (m *measuredLogins) plainSession(t *testing.T) net.Conn {
	conn := dial(t, m.b.AddrOf(Reauth))
	if code := handshake(t, conn, "PLAIN"); code != 0 {
		t.Fatalf("got error %d of the handshake, want 0", code)
	}
	answer := callOver(t, conn, plainToken()).(*kmsg.SASLAuthenticateResponse)
	if answer.ErrorCode != 0 || answer.SessionLifetimeMillis == 0 {
		t.Fatalf("got error %d and a lifetime of %d ms, want 0 and one", answer.ErrorCode, answer.SessionLifetimeMillis)
	}
	return conn
}

// handshake returns the error code of a SaslHandshake.
func handshake(t *testing.T, conn net.Conn, mechanism string) int16 {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version, req.Mechanism = 1, mechanism
	return callOver(t, conn, req).(*kmsg.SASLHandshakeResponse).ErrorCode
}

func authenticate(token string) *kmsg.SASLAuthenticateRequest {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = 1, []byte(token)
	return req
}

func plainToken() *kmsg.SASLAuthenticateRequest {
	return authenticate("\x00" + PlainUser + "\x00" + PlainPassword)
}

// closedOn checks that the broker closes the connection on a request, without a byte.
func closedOn(t *testing.T, conn net.Conn, request kmsg.Request) {
	t.Helper()
	conn.SetDeadline(time.Now().Add(patience))
	must(conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 1)))(t)
	if err := read(conn); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want a closed connection", err)
	}
}

// sign returns a token that the listener SASL_PLAINTEXT checks.
func (m *measuredLogins) sign(life time.Duration, audience string) oauthbearer.Token {
	now := time.Now()
	claims := fmt.Sprintf(`{"sub":"carol","iss":%q,"iat":%d,"exp":%d`, issuer, now.Add(-time.Minute).Unix(),
		now.Add(life).Unix())
	if audience != "" {
		claims += fmt.Sprintf(`,"aud":%q`, audience)
	}
	text := encoded(`{"alg":"RS256","kid":"one"}`) + "." + encoded(claims+"}")
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, m.key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return oauthbearer.Token{AccessToken: ports.NewSecret(text + "." + encoded(string(signature))),
		Expiry: now.Add(life)}
}

// unsigned returns a token that the listener REAUTH accepts, if it has the scope.
func unsigned(subject string, life time.Duration, scope ...string) oauthbearer.Token {
	now := time.Now()
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d,"scope":["%s"]}`, subject, now.Unix(), now.Add(life).Unix(),
		strings.Join(scope, `","`))
	return oauthbearer.Token{AccessToken: ports.NewSecret(encoded(`{"alg":"none"}`) + "." + encoded(claims) + "."),
		Expiry: now.Add(life)}
}

// jwks returns the file of keys (RFC 7517) that has one.
func jwks(key *rsa.PrivateKey) []byte {
	return fmt.Appendf(nil, `{"keys":[{"kty":"RSA","kid":"one","alg":"RS256","use":"sig","n":%q,"e":"AQAB"}]}`,
		encoded(string(key.N.Bytes())))
}

func encoded(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
