package tls

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/hostile"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls/pemkey"
)

// reloader is a broker, and a client with files, that may both be changed while they
// run.
type reloader struct {
	t       *testing.T
	server  *tls.Config
	address string
	dial    netlink.DialFunc
	reloads []error
}

func newReloader(t *testing.T, version uint16, cert tls.Certificate, o Options, change ...func(*tls.Config)) *reloader {
	s := &reloader{t: t, server: &tls.Config{MinVersion: version, MaxVersion: version, Time: clock().Now,
		Certificates: []tls.Certificate{cert}}}
	for _, f := range change {
		f(s.server)
	}
	s.address = listen(t, tlsServer(s.server))
	if o.Clock == nil {
		o.Clock = clock()
	}
	o.ServerName = "broker.test"
	o.Reloaded = func(err error) { s.reloads = append(s.reloads, err) }
	s.dial = mustDial(t, plainDial, o)
	return s
}

func (s *reloader) reach() (tls.ConnectionState, error) {
	s.t.Helper()
	return reach(s.t, s.dial, s.address)
}

func (s *reloader) mustReach() tls.ConnectionState {
	s.t.Helper()
	state, err := s.reach()
	mustDo(s.t, err)
	return state
}

// recordShown has a server demand a client certificate, and keeps what it receives.
func recordShown(shown *[]byte) func(*tls.Config) {
	return func(server *tls.Config) {
		server.ClientAuth = tls.RequireAnyClientCert
		server.VerifyConnection = func(state tls.ConnectionState) error {
			*shown = state.PeerCertificates[0].Raw
			return nil
		}
	}
}

// wantReloaded checks the calls of Reloaded since: a word of each error, "" for nil.
func (s *reloader) wantReloaded(want ...string) {
	s.t.Helper()
	ok := len(s.reloads) == len(want)
	for i := range min(len(s.reloads), len(want)) {
		ok = ok && (s.reloads[i] == nil) == (want[i] == "") && (s.reloads[i] == nil ||
			strings.Contains(s.reloads[i].Error(), want[i]))
	}
	if !ok {
		s.t.Errorf("Reloaded: got %q, want %q", s.reloads, want)
	}
	s.reloads = nil
}

func TestReloadOfAuthorities(t *testing.T) {
	old, fresh := newCA("old"), newCA("fresh")
	ca := write(t, "ca.pem", old.pem())
	s := newReloader(t, tls.VersionTLS13, fresh.issue(), Options{CAFile: ca})
	_, err := s.reach()
	wantReason(t, err, UnknownAuthority)
	s.wantReloaded()

	replace(t, ca, old.pem()+fresh.pem())
	s.mustReach()
	s.wantReloaded("")

	for _, bad := range []string{
		"", "nonsense", // for the same reason
		fresh.pem()[:len(fresh.pem())-30],
		fresh.pem() + block("CERTIFICATE", []byte("nonsense")),
	} {
		replace(t, ca, bad)
		s.mustReach()
		s.mustReach()
	}
	s.wantReloaded("no certificate", "may be truncated", "") // each once; one unreadable certificate is skipped
	mustDo(t, os.Remove(ca))
	s.mustReach()
	s.wantReloaded(ca)

	replace(t, ca, old.pem())
	_, err = s.reach()
	wantReason(t, err, UnknownAuthority)
	s.wantReloaded("")
}

// Two files cannot be replaced at once: until both are, the former are shown.
func TestReloadOfIdentity(t *testing.T) {
	for _, version := range versions {
		ca := newCA("the authority")
		mine, next := ca.issue(), ca.issue()
		cert, key := write(t, "cert.pem", chainPEM(mine)), write(t, "key.pem", keyPEM(mine))
		var shown []byte
		s := newReloader(t, version, ca.issue(), Options{CAPEM: ca.pem(), CertFile: cert, KeyFile: key},
			recordShown(&shown))
		want := func(c tls.Certificate, resumed bool) {
			t.Helper()
			state := s.mustReach()
			if string(shown) != string(c.Leaf.Raw) || state.DidResume != resumed {
				t.Errorf("the former is shown: %v; resumed: %v, want %v", string(shown) == string(mine.Leaf.Raw),
					state.DidResume, resumed)
			}
		}
		want(mine, false)
		want(mine, true)
		replace(t, cert, chainPEM(next))
		want(mine, true)
		s.wantReloaded("the key does not belong to the certificate")
		replace(t, key, keyPEM(next))
		want(next, false) // a session would be the former's
		s.wantReloaded("")
		want(next, true)
		s.wantReloaded()
	}
}

