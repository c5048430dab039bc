package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/ports"
)

// piped is a Way to a proxy at the other end of a pipe.
func piped(proxy func(net.Conn)) *tunnel.Way {
	return &tunnel.Way{
		Options:  tunnel.Options{Proxy: "proxy:1"},
		Protocol: "test",
		Next: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go proxy(theirs)
			return ours, nil
		},
		Negotiate: hello,
	}
}

// hello is a protocol: the proxy says a byte, and the tunnel is open.
func hello(conn net.Conn, _ string, after func(string)) *tunnel.Error {
	after("the greeting")
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return &tunnel.Error{After: "the greeting", Cause: err}
	}
	return nil
}

// silent reads and says nothing.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

var background = context.Background()

func TestThrough(t *testing.T) {
	w := piped(func(conn net.Conn) { _, _ = conn.Write([]byte("!tunnel")); _ = conn.Close() })
	conn := proxies.Must(w.Dial()(background, "tcp", "broker:9092"))(t)
	defer conn.Close()
	if got, err := io.ReadAll(conn); string(got) != "tunnel" || err != nil {
		t.Errorf("through the tunnel came %q, %v", got, err)
	}
}

// The proxy is dialled under its own name: TLS takes the server name from there.
func TestNextIsGivenTheProxy(t *testing.T) {
	w := piped(nil)
	w.Next = func(ctx context.Context, network, address string) (net.Conn, error) {
		want := ports.Endpoint{Host: "proxy", Network: "tcp", Address: "proxy:1"}
		if ep, _ := netlink.EndpointFrom(ctx); ep != want || network != "tcp" || address != "proxy:1" {
			t.Errorf("dial %s %s with %+v", network, address, ep)
		}
		return nil, io.ErrClosedPipe
	}
	ctx := netlink.WithEndpoint(background, ports.Endpoint{Host: "broker", Secure: true})
	_, err := w.Dial()(ctx, "tcp", "broker:9092")
	wantFailure(t, err, tunnel.ErrUnreachable, io.ErrClosedPipe, "io: read/write on closed pipe")
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*tunnel.Way)
		kind   error
		cause  error
		says   string
	}{
		{"nothing dialled", func(w *tunnel.Way) {
			w.Next = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
		}, tunnel.ErrUnreachable, nil, "neither a connection nor an error"},
		{"TLS fails", func(w *tunnel.Way) {
			next := w.Next
			w.Next = func(ctx context.Context, n, a string) (net.Conn, error) {
				conn, err := next(ctx, n, a)
				return shaking{conn, errBadCertificate}, err
			}
		}, tunnel.ErrUnreachable, errBadCertificate, "after the dial, in the TLS handshake: bad certificate"},
		{"closed", func(w *tunnel.Way) {
			*w = *piped(func(conn net.Conn) { _ = conn.Close() })
		}, tunnel.ErrCutOff, io.EOF, "the proxy closed the connection after the greeting: EOF"},
		{"refused", func(w *tunnel.Way) {
			w.Negotiate = func(net.Conn, string, func(string)) *tunnel.Error {
				return &tunnel.Error{Kind: tunnel.ErrRefused, Cause: io.ErrNoProgress}
			}
		}, tunnel.ErrRefused, io.ErrNoProgress, "the proxy refuses the tunnel: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := piped(silent)
			c.change(w)
			conn, err := w.Dial()(background, "tcp", "broker:9092")
			if conn != nil {
				t.Error("a connection beside an error")
			}
			wantFailure(t, err, c.kind, c.cause, c.says)
		})
	}
}

// wantFailure checks that an error is all that it should be.
func wantFailure(t *testing.T, err, kind, cause error, says string) {
	t.Helper()
	var e *tunnel.Error
	if !errors.As(err, &e) || e.Protocol != "test" || e.Proxy != "proxy:1" || e.Target != "broker:9092" {
		t.Fatalf("%v; want a tunnel.Error of proxy:1", err)
	}
	if !errors.Is(err, kind) || e.Kind != kind || cause != nil && !errors.Is(err, cause) {
		t.Errorf("%v; want %v, for %v", err, kind, cause)
	}
	if !strings.HasPrefix(err.Error(), "test: proxy proxy:1 on the way to broker:9092: ") ||
		!strings.Contains(err.Error(), says) {
		t.Errorf("%v; want %q in it", err, says)
	}
}

