package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"software.sslmate.com/src/go-pkcs12"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/cli/probe"
)

// Files as people have them, each given to the tool: testdata/files. Lines at their head say
// what is expected:
//
//	#want exit N     the exit code
//	#strict exit N   that with --strict
//	#says TEXT       TEXT is in the output
//	#tls             the broker's port wants TLS
//	#about           what the file shows
func TestFiles(t *testing.T) {
	w := newWorld(t)
	files, err := filepath.Glob("testdata/files/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files and the error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), filepath.Base(file))
			places := strings.NewReplacer("@DIR@", filepath.ToSlash(w.dir), "@TOKENS@", w.tokens)
			write(t, path, places.Replace(string(text)))
			marks := marksOf(string(text))
			at := w.plain
			if slices.Contains(marks["tls"], "") {
				at = w.tls
			}
			out := w.run(t, marks["want"], "apis", at, "-F", path)
			for _, says := range marks["says"] {
				if !strings.Contains(out, says) {
					t.Errorf("got %q, want %q in it", out, says)
				}
			}
			if strict := marks["strict"]; strict != nil {
				w.run(t, strict, "apis", at, "--strict", "-F", path)
			}
		})
	}
}

// marksOf returns the lines at the head of a file, by their first words.
func marksOf(text string) map[string][]string {
	marks := map[string][]string{}
	for line := range strings.Lines(text) {
		mark, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(mark, " ")
		marks[key] = append(marks[key], value)
	}
	return marks
}

// world is the brokers, the token endpoint and the folder that the files name.
type world struct{ dir, plain, tls, tokens string }

const (
	password = "canary-plain"
	secret   = "canary+a/b="
)

func newWorld(t *testing.T) *world {
	w := &world{dir: t.TempDir()}
	ca, server := certificates(t)
	in := func(name string) string { return filepath.Join(w.dir, name) }
	caPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	brainpool, err := os.ReadFile("testdata/brainpool.pem")
	if err != nil {
		t.Fatal(err)
	}
	store, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca}, "canary-store")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in("mounted"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, in("ca.pem"), caPEM)
	write(t, in("marked.pem"), "\ufeff"+caPEM)
	write(t, in("bundle.pem"), string(brainpool)+caPEM)
	write(t, in("trusted.p12"), string(store))
	write(t, in("secrets.properties"), "password="+password+"\n")
	write(t, in("mounted/password"), password)
	write(t, in("krb5.conf"), "[libdefaults]\ndefault_realm = EXAMPLE.COM\n")
	t.Setenv("KRB5_CONFIG", in("krb5.conf"))
	t.Setenv("KRB5CCNAME", in("no-tickets"))

	config := &tls.Config{Certificates: []tls.Certificate{server}}
	keeper := fakebroker.Keeper(verdict)
	w.plain = fakebroker.Listen(t, keeper)
	w.tls = fakebroker.Listen(t, func(conn net.Conn) { keeper(tls.Server(conn, config)) })
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(issueToken))
	endpoint.TLS = config
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)
	w.tokens = endpoint.URL + "/token"
	return w
}

// run requires an exit code and returns the output.
func (w *world) run(t *testing.T, want []string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	code := probe.Run(t.Context(), append(args, "--timeout", "8s"), strings.NewReader(""), &out, &out)
	if got := []string{"exit " + strconv.Itoa(code)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q, from %q: %s", got, want, args, out.String())
	}
	return out.String()
}

// verdict is a broker's, about a message of PLAIN or OAUTHBEARER.
func verdict(message []byte) *kmsg.SASLAuthenticateResponse {
	if m := string(message); m == "\x00alice\x00"+password || strings.Contains(m, "auth=Bearer ") {
		return kmsg.NewPtrSASLAuthenticateResponse()
	}
	return fakebroker.Refuse(message)
}

// issueToken is an endpoint that takes client id and secret as they are, as most do.
func issueToken(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if id, got, _ := r.BasicAuth(); id != "alice" || got != secret {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client"}`)
		return
	}
	part := func(v map[string]any) string {
		text, _ := json.Marshal(v) // of strings and numbers: it cannot fail
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now()
	token := part(map[string]any{"alg": "RS256"}) + "." + part(map[string]any{
		"sub": "alice", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "scope": "kafka"}) + ".canary"
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
}

// certificates returns those of an authority and of a server on loopback.
func certificates(t *testing.T) (ca *x509.Certificate, server tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	make := func(template, parent *x509.Certificate) *x509.Certificate {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca = make(template, template)
	leaf := make(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, ca)
	return ca, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
}
