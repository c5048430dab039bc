package lessons

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about TLS, with the adapter that users have.

// secure puts TLS around a transport.
func secure(t *testing.T, under ports.Transport, o brokertls.Options) ports.Transport {
	t.Helper()
	secured, err := brokertls.New(under.(*netlink.Transport), o)
	fakebroker.Must(t, err)
	return secured
}

// rootsPEM is certificates to trust.
func rootsPEM(certs ...tls.Certificate) string {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Leaf.Raw})...)
	}
	return string(text)
}

// roomy is a pipe that holds something, as sockets do: a server of TLS writes on
// when the client has a word to say.
type roomy struct {
	net.Conn
	mu     sync.Mutex
	closed bool
	queue  chan []byte
}

func newLessonRoomy(conn net.Conn) *roomy {
	r := &roomy{Conn: conn, queue: make(chan []byte, 100)}
	go func() {
		defer conn.Close()
		for p := range r.queue {
			if _, err := conn.Write(p); err != nil {
				return
			}
		}
	}()
	return r
}

func (r *roomy) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, net.ErrClosed
	}
	r.queue <- bytes.Clone(p)
	return len(p), nil
}

func (r *roomy) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	return nil
}

// shakes is a broker with TLS, sound behind it.
func shakes(config *tls.Config) func(net.Conn) {
	return func(under net.Conn) {
		conn := tls.Server(newLessonRoomy(under), config)
		if conn.Handshake() != nil {
			_ = conn.Close()
			return
		}
		(&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Serve(conn)
	}
}

// tlsFails: whatever a handshake of TLS fails of, be it seen in its middle or,
// with TLS 1.3, in the first read behind it: the connection is closed, the error has
// its reason, the pause grows, and the next attempt has a connection of its own.
func tlsFails(t *testing.T) {
	type peer func(itsOwn, other tls.Certificate) func(net.Conn)
	shows := func(change func(config *tls.Config, itsOwn, other tls.Certificate)) peer {
		return func(itsOwn, other tls.Certificate) func(net.Conn) {
			config := &tls.Config{Certificates: []tls.Certificate{itsOwn}}
			change(config, itsOwn, other)
			return shakes(config)
		}
	}
	demands := func(version uint16) peer {
		return shows(func(c *tls.Config, _, _ tls.Certificate) {
			c.ClientAuth, c.MinVersion, c.MaxVersion = tls.RequireAnyClientCert, version, version
		})
	}
	plain := func(f func(net.Conn)) peer {
		return func(tls.Certificate, tls.Certificate) func(net.Conn) { return f }
	}
	for name, c := range map[string]struct {
		peer peer
		want brokertls.Reason
	}{
		"another's certificate": {shows(func(c *tls.Config, _, other tls.Certificate) { c.Certificates[0] = other }),
			brokertls.WrongHost},
		"TLS 1.1": {shows(func(c *tls.Config, _, _ tls.Certificate) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}), brokertls.VersionTooLow},
		"it demands a client certificate, TLS 1.2": {demands(tls.VersionTLS12), brokertls.CertificateRequired},
		"it demands a client certificate, TLS 1.3": {demands(tls.VersionTLS13), brokertls.CertificateRequired},
		"an alert": {plain(answers("\x15\x03\x03\x00\x02\x02\x28")), brokertls.NoCommonCipher},
		"not TLS":  {plain(answers("HTTP/1.1 400 Bad Request\r\n\r\n")), brokertls.NotTLS},
		"nonsense": {plain(answers("\x16\x03\x03\x00\x04\x63\x00\x00\x00")), brokertls.Other},
		"hung up":  {plain(func(conn net.Conn) { _ = conn.Close() }), brokertls.CutOff},
		"hung up in its middle": {plain(func(conn net.Conn) { answers("\x16\x03\x03\x00\x7a\x02")(shortLived{conn}) }),
			brokertls.CutOff},
	} {
		runBubble(t, name, func(t *testing.T) {
			itsOwn, other := newCertificate(t, "broker"), newCertificate(t, "other.test")
			hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": c.peer(itsOwn, other)}}).At("a")
			cfg := hosts.Config()
			cfg.Transport = secure(t, cfg.Transport, brokertls.Options{CAPEM: rootsPEM(itsOwn, other)})
			validate := func(n int, err error) {
				t.Helper()
				reason := new(brokertls.Error)
				require(t, errors.Is(err, broker.ErrTLS) && errors.As(err, &reason) && reason.Reason == c.want,
					"attempt %d: %v, want %v", n, err, c.want)
				e := brokerError(t, err)
				assert(t, e.Attempt == n, "attempt %d: attempt %d", n, e.Attempt)
				assert(t, e.Hint != "" || c.want == brokertls.Other, "attempt %d: no hint", n)
				synctest.Wait()
				assert(t, hosts.StillOpen() == 0, "attempt %d: %d connections are open", n, hosts.StillOpen())
			}
			const attempts = 6
			conn := fakebroker.New(t, cfg)
			for n := 1; n <= attempts; n++ {
				validate(n, awaitAttempt(t, conn, hosts, n))
			}
			fakebroker.Close(t, conn)

			before := len(hosts.DialedHosts())
			polled := newPolled(t, cfg)
			for n := 1; n <= attempts; n++ {
				for polled.Connect() != broker.Disconnected {
					synctest.Wait()
				}
				validate(n, polled.Stats().LastError)
				pause, _ := polled.ConnectionDelay()
				time.Sleep(pause)
			}
			for _, dials := range [][]fakebroker.Dial{hosts.DialedHosts()[:before], hosts.DialedHosts()[before:]} {
				pauses, limit := pausesOf(dials)
				assert(t, len(dials) == attempts && limit == 1,
					"%d dials, %d at once, want %d one by one", len(dials), limit, attempts)
				checkPauses(t, pauses)
			}
		})
	}
}