func TestReloadOfRevocation(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issue()
	crl := write(t, "crl.pem", ca.crl(soon))
	s := newReloader(t, tls.VersionTLS13, cert, Options{CAPEM: ca.pem(), CRLFile: crl})
	s.mustReach()
	replace(t, crl, "nonsense")
	s.mustReach()
	replace(t, crl, ca.crl(soon, cert))
	_, err := s.reach()
	wantReason(t, err, Revoked)
	replace(t, crl, ca.crl(soon))
	s.mustReach()
	if len(s.reloads) != 3 || s.reloads[0] == nil || s.reloads[1] != nil || s.reloads[2] != nil {
		t.Errorf("%q", s.reloads)
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
		mustWrite(t, path, text)
		mustDo(t, os.Chtimes(path, at, at))
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
	mustDo(t, os.Chtimes(other, long, long))
	inPlace("old", long)
	look(true, "old")
	mustDo(t, os.Rename(other, path)) // same size, same time
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
	file, password := must(os.ReadFile("pemkey/testdata/java_sha512andaes_256.pem")), "open sesame"
	return chainPEM(ca.issueFor(must(pemkey.Load(file, Password(password))))), string(file), password
}

// The password is asked for when the key is read and at no other time, until it
// opens the key. It is part of no output.
func TestKeyPassword(t *testing.T) {
	ca := newCA("the authority")
	chain, key, password := encrypted(t, ca)
	var asked []string
	answer := func() ([]byte, error) { return []byte(password), nil }
	o := Options{CAFile: write(t, "ca.pem", ca.pem()), CertFile: write(t, "cert.pem", chain),
		KeyFile: write(t, "key.pem", key)}
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
	s := newReloader(t, tls.VersionTLS13, ca.issue(), o,
		func(server *tls.Config) { server.ClientAuth = tls.RequireAnyClientCert })
	wantAsked(1)
	s.mustReach()
	replace(t, o.CAFile, ca.pem()+ca.pem())
	s.mustReach()
	wantAsked(0)
	s.wantReloaded("")

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
		for _, err := range s.reloads {
			wantOption(t, err, "KeyPassword", o.KeyFile)
			wantNoCanary(t, err)
		}
	}
	if len(s.reloads) != 3 || !strings.Contains(s.reloads[2].Error(), "the vault is sealed") {
		t.Errorf("%q", s.reloads)
	}
	s.reloads, asked, answer = nil, nil, Password(password)
	s.mustReach()
	s.mustReach()
	wantAsked(1)
	s.wantReloaded("")

	for _, bad := range []func() ([]byte, error){nil, Password(canary)} {
		o.KeyPassword = bad
		_, err := Dial(plainDial, o)
		wantOption(t, err, "KeyPassword")
		wantNoCanary(t, err)
	}
}

func wantNoCanary(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(fmt.Sprintf("%v %+v %#v %q", err, err, err, errors.Unwrap(err)), canary) {
		t.Errorf("got %+v, want no password", err)
	}
}

// An invalid file is examined once, not again at every handshake; another file may have
// changed meanwhile.
func TestFaultIsFoundOnce(t *testing.T) {
	ca := newCA("the authority")
	long := time.Now().Add(-time.Hour)
	crl := write(t, "crl.pem", ca.crl(soon))
	l := must(newLoader(Options{CAPEM: ca.pem(), CRLFile: crl}))
	before := l.look()
	replace(t, crl, strings.Repeat(ca.crl(soon), 1000)+block("X509 CRL", []byte("nonsense")))
	mustDo(t, os.Chtimes(crl, long, long))
	if l.look() != before {
		t.Fatal("nonsense is in force")
	}
	if took := hostile.Allocated(func() { l.look() }); took > 64<<10 {
		t.Errorf("looked again with %d bytes of memory", took)
	}
	if l.look() != before || l.failed == nil {
		t.Errorf("forgotten: %v", l.failed)
	}
	replace(t, crl, ca.crl(soon))
	if l.look() == before || l.failed != nil {
		t.Error(l.failed)
	}
}

