package tls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/netlink"
)

// site is a broker, and a client with files, that may both be changed while they
// run.
type site struct {
	t       *testing.T
	server  *tls.Config
	address string
	dial    netlink.DialFunc
	told    []error
}

func newSite(t *testing.T, version uint16, cert tls.Certificate, o Options, change ...func(*tls.Config)) *site {
	s := &site{t: t, server: &tls.Config{MinVersion: version, MaxVersion: version, Time: clock().Now}}
	s.server.Certificates = []tls.Certificate{cert}
	for _, f := range change {
		f(s.server)
	}
	s.address = listen(t, tlsServer(s.server))
	if o.Clock == nil {
		o.Clock = clock()
	}
	o.ServerName = "broker.test"
	o.Reloaded = func(err error) { s.told = append(s.told, err) }
	s.dial = mustDial(t, plainDial, o)
	return s
}

func (s *site) reach() (tls.ConnectionState, error) {
	s.t.Helper()
	return reach(s.t, s.dial, s.address)
}

func (s *site) mustReach() tls.ConnectionState {
	s.t.Helper()
	state, err := s.reach()
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

// wantTold checks what Reloaded was told since: a word of each error, "" for nil.
func (s *site) wantTold(want ...string) {
	s.t.Helper()
	ok := len(s.told) == len(want)
	for i := range min(len(s.told), len(want)) {
		ok = ok && (s.told[i] == nil) == (want[i] == "") && (s.told[i] == nil || strings.Contains(s.told[i].Error(), want[i]))
	}
	if !ok {
		s.t.Errorf("told %q, want %q", s.told, want)
	}
	s.told = nil
}

func TestReloadOfAuthorities(t *testing.T) {
	old, fresh := newCA(t, "old"), newCA(t, "fresh")
	ca := write(t, "ca.pem", old.pem())
	s := newSite(t, tls.VersionTLS13, fresh.issue(), Options{CAFile: ca})
	_, err := s.reach()
	wantReason(t, err, UnknownAuthority)
	s.wantTold()

	replace(t, ca, old.pem()+fresh.pem())
	s.mustReach()
	s.wantTold("")

	for _, bad := range []string{
		"", "nonsense", // for the same reason
		fresh.pem()[:len(fresh.pem())-30],
		fresh.pem() + block("CERTIFICATE", []byte("nonsense")),
	} {
		replace(t, ca, bad)
		s.mustReach()
		s.mustReach()
	}
	s.wantTold("no certificate", "is it whole?", "certificate 2 cannot be read") // each once
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	s.mustReach()
	s.wantTold(ca)

	replace(t, ca, old.pem())
	_, err = s.reach()
	wantReason(t, err, UnknownAuthority)
	s.wantTold("")
}

// Two files cannot be replaced at once: until both are, the former are shown.
func TestReloadOfIdentity(t *testing.T) {
	for _, version := range versions {
		ca := newCA(t, "the authority")
		mine, next := ca.issue(), ca.issue()
		cert, key := write(t, "cert.pem", chainPEM(mine)), write(t, "key.pem", keyPEM(t, mine))
		var shown []byte
		s := newSite(t, version, ca.issue(), Options{CAPEM: ca.pem(), CertFile: cert, KeyFile: key}, func(server *tls.Config) {
			server.ClientAuth = tls.RequireAnyClientCert
			server.VerifyConnection = func(state tls.ConnectionState) error {
				shown = state.PeerCertificates[0].Raw
				return nil
			}
		})
		want := func(c tls.Certificate, resumed bool) {
			t.Helper()
			state := s.mustReach()
			if string(shown) != string(c.Leaf.Raw) || state.DidResume != resumed {
				t.Errorf("the former is shown: %v; resumed: %v, want %v", string(shown) == string(mine.Leaf.Raw), state.DidResume, resumed)
			}
		}
		want(mine, false)
		want(mine, true)
		replace(t, cert, chainPEM(next))
		want(mine, true)
		s.wantTold("the key does not belong to the certificate")
		replace(t, key, keyPEM(t, next))
		want(next, false) // a session would be the former's
		s.wantTold("")
		want(next, true)
		s.wantTold()
	}
}

func TestReloadOfRevocation(t *testing.T) {
	ca := newCA(t, "the authority")
	cert := ca.issue()
	crl := write(t, "crl.pem", ca.crl(soon))
	s := newSite(t, tls.VersionTLS13, cert, Options{CAPEM: ca.pem(), CRLFile: crl})
	s.mustReach()
	replace(t, crl, "nonsense")
	s.mustReach()
	replace(t, crl, ca.crl(soon, cert))
	_, err := s.reach()
	wantReason(t, err, Revoked)
	replace(t, crl, ca.crl(soon))
	s.mustReach()
	if len(s.told) != 3 || s.told[0] == nil || s.told[1] != nil || s.told[2] != nil {
		t.Errorf("%q", s.told)
	}
}

// What is written twice within one tick of the file system's clock is seen, even in
// place and in the same size; a file that is old is not read for nothing.
func TestFileRefresh(t *testing.T) {
	path := write(t, "f", "one")
	f := &file{path: path}
	look := func(want bool, data string) {
		t.Helper()
		changed, err := f.refresh()
		if err != nil || changed != want || string(f.data) != data {
			t.Errorf("%v %v %q, want %v %q", changed, err, f.data, want, data)
		}
	}
	inPlace := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now().Truncate(time.Second)
	inPlace("one", now)
	look(true, "one")
	look(false, "one")
	inPlace("two", now)
	look(true, "two")
	long := now.Add(-time.Hour)
	inPlace("two", long)
	look(false, "two")
	inPlace("six", long)
	look(false, "two") // nothing that a stat shows has changed
	inPlace("six", long.Add(time.Second))
	look(true, "six")

	replace(t, path, "six")
	look(false, "six")
	other := write(t, "g", "new")
	if err := os.Chtimes(other, long, long); err != nil {
		t.Fatal(err)
	}
	inPlace("old", long)
	look(true, "old")
	if err := os.Rename(other, path); err != nil { // same size, same time
		t.Fatal(err)
	}
	look(true, "new")

	for _, bad := range []string{filepath.Dir(path), filepath.Join(t.TempDir(), "none")} {
		f.path = bad
		if _, err := f.refresh(); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	f.path = path
	look(false, "new")
}

// encrypted are a certificate as PEM, and its key, under a password.
func encrypted(t *testing.T, ca *testCA) (chain, key, password string) {
	t.Helper()
	key, password = string(mustRead(t, "testdata/keys/java_sha512andaes_256.pem")), "open sesame"
	signer, err := loadKey([]byte(key), Password(password))
	if err != nil {
		t.Fatal(err)
	}
	return chainPEM(ca.issueFor(signer)), key, password
}

// The password is asked for when the key is read and at no other time, until it
// opens the key; and whatever it is, it is told to nobody.
func TestKeyPassword(t *testing.T) {
	ca := newCA(t, "the authority")
	chain, key, password := encrypted(t, ca)
	var asked []string
	answer := func() ([]byte, error) { return []byte(password), nil }
	o := Options{CAFile: write(t, "ca.pem", ca.pem()), CertFile: write(t, "cert.pem", chain), KeyFile: write(t, "key.pem", key)}
	o.KeyPassword = func() ([]byte, error) {
		password, err := answer()
		asked = append(asked, string(password))
		return password, err
	}
	wantAsked := func(n int) {
		t.Helper()
		if len(asked) != n {
			t.Errorf("asked %d times, want %d", len(asked), n)
		}
		asked = nil
	}
	s := newSite(t, tls.VersionTLS13, ca.issue(), o, func(server *tls.Config) { server.ClientAuth = tls.RequireAnyClientCert })
	wantAsked(1)
	s.mustReach()
	replace(t, o.CAFile, ca.pem()+ca.pem())
	s.mustReach()
	wantAsked(0)
	s.wantTold("")

	replace(t, o.CertFile, chain+ca.pem()) // another chain: another identity
	for _, bad := range []func() ([]byte, error){
		Password(canary), Password([]byte(canary)), Password(""),
		func() ([]byte, error) { return []byte(canary), errors.New("the vault is sealed") },
		func() ([]byte, error) { panic("no") },
	} {
		answer = bad
		func() {
			defer func() { _ = recover() }() // netlink's to contain
			s.mustReach()
		}()
		for _, err := range s.told {
			if e := new(OptionError); !errors.As(err, &e) || e.Option != "KeyPassword" || !strings.Contains(err.Error(), o.KeyFile) {
				t.Errorf("%v", err)
			}
		}
		for _, err := range s.told {
			if strings.Contains(fmt.Sprintf("%v %+v %#v %q", err, err, err, errors.Unwrap(err)), canary) {
				t.Errorf("%+v", err)
			}
		}
	}
	if len(s.told) != 3 || !strings.Contains(s.told[2].Error(), "the vault is sealed") {
		t.Errorf("%q", s.told)
	}
	s.told, asked, answer = nil, nil, Password(password)
	s.mustReach()
	s.mustReach()
	wantAsked(1)
	s.wantTold("")

	for _, bad := range []func() ([]byte, error){nil, Password(canary)} {
		o.KeyPassword = bad
		_, err := Dial(plainDial, o)
		if e := new(OptionError); !errors.As(err, &e) || e.Option != "KeyPassword" || strings.Contains(fmt.Sprintf("%+v %#v", err, err), canary) {
			t.Errorf("%v", err)
		}
	}
}
