package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

var versions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// listen accepts on loopback, and hands one connection after the other to serve.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// greeting is what the tests' server says once it has accepted the client.
const greeting = "k"

// tlsServer shakes hands, greets, and reads to the end.
func tlsServer(config *tls.Config) func(net.Conn) {
	return func(under net.Conn) {
		conn := tls.Server(under, config)
		if conn.Handshake() == nil {
			_, _ = io.WriteString(conn, greeting)
			_, _ = io.Copy(io.Discard, conn)
		}
		_ = conn.Close()
	}
}

// reach dials, shakes hands and reads the greeting.
func reach(t *testing.T, dial netlink.DialFunc, address string) (state tls.ConnectionState, err error) {
	t.Helper()
	conn := dialed(t, dial, address)
	defer conn.Close()
	if err := conn.HandshakeContext(t.Context()); err != nil {
		return state, err
	}
	got := make([]byte, len(greeting))
	if _, err := io.ReadFull(conn, got); err != nil {
		return state, err
	}
	return conn.ConnectionState(), nil
}

// dialed is a connection before its handshake.
func dialed(t *testing.T, dial netlink.DialFunc, address string) *Conn {
	t.Helper()
	conn, err := dial(t.Context(), "tcp", address)
	mustDo(t, err)
	return conn.(*Conn)
}

func plainDial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func mustDial(t *testing.T, next netlink.DialFunc, o Options) netlink.DialFunc {
	t.Helper()
	dial, err := Dial(next, o)
	mustDo(t, err)
	return dial
}

// wantReason checks all that an Error promises.
func wantReason(t *testing.T, err error, want Reason, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want %v", err, err, want)
	}
	if e.Reason != want {
		t.Fatalf("got %v (%v), want %v", e.Reason, err, want)
	}
	if !errors.Is(err, ports.ErrSecuring) {
		t.Error("it is no ports.ErrSecuring")
	}
	all := err.Error() + "\n" + e.Hint()
	for _, word := range words {
		if !strings.Contains(all, word) {
			t.Errorf("%q is not in %s", word, all)
		}
	}
	if e.Hint() == "" && want != Other || strings.Contains(all, "\r") {
		t.Errorf("%q %q", err, e.Hint())
	}
}

// harness is a broker and a client that do not get on.
type harness struct {
	t       *testing.T
	ca      *testCA
	server  *tls.Config
	options Options
	only    uint16 // a version; 0: both
	say     string // what the peer answers to a hello, without any TLS
	hangUp  func(net.Conn)
}

func (s *harness) with(cert tls.Certificate) { s.server.Certificates = []tls.Certificate{cert} }

func (s *harness) crl(list string) { s.options.CRLFile = write(s.t, "crl", list) }

// The ways in which they do not.

func serving(changes ...change) func(*harness) {
	return func(s *harness) { s.with(s.ca.issue(changes...)) }
}
func says(text string) func(*harness) { return func(s *harness) { s.say = text } }

