// Package relay forwards TCP connections on loopback. It delays what they carry, as
// a network with a longer round trip does: bandwidth is not limited and bytes keep
// their order, and each chunk leaves Options.Delay after it arrived. It is also a proxy
// with faults: see [Fault].
package relay

import (
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a Relay. The zero value forwards without delay.
type Options struct {
	// Delay is the time that each chunk is held in each direction. The round trip
	// grows by twice Delay.
	Delay time.Duration
	// Fault, if not nil, returns what goes wrong on the nth connection, from 0 on.
	Fault func(n int) Fault
	// Began, if not nil, is called with the kind of each fault that begins on a connection.
	Began func(Kind)
}

// Relay accepts connections on a port of its own and connects each to the target.
// Its methods are safe for concurrent use.
type Relay struct {
	listener net.Listener
	target   string
	options  Options

	opening  sync.Mutex   // from the choice of a connection's fault until Strike finds it
	received atomic.Int64 // from clients
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	links    map[*link]struct{}
	count    int // of the connections that were accepted
	closed   bool
	wait     sync.WaitGroup
}

// Start listens on a free port of 127.0.0.1 and forwards to target, host:port.
func Start(target string, o Options) (*Relay, error) {
	listener, err := listen()
	if err != nil {
		return nil, err
	}
	if o.Began == nil {
		o.Began = func(Kind) {}
	}
	r := &Relay{listener: listener, target: target, options: o, conns: map[net.Conn]struct{}{},
		links: map[*link]struct{}{}}
	r.wait.Go(func() { r.accept(listener) })
	return r, nil
}

// The ports of relays: below those that Linux, macOS and Windows give to whom asks for any, so that
// none is taken between Refuse and Reopen.
const firstPort, ports = 20_000, 12_000

// listen opens a port that is free.
func listen() (listener net.Listener, err error) {
	for range 100 {
		port := firstPort + rand.IntN(ports)
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return listener, nil
		}
	}
	return nil, err
}

// Addr returns the address to connect to, host:port.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Close closes the port and all connections, and waits for the relay's goroutines.
func (r *Relay) Close() error {
	r.mu.Lock()
	r.closed = true
	err := r.listener.Close()
	for c := range r.conns {
		_ = c.Close() // the relay's own ends: the goroutines see it
	}
	for l := range r.links {
		l.end()
	}
	r.mu.Unlock()
	r.wait.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r *Relay) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil || !r.open(client) {
			return
		}
	}
}

// open connects a client to the target, unless its fault is that it does not. It returns false after Close.
func (r *Relay) open(client net.Conn) bool {
	r.opening.Lock()
	defer r.opening.Unlock()
	f := r.next()
	switch f.Kind {
	case CloseNow, ResetNow:
		r.options.Began(f.Kind)
		if f.Kind == ResetNow {
			reset(client)
		}
		_ = client.Close()
		return true
	}
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		_ = client.Close()
		return true
	}
	l := newLink(client, server, f, &r.received, r.options.Began)
	if !r.keep(l) {
		return false
	}
	r.wait.Go(func() { r.carry(l) })
	return true
}

// next returns the fault of the next connection.
func (r *Relay) next() (f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.options.Fault != nil {
		f = r.options.Fault(r.count)
	}
	r.count++
	return f
}

// Received returns how many bytes of clients have arrived.
func (r *Relay) Received() int64 { return r.received.Load() }

// Strike puts a fault on every connection that the target has accepted. Its place is counted in bytes from now on;
// with none it begins now. The zero Fault takes back one that has not begun, and ends Stall, Slow and Dribble.
func (r *Relay) Strike(f Fault) {
	r.opening.Lock()
	r.mu.Lock()
	live := slices.Collect(maps.Keys(r.links))
	r.mu.Unlock()
	r.opening.Unlock()
	for _, l := range live {
		l.strike(f)
	}
}

// Refuse closes the port, so that the system refuses connections. Those that exist remain.
func (r *Relay) Refuse() error { return r.listener.Close() }

// Reopen opens the port that Refuse has closed.
func (r *Relay) Reopen() error {
	listener, err := net.Listen("tcp", r.Addr())
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener = listener
	r.wait.Go(func() { r.accept(listener) })
	return nil
}

// keep registers both ends for Close. It returns false after Close.
func (r *Relay) keep(l *link) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.links[l] = struct{}{}
	for _, c := range []net.Conn{l.client, l.server} {
		if r.closed {
			_ = c.Close()
			continue
		}
		r.conns[c] = struct{}{}
	}
	return !r.closed
}