// What is changed while a slow way leads to the broker serves that handshake.
func TestFilesAreLookedAtBehindTheDial(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issue()
	crl := write(t, "crl.pem", ca.crl(soon))
	address := listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{cert}}))
	dial := mustDial(t, func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := plainDial(ctx, network, address)
		replace(t, crl, ca.crl(soon, cert))
		return conn, err
	}, Options{ServerName: "broker.test", CAPEM: ca.pem(), CRLFile: crl, Clock: clock()})
	_, err := reach(t, dial, address)
	wantReason(t, err, Revoked)
}

// A function of the user's that panics leaves no connection behind.
func TestPanicLeavesNoConnection(t *testing.T) {
	ca := newCA("the authority")
	file := write(t, "ca.pem", ca.pem())
	ours, theirs := net.Pipe()
	dial := mustDial(t, over(ours), Options{CAFile: file, Reloaded: func(error) { panic("no") }})
	replace(t, file, ca.pem()+ca.pem())
	wantPanic(t, func() { _, _ = dial(t.Context(), "tcp", "broker.test:9093") })
	_ = theirs.SetDeadline(time.Now().Add(time.Minute)) // refused where it is closed
	if _, err := theirs.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the connection is still there: %v", err)
	}
}

// Each of the files may vanish, be half written, be another's, or be no file, and come
// back: all the while the former serve.
func TestEachFileMayBeOutOfOrder(t *testing.T) {
	ca := newCA("the authority")
	mine, next := ca.issue(), ca.issue()
	texts := map[string]string{"CAFile": ca.pem(), "CertFile": chainPEM(mine), "KeyFile": keyPEM(mine),
		"CRLFile": ca.crl(soon)}
	others := map[string]string{"CertFile": chainPEM(next), "KeyFile": keyPEM(next)} // each without the other
	paths := make(map[string]string)
	for option, text := range texts {
		paths[option] = write(t, option, text)
	}
	s := newReloader(t, tls.VersionTLS13, ca.issue(), Options{
		CAFile: paths["CAFile"], CertFile: paths["CertFile"], KeyFile: paths["KeyFile"], CRLFile: paths["CRLFile"],
	}, func(server *tls.Config) {
		server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool()
	})
	for option, path := range paths {
		spoil := map[string]func(){
			"gone":               func() { _ = os.Remove(path) },
			"a folder":           func() { _ = os.Remove(path); _ = os.Mkdir(path, 0o700) },
			"empty":              func() { replace(t, path, "") },
			"half, in its place": func() { mustWrite(t, path, texts[option][:len(texts[option])/2]) },
			"another's":          func() { replace(t, path, others[option]) },
			"a link to nowhere":  func() { _ = os.Remove(path); _ = os.Symlink("nowhere", path) },
			"without its end":    func() { replace(t, path, texts[option][:len(texts[option])-10]) },
			"of another encoding": func() {
				replace(t, path, "\xff\xfe"+strings.Join(strings.Split(texts[option], ""), "\x00")+"\x00")
			},
		}
		for how, f := range spoil {
			if how == "another's" && others[option] == "" {
				continue
			}
			f()
			s.mustReach()
			s.mustReach()
			if len(s.reloads) != 1 || s.reloads[0] == nil {
				t.Errorf("%s is %s: Reloaded got %q", option, how, s.reloads)
			} else if e := new(OptionError); !errors.As(s.reloads[0], &e) || !strings.HasSuffix(e.Option, "File") ||
				!strings.Contains(e.Error(), paths[e.Option]) {
				t.Errorf("%s is %s: %v", option, how, s.reloads[0])
			}
			s.reloads = nil
			_ = os.Remove(path)
			replace(t, path, texts[option])
			s.mustReach()
			s.wantReloaded("")
		}
	}
}

