package broker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Brokers that break off, or garble, a login at every byte of it; and authenticators
// that are no better.

// recorded plays a login, of either age, with a sound broker, and returns what that said.
func recorded(t *testing.T, cfg broker.Config, serve func(net.Conn)) (written []byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Transport = hostOf(func(conn net.Conn) { serve(teller{conn, &written}) }).Config().Transport
		conn := dial(t, cfg)
		must(t, heartbeat(t.Context(), conn))
	})
	return written
}

// hostOf returns one host.
func hostOf(serve func(net.Conn)) *fakebroker.Hosts {
	return (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": serve}}).At("a")
}

type teller struct {
	net.Conn
	written *[]byte
}

func (c teller) Write(p []byte) (int, error) {
	*c.written = append(*c.written, p...)
	return c.Conn.Write(p)
}

// spoiler lets so many bytes of the broker pass, and then spoils the rest.
type spoiler struct {
	net.Conn
	left  *int
	spoil func(conn net.Conn, rest []byte)
}

func (c spoiler) Write(p []byte) (int, error) {
	n := min(len(p), *c.left)
	*c.left -= n
	if _, err := c.Conn.Write(p[:n]); err != nil {
		return 0, err
	}
	if n < len(p) {
		c.spoil(c.Conn, p[n:])
	}
	return len(p), nil
}

type loginOfAnAge struct {
	cfg   broker.Config
	serve func(net.Conn)
}

// agesOfTokens are the two ways in which tokens travel.
func agesOfTokens() map[string]loginOfAnAge {
	login := fakebroker.NewToken("X", "one", 0)
	answered := &fakebroker.Login{Step: func(n int, _ []byte) ([]byte, bool, error) {
		return [][]byte{[]byte("one"), nil}[n], n == 1, nil
	}}
	w := &fakebroker.SessionBroker{Good: "one"}
	return map[string]loginOfAnAge{
		"wrapped": {broker.Config{Host: "broker", Authenticators: []ports.Authenticator{login}}, w.Serve},
		"raw": {broker.Config{Host: "broker", Authenticators: []ports.Authenticator{answered},
			APIVersion: broker.Release{Minor: 10}}, rawBroker},
	}
}

// rawBroker is of 0.10.0: SaslHandshake v0, then a token behind its size, answered by
// an empty one.
func rawBroker(conn net.Conn) {
	defer conn.Close()
	for n := 0; ; n++ {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		if n == 1 {
			_, _ = conn.Write(make([]byte, 4))
			continue
		}
		id := int32(binary.BigEndian.Uint32(body[4:]))
		_, _ = conn.Write(fakebroker.ResponseFrame(id, make([]byte, max(6-2*n, 2))))
	}
}

// TestSpoiltLogins: at every byte that a broker says on the way up it hangs up, falls
// silent, says too much, says garbage, or lies about a size. It costs the attempt,
// never a hang, nor a goroutine, nor a request with another error than its
// failure.
func TestSpoiltLogins(t *testing.T) {
	garbage := func(fill byte) func(net.Conn, []byte) {
		return func(conn net.Conn, rest []byte) {
			_, _ = conn.Write(bytes.Repeat([]byte{fill}, max(len(rest), 64)))
		}
	}
	spoils := map[string]func(net.Conn, []byte){
		"hangs up":    func(conn net.Conn, _ []byte) { conn.Close() },
		"is silent":   func(net.Conn, []byte) {},
		"zeros":       garbage(0),
		"ones":        garbage(0xff),
		"sevens":      garbage(7),
		"text":        func(conn net.Conn, _ []byte) { _, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"a bit":       func(conn net.Conn, rest []byte) { b := bytes.Clone(rest); b[0] ^= 1; _, _ = conn.Write(b) },
		"twice":       func(conn net.Conn, rest []byte) { _, _ = conn.Write(append(bytes.Clone(rest), rest...)) },
		"after close": func(conn net.Conn, rest []byte) { _, _ = conn.Write(rest); conn.Close() },
		"drips": func(conn net.Conn, rest []byte) {
			for _, b := range rest {
				time.Sleep(time.Second)
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
			}
		},
	}
	for age, c := range agesOfTokens() {
		whole := recorded(t, c.cfg, c.serve)
		for name, spoil := range spoils {
			t.Run(age+" "+name, func(t *testing.T) {
				for at := range whole {
					synctest.Test(t, func(t *testing.T) {
						left := at
						hosts := hostOf(func(conn net.Conn) { c.serve(spoiler{conn, &left, spoil}) })
						cfg := c.cfg
						cfg.Transport, cfg.NoReconnect = hosts.Config().Transport, true
						conn := fakebroker.New(t, cfg)
						began := time.Now()
						err := heartbeat(t.Context(), conn)
						var e *broker.Error
						assert(t, err == nil || errors.As(err, &e), "at byte %d of %d: a %T, %v", at, len(whole), err,
							err)
						took := time.Since(began)
						assert(t, took <= 31*time.Second, "at byte %d of %d: %v, after %v", at, len(whole), err, took)
						fakebroker.Close(t, conn)
						assert(t, hosts.StillOpen() == 0, "at byte %d of %d: a connection is left", at, len(whole))
						time.Sleep(time.Hour) // for what drips
					})
				}
			})
		}
	}
}

// oddLogin is an authenticator whose exchange is any.
type oddLogin struct {
	begin func() ports.Exchange
}

func (oddLogin) Mechanism() string                     { return "X" }
func (o oddLogin) Begin(ports.Endpoint) ports.Exchange { return o.begin() }

func begins(e oddExchange) func() ports.Exchange { return func() ports.Exchange { return e } }

// results begins an exchange with one result.
func results(token []byte, done bool, err error) func() ports.Exchange {
	return begins(oddExchange{result: func() ([]byte, bool, error) { return token, done, err }})
}

type oddExchange struct {
	next   func([]byte)
	result func() ([]byte, bool, error)
	close  func()
}

func (o oddExchange) Next(p []byte) {
	if o.next != nil {
		o.next(p)
	}
}
func (o oddExchange) Result() ([]byte, bool, error) { return o.result() }
func (o oddExchange) Close() {
	if o.close != nil {
		o.close()
	}
}

// TestOddAuthenticators: whatever an authenticator does, it costs the login; and one
// that is set in its place serves the next, over a connection of its own, also where
// the first one broke within a renewal.
func TestOddAuthenticators(t *testing.T) {
	good := func() ([]byte, bool, error) { return []byte("one"), true, nil }
	for name, c := range map[string]struct {
		begin func() ports.Exchange
		is    error // of a request; nil: the login succeeds
	}{
		"nothing at all":  {func() ports.Exchange { return nil }, broker.ErrPortPanic},
		"panics in Begin": {func() ports.Exchange { panic("no") }, broker.ErrPortPanic},
		"panics in Next":  {begins(oddExchange{next: func([]byte) { panic("no") }, result: good}), broker.ErrPortPanic},
		"panics in Result": {begins(oddExchange{result: func() ([]byte, bool, error) { panic(nil) }}),
			broker.ErrPortPanic},
		"panics in Close":    {begins(oddExchange{result: good, close: func() { panic("no") }}), broker.ErrPortPanic},
		"nil, nil, nil":      {results(nil, false, nil), broker.ErrAuthentication},
		"never":              {results(nil, false, ports.ErrWouldBlock), broker.ErrSetupTimeout},
		"a token beside it":  {results([]byte("x"), true, ports.ErrWouldBlock), broker.ErrSetupTimeout},
		"a megabyte":         {results(make([]byte, 1<<20), true, nil), broker.ErrAuthentication},
		"beyond the pending": {results(make([]byte, 40<<20), true, nil), broker.ErrAuthentication},
		"empty, without end": {results([]byte{}, false, nil), broker.ErrAuthentication},
	} {
		runBubble(t, name, func(t *testing.T) {
			w := &fakebroker.SessionBroker{}
			hosts, cfg := fakebroker.WithSession(w)
			cfg.Authenticators = []ports.Authenticator{oddLogin{c.begin}}
			cfg.SetupTimeout = time.Second
			conn := fakebroker.New(t, cfg)
			// As the first login, and as one that renews a session.
			for _, first := range []bool{true, false} {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				err := conn.Connect(ctx)
				cancel()
				last := conn.LastError()
				assert(t, errors.Is(err, c.is) || errors.Is(last, c.is), "first %v: got %v, last error %v, want %v",
					first, err, last, c.is)
				conn.SetAuthenticators(fakebroker.NewToken("X", "one", 0))
				if err := heartbeat(t.Context(), conn); err != nil {
					t.Errorf("first %v: with another: %v", first, err)
				}
				conn.SetAuthenticators(oddLogin{c.begin})
			}
			conn.SetAuthenticators(fakebroker.NewToken("X", "one", 0))
			noError(t, heartbeat(t.Context(), conn))
			if len(w.Sins) > 0 || len(hosts.DialedHosts()) > 10*1000/40 { // ten seconds of the shortest pause
				t.Errorf("%d connections, sins %q", len(hosts.DialedHosts()), w.Sins)
			}
		})
	}
}

// TestLoginsAndEnds: a Conn is closed, drained or aborted, or its context ended, while
// its login is replaced and renewed from many goroutines and from hooks. Everybody is
// done, and nothing is left.
func TestLoginsAndEnds(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, c *broker.Conn){
		"Close": func(_ *testing.T, c *broker.Conn) { c.Close() },
		"Abort": func(_ *testing.T, c *broker.Conn) { c.Abort(errors.New("enough")) },
		"Drain": func(t *testing.T, c *broker.Conn) { noError(t, c.Drain(t.Context())) },
		"Drain, given up": func(t *testing.T, c *broker.Conn) {
			ctx := limited(t, time.Millisecond)
			_ = c.Drain(ctx)
			c.Close()
		},
	} {
		for _, noReconnect := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				for after := range 40 {
					synctest.Test(t, func(t *testing.T) {
						w := &fakebroker.SessionBroker{Think: func() time.Duration { return time.Millisecond },
							Lifetime: 20 * time.Millisecond}
						hosts, cfg := fakebroker.WithSession(w)
						cfg.NoReconnect = noReconnect
						var conn *broker.Conn
						var hooked atomic.Int64
						repeated := func() {
							if hooked.Add(1) < 50 {
								conn.SetAuthenticators(fakebroker.NewToken("X", "one", time.Millisecond))
							}
						}
						cfg.Hooks = &broker.Hooks{
							StateChanged:  func(_, _ broker.State, _ broker.Endpoint, _ error) { repeated() },
							AuthStart:     func(broker.Endpoint, broker.LoginInfo) { repeated() },
							AuthDone:      func(broker.Endpoint, broker.LoginInfo, error) { repeated() },
							RequestFailed: func(broker.RequestInfo, error) { panic("contained") },
						}
						conn = fakebroker.New(t, cfg)
						var reported atomic.Int64
						for i := range 8 {
							go func() {
								for conn.State() != broker.Closed {
									switch i % 4 {
									case 0:
										conn.SetAuthenticators(fakebroker.NewToken([]string{"X", "Y"}[i/4], "one",
											3*time.Millisecond))
									case 1:
										ctx, cancel := context.WithTimeout(context.Background(),
											time.Duration(i)*time.Millisecond)
										_ = conn.Reauthenticate(ctx)
										cancel()
									default:
										_ = heartbeat(context.Background(), conn)
									}
									time.Sleep(time.Millisecond)
								}
								reported.Add(1)
							}()
						}
						time.Sleep(time.Duration(after) * 700 * time.Microsecond)
						end(t, conn)
						select {
						case <-conn.Done():
						case <-time.After(time.Minute):
							t.Fatalf("not over a minute after its end: %v, %+v", conn.State(), conn.Stats())
						}
						time.Sleep(time.Minute)
						assert(t, reported.Load() == 8 && hosts.StillOpen() == 0,
							"%d of 8 are done, %d connections are left", reported.Load(), hosts.StillOpen())
					})
				}
			})
		}
	}
}