// shortLived is closed by the one write that it takes.
type shortLived struct{ net.Conn }

func (s shortLived) Write(p []byte) (int, error) {
	n, _ := s.Conn.Write(p)
	return n, s.Close()
}

// serverNameOfEachConnection: brokers behind one address, and one transport for
// all of them, used by many at once. Each handshake names the host of its own
// connection and verifies it, also where it resumes a session.
func serverNameOfEachConnection(t *testing.T) {
	hosts := []string{"one.test", "two.test", "three.test"}
	certs := make(map[string]tls.Certificate)
	var all []tls.Certificate
	for _, host := range hosts {
		certs[host] = newCertificate(t, host)
		all = append(all, certs[host])
	}
	var mu sync.Mutex
	named := make(map[string]int)
	server := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		named[hello.ServerName]++
		cert, ok := certs[hello.ServerName]
		if !ok {
			return nil, fmt.Errorf("no host %q", hello.ServerName)
		}
		return &cert, nil
	}}
	at := func(config *tls.Config) ports.Transport {
		address := fakebroker.Listen(t, shakes(config))
		under := &netlink.Transport{
			Lookup: func(context.Context, string, uint16) ([]ports.Endpoint, error) {
				return []ports.Endpoint{{Network: "tcp", Address: address}}, nil
			},
			Dial: new(net.Dialer).DialContext,
		}
		return secure(t, under, brokertls.Options{CAPEM: rootsPEM(all...)})
	}
	many := func(transport ports.Transport, each int, validate func(host string, err error)) {
		var wg sync.WaitGroup
		for range each {
			for _, host := range hosts {
				wg.Go(func() {
					conn, err := broker.Dial(t.Context(), broker.Config{Host: host + ".", Transport: transport,
						NoReconnect: true})
					if err == nil {
						err = heartbeat(t.Context(), conn)
						fakebroker.Close(t, conn)
					}
					validate(host, err)
				})
			}
		}
		wg.Wait()
	}
	const each = 10
	transport := at(server)
	for range 2 {
		many(transport, each, func(host string, err error) {
			assert(t, err == nil, "%s: %v", host, err)
		})
	}
	for _, host := range hosts {
		assert(t, named[host] != 0, "%s was not named: %v", host, named)
	}
	assert(t, len(named) == len(hosts), "named: %v", named)

	// One that shows the first one's certificate to everybody is the first one only.
	many(at(&tls.Config{Certificates: all[:1]}), each, func(host string, err error) {
		reason := new(brokertls.Error)
		switch {
		case host == hosts[0] && err != nil:
			t.Errorf("%s: %v", host, err)
		case host != hosts[0] && (!errors.Is(err, broker.ErrTLS) || !errors.As(err, &reason) ||
			reason.Reason != brokertls.WrongHost || reason.Name != host):
			t.Errorf("%s with the certificate of %s: %v", host, hosts[0], err)
		}
	})
}