func (s *harness) ofStranger() { s.with(newCA("a stranger").issue()) }
func (s *harness) revoked()    { s.crl(s.ca.crl(soon, s.server.Certificates[0])) }
func (s *harness) isRequired() { s.server.ClientAuth = tls.RequireAnyClientCert }

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		name  string
		set   func(s *harness)
		want  Reason
		words []string
	}{
		{"expired", serving(expired), Expired,
			[]string{`"CN=a broker" was valid until 2030-06-01T11:59:59Z`, "it is 2030-06-01T12:00:00Z"}},
		{"not yet valid", serving(notYetValid), NotYetValid, []string{"valid from 2030-06-01T12:00:01Z on", "slow"}},
		{"its authority expired", func(s *harness) {
			ca := newCA("an old one", expired)
			s.with(ca.issue())
			s.options.CAPEM = ca.pem()
		}, AuthorityOutOfDate, []string{`"CN=an old one" was valid until`, "into Options.CAFile"}},
		{"its authority is of tomorrow", func(s *harness) {
			ca := newCA("a new one", notYetValid)
			s.with(ca.issue())
			s.options.CAPEM = ca.pem()
		}, AuthorityOutOfDate, []string{`"CN=a new one" is valid from`, "clock"}},
		{"its authority expired there and here", func(s *harness) {
			ca := newCA("an old one", expired)
			s.with(ca.chained())
			s.options.CAPEM = ca.pem()
		}, AuthorityOutOfDate, []string{`"CN=an old one"`}},
		{"the authority between expired", func(s *harness) { s.with(s.ca.sub("between", expired).chained()) }, Expired,
			[]string{"CN=between"}},
		{"another host", serving(forHosts("other.test")), WrongHost,
			[]string{`it is for "other.test", not for "broker.test"`}},
		{"a name but no alternative name",
			serving(forHosts(), func(c *x509.Certificate) { c.Subject.CommonName = "broker.test" }), WrongHost,
			[]string{`only the common name "broker.test"`, "alternative name DNS:broker.test"}},
		{"no name at all", serving(forHosts()), WrongHost, []string{"no alternative name of a host"}},
		{"an address as a DNS name", func(s *harness) {
			s.with(s.ca.issue(forHosts("127.0.0.1", "other.test")))
			s.options.ServerName = "127.0.0.1"
		}, WrongHost, []string{`it is for the DNS name "127.0.0.1", "other.test", not for the address 127.0.0.1`,
			"alternative name IP:127.0.0.1"}},
		{"an address of IPv6 as a DNS name", func(s *harness) {
			s.with(s.ca.issue(forHosts("[0:0::1]")))
			s.options.ServerName = "::1"
		}, WrongHost, []string{`the DNS name "[0:0::1]", not for the address ::1`, "alternative name IP:::1"}},
		{"an address, but another", func(s *harness) { s.options.ServerName = "127.0.0.2" }, WrongHost,
			[]string{`it is for "broker.test", 127.0.0.1, not for the address 127.0.0.2`}},
		{"unknown authority", (*harness).ofStranger, UnknownAuthority,
			[]string{`issued by "CN=a stranger"; Options.CAFile (ssl_cafile) has "CN=the authority"`,
				`add the certificate of "CN=a stranger"`}},
		{"authority of the same name", func(s *harness) { s.with(newCA("the authority").issue()) }, UnknownAuthority,
			[]string{"of that name with another key", `put the current certificate of "CN=the authority"`}},
		{"unknown authority above the one that is sent", func(s *harness) {
			s.with(newCA("a stranger").sub("between").chained())
		}, UnknownAuthority, []string{`issued by "CN=between", and above it "CN=a stranger"`,
			`add the certificate of "CN=a stranger"`}},
		{"many authorities", func(s *harness) {
			for _, name := range []string{"b", "c", "d", "e"} {
				s.options.CAPEM += newCA(name).pem()
			}
			s.ofStranger()
		}, UnknownAuthority, []string{`has "CN=the authority", "CN=b", "CN=c", 2 more`}},
		{"the certificate between is missing", func(s *harness) { s.with(s.ca.sub("between").issue()) },
			UnknownAuthority, []string{"CN=between"}},
		{"system authorities", func(s *harness) { s.options.CAPEM = "" }, UnknownAuthority,
			[]string{"the system's authorities are trusted", "CAFile"}},
		{"any host, but not any chain", func(s *harness) { s.options.AnyHost = true; s.ofStranger() },
			UnknownAuthority, nil},
		{"self-signed", func(s *harness) { s.with(alone()) }, SelfSigned, []string{"CN=itself"}},
		{"not for a server", serving(forClientsOnly), BadCertificate, []string{"usage"}},
		{"revoked", (*harness).revoked, Revoked, nil},
		{"revoked, and any host", func(s *harness) { s.options.AnyHost = true; s.revoked() }, Revoked, nil},
		{"revoked on an expired list",
			func(s *harness) { s.crl(s.ca.crl(now.Add(-time.Second), s.server.Certificates[0])) }, Revoked, nil},
		{"no list of the issuer", func(s *harness) { s.crl(newCA("a stranger").crl(soon)) }, CRLMissing,
			[]string{"CN=the authority"}},
		{"a list of the root's only", func(s *harness) {
			s.with(s.ca.sub("between").chained())
			s.crl(s.ca.crl(soon))
		}, CRLMissing, []string{"CN=between"}},
		{"an expired list", func(s *harness) { s.crl(s.ca.crl(now.Add(-time.Second))) }, CRLExpired, nil},
		{"a list that is not valid yet", func(s *harness) {
			s.crl(s.ca.list(&x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(time.Second),
				NextUpdate: soon}))
		}, CRLInvalid, []string{"not yet valid"}},
		{"a list that somebody else signed", func(s *harness) { s.crl(newCA("the authority").crl(soon)) }, CRLInvalid,
			[]string{"signature"}},
		{"trusted by itself, its issuer unknown", func(s *harness) {
			s.options.CAPEM = chainPEM(s.server.Certificates[0])
			s.crl(s.ca.crl(soon))
		}, CRLMissing, nil},
		{"trusted by itself, and revoked", func(s *harness) {
			s.options.CAPEM = chainPEM(s.server.Certificates[0]) + s.ca.pem()
			s.revoked()
		}, Revoked, nil},
		{"TLS 1.1 at most", func(s *harness) {
			s.server.MinVersion, s.server.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}, VersionTooLow, []string{"protocol version", "TLS 1.2 to TLS 1.3 are allowed"}},
		{"TLS 1.1 chosen all the same", says(serverHello(tls.VersionTLS11, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)),
			VersionTooLow, []string{"302", "it chose TLS 1.1", "older than TLS 1.2, which are not supported here"}},
		{"TLS 1.2 at most there, 1.3 at least here", func(s *harness) {
			s.server.MinVersion, s.server.MaxVersion = 0, tls.VersionTLS12
			s.options.MinVersion = tls.VersionTLS13
		}, VersionTooLow, []string{"only TLS 1.3 is allowed", "allow TLS 1.2 by Options.MinVersion"}},
		{"TLS 1.2 chosen, 1.3 at least here", func(s *harness) {
			s.say = serverHello(tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
			s.options.MinVersion = tls.VersionTLS13
		}, VersionTooLow, []string{"it chose TLS 1.2", "allow TLS 1.2 by Options.MinVersion"}},
		{"TLS 1.3 at least there, 1.2 at most here", func(s *harness) {
			s.server.MinVersion, s.server.MaxVersion = tls.VersionTLS13, 0
			s.options.MaxVersion = tls.VersionTLS12
		}, VersionTooLow, []string{"only TLS 1.2 is allowed", "allow it by Options.MaxVersion"}},
		{"no common cipher", func(s *harness) {
			s.only = tls.VersionTLS12
			s.options.CipherSuites = []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"} // the server's key is ECDSA
		}, NoCommonCipher, []string{"handshake failure"}},
		{"no common cipher, in OpenSSL's language",
			func(s *harness) { s.only, s.options.Ciphers = tls.VersionTLS12, "ALL:!ECDSA" }, NoCommonCipher,
			[]string{"handshake failure"}},
		{"a cipher that was not offered", says(serverHello(tls.VersionTLS12, tls.TLS_RSA_WITH_RC4_128_SHA)),
			NoCommonCipher, []string{"unconfigured cipher suite"}},
		{"client certificate demanded", (*harness).isRequired, CertificateRequired, []string{"client certificate"}},
		{"client certificate demanded, in Java's words", func(s *harness) {
			s.server.ClientAuth = tls.RequestClientCert
			s.server.VerifyConnection = func(tls.ConnectionState) error { return errors.New("empty chain") }
		}, CertificateRequired, []string{"bad certificate"}},
		{"client certificate of a stranger", func(s *harness) {
			s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.pool()
			s.options = s.options.showing(newCA("a stranger").issue())
		}, CertificateRefused, []string{"truststore"}},
		{"a web server", says("HTTP/1.1 400 Bad Request\r\n\r\n"), NotTLS,
			[]string{"HTTP/1.1 400 Bad Request", "web server"}},
		{"a page", says("<html>"), NotTLS, []string{"web server"}},
		{"an SSH server", says("SSH-2.0-OpenSSH_9.6\r\n"), NotTLS, []string{"SSH-2.0-OpenSSH_9.6"}},
		{"Kafka in clear", says("\x00\x00\x00\x06\x00\x00\x00\x01\x00\x23"), NotTLS, []string{"Kafka", "PLAINTEXT"}},
		{"text", says("220 mail.test ESMTP\r\n"), NotTLS, []string{"220 mail.test ESMTP"}},
		{"less than a record", says("no"), NotTLS, []string{`"no"`}},
		{"bytes", says("\xff\x01\x02\x03\x04\x05"), NotTLS, []string{"ff 01 02"}},
		{"hung up", func(s *harness) { s.hangUp = func(net.Conn) {} }, CutOff,
			[]string{"nothing received", "the server name"}},
		{"reset", func(s *harness) { s.hangUp = func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) } }, CutOff,
			[]string{"nothing received", "the server name"}},
		{"hung up in a hello", says("\x16\x03\x03\x00\x7a\x02"), CutOff, []string{"6 bytes received"}},
		{"nonsense in a record", says("\x16\x03\x03\x00\x04\x63\x00\x00\x00"), Other, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, version := range versions {
				s := &harness{t: t, ca: newCA("the authority")}
				s.server, s.options = s.ca.server(version), s.ca.options()
				c.set(s)
				if s.only != 0 && s.only != version {
					continue
				}
				serve := tlsServer(s.server)
				if s.say != "" || s.hangUp != nil {
					serve = func(conn net.Conn) {
						_, _ = conn.Read(make([]byte, 4096))
						_, _ = io.WriteString(conn, s.say)
						if s.hangUp != nil {
							s.hangUp(conn)
						}
					}
				}
				address := listen(t, serve)
				_, err := reach(t, mustDial(t, plainDial, s.options), address)
				wantReason(t, err, c.want, c.words...)
				for _, ask := range askers { // what users see of it
					_, err := ask(t, configFor(t, address, s.options))
					wantReason(t, err, c.want, c.words...)
					e := new(broker.Error)
					if !errors.As(err, &e) || !errors.Is(err, broker.ErrTLS) || c.want != Other && e.Hint == "" {
						t.Errorf("%+v", err)
					}
				}
			}
		})
	}
}

