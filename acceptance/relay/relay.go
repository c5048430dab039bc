// Package relay forwards TCP connections on loopback and delays what they carry, as
// a network with a longer round trip does. Bandwidth is not limited and bytes keep
// their order; each chunk leaves Options.Delay after it arrived.
package relay

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Options configure a Relay. The zero value forwards without delay.
type Options struct {
	// Delay is the time that each chunk is held in each direction. The round trip
	// grows by twice Delay.
	Delay time.Duration
}

// Relay accepts connections on a port of its own and connects each to the target.
// Its methods are safe for concurrent use.
type Relay struct {
	listener net.Listener
	target   string
	options  Options

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
	wait   sync.WaitGroup
}

// Start listens on a free port of 127.0.0.1 and forwards to target, host:port.
func Start(target string, o Options) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Relay{listener: listener, target: target, options: o, conns: map[net.Conn]struct{}{}}
	r.wait.Go(r.accept)
	return r, nil
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
	r.mu.Unlock()
	r.wait.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !r.keep(client, server) {
			return
		}
		r.wait.Go(func() { r.carry(client, server) })
	}
}

// carry forwards both directions until both have ended.
func (r *Relay) carry(client, server net.Conn) {
	var up sync.WaitGroup
	up.Go(func() { r.forward(server, client) })
	r.forward(client, server)
	up.Wait()
	_ = client.Close()
	_ = server.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, client)
	delete(r.conns, server)
}

// keep registers both ends for Close. It returns false after Close.
func (r *Relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.closed {
			_ = c.Close()
			continue
		}
		r.conns[c] = struct{}{}
	}
	return !r.closed
}

// A chunk is what one read returned, and when it is due at the other end.
type chunk struct {
	data []byte
	due  time.Time
}

// inTransit bounds the chunks that are held in one direction.
const inTransit = 4096

// forward copies from one end to the other until either fails, then half-closes the
// destination, so that the end arrives behind the last byte.
func (r *Relay) forward(to, from net.Conn) {
	chunks := make(chan chunk, inTransit)
	r.wait.Go(func() {
		defer close(chunks)
		for {
			buf := make([]byte, 64<<10)
			n, err := from.Read(buf)
			if n > 0 {
				chunks <- chunk{buf[:n], time.Now().Add(r.options.Delay)}
			}
			if err != nil {
				return
			}
		}
	})
	broken := false
	for c := range chunks {
		if broken {
			continue // the reader must not block
		}
		time.Sleep(time.Until(c.due))
		if _, err := to.Write(c.data); err != nil {
			broken = true
			_ = from.Close()
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && !broken {
		_ = half.CloseWrite()
	}
}