// TestExtremeSessions: Polled and Conn with lifetimes of any size.
func TestExtremeSessions(t *testing.T) {
	for _, ms := range []int64{1, 2, 499, 500, 999, 1000, 1001, 1500, 1 << 31, 1<<62 - 1, 1<<63 - 1, -1 << 63, -1} {
		synctest.Test(t, func(t *testing.T) {
			hosts, cfg, login := fakebroker.WithLogin(func([]byte) *kmsg.SASLAuthenticateResponse {
				resp := kmsg.NewPtrSASLAuthenticateResponse()
				resp.SessionLifetimeMillis = ms
				return resp
			})
			cfg.IdleTimeout = -1
			p := newPolled(t, cfg)
			answered := 0
			for began := time.Now(); time.Since(began) < 20*time.Second; {
				p.Connect()
				if p.CanSendMore() && p.Connected() && p.Stats().InFlight == 0 {
					p.Send(kmsg.NewPtrHeartbeatRequest(), false)
				}
				answered += len(p.Recv())
				next := p.NextDeadline()
				d := time.Until(next)
				require(t, next.IsZero() || d > 0, "%d ms: the deadline is %v ago", ms, -d)
				time.Sleep(10 * time.Millisecond)
			}
			p.Close(nil)
			assert(t, answered >= 10 && len(hosts.DialedHosts()) == 1 && login.Begun.Load() <= int64(2*answered+2),
				"%d ms: %d answers, %d logins, %d connections", ms, answered, login.Begun.Load(),
				len(hosts.DialedHosts()))
		})
	}
}
