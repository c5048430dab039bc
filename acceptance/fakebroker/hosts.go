package fakebroker

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Hosts is the addresses of one host name, on a network of pipes, with a broker at each.
type Hosts struct {
	Peer   map[string]func(net.Conn)       // by address; absent: a Scripted
	Refuse map[string]error                // the error of a dial, by address
	Shake  func(context.Context) error     // is the handshake of each connection, unless nil
	Wrap   func(net.Conn) net.Conn         // wraps the client's end of a connection, unless nil
	Reach  func(context.Context) error     // is called before each dial, unless nil
	Find   func(ctx context.Context) error // is called before each lookup, unless nil

	mu        sync.Mutex
	addresses []string // in the order of the lookup
	Lookups   int
	dials     []Dial
	peers     []net.Conn // the broker's ends
	live      int        // connections that the client has not closed
}

// Dial is one dial of an address.
type Dial struct {
	Host, address string
	At            time.Time
}

// Config returns a Config for the host.
func (s *Hosts) Config() broker.Config {
	return broker.Config{Host: "broker", Transport: &netlink.Transport{Lookup: s.lookUp, Dial: s.dial}}
}

// At sets the addresses that the next lookup finds.
func (s *Hosts) At(addresses ...string) *Hosts {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses = addresses
	return s
}

func (s *Hosts) lookUp(ctx context.Context, _ string, _ uint16) ([]ports.Endpoint, error) {
	if s.Find != nil {
		if err := s.Find(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Lookups++
	var eps []ports.Endpoint
	for _, a := range s.addresses {
		eps = append(eps, ports.Endpoint{Network: "pipe", Address: a})
	}
	return eps, nil
}

func (s *Hosts) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ep, _ := netlink.EndpointFrom(ctx)
	s.mu.Lock()
	s.dials = append(s.dials, Dial{ep.Host, address, time.Now()})
	s.mu.Unlock()
	if s.Reach != nil {
		if err := s.Reach(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.Refuse[address]; err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	s.mu.Lock()
	s.peers = append(s.peers, theirs)
	s.mu.Unlock()
	peer := s.Peer[address]
	if peer == nil {
		peer = (&Scripted{Answer: HeartbeatBody}).Serve
	}
	go peer(theirs)
	s.count(1)
	conn := net.Conn(&countedConn{Conn: ours, closed: func() { s.count(-1) }})
	if s.Wrap != nil {
		conn = s.Wrap(conn)
	}
	if s.Shake != nil {
		conn = handshaker{conn, s.Shake}
	}
	return conn, nil
}

func (s *Hosts) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live += n
}

// Cut closes the broker's ends of all connections.
func (s *Hosts) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		p.Close()
	}
	s.peers = nil
}

// StillOpen returns the number of connections that the client has not closed.
func (s *Hosts) StillOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// DialedHosts returns all dials so far.
func (s *Hosts) DialedHosts() []Dial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// Order returns the addresses in the order of the dials.
func (s *Hosts) Order() (addresses []string) {
	for _, d := range s.DialedHosts() {
		addresses = append(addresses, d.address)
	}
	return addresses
}

// countedConn reports its first Close.
type countedConn struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}

// handshaker is a net.Conn with a handshake, as a TLS connection is.
type handshaker struct {
	net.Conn
	shake func(context.Context) error
}

func (s handshaker) HandshakeContext(ctx context.Context) error { return s.shake(ctx) }

// Close closes a Conn and waits until it is done.
func Close(t *testing.T, conn *broker.Conn) {
	t.Helper()
	conn.Close()
	Receive(t, conn.Done())
}

// New returns a Conn that is not connected yet; it is closed when the test ends.
func New(t *testing.T, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn := NewConn(t, cfg)
	t.Cleanup(func() { Close(t, conn) })
	return conn
}