func clock() *fake.Clock { return fake.New(now) }

// serverHello is one as a server of TLS 1.2 or older writes it.
func serverHello(version, suite uint16) string {
	body := string([]byte{byte(version >> 8), byte(version)}) + strings.Repeat("r", 32) + "\x00" +
		string([]byte{byte(suite >> 8), byte(suite)}) + "\x00"
	hello := "\x02\x00\x00" + string([]byte{byte(len(body))}) + body
	return "\x16\x03\x03\x00" + string([]byte{byte(len(hello))}) + hello
}

// Every alert that a peer may answer a hello with.
func TestAlerts(t *testing.T) {
	named := map[uint8]Reason{
		40: NoCommonCipher, 42: CertificateRefused, 43: CertificateRefused, 44: CertificateRefused,
		45: CertificateRefused, 46: CertificateRefused, 48: CertificateRefused, 49: CertificateRefused,
		70: VersionTooLow, 71: NoCommonCipher, 86: VersionTooLow, 112: WrongHost, 116: CertificateRequired,
		0: CutOff, 90: Other, // not alerts of failure
	}
	for number := range 256 {
		want := named[uint8(number)]
		under, peer := net.Pipe()
		go func() {
			_, _ = peer.Read(make([]byte, 4096))
			_, _ = peer.Write([]byte{0x15, 3, 3, 0, 2, 2, byte(number)})
			_ = peer.Close()
		}()
		conn := connOver(t, under, Options{})
		err := conn.HandshakeContext(t.Context())
		e := new(Error)
		if !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%d: %v, want %v", number, err, want)
		}
		_ = conn.Close()
	}
}