// Each way to fall silent ends at the timeout or with the context, and closes
// the connection.
func TestStalls(t *testing.T) {
	const late = "no tunnel within 4s"
	for _, c := range []struct {
		name    string
		change  func(w *tunnel.Way)
		timeout time.Duration
		ended   error         // of the caller's context
		takes   time.Duration // on the bubble's clock
		kind    error
		cause   error
		says    string
	}{
		{"the dial", dialing, 0, nil, 4 * time.Second, tunnel.ErrUnreachable, os.ErrDeadlineExceeded, late},
		{"the dial, given up", dialing, 0, context.Canceled, time.Second, tunnel.ErrUnreachable, context.Canceled,
			"canceled"},
		{"the TLS handshake", func(w *tunnel.Way) {
			next := w.Next
			w.Next = func(ctx context.Context, n, a string) (net.Conn, error) {
				conn, err := next(ctx, n, a)
				return shaking{conn, nil}, err
			}
		}, 0, nil, 4 * time.Second, tunnel.ErrUnreachable, os.ErrDeadlineExceeded, late},
		{"the talk", nil, 0, nil, 4 * time.Second, tunnel.ErrStalled, os.ErrDeadlineExceeded,
			"after the greeting: " + late},
		{"the talk, own timeout", nil, time.Minute, nil, time.Minute, tunnel.ErrStalled, os.ErrDeadlineExceeded,
			"within 1m0s"},
		{"the talk, given up", nil, 0, context.Canceled, time.Second, tunnel.ErrStalled, context.Canceled, "canceled"},
		{"the talk, no timeout", nil, -1, context.DeadlineExceeded, time.Second, tunnel.ErrStalled,
			context.DeadlineExceeded, "deadline"},
		{"granted as it was given up", func(w *tunnel.Way) {
			w.Negotiate = func(conn net.Conn, target string, after func(string)) *tunnel.Error {
				if hello(conn, target, after) == nil {
					t.Error("the proxy spoke")
				}
				return nil
			}
		}, 0, context.Canceled, time.Second, tunnel.ErrStalled, context.Canceled, "canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan struct{})
				w := piped(func(conn net.Conn) { silent(conn); close(ended) })
				if w.Timeout = c.timeout; c.change != nil {
					c.change(w)
				}
				ctx, cancel := context.WithCancel(background)
				defer cancel()
				switch c.ended {
				case context.Canceled:
					time.AfterFunc(time.Second, cancel)
				case context.DeadlineExceeded:
					ctx, cancel = context.WithTimeout(background, time.Second)
					defer cancel()
				}
				began := time.Now()
				_, err := w.Dial()(ctx, "tcp", "broker:9092")
				if took := time.Since(began); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				wantFailure(t, err, c.kind, c.cause, c.says)
				if !strings.HasPrefix(c.name, "the dial") {
					<-ended
				}
			})
		})
	}
}

func dialing(w *tunnel.Way) {
	w.Next = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, errors.New("it was interrupted")
	}
}

var errBadCertificate = errors.New("bad certificate")

// shaking has a handshake that ends as configured, or with the context.
type shaking struct {
	net.Conn
	outcome error
}

func (s shaking) HandshakeContext(ctx context.Context) error {
	if s.outcome == nil {
		<-ctx.Done()
		return errors.New("it was interrupted")
	}
	return s.outcome
}

// advised is an error that knows what to try.
type advised struct{ error }

func (advised) Hint() string { return "trust its authority" }

// Each kind says what to try, and what lies under it knows better.
func TestHints(t *testing.T) {
	for _, kind := range []error{tunnel.ErrUnreachable, tunnel.ErrLogin, tunnel.ErrRefused, tunnel.ErrGarbage,
		tunnel.ErrStalled, tunnel.ErrCutOff, tunnel.ErrTarget} {
		if hint := (&tunnel.Error{Kind: kind, Cause: io.EOF}).Hint(); hint == "" {
			t.Errorf("%v: no hint", kind)
		}
		if hint := (&tunnel.Error{Kind: kind, Cause: advised{io.EOF}}).Hint(); hint != "trust its authority" {
			t.Errorf("%v: %q", kind, hint)
		}
	}
}

// farewell is TLS around a connection whose peer does not read: Close would wait.
type farewell struct {
	net.Conn
	t *testing.T
}

func (f farewell) NetConn() net.Conn { return f.Conn }
func (f farewell) Close() error {
	f.t.Error("the farewell of TLS was said")
	return nil
}

func TestGivingUpSaysNoFarewell(t *testing.T) {
	ended := make(chan struct{})
	w := piped(func(conn net.Conn) { silent(conn); close(ended) })
	next := w.Next
	w.Next = func(ctx context.Context, n, a string) (net.Conn, error) {
		conn, err := next(ctx, n, a)
		return farewell{farewell{conn, t}, t}, err
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err := w.Dial()(ctx, "tcp", "broker:9092")
	wantFailure(t, err, tunnel.ErrStalled, context.Canceled, "")
	<-ended
}

func TestTargets(t *testing.T) {
	for _, c := range []struct{ network, target, says string }{
		{"unix", "/run/kafka.sock", "proxies reach TCP only"},
		{"tcp", "broker", "not host:port"},
		{"tcp", ":9092", "has no host"},
		{"tcp", "broker:0", "the port must be"},
		{"tcp", "broker:70000", "the port must be"},
		{"tcp", "broker:kafka", "the port must be"},
		{"tcp", "a b:1", "not the name of a host"},
		{"tcp", "a\r\nHost: x:1", "not host:port"},
		{"tcp", "a\n:1", "not the name of a host"},
		{"tcp", "[fe80::1%eth0]:1", "zone"},
		{"tcp", strings.Repeat("x", 256) + ":1", "at most 255"},
	} {
		w := piped(nil)
		w.Next = func(context.Context, string, string) (net.Conn, error) {
			t.Errorf("%s %q: the proxy was dialled", c.network, c.target)
			return nil, io.EOF
		}
		_, err := w.Dial()(background, c.network, c.target)
		if !errors.Is(err, tunnel.ErrTarget) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %q: %v; want %q", c.network, c.target, err, c.says)
		}
	}
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		change func(*tunnel.Way)
		says   string
	}{
		{func(w *tunnel.Way) { w.Next = nil }, "test: next is nil"},
		{func(w *tunnel.Way) { w.Proxy = "" }, `test: Proxy: "" is not host:port`},
		{func(w *tunnel.Way) { w.Proxy = "socks5://proxy:1" }, `test: Proxy: "socks5://proxy:1" is not host:port`},
		{func(w *tunnel.Way) { w.Proxy = "us er@proxy:1" },
			`test: Proxy: unexpected text before "@proxy:1": set the login in Options.Login`},
		{func(w *tunnel.Way) { w.Proxy = "http://user:canary@proxy:1" },
			`test: Proxy: unexpected text before "@proxy:1": set the login in Options.Login`},
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, c.says) {
					t.Errorf("panicked with %q, want %q", r, c.says)
				}
			}()
			w := piped(silent)
			c.change(w)
			w.Dial()
		}()
	}
}
