// Package tunnel is shared by the proxy protocols: options, errors, the timeout, and
// cancellation. Packages socks5 and httpconnect implement the protocols; users see this
// package in their options and errors:
//
//	var e *tunnel.Error
//	if errors.As(err, &e) && errors.Is(e, tunnel.ErrLogin) {
//		log.Printf("proxy %s rejects the login", e.Proxy)
//	}
//
// The files:
//
//	options  the proxy and how to use it
//	tunnel   Way: dial the proxy and negotiate, within the timeout
//	address  the addresses that a proxy accepts
//	errors   Error and its kinds
//	login    Login, which is never printed
//	peer     recognizes other protocols
package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

// Way reaches brokers through one proxy.
type Way struct {
	Options
	Protocol string           // what errors begin with: "socks5"
	Next     netlink.DialFunc // reaches the proxy
	// BadLogin is why the protocol cannot send the Login; nil if it can.
	BadLogin error
	// Negotiate requests a tunnel to target, which conn then is: it reads no bytes behind
	// the proxy's answer. It returns nil, or an *Error without the fields that the Way sets;
	// its Kind is nil if conn failed, and After is the last step that succeeded. It calls
	// after with each such step, before it waits for the proxy. It sets no deadline: conn
	// is closed when the time is over.
	Negotiate func(conn net.Conn, target string, after func(step string)) *Error
}

// Check returns what is wrong with the options, or nil.
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
// if Next is nil or Check returns an error.
func (w *Way) Dial() netlink.DialFunc {
	if w.Next == nil {
		panic(w.Protocol + ": next is nil: use a dial function such as tcp.Dial(tcp.Options{})")
	}
	if err := w.Check(); err != nil {
		panic(err.Error())
	}
	host, _, _ := splitAddress(w.Proxy)
	proxy := ports.Endpoint{Host: host, Network: "tcp", Address: w.Proxy}
	way := *w
	way.Timeout = cmp.Or(way.Timeout, DefaultTimeout)
	return func(ctx context.Context, network, target string) (net.Conn, error) {
		if err := checkTarget(network, target); err != nil {
			return nil, way.located(target, &Error{Kind: ErrTarget, Cause: err})
		}
		if way.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, way.Timeout, fmt.Errorf("no tunnel within %v: %w", way.Timeout,
				os.ErrDeadlineExceeded))
			defer cancel()
		}
		conn, failure := way.reach(ctx, proxy, target)
		if failure == nil {
			failure = way.negotiate(ctx, conn, target)
		}
		if failure != nil {
			return nil, way.located(target, failure)
		}
		return conn, nil
	}
}

func (w *Way) located(target string, e *Error) *Error {
	e.Protocol, e.Proxy, e.Target = w.Protocol, w.Proxy, target
	return e
}

// reach dials the proxy and runs its TLS handshake, if there is one. netlink calls the
// handshake of the tunnel again, without effect, and learns by it whether it may
// interrupt a write.
func (w *Way) reach(ctx context.Context, proxy ports.Endpoint, target string) (net.Conn, *Error) {
	ctx = netlink.WithProxy(ctx, proxy)
	w.waits(ctx, target, &Error{Kind: ErrUnreachable, Cause: errNoAnswer})
	conn, err := w.Next(ctx, proxy.Network, proxy.Address)
	if err == nil && conn == nil {
		err = errors.New("the dial function returned neither a connection nor an error")
	}
	if err != nil {
		return nil, &Error{Kind: ErrUnreachable, Cause: because(ctx, err)}
	}
	if h, ok := conn.(interface{ HandshakeContext(context.Context) error }); ok {
		const after = "the dial, in the TLS handshake"
		w.waits(ctx, target, &Error{Kind: ErrUnreachable, After: after, Cause: errNoAnswer})
		if err := h.HandshakeContext(ctx); err != nil {
			abort(conn)
			return nil, &Error{Kind: ErrUnreachable, After: after, Cause: because(ctx, err)}
		}
	}
	return conn, nil
}

// negotiate runs Negotiate. Close interrupts it, because that works with every net.Conn;
// deadlines do not.
func (w *Way) negotiate(ctx context.Context, conn net.Conn, target string) *Error {
	stop := context.AfterFunc(ctx, func() { abort(conn) })
	failure := w.Negotiate(conn, target, func(step string) {
		w.waits(ctx, target, &Error{Kind: ErrStalled, After: step})
	})
	if stop() && failure == nil {
		netlink.SetThrough(ctx, "proxy "+w.Proxy)
		return nil
	}
	abort(conn)
	switch {
	case failure == nil: // it completed just too late
		failure = &Error{Kind: ErrStalled, Cause: context.Cause(ctx)}
	case failure.Kind != nil:
	case ctx.Err() != nil:
		failure.Kind, failure.Cause = ErrStalled, context.Cause(ctx)
	default:
		failure.Kind = ErrCutOff
	}
	return failure
}

var errNoAnswer = errors.New("no answer")

// waits reports the failure that there is if the proxy does not answer in time.
func (w *Way) waits(ctx context.Context, target string, e *Error) {
	netlink.SetWaiting(ctx, w.located(target, e))
}

// because returns the cause of the context's end, or else err. The error of a proxy that is
// on the way to this one names that proxy.
func because(ctx context.Context, err error) error {
	var other *Error
	if ctx.Err() != nil && !errors.As(err, &other) {
		return context.Cause(ctx)
	}
	return err
}

// abort closes the connection under conn: TLS's close_notify would wait for a peer that
// does not read.
func abort(conn net.Conn) {
	for {
		w, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			_ = conn.Close() // the caller has a better error
			return
		}
		conn = w.NetConn()
	}
}