// A handshake is cut at every byte of the server's part, and given up at every
// byte.
func TestCutAtEveryByte(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issueFor(newFixedKey())
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			server := &tls.Config{
				Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version,
				CurvePreferences: []tls.CurveID{tls.X25519}, // its share is the shortest
			}
			options := ca.options()
			options.NoResumption = true
			whole, err := handshakeThrough(t, server, options, 1<<20, true)
			if err != nil || whole < 300 {
				t.Fatalf("%d bytes, %v", whole, err)
			}
			for cut := range whole {
				for _, hangUp := range []bool{true, false} {
					want := CutOff
					if !hangUp {
						want = Stalled
					}
					_, err := handshakeThrough(t, server, options, cut, hangUp)
					progress := fmt.Sprintf("%d bytes", cut)
					if cut == 0 {
						progress = "nothing"
					}
					wantReason(t, err, want, progress)
					if !hangUp && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v is not the context's", err)
					}
				}
			}
			if n, err := handshakeThrough(t, server, options, whole, false); err != nil || n != whole {
				t.Errorf("with all %d bytes: %d, %v", whole, n, err)
			}
		})
	}
}

// over dials an open connection.
func over(under net.Conn) netlink.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) { return under, nil }
}

// connOver is a Conn over an open connection.
func connOver(t *testing.T, under net.Conn, o Options) *Conn {
	t.Helper()
	return dialed(t, mustDial(t, over(under), o), "broker.test:9093")
}