// A certificate that is out of date does not replace one that is not. One that is valid
// later does then; the first is taken as it is.
func TestReloadOfOutdatedIdentity(t *testing.T) {
	ca := newCA("the authority", until(soon.Add(time.Hour)))
	mine, old := ca.issue(), ca.issue(expired)
	later := ca.issue(since(now.Add(time.Hour)), until(soon.Add(time.Hour)))
	both := func(c tls.Certificate) string { return chainPEM(c) + keyPEM(c) }
	file := write(t, "both.pem", both(mine))
	c := clock()
	var shown []byte
	s := newReloader(t, tls.VersionTLS13, ca.issue(until(soon.Add(time.Hour))),
		Options{CAPEM: ca.pem(), CertFile: file, Clock: c}, recordShown(&shown))
	want := func(cert tls.Certificate) {
		t.Helper()
		s.mustReach()
		if string(shown) != string(cert.Leaf.Raw) {
			t.Error("another is shown")
		}
	}
	want(mine)
	replace(t, file, both(old))
	want(mine)
	s.wantReloaded("was valid until 2030-06-01T11:59:59Z")
	replace(t, file, both(later))
	want(mine)
	s.wantReloaded("is valid from 2030-06-01T13:00:00Z on")
	c.Advance(time.Minute)
	want(mine)
	s.wantReloaded()
	c.Advance(time.Hour)
	want(later)
	s.wantReloaded("")
	replace(t, file, both(old))
	want(later)
	s.wantReloaded("was valid until")
	c.AdvanceTo(soon.Add(time.Hour - time.Second)) // later is still good for a second
	want(later)

	if _, err := Dial(plainDial, Options{Clock: clock()}.showing(old)); err != nil {
		t.Errorf("from the beginning: %v", err)
	}
}

// Kubernetes replaces a folder of files at once, by a link that is renamed.
func TestReloadThroughALink(t *testing.T) {
	ca := newCA("the authority")
	mine, next := ca.issue(), ca.issue()
	root := t.TempDir()
	publish := func(version string, cert tls.Certificate) {
		t.Helper()
		dir := filepath.Join(root, version)
		mustDo(t, os.Mkdir(dir, 0o700))
		mustWrite(t, filepath.Join(dir, "tls.crt"), chainPEM(cert))
		mustWrite(t, filepath.Join(dir, "tls.key"), keyPEM(cert))
		link := filepath.Join(root, "new")
		if err := os.Symlink(version, link); err != nil {
			t.Skipf("needs symbolic links: %v", err)
		}
		mustDo(t, os.Rename(link, filepath.Join(root, "data")))
	}
	publish("1", mine)
	var shown []byte
	s := newReloader(t, tls.VersionTLS13, ca.issue(), Options{
		CAPEM: ca.pem(), CertFile: filepath.Join(root, "data", "tls.crt"),
		KeyFile: filepath.Join(root, "data", "tls.key"),
	}, recordShown(&shown))
	for version, cert := range []tls.Certificate{mine, next, mine} {
		if version > 0 {
			publish(fmt.Sprint(version+1), cert)
		}
		s.mustReach()
		if string(shown) != string(cert.Leaf.Raw) {
			t.Errorf("version %d is not shown", version+1)
		}
	}
	s.wantReloaded("", "")
}

// A connection takes its warnings while it holds its own lock: it does not wait for a person
// who types the password of a key for another connection.
func TestWarningsDoNotWaitForPasswords(t *testing.T) {
	ca := newCA("the authority")
	chain, key, password := encrypted(t, ca)
	mine := ca.issue()
	var other *Conn
	o := Options{CAFile: write(t, "ca.pem", ca.pem()), CertFile: write(t, "cert.pem", chainPEM(mine)),
		KeyFile: write(t, "key.pem", keyPEM(mine)), ServerName: "broker.test", Clock: clock(),
		KeyPassword: func() ([]byte, error) {
			taken := make(chan struct{})
			go func() {
				defer close(taken)
				other.Warnings()
			}()
			select {
			case <-taken:
			case <-time.After(10 * time.Second):
				t.Error("Warnings waits for the password function")
			}
			return []byte(password), nil
		}}
	dial := mustDial(t, plainDial, o)
	address := listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{ca.issue()}, Time: clock().Now}))
	other = dialed(t, dial, address)
	mustDo(t, other.Close())
	replace(t, o.CertFile, chain)
	replace(t, o.KeyFile, key)
	_, err := reach(t, dial, address)
	mustDo(t, err)
}
