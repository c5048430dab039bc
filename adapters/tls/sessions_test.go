package tls

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"
)

func TestResumption(t *testing.T) {
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			ca := newCA("the authority")
			cert := ca.issue()
			crl := write(t, "crl.pem", ca.crl(soon))
			s := newReloader(t, version, cert, Options{CAPEM: ca.pem(), CRLFile: crl})
			for n := range 4 {
				if state := s.mustReach(); state.DidResume != (n > 0) {
					t.Errorf("%d: resumed: %v", n, state.DidResume)
				}
			}
			// What is resumed is verified all the same, and against lists of today.
			replace(t, crl, ca.crl(soon, cert))
			_, err := s.reach()
			wantReason(t, err, Revoked)
			replace(t, crl, ca.crl(soon))
			s.mustReach()
			if !s.mustReach().DidResume {
				t.Error("not resumed")
			}

			never := newReloader(t, version, cert, Options{CAPEM: ca.pem(), NoResumption: true})
			never.mustReach()
			if never.mustReach().DidResume {
				t.Error("resumed")
			}
		})
	}
}

// A resumed session is verified by itself, should it ever get past the look before.
func TestResumedSessionIsVerified(t *testing.T) {
	for _, version := range versions {
		ca := newCA("the authority")
		cert := ca.issue()
		c := clock()
		s := newReloader(t, version, cert, Options{CAPEM: ca.pem(), Clock: c})
		s.mustReach()
		conn := dialed(t, s.dial, s.address)
		// The hello goes out while the certificate is good, the answer comes when it
		// is not.
		conn.wire.Conn = &hookedConn{Conn: conn.wire.Conn, beforeRead: func() { c.AdvanceTo(soon.Add(time.Second)) }}
		wantReason(t, conn.HandshakeContext(t.Context()), Expired)
		if !conn.ConnectionState().DidResume {
			t.Error("not resumed: this test shows nothing")
		}
		_ = conn.Close()
	}
}

// A broker that has a new certificate is reached at the first attempt, though the
// session is one of the old, which has expired.
func TestReplacedCertificate(t *testing.T) {
	for _, version := range versions {
		ca := newCA("the authority", until(now.Add(time.Hour*1000)))
		current := ca.issue()
		c := clock()
		s := newReloader(t, version, current, Options{CAPEM: ca.pem(), Clock: c}, func(server *tls.Config) {
			server.Certificates, server.Time = nil, c.Now
			server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &current, nil }
		})
		s.mustReach()
		c.AdvanceTo(soon.Add(time.Hour))
		current = ca.issue(until(soon.Add(24 * time.Hour)))
		if s.mustReach().DidResume {
			t.Error("resumed a session of an expired certificate")
		}
		if !s.mustReach().DidResume {
			t.Error("not resumed")
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	kept := &sessions{}
	key := func(n int) string { return fmt.Sprint(n) }
	for n := range 2 * maxSessions {
		kept.put(session{key: key(n)})
		if x, ok := kept.take(key(0)); ok {
			kept.put(x) // it is used all the time
		}
	}
	if _, ok := kept.take(key(0)); !ok || len(kept.all) != maxSessions-1 {
		t.Errorf("%v, %d", ok, len(kept.all))
	}
	if _, ok := kept.take(key(1)); ok {
		t.Error("the one not used for longest is still there")
	}
	one := &sessionOf{kept: kept, key: "a", verifier: &verifier{anyCertificate: true}}
	state := new(tls.ClientSessionState)
	one.Put("", state)
	if got, ok := one.Get(""); !ok || got != state {
		t.Error("not kept")
	}
	if _, ok := (&sessionOf{kept: kept, key: "b", verifier: one.verifier}).Get(""); ok {
		t.Error("kept for another address")
	}
	one.Put("", nil)
	if _, ok := one.Get(""); ok {
		t.Error("not forgotten")
	}
}
