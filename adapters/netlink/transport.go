// Package netlink implements ports.Transport over functions that dial: anything that
// returns a net.Conn can carry a connection to a broker.
//
//	broker.Config{Transport: &netlink.Transport{Dial: myDial}}
//
// A net.Conn blocks and a ports.Link does not. There are two ways to use a link; the
// owner's first call selects one:
//
//	parked  Read, Write    call the net.Conn on the caller's goroutine.
//	                       Interrupt sets a deadline in the past.
//	polled  Send, Recv     one goroutine in each direction, started at first use,
//	                       buffers up to 64 KiB.
//
// The files, in the order of a link's life:
//
//	transport  Transport: Dial, Lookup, Secure, Verified
//	lookup     one lookup of a name
//	link       stages, Close
//	race       the dials of a link: one, or several in a race
//	waiting    what a link that is not established waits for
//	parker     Read, Write, Interrupt, Resume
//	polled     Send, Recv, Watch
//	pump       the two goroutines of polled use, also used for a net.Conn whose
//	           calls a deadline cannot interrupt
//	ring       the buffer between a goroutine and the owner
package netlink

import (
	"context"
	"net"
	"strconv"
	"time"

	"brokerconn/ports"
)

// DialFunc connects to an address, as net.Dialer.DialContext does. ctx holds the
// endpoint that is being opened, see [EndpointFrom]. ctx ends when the link is closed,
// not when DialFunc returns. A function that ignores ctx keeps its goroutine until it
// returns; the connection that it returns then is closed.
//
// If the net.Conn has a method HandshakeContext(context.Context) error, as crypto/tls's
// has, DialFunc should return it before the handshake: the link reports StageSecuring
// and runs the handshake itself. Its writes then go through a goroutine of the link, unless
// it is a [Continuer].
//
// A panic is reported as the error of the link's stage.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// LookupFunc returns the addresses of a host, in the order in which they should be
// tried. An empty Endpoint.Host means the host that was looked up. ctx ends when the
// lookup is closed. Returning no address and no error is an error.
type LookupFunc func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error)

// Transport is a ports.Transport over functions. Its fields must not change after its
// first use. It is safe for concurrent use; its functions are called concurrently.
type Transport struct {
	// Dial connects to an endpoint. It must be set.
	Dial DialFunc
	// Lookup returns the addresses of a host. If nil, there is one, host:port in
	// network "tcp", and Dial resolves the host.
	Lookup LookupFunc
	// AtOnce reports the hosts for which Lookup does not wait, such as literal addresses. For
	// these Resolve calls it itself, and not on another goroutine. If nil, there are none.
	AtOnce func(host string) bool
	// Prompt reports that Dial returns soon after its ctx has ended, and so does the handshake of
	// what it returns, whatever a function of the program's does in them. Then an owner that waits
	// for the connection, such as broker.Dial, may run both on its own goroutine. If false, they run
	// on a goroutine of the link.
	Prompt bool
	// Secure reports that connections from Dial are encrypted. It is copied to every
	// endpoint.
	Secure bool
	// Verified reports that they are also to a peer that has proved to be the endpoint's
	// Host. It implies Secure, and is copied to every endpoint.
	Verified bool
	// Unsafe has a sentence for each setting of Dial that is valid and not safe. Warnings
	// returns it.
	Unsafe []string
}

var (
	_ ports.Transport = (*Transport)(nil)
	_ ports.Racer     = (*Transport)(nil)
	_ ports.Preparer  = (*Transport)(nil)
	_ ports.Warner    = (*Transport)(nil)
)

// Warnings returns Unsafe.
func (t *Transport) Warnings() []string { return t.Unsafe }

// Resolve starts the lookup of a host.
func (t *Transport) Resolve(host string, port uint16) ports.Lookup {
	l := &lookup{host: host, secure: t.Secure, verified: t.Verified, cancel: func() {}}
	if t.Lookup == nil {
		address := net.JoinHostPort(host, strconv.Itoa(int(port)))
		l.settle([]ports.Endpoint{{Network: "tcp", Address: address}}, nil)
		return l
	}
	if t.AtOnce != nil && t.AtOnce(host) {
		l.run(context.Background(), t.Lookup, port)
		return l
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx, t.Lookup, port)
	return l
}

// Open starts to dial an endpoint.
func (t *Transport) Open(ep ports.Endpoint) ports.Link {
	if t.Dial == nil {
		panic("netlink: Transport.Dial is not set")
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := newLink(cancel)
	go l.run(ctx, func() (net.Conn, error) { return l.dial(ctx, t.Dial, ep) })
	return l
}

// Race starts to dial endpoints, one after the other as the delay passes, until one is
// reached.
func (t *Transport) Race(eps []ports.Endpoint, delay time.Duration) ports.RacingLink {
	switch {
	case t.Dial == nil:
		panic("netlink: Transport.Dial is not set")
	case len(eps) == 0:
		panic("netlink: Race: no endpoint")
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := newLink(cancel)
	go l.run(ctx, func() (net.Conn, error) { return l.race(ctx, t.Dial, eps, delay) })
	return l
}

// Prepare returns a link to one endpoint that Drive dials, if the Transport is Prompt; otherwise nil.
func (t *Transport) Prepare(eps []ports.Endpoint, _ time.Duration) ports.DrivenLink {
	if t.Dial == nil || !t.Prompt || len(eps) != 1 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := newLink(cancel)
	l.tried(ports.Try{Endpoint: eps[0]})
	l.begin = func() step {
		return l.reach(ctx, func() (net.Conn, error) { return l.only(ctx, t.Dial, eps[0]) })
	}
	return l
}

type endpointKey struct{}

type proxyKey struct{}

// WithEndpoint returns a context for a DialFunc that opens ep. A DialFunc that connects
// through a proxy calls the DialFunc that it wraps with the proxy's endpoint, by WithProxy.
func WithEndpoint(ctx context.Context, ep ports.Endpoint) context.Context {
	return context.WithValue(ctx, endpointKey{}, ep)
}

// WithProxy is WithEndpoint for a proxy on the way to the broker.
func WithProxy(ctx context.Context, proxy ports.Endpoint) context.Context {
	return context.WithValue(WithEndpoint(ctx, proxy), proxyKey{}, true)
}

// ToProxy reports whether the endpoint that is being opened is a proxy on the way to the
// broker, and not the broker.
func ToProxy(ctx context.Context) bool { return ctx.Value(proxyKey{}) != nil }

// EndpointFrom returns the endpoint that is being opened, from the context of a
// DialFunc. TLS verifies its Host. ok is false if ctx does not come from a Transport.
func EndpointFrom(ctx context.Context) (ep ports.Endpoint, ok bool) {
	ep, ok = ctx.Value(endpointKey{}).(ports.Endpoint)
	return ep, ok
}