// handshakeThrough lets so many bytes of the server's through, and then hangs up, or
// says nothing more. It returns how many the client had when it was done.
func handshakeThrough(t *testing.T, server *tls.Config, o Options, allowed int, hangUp bool) (count int, err error) {
	synctest.Test(t, func(t *testing.T) {
		client, toClient := net.Pipe()
		server1, toServer := net.Pipe()
		go func() {
			_ = tls.Server(server1, server).Handshake()
			_, _ = io.Copy(io.Discard, server1)
		}()
		go func() { _, _ = io.Copy(toServer, toClient) }()
		go func() {
			_, _ = io.CopyN(toClient, toServer, int64(allowed))
			if hangUp {
				_ = toClient.Close()
			}
			_, _ = io.Copy(io.Discard, toServer)
		}()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		conn := connOver(t, client, o)
		err = conn.HandshakeContext(ctx)
		count = int(conn.wire.count.Load())
		for _, end := range []net.Conn{client, toClient, server1, toServer} {
			_ = end.Close()
		}
	})
	return count, err
}

// Each Reason is in the tests above, has its own name and a sentence.
func TestReasonsAreNamed(t *testing.T) {
	var names []string
	for r := range kinds {
		names = append(names, Reason(r).String())
		if Reason(r).Sentence() == "" || r != int(Other) && kinds[r].Hint == "" {
			t.Errorf("%v has no words", Reason(r))
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != int(Stalled)+1 || Reason(200).String() != "unknown reason 200" ||
		Reason(200).Sentence() != "unknown reason 200" {
		t.Errorf("%q", names)
	}
}

// Whatever a peer says, the handshake fails with an Error, and the words can be
// shown.
func FuzzPeer(f *testing.F) {
	for _, say := range []string{"", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x03\x00\x02\x02\x28", "\x00\x00",
		"\x16\x03", "\x16\x02\x00\x00\x00", serverHello(tls.VersionTLS12, 0xc02f)} {
		f.Add([]byte(say))
	}
	f.Fuzz(func(t *testing.T, say []byte) {
		under, peer := net.Pipe()
		go func() {
			_, _ = peer.Read(make([]byte, 4096))
			go func() { _, _ = io.Copy(io.Discard, peer) }() // an alert: a pipe holds nothing
			_, _ = peer.Write(say)
			_ = peer.Close()
		}()
		conn := connOver(t, under, Options{})
		err := conn.HandshakeContext(t.Context())
		if e := new(Error); !errors.As(err, &e) || e.Reason == Stalled || e.Certificates != nil {
			t.Errorf("%v", err)
		} else if text := err.Error() + e.Hint(); strings.ContainsFunc(text,
			func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("%q", text)
		}
		_ = conn.Close()
	})
}
