package broker_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What the lessons are played with: a host on a network of pipes, and scenes of
// which the test itself plays the broker. All of it goes through ports that any
// user can implement.

// lessonSite is a host: its addresses, and who answers at each.
type fakeHosts struct {
	peer   map[string]func(net.Conn)       // by address; absent: a sound broker
	refuse map[string]error                // what a dial of the address says
	shake  func(context.Context) error     // a handshake on every connection; nil: none
	wrap   func(net.Conn) net.Conn         // what our side of each connection is; nil: itself
	reach  func(context.Context) error     // what comes before each dial
	find   func(ctx context.Context) error // what comes before each lookup

	mu        sync.Mutex
	addresses []string // in the order of the lookup
	lookups   int
	dials     []lessonDial
	live      int // connections that our side has not closed
}

type lessonDial struct {
	host, address string
	at            time.Time
}

func (s *fakeHosts) config() broker.Config {
	return broker.Config{Host: "broker", Transport: &netlink.Transport{Lookup: s.lookUp, Dial: s.dial}}
}

// at changes the addresses.
func (s *fakeHosts) at(addresses ...string) *fakeHosts {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addresses = addresses
	return s
}

func (s *fakeHosts) lookUp(ctx context.Context, _ string, _ uint16) ([]ports.Endpoint, error) {
	if s.find != nil {
		if err := s.find(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	var eps []ports.Endpoint
	for _, a := range s.addresses {
		eps = append(eps, ports.Endpoint{Network: "pipe", Address: a})
	}
	return eps, nil
}

func (s *fakeHosts) dial(ctx context.Context, _, address string) (net.Conn, error) {
	ep, _ := netlink.EndpointFrom(ctx)
	s.mu.Lock()
	s.dials = append(s.dials, lessonDial{ep.Host, address, time.Now()})
	s.mu.Unlock()
	if s.reach != nil {
		if err := s.reach(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.refuse[address]; err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	peer := s.peer[address]
	if peer == nil {
		peer = (&scripted{answer: heartbeatBody}).serve
	}
	go peer(theirs)
	s.count(1)
	conn := net.Conn(&lessonConn{Conn: ours, closed: func() { s.count(-1) }})
	if s.wrap != nil {
		conn = s.wrap(conn)
	}
	if s.shake != nil {
		conn = lessonShaker{conn, s.shake}
	}
	return conn, nil
}

func (s *fakeHosts) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live += n
}

func (s *fakeHosts) stillOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

func (s *fakeHosts) dialedHosts() []lessonDial {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// order is the addresses in the order in which they were dialled.
func (s *fakeHosts) order() (addresses []string) {
	for _, d := range s.dialedHosts() {
		addresses = append(addresses, d.address)
	}
	return addresses
}

// lessonConn reports its first Close.
type lessonConn struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *lessonConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}

// lessonShaker is a net.Conn with a handshake to do, as that of TLS.
type lessonShaker struct {
	net.Conn
	shake func(context.Context) error
}

func (s lessonShaker) HandshakeContext(ctx context.Context) error { return s.shake(ctx) }

// lessonForever waits for the end of ctx: what hangs.
func lessonForever(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// lessonHeard is the next request on a polledBroker, whose hand-played broker does not
// answer by itself.
func lessonReceive(t *testing.T, s *polledBroker) lessonRequest {
	t.Helper()
	all := lessonRequestsAll(t, s)
	if len(all) != 1 {
		t.Fatalf("%d requests: %+v", len(all), all)
	}
	return all[0]
}

// lessonHeardAll is all that has come since, at least one request.
func lessonRequestsAll(t *testing.T, s *polledBroker) (all []lessonRequest) {
	t.Helper()
	s.Connect()
	if peer := s.network.Accept(); peer != nil {
		s.hand.peer = peer
	}
	chunk := make([]byte, 4096)
	n, err := s.hand.peer.Recv(chunk)
	for rest := chunk[:n]; len(rest) > 0 || all == nil; {
		var r lessonRequest
		var ok bool
		if r, rest, ok = lessonParse(rest); !ok {
			t.Fatalf("no request, or half of one: %d bytes, %v", n, err)
		}
		all = append(all, r)
	}
	return all
}

// lessonSay answers a request on a polledBroker.
func lessonSay(s *polledBroker, r lessonRequest, body []byte) {
	_, _ = s.hand.peer.Send(responseFrame(r.id, body))
	s.Recv()
}

// lessonClose closes a Conn, and waits until nothing is left of it.
func lessonClose(t *testing.T, conn *broker.Conn) {
	t.Helper()
	conn.Close()
	receive(t, conn.Done())
}

// lessonNew is a Conn that connects when it is asked for something.
func lessonNew(t *testing.T, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn := newConn(t, cfg)
	t.Cleanup(func() { lessonClose(t, conn) })
	return conn
}

// lessonError is the Error in err.
func lessonError(t *testing.T, err error) *broker.Error {
	t.Helper()
	var e *broker.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no broker.Error", err)
	}
	return e
}
