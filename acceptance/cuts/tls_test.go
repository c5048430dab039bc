package cuts

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/driver"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/application/sim/servers"
	"brokerconn/ports"
)

// The bytes of TLS are those of crypto/tls at both ends, with a Conn, in a bubble of testing/synctest: a handshake, a
// login by PLAIN and a request. In front of the model broker a server ends TLS.

const (
	tlsAddress  = "10.0.0.1:9093"
	tlsPassword = "canary-of-the-cuts-2718"
)

// pki is a certificate of the server, which signs itself.
type pki struct {
	server tls.Certificate
	ca     string
}

func newPKI(t *testing.T) pki {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"broker"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return pki{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// session is one run.
type session struct {
	world   *simulation.World
	net     *simulation.Network
	behind  *simulation.Network // between the end of TLS and the broker
	front   *tls.Config
	first   *simulation.Break // of the first connection
	piece   int
	waits   bool // the request comes once the connection is ready, which is noted in ready
	servers sync.WaitGroup

	mu     sync.Mutex
	links  []*counted
	states []string
	losses []error
	ups    int // connections that became ready
	ready  position
	size   position // of the first connection, but for the end of TLS
	err    error    // of the request
}

// counted counts the bytes of the client.
type counted struct {
	net.Conn
	mu sync.Mutex
	position
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.in += n
	c.mu.Unlock()
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.out += n
	c.mu.Unlock()
	return n, err
}

func (s *session) run(t *testing.T, keys pki) {
	synctest.Test(t, func(t *testing.T) {
		s.world = simulation.NewWorld(1)
		events := driver.Follow(s.world)
		s.net, s.behind = simulation.NewNetwork(s.world), simulation.NewNetwork(s.world)
		s.front = &tls.Config{Certificates: []tls.Certificate{keys.server}}
		b := &model.Broker{World: s.world, APIs: model.Table(servers.Echo(true)), Login: &model.Login{
			Mechanisms: []model.Mechanism{model.Plain(map[string]string{"alice": tlsPassword})}}}
		s.behind.SetSite(tlsAddress, simulation.Site{Accept: b.Accept})
		path := simulation.Path{Latency: time.Millisecond}
		if s.piece > 0 {
			path.Piece = func(int) int { return s.piece }
		}
		s.net.SetSite(tlsAddress, simulation.Site{Path: path, Accept: s.accept})
		s.net.SetName("broker", simulation.Name{Addresses: []string{tlsAddress}})
		events.Start()
		s.ask(t, keys)
		events.Stop()
		s.net.Shutdown()
		s.behind.Shutdown()
		s.servers.Wait()
	})
}

// ask makes a connection and a request, and another one if that failed.
func (s *session) ask(t *testing.T, keys pki) {
	auth, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret(tlsPassword)})
	if err != nil {
		t.Fatal(err)
	}
	under := &netlink.Transport{Lookup: s.net.LookupEndpoints, Dial: s.dial}
	transport, err := brokertls.New(under, brokertls.Options{CAPEM: keys.ca, NoResumption: true})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := broker.NewConn(broker.Config{Host: "broker", Transport: transport,
		Authenticators: []ports.Authenticator{auth}, SetupTimeout: setupLimit, IdleTimeout: -1,
		Hooks: &broker.Hooks{StateChanged: s.changed}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := broker.WithRequestTimeout(context.Background(), time.Minute)
	request := func() error {
		_, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: servers.KeyEcho, Body: make([]byte, 18)})
		return err
	}
	if s.waits {
		if err := conn.Connect(ctx); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		s.ready = s.links[0].position
	}
	if s.err = request(); s.err != nil {
		if err := request(); err != nil {
			t.Errorf("got %v behind the break, want an answer", err)
		}
	}
	synctest.Wait()
	s.size = s.links[0].position
	_ = conn.Close()
	<-conn.Done()
	synctest.Wait()
}

func (s *session) changed(from, to broker.State, _ broker.Endpoint, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, fmt.Sprintf("%v, %v", from, to))
	switch {
	case to == broker.Connected:
		s.ups++
	case to == broker.Disconnected:
		s.losses = append(s.losses, err)
	}
}

