package tls

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"
	"time"
)

// An authority that is removed, and a certificate that is revoked, are refused at the next
// handshake, whatever is wrong with a file that has nothing to do with them.
func TestTrustIsNotHeldBack(t *testing.T) {
	old, fresh := newCA("old"), newCA("fresh")
	mine, next := old.issue(), old.issue()
	cert := old.issue()
	for what, spoil := range map[string]func(t *testing.T, o Options){
		"the key is another's": func(t *testing.T, o Options) { replace(t, o.KeyFile, keyPEM(next)) },
		"the key is gone":      func(t *testing.T, o Options) { mustDo(t, os.Remove(o.KeyFile)) },
		"the key is encrypted": func(t *testing.T, o Options) {
			_, key, _ := encrypted(t, old)
			replace(t, o.KeyFile, key)
		},
		"the certificate is half written": func(t *testing.T, o Options) {
			mustWrite(t, o.CertFile, chainPEM(mine)[:100])
		},
		"the certificate is out of date": func(t *testing.T, o Options) {
			late := old.issue(expired)
			replace(t, o.CertFile, chainPEM(late))
			replace(t, o.KeyFile, keyPEM(late))
		},
		"all is well": func(*testing.T, Options) {},
	} {
		t.Run(what, func(t *testing.T) {
			o := Options{CAFile: write(t, "ca.pem", old.pem()), CRLFile: write(t, "crl.pem", old.crl(soon)),
				CertFile: write(t, "cert.pem", chainPEM(mine)), KeyFile: write(t, "key.pem", keyPEM(mine)),
				ServerName: "broker.test", Clock: clock()}
			dial := mustDial(t, plainDial, o)
			address := listen(t, tlsServer(&tls.Config{Certificates: []tls.Certificate{cert}, Time: clock().Now}))
			_, err := reach(t, dial, address)
			mustDo(t, err)

			spoil(t, o)
			replace(t, o.CRLFile, old.crl(soon, cert))
			_, err = reach(t, dial, address)
			wantReason(t, err, Revoked)
			replace(t, o.CRLFile, "nonsense")
			replace(t, o.CAFile, fresh.pem())
			_, err = reach(t, dial, address)
			wantReason(t, err, UnknownAuthority)
		})
	}
}

// A list that cannot be read does not hold back the key, nor the key the list.
func TestIdentityIsNotHeldBack(t *testing.T) {
	ca := newCA("the authority")
	mine, next := ca.issue(), ca.issue()
	crl, both := write(t, "crl.pem", ca.crl(soon)), write(t, "both.pem", chainPEM(mine)+keyPEM(mine))
	var shown []byte
	s := newReloader(t, 0, ca.issue(), Options{CAPEM: ca.pem(), CertFile: both, CRLFile: crl}, recordShown(&shown))
	s.mustReach()
	replace(t, crl, "nonsense")
	replace(t, both, chainPEM(next)+keyPEM(next))
	s.mustReach()
	if string(shown) != string(next.Leaf.Raw) {
		t.Error("got the former certificate, want the next")
	}
	s.wantReloaded("CRLFile")
}

// The owner of a connection is warned once of each failure, also if no connection lived
// long enough to take the warning.
func TestWarningsOfFailedReloads(t *testing.T) {
	ca := newCA("the authority")
	crl := write(t, "crl.pem", ca.crl(soon))
	s := newReloader(t, 0, ca.issue(), Options{CAPEM: ca.pem(), CRLFile: crl})
	want := func(words ...string) {
		t.Helper()
		conn := dialed(t, s.dial, s.address)
		defer conn.Close()
		got := conn.Warnings()
		ok := len(got) == len(words)
		for i := range min(len(got), len(words)) {
			ok = ok && strings.Contains(got[i], words[i]) && strings.Contains(got[i], "stays in use")
		}
		if !ok {
			t.Errorf("got %q, want %q", got, words)
		}
	}
	want()
	replace(t, crl, "nonsense")
	_ = dialed(t, s.dial, s.address).Close()
	want("CRLFile")
	want()
	mustDo(t, os.Remove(crl))
	want("no such file")
	replace(t, crl, ca.crl(soon))
	want()
	replace(t, crl, "nonsense")
	want("CRLFile")
	for n := range 2 * maxWarnings {
		replace(t, crl, strings.Repeat("x", n))
		s.mustReach()
		_ = os.Remove(crl)
		s.mustReach()
	}
	conn := dialed(t, s.dial, s.address)
	defer conn.Close()
	if got := conn.Warnings(); len(got) != maxWarnings {
		t.Errorf("got %d warnings, want %d", len(got), maxWarnings)
	}
}

// Without a setting a list that does not name its successor is used for 30 days.
func TestAgeOfRevocationLists(t *testing.T) {
	ca := newCA("the authority")
	o := Options{CAPEM: ca.pem(), CRLFile: write(t, "crl.pem", ca.crl(soon))}
	for given, want := range map[time.Duration]time.Duration{0: 30 * 24 * time.Hour, time.Hour: time.Hour, -1: -1} {
		o.MaxCRLAge = given
		d, err := newDialer(plainDial, o)
		mustDo(t, err)
		if got := d.files.look().revoked.MaxAge; got != want {
			t.Errorf("MaxCRLAge %v: got %v, want %v", given, got, want)
		}
	}
}
