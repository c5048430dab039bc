// Package tunnel has what the ways through a proxy share: how its errors are told
// apart, how long it may take, and what ends when the caller gives up. The words
// that are spoken with a proxy are for packages socks5 and httpconnect; users meet
// this one in their options and errors:
//
//	var e *tunnel.Error
//	if errors.As(err, &e) && errors.Is(e, tunnel.ErrLogin) {
//		log.Printf("the login of proxy %s is wrong", e.Proxy)
//	}
//
// The files:
//
//	options which proxy, and how to use it
//	tunnel  Way: dial the proxy, talk, within a time
//	address what a proxy can be asked for
//	errors  Error and its kinds
//	login   Login, which no print shows
//	peer    what speaks there instead
package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// Way is a way through one proxy.
type Way struct {
	Options
	Protocol string           // what errors begin with: "socks5"
	Next     netlink.DialFunc // reaches the proxy
	// BadLogin is what the protocol has against the Login; nil: nothing.
	BadLogin error
	// Talk asks the proxy for target. It returns the tunnel, which is conn unless
	// bytes of it were read already, or an *Error, where it leaves out what the Way
	// knows; Kind is nil where conn failed, and After says what came before that.
	// It sets no deadline: conn is closed when the time is over.
	Talk func(conn net.Conn, target string) (net.Conn, *Error)
}

// Check says what is wrong with the options.
func (w *Way) Check() error {
	if _, _, err := splitAddress(w.Proxy); err != nil {
		return fmt.Errorf("%s: Proxy: %w", w.Protocol, err)
	}
	if w.BadLogin != nil {
		return fmt.Errorf("%s: Login: %w", w.Protocol, w.BadLogin)
	}
	return nil
}

// Transport returns a transport through the proxy. It panics as Dial does.
func (w *Way) Transport() *netlink.Transport {
	return &netlink.Transport{Dial: w.Dial(), Lookup: w.Lookup}
}

// Dial returns the function that reaches an address through the proxy. It panics
// when there is no Next or Check finds something.
func (w *Way) Dial() netlink.DialFunc {
	if w.Next == nil {
		panic(w.Protocol + ": no dial function to reach the proxy with, such as tcp.Dial(tcp.Options{})")
	}
	if err := w.Check(); err != nil {
		panic(err.Error())
	}
	host, _, _ := splitAddress(w.Proxy)
	proxy := ports.Endpoint{Host: host, Network: "tcp", Address: w.Proxy}
	way := *w
	if way.Timeout == 0 {
		way.Timeout = DefaultTimeout
	}
	return func(ctx context.Context, network, target string) (net.Conn, error) {
		if err := checkTarget(network, target); err != nil {
			return nil, way.told(target, &Error{Kind: ErrTarget, Cause: err})
		}
		if way.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, way.Timeout, fmt.Errorf("no tunnel within %v: %w", way.Timeout, os.ErrDeadlineExceeded))
			defer cancel()
		}
		conn, failure := way.reach(ctx, proxy)
		if failure == nil {
			conn, failure = way.talk(ctx, conn, target)
		}
		if failure != nil {
			return nil, way.told(target, failure)
		}
		return conn, nil
	}
}

func (w *Way) told(target string, e *Error) *Error {
	e.Protocol, e.Proxy, e.Target = w.Protocol, w.Proxy, target
	return e
}

// reach dials the proxy, and shakes hands where that is encrypted. netlink will do
// the latter once more with the tunnel, to no effect, and learns by it that it must
// not interrupt a write.
func (w *Way) reach(ctx context.Context, proxy ports.Endpoint) (net.Conn, *Error) {
	ctx = netlink.WithEndpoint(ctx, proxy)
	conn, err := w.Next(ctx, proxy.Network, proxy.Address)
	if err == nil && conn == nil {
		err = errors.New("the dial function returned neither a connection nor an error")
	}
	if err != nil {
		return nil, &Error{Kind: ErrUnreachable, Cause: because(ctx, err)}
	}
	if h, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
		if err := h.HandshakeContext(ctx); err != nil {
			abort(conn)
			return nil, &Error{Kind: ErrUnreachable, After: "the dial, in the TLS handshake", Cause: because(ctx, err)}
		}
	}
	return conn, nil
}

// talk has Talk ask for the tunnel. What interrupts it is Close, which works with
// every net.Conn; deadlines do not.
func (w *Way) talk(ctx context.Context, conn net.Conn, target string) (net.Conn, *Error) {
	stop := context.AfterFunc(ctx, func() { abort(conn) })
	through, failure := w.Talk(conn, target)
	if stop() && failure == nil {
		return through, nil
	}
	abort(conn)
	switch {
	case failure == nil: // it came just too late
		failure = &Error{Kind: ErrStalled, Cause: context.Cause(ctx)}
	case failure.Kind != nil:
	case ctx.Err() != nil:
		failure.Kind, failure.Cause = ErrStalled, context.Cause(ctx)
	default:
		failure.Kind = ErrCutOff
	}
	return nil, failure
}

// because prefers the end of the context to what it brought about.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// abort closes what carries conn: the farewell of TLS would wait for a peer that
// does not read.
func abort(conn net.Conn) {
	for {
		w, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			_ = conn.Close() // there is an error already that says more
			return
		}
		conn = w.NetConn()
	}
}
