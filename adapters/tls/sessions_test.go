package tls

import (
	"crypto/rand"
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
	of := func(key string) *sessionOf {
		return &sessionOf{kept: kept, key: key, verifier: &verifier{anyCertificate: true}}
	}
	key := func(n int) string { return fmt.Sprint(n) }
	for n := range 2 * maxPeers {
		for range 2 * maxTickets {
			of(key(n)).Put("", new(tls.ClientSessionState))
		}
		of(key(0)).Get("") // it is used all the time
	}
	if _, ok := of(key(0)).Get(""); !ok || len(kept.all) != maxPeers || len(kept.all[0].sessions) != maxTickets {
		t.Errorf("got %v, %d addresses, %d sessions, want one, %d and %d", ok, len(kept.all),
			len(kept.all[0].sessions), maxPeers, maxTickets)
	}
	if _, ok := of(key(1)).Get(""); ok {
		t.Error("got a session of the address that was not used for longest, want none")
	}
	one, state := of("a"), new(tls.ClientSessionState)
	one.Put("", state)
	one.Put("", new(tls.ClientSessionState))
	if got, ok := one.Get(""); !ok || got != state {
		t.Error("got another session, want the oldest")
	}
	if _, ok := of("b").Get(""); ok {
		t.Error("got a session of another address, want none")
	}
	one.Put("", nil)
	if got, ok := one.Get(""); !ok || got == state {
		t.Error("got the session that was forgotten, want the next")
	}
}

// threads is the configuration of a server whose threads get the connections in turn, each
// with ticket keys of its own, as the network threads of a Kafka broker.
func threads(n int, cert tls.Certificate, version uint16) (server *tls.Config, restart func()) {
	var all []*tls.Config
	turn := 0
	restart = func() {
		all = nil
		for range n {
			c := &tls.Config{MinVersion: version, MaxVersion: version, Time: clock().Now,
				Certificates: []tls.Certificate{cert}}
			var key [32]byte
			_, _ = rand.Read(key[:])
			c.SetSessionTicketKeys([][32]byte{key})
			all = append(all, c)
		}
	}
	restart()
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		turn++
		return all[turn%n], nil
	}}, restart
}

// A broker with up to 16 network threads resumes a session on every connection but the first
// one of each thread, and again so after it was restarted. With the last ticket it never did
// (measured on Apache Kafka 4.4, Java 17 and 25).
func TestEachThreadHasItsTickets(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issue()
	for _, version := range versions {
		for _, n := range []int{1, 2, 3, 8, 16} {
			config, restart := threads(n, cert, version)
			address := listen(t, tlsServer(config))
			dial := mustDial(t, plainDial, ca.options())
			want := func(full, resumed int) {
				t.Helper()
				for i := range full + resumed {
					state, err := reach(t, dial, address)
					mustDo(t, err)
					if i >= full && !state.DidResume {
						t.Errorf("%s, %d threads: connection %d is not resumed, want from %d on",
							tls.VersionName(version), n, i+1, full+1)
						return
					}
				}
			}
			want(n, 3*n)
			restart()
			want(2*n, 3*n)
		}
	}
}