func (s *session) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &counted{Conn: conn}
	s.mu.Lock()
	s.links = append(s.links, c)
	s.mu.Unlock()
	return c, nil
}

// accept is a link at the server of TLS.
func (s *session) accept(p *simulation.Peer) {
	under := p.Conn()
	if s.first != nil {
		p.Break(s.first)
		s.first = nil
	}
	s.servers.Go(func() {
		front := tls.Server(under, s.front)
		defer front.Close()
		if front.Handshake() != nil {
			return
		}
		back, err := s.behind.DialContext(context.Background(), "tcp", tlsAddress)
		if err != nil {
			return
		}
		driver.Forward(front, back)
	})
}

// tlsBreaks are the kinds of breaks. What is late has no Then.
var tlsBreaks = []simulation.Break{
	{}, {Late: 2 * time.Minute}, {Then: (*simulation.Peer).Reset}, {Then: func(p *simulation.Peer) { _ = p.Close() }},
}

// TestTLSCuts ends, delays and splits a conversation behind TLS at each byte of TLS, each by one kind of break in turn.
func TestTLSCuts(t *testing.T) {
	keys := newPKI(t)
	clean := session{waits: true}
	clean.run(t, keys)
	if clean.err != nil || clean.ups != 1 {
		t.Fatalf("got %v, %v without a break", clean.states, clean.err)
	}
	size := clean.size
	single := session{piece: 1}
	single.run(t, keys)
	clean.sameAs(t, "single bytes", &single)
	runs := 1
	for _, in := range []bool{true, false} {
		for at := 0; at < size.of(in); at += stride {
			for i, b := range tlsBreaks {
				if !*all && i != at/stride%len(tlsBreaks) {
					continue
				}
				b.In, b.At = in, at
				s := session{first: &b}
				s.run(t, keys)
				s.wants(t, b, &clean)
				runs++
			}
		}
	}
	t.Logf("%d bytes of TLS, %d runs", size.in+size.out, runs)
}

// sameAs compares sessions that differ in how bytes arrive.
func (s *session) sameAs(t *testing.T, what string, got *session) {
	if got.err != nil || !slices.Equal(got.states, s.states) || len(got.links) != len(s.links) {
		t.Errorf("%s: got %v, %v, want %v", what, got.states, got.err, s.states)
	}
}

// wants compares a session whose first connection had a break with what is wanted.
func (s *session) wants(t *testing.T, b simulation.Break, clean *session) {
	where, ready := fmt.Sprintf("byte %d, in %v, late %v, ends %v", b.At, b.In, b.Late, b.Then != nil), clean.ready
	if b.Then == nil && b.Late == 0 {
		clean.sameAs(t, where, s)
		return
	}
	if len(s.losses) != 1 || len(s.links) != 2 {
		t.Errorf("%s: got the losses %v and %d connections, want 1 and 2", where, s.losses, len(s.links))
		return
	}
	e, _ := errors.AsType[*broker.Error](s.losses[0])
	within := b.At < ready.of(b.In) // the setup
	kind := broker.ErrConnection
	switch {
	case b.Late > 0 && within:
		kind = broker.ErrSetupTimeout
	case b.Late > 0:
		kind = broker.ErrRequestTimeout
	case e != nil && e.Phase == broker.Handshake:
		kind = broker.ErrTLS
	}
	switch {
	case e == nil || !errors.Is(e, kind) || !broker.Retriable(e):
		t.Errorf("%s: got %v, want %v, which is retriable", where, s.losses[0], kind)
	case within && (e.Phase == broker.Connected || s.ups != 1):
		t.Errorf("%s: got a connection that is ready, want none before byte %d", where, ready.of(b.In))
	case within && s.err != nil:
		t.Errorf("%s: got %v for the request, which waits for the next connection", where, s.err)
	case s.err != nil && !errors.Is(s.err, kind):
		t.Errorf("%s: got %v for the request, want %v", where, s.err, kind)
	}
}
