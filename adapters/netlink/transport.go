// Package netlink makes a ports.Transport out of functions that dial: whatever
// yields a net.Conn can carry a connection to a broker.
//
//	broker.Config{Transport: &netlink.Transport{Dial: myDial}}
//
// A net.Conn blocks, and a ports.Link never does. Two bridges join them, and an
// owner chooses by what it calls first:
//
//	parked  Read, Write    straight on the net.Conn, on the caller's goroutine.
//	                       Interrupt is a deadline in the past.
//	polled  Send, Recv     one goroutine each way, started at first use, with
//	                       64 KiB of bytes read ahead or still to be written.
//
// The files, in the order in which a link lives:
//
//	transport  what a user fills in: Dial, Lookup, Secure
//	lookup     a name on its way to addresses
//	link       stages, and Close
//	parker     Read, Write, Interrupt, Resume
//	polled     Send, Recv, Watch
//	pump       the two goroutines of polled use, and of a net.Conn that a
//	           deadline cannot interrupt
//	ring       the bytes between a goroutine and the owner
package netlink

import (
	"context"
	"net"
	"strconv"

	"brokerconn/ports"
)

// DialFunc reaches an address, as net.Dialer.DialContext does. The endpoint that
// is being opened is in ctx, see [EndpointFrom]. ctx ends when the link is
// closed, not when DialFunc returns; a function that ignores it holds its
// goroutine until it returns, and what it returns then is closed.
//
// If the net.Conn has a method HandshakeContext(context.Context) error, as that
// of crypto/tls has, it should be returned before its handshake: the link
// reports StageSecuring and runs the handshake itself.
//
// A panic is reported as the error of the link's stage.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// LookupFunc finds the addresses of a host, in the order in which they should be
// tried. It may leave Endpoint.Host empty for the host that was asked for. ctx
// ends when the lookup is closed. No address and no error is an error.
type LookupFunc func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error)

// Transport is a ports.Transport over functions. Fill it in and leave it alone:
// it is used from many goroutines. The functions are called by several at once.
type Transport struct {
	// Dial reaches an endpoint. It must be set.
	Dial DialFunc
	// Lookup finds the addresses of a host. nil: there is one, host:port in
	// network "tcp", known at once, and what the host means is left to Dial.
	Lookup LookupFunc
	// Secure says that what Dial returns is encrypted; it marks every endpoint.
	Secure bool
}

var _ ports.Transport = (*Transport)(nil)

// Resolve starts the lookup of a host.
func (t *Transport) Resolve(host string, port uint16) ports.Lookup {
	l := &lookup{host: host, secure: t.Secure, cancel: func() {}}
	if t.Lookup == nil {
		address := net.JoinHostPort(host, strconv.Itoa(int(port)))
		l.settle([]ports.Endpoint{{Network: "tcp", Address: address}}, nil)
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
	ctx, cancel := context.WithCancel(WithEndpoint(context.Background(), ep))
	l := newLink(cancel)
	go l.run(ctx, t.Dial, ep)
	return l
}

type endpointKey struct{}

// WithEndpoint returns the context for a DialFunc. One that has to reach another
// peer first, a proxy, calls the DialFunc that it wraps with the endpoint of that.
func WithEndpoint(ctx context.Context, ep ports.Endpoint) context.Context {
	return context.WithValue(ctx, endpointKey{}, ep)
}

// EndpointFrom returns the endpoint that is being opened, from the context that
// a DialFunc was given. TLS takes the name to verify from its Host. false: this
// context does not come from a Transport.
func EndpointFrom(ctx context.Context) (ep ports.Endpoint, ok bool) {
	ep, ok = ctx.Value(endpointKey{}).(ports.Endpoint)
	return ep, ok
}
