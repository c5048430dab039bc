package properties

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/ports"
)

// What the keys of OAUTHBEARER say reaches the token endpoint and the broker.
func TestAuthenticatorOfOAuth(t *testing.T) {
	var asked string
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		asked = id + " " + secret + " " + r.FormValue("scope")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"token","expires_in":3600}`)
	}))
	endpoint.Config.ErrorLog = log.New(io.Discard, "", 0)
	endpoint.StartTLS()
	defer endpoint.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: endpoint.Certificate().Raw}))
	file := filepath.Join(filesOf(t, map[string][]byte{"idp.pem": []byte(authority)}), "idp.pem")
	jaas := `sasl.jaas.config=x.OAuthBearerLoginModule required clientId=id clientSecret="` + canary +
		`" scope="a b" extension_tenant="t";`
	properties := []string{"sasl.oauthbearer.client.id=id", "sasl.oauthbearer.client.secret=" + canary,
		"sasl.oauthbearer.scope=a b", "sasl.oauthbearer.extensions=tenant=t", "sasl.oauthbearer.method=oidc"}
	for name, c := range map[string]struct {
		dialect Dialect
		lines   []string
		caFile  string // beside the keys: Java has none for it
	}{
		"Java":       {Java, []string{jaas}, file},
		"librdkafka": {Librdkafka, append(properties, "https.ca.location="+file), ""},
		"librdkafka, with PEM": {Librdkafka, append(properties, "https.ca.pem="+strings.ReplaceAll(authority,
			"\n", `\n`)), ""},
		"librdkafka, another's file": {Librdkafka, append(properties, "https.ca.location="+filepath.Join(stores(t),
			"ca.pem")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			lines := append(c.lines, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER",
				"sasl.oauthbearer.token.endpoint.url="+endpoint.URL+"/token")
			s, err := Read(c.dialect, written(t, "", lines...))
			saslpeer.Succeed(t, err)
			if c.caFile != "" {
				s.SASL.OAuth.CAFile = c.caFile
			}
			cfg, err := s.Config()
			saslpeer.Succeed(t, err)
			response, _, err := saslpeer.Step(saslpeer.Begin(t, cfg.Authenticators[0]), nil)
			if strings.Contains(name, "another") {
				if e := new(oauthbearer.EndpointError); !errors.As(err, &e) ||
					!strings.Contains(e.Hint(), "authority") {
					t.Errorf("got %v, want an error with a hint at authorities", err)
				}
				return
			}
			if want := "id " + canary + " a b"; asked != want {
				t.Errorf("got %q at the endpoint, want %q", asked, want)
			}
			if want := "n,,\x01auth=Bearer token\x01tenant=t\x01\x01"; string(response) != want || err != nil {
				t.Errorf("got %q and %v, want %q", response, err, want)
			}
			asked = ""
		})
	}
}

// What cannot be used is said of the key that the user wrote.
func TestOAuthNamesTheKeys(t *testing.T) {
	dir := stores(t)
	in := func(name string) string { return filepath.Join(dir, name) }
	good := OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: "https://idp/token", ClientID: "id",
		ClientSecret: ports.NewSecret(canary)}}
	for _, c := range []struct {
		dialect    Dialect
		change     func(*OAuth)
		key, words string
	}{
		{Java, func(o *OAuth) { o.Extensions = map[string]string{"auth": canary} }, "sasl.jaas.config", `"auth"`},
		{Librdkafka, func(o *OAuth) { o.Extensions = map[string]string{"a-b": canary} },
			"sasl.oauthbearer.extensions", `"a-b"`},
		{Java, func(o *OAuth) { o.TokenURL = "http://idp/token" }, "sasl.oauthbearer.token.endpoint.url", "https://"},
		{Java, func(o *OAuth) { o.ClientID = "" }, "sasl.oauthbearer.client.credentials.client.id", "not given"},
		{Librdkafka, func(o *OAuth) { o.ClientSecret = ports.Secret{} }, "sasl.oauthbearer.client.secret", "not given"},
		{Librdkafka, func(o *OAuth) { o.Scopes = []string{"a", `"b"`} }, "sasl.oauthbearer.scope", `"\"b\""`},
		{Librdkafka, func(o *OAuth) { o.CAFile = in("none.pem") }, "https.ca.location", "none.pem"},
		{Librdkafka, func(o *OAuth) { o.CAFile = in("key.pem") }, "https.ca.location", "no valid certificate"},
		{Librdkafka, func(o *OAuth) { o.CAPEM = "-----BEGIN CERTIFICATE-----MA==-----END CERTIFICATE-----" },
			"https.ca.pem", "no valid certificate"},
	} {
		o := good
		c.change(&o)
		cfg, err := (&Settings{Dialect: c.dialect, Security: SASLSSL, SASL: SASL{Mechanism: "OAUTHBEARER",
			OAuth: o}}).Config()
		wantProblem(t, err, c.key, c.words)
		if cfg.Authenticators != nil {
			t.Errorf("%s: got %v, want no Config", c.key, cfg.Authenticators)
		}
	}
	if _, err := new(OAuth).authenticator(nil); len(unjoined(err)) != 3 {
		t.Errorf("of nothing: %v", err)
	}
}

