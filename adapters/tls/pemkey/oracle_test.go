package pemkey

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"brokerconn/acceptance/openssl"
)

// TestOpenSSLOracle makes keys with openssl, of every kind and under every
// scheme that it writes, breaks many of them, and asks of each: is there a key in
// it, with this password, and which? The answer of Load has to be openssl's
// (openssl pkey -check -pubout). Where the two differ on purpose, the case says so,
// and why; there are no other differences.

// keyCase is one file and one password.
type keyCase struct {
	name     string
	file     []byte
	password string
	// want is the certain result, if sure: 0 is a key.
	want Problem
	sure bool
	// differs says why openssl's verdict is the other one; "": it is not.
	differs    string
	legacy     bool // ask openssl with its legacy provider
	compressed bool // it would answer with half of the point
}

const (
	notInGo   = "only openssl accepts: a kind of key that crypto/tls does not use"
	oldScheme = "only openssl accepts: an encryption that Java 17 has not; the refusal says how to convert"
)

func TestOpenSSLOracle(t *testing.T) {
	openssl.New(t, "Private keys are not compared.")
	cases := makeKeyCases(t)
	var found openssl.Tally
	for i, theirs := range askOpenSSL(t, cases) {
		found.Add(cases[i].compare(t, theirs))
	}
	found.Report(t, "private keys", 600)
}

// compare returns the verdict. theirs is the public key as PEM, "" for a refusal.
func (c *keyCase) compare(t *testing.T, theirs string) string {
	key, err := Load(c.file, func() ([]byte, error) { return []byte(c.password), nil })
	ours, problem := keyVerdict(t, key, err)
	if c.sure && problem != c.want {
		t.Errorf("%s: %v, want %q", c.name, err, problemName(c.want))
	}
	switch {
	case c.differs != "":
		if problem != c.want || (ours == "") == (theirs == "") {
			t.Errorf("%s: openssl accepts: %v, ours: %v, want %q; it is listed as %q", c.name, theirs != "", err,
				problemName(c.want), c.differs)
		}
		return openssl.Apart + c.differs
	case ours == "" && theirs != "" && listed(err) != "":
		return openssl.Apart + "only openssl accepts: " + listed(err)
	case ours != theirs:
		t.Errorf("%s: password %q\nours: %s%v\nopenssl: %s\n%s", c.name, c.password, ours, err, theirs, c.file)
	case ours == "":
		return openssl.Refused + problemName(problem)
	}
	return "the same public key"
}

// listed says why openssl reads a file that chance has damaged, and that is refused
// for that damage.
func listed(err error) string {
	const ber = "it reads BER, where the same length can be written in several ways"
	for text, why := range map[string]string{
		"version":                             "it does not look at the version that a structure says it is of",
		"its PRF has parameters":              "it does not look at the parameters of a PRF that has none",
		"its password has":                    "it takes zero rounds of the schemes before PBES2 for one",
		"asn1: more follows":                  "it does not look behind the end of the DER",
		"superfluous leading zeros in length": ber,
		"non-minimal length":                  ber,
		"indefinite length":                   ber,
	} {
		if strings.Contains(err.Error(), text) {
			return why
		}
	}
	return ""
}

func problemName(p Problem) string {
	if p == 0 {
		return "a key"
	}
	return p.String()
}

// keyVerdict is the public key as PEM, "" for a refusal.
func keyVerdict(t *testing.T, key crypto.Signer, err error) (public string, problem Problem) {
	t.Helper()
	if err != nil {
		var ke *Error
		if key != nil || !errors.As(err, &ke) || ke.Problem == 0 || ke.Detail == "" {
			t.Fatalf("%v and %#v: an error of Load is a *Error, and comes alone", key, err)
		}
		return "", ke.Problem
	}
	return publicPEM(t, key), 0
}

func publicPEM(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der := must(x509.MarshalPKIXPublicKey(key.Public()))(t)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// askOpenSSL returns its verdicts: the public key as PEM, "" for a refusal.
func askOpenSSL(t *testing.T, cases []keyCase) []string {
	t.Helper()
	verdicts := make([]string, len(cases))
	dir := t.TempDir()
	var wg sync.WaitGroup
	room := make(chan struct{}, runtime.NumCPU())
	for i, c := range cases {
		file := filepath.Join(dir, fmt.Sprint(i, ".pem"))
		if err := os.WriteFile(file, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			args := []string{"pkey", "-in", file, "-inform", "PEM", "-passin", "pass:" + c.password, "-check",
				"-pubout"}
			if c.legacy {
				args = append(args, "-provider", "legacy", "-provider", "default")
			}
			if c.compressed {
				args = append(args, "-ec_conv_form", "uncompressed")
			}
			out, ok := openssl.Output(nil, args...)
			if block, _ := pem.Decode(out); ok && block != nil && bytes.Contains(out, []byte("Key is valid")) {
				verdicts[i] = string(pem.EncodeToMemory(block))
			}
		})
	}
	wg.Wait()
	return verdicts
}