// askedBy returns the form and the header that reach an endpoint from the keys of a dialect.
func askedBy(t *testing.T, dialect Dialect, dir string, lines ...string) (form url.Values, header string) {
	t.Helper()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		saslpeer.Succeed(t, r.ParseForm())
		form, header = r.PostForm, r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"token","expires_in":3600}`)
	}))
	defer endpoint.Close()
	lines = append(lines, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER",
		"sasl.oauthbearer.token.endpoint.url="+endpoint.URL)
	s, err := Read(dialect, written(t, dir, lines...))
	saslpeer.Succeed(t, err)
	cfg, err := s.Config()
	saslpeer.Succeed(t, err)
	_, _, err = saslpeer.Step(saslpeer.Begin(t, cfg.Authenticators[0]), nil)
	saslpeer.Succeed(t, err)
	return form, header
}

// The header is what each client sends: kafka-clients 4.4.0 encodes only with
// sasl.oauthbearer.header.urlencode=true, librdkafka 2.16 never.
func TestOAuthHeaders(t *testing.T) {
	const id, secret = "my id", "canary a+b/c="
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	java := []string{"sasl.oauthbearer.client.credentials.client.id=" + id,
		"sasl.oauthbearer.client.credentials.client.secret=" + secret}
	for _, c := range []struct {
		dialect Dialect
		more    string
		want    string
	}{
		{Java, "client.id=x", basic(id, secret)},
		{Java, "sasl.oauthbearer.header.urlencode=false", basic(id, secret)},
		{Java, "sasl.oauthbearer.header.urlencode=true", basic("my+id", "canary+a%2Bb%2Fc%3D")},
		{Librdkafka, "sasl.oauthbearer.method=oidc", basic(id, secret)},
	} {
		_, header := askedBy(t, c.dialect, "", append(java, c.more)...)
		saslpeer.Equal(t, c.dialect.String()+", "+c.more, header, c.want)
	}
}

// The keys of KIP-1139, in both dialects.
func TestOAuthAssertions(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	saslpeer.Succeed(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	saslpeer.Succeed(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	dir := filesOf(t, map[string][]byte{"idp.key": text, "ready.jwt": []byte("canary.ready.jwt\n"),
		"template.json": []byte(`{"header":{"kid":"k1"},"payload":{"tenant":12345678901234567}}`)})
	jwtGrant := []string{"sasl.oauthbearer.jwt.retriever.class=" +
		"org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"}
	rdGrant := []string{"sasl.oauthbearer.method=oidc",
		"sasl.oauthbearer.grant.type=urn:ietf:params:oauth:grant-type:jwt-bearer"}
	claims := []string{"sasl.oauthbearer.assertion.claim.iss=me", "sasl.oauthbearer.assertion.algorithm=ES256",
		"sasl.oauthbearer.assertion.claim.aud=idp", "sasl.oauthbearer.audience=kafka"}
	inFile := "sasl.oauthbearer.assertion.private.key.file=DIR/idp.key"
	for _, c := range []struct {
		name    string
		dialect Dialect
		lines   []string
		grant   string
		signed  string // the parameter
		want    string // the header of the JWT
	}{
		{"Java", Java, slices.Concat(jwtGrant, claims, []string{inFile}), grantJWT, "assertion",
			"map[alg:ES256 typ:JWT]"},
		{"Java, with a template", Java, slices.Concat(jwtGrant, claims, []string{inFile,
			"sasl.oauthbearer.assertion.template.file=DIR/template.json"}), grantJWT, "assertion",
			"map[alg:ES256 kid:k1 typ:JWT]"},
		{"Java, for client credentials", Java, slices.Concat(claims, []string{inFile,
			"sasl.oauthbearer.client.credentials.client.id=i"}), "client_credentials", "client_assertion",
			"map[alg:ES256 typ:JWT]"},
		{"Java, ready", Java, append(jwtGrant, "sasl.oauthbearer.assertion.file=DIR/ready.jwt"), grantJWT, "assertion",
			""},
		{"librdkafka", Librdkafka, slices.Concat(rdGrant, claims, []string{inFile}), grantJWT, "assertion",
			"map[alg:ES256 typ:JWT]"},
		{"librdkafka, with PEM", Librdkafka, slices.Concat(rdGrant, claims,
			[]string{"sasl.oauthbearer.assertion.private.key.pem=" + strings.ReplaceAll(string(text), "\n", `\n`),
				"sasl.oauthbearer.assertion.jwt.template.file=DIR/template.json"}), grantJWT, "assertion",
			"map[alg:ES256 kid:k1 typ:JWT]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			form, header := askedBy(t, c.dialect, dir, c.lines...)
			saslpeer.Equal(t, "the header and the grant", header+form.Get("grant_type"), c.grant)
			signed := form.Get(c.signed)
			if c.want == "" {
				saslpeer.Equal(t, "the assertion", signed, "canary.ready.jwt")
				return
			}
			saslpeer.Equal(t, "the audience", form.Get("audience"), "kafka")
			var head, body map[string]any
			parts := strings.Split(signed, ".")
			for i, into := range []*map[string]any{&head, &body} {
				text, err := base64.RawURLEncoding.DecodeString(parts[i])
				saslpeer.Succeed(t, err)
				d := json.NewDecoder(bytes.NewReader(text))
				d.UseNumber()
				saslpeer.Succeed(t, d.Decode(into))
			}
			saslpeer.Equal(t, "the JWT's header", fmt.Sprint(head), c.want)
			if body["iss"] != "me" || body["aud"] != "idp" ||
				strings.Contains(c.want, "kid") && body["tenant"] != json.Number("12345678901234567") {
				t.Errorf("got the claims %v", body)
			}
		})
	}
	for _, c := range []struct{ key, line, words string }{
		{"sasl.oauthbearer.assertion.algorithm", "sasl.oauthbearer.assertion.algorithm=RS256", "ES256"},
		{"sasl.oauthbearer.assertion.template.file", "sasl.oauthbearer.assertion.template.file=DIR/idp.key", "payload"},
	} {
		s, err := Read(Java, written(t, dir, append(jwtGrant, inFile, c.line, "security.protocol=SASL_SSL",
			"sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=https://idp/token")...))
		saslpeer.Succeed(t, err)
		_, err = s.Config()
		wantProblem(t, err, c.key, c.words)
	}
}

// A folder of authorities, where librdkafka's client takes one.
func TestOAuthFolderOfAuthorities(t *testing.T) {
	dir := stores(t)
	pool, err := (&OAuth{CAFile: dir}).authorities()
	if err != nil || pool == nil {
		t.Errorf("got %v, %v, want the certificates of the folder", pool, err)
	}
	_, err = (&OAuth{CAFile: t.TempDir()}).authorities()
	saslpeer.ErrorSays(t, "an empty folder", err, "no valid certificate")
}

func TestOverHTTPIsAWarning(t *testing.T) {
	for address, want := range map[string]int{"http://idp/token": 1, "https://idp/token": 0} {
		s := &Settings{SASL: SASL{OAuth: OAuth{ClientCredentials: oauthbearer.ClientCredentials{TokenURL: address,
			AllowHTTP: true}}}}
		saslpeer.Equal(t, address+": warnings", len(s.Warnings()), want)
	}
}

// Java's stores of the endpoint's authorities, in the JAAS options as Java has them.
func TestOAuthStoresOfAuthorities(t *testing.T) {
	for _, c := range []struct{ file, password, problem string }{
		{"java.jks", "canary12", ""}, {"java.p12", "canary12", ""}, {"java.jks", "", ""},
		{"java.p12", "canary13", "password"},
	} {
		s, err := Read(Java, written(t, "../../adapters/tls/pemkey/testdata", "security.protocol=SASL_SSL",
			"sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=https://idp/token",
			`sasl.jaas.config=x.OAuthBearerLoginModule required clientId=i clientSecret="canary-4711" `+
				`ssl.truststore.location="DIR/`+c.file+`" ssl.truststore.password="`+c.password+`";`))
		saslpeer.Succeed(t, err)
		_, err = s.Config()
		if c.problem != "" {
			wantProblem(t, err, "sasl.jaas.config", c.problem)
			continue
		}
		saslpeer.ErrorIs(t, c.file, err, nil)
	}
}
