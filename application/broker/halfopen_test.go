package broker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/fake"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The peer closes or resets a connection on which nothing happens, and the next
// caller must not notice. The fake clock brings the silence; the sockets are real.

// endings are the ways in which a peer goes.
var endings = map[string]func(*net.TCPConn){
	"closed":      func(c *net.TCPConn) { _ = c.Close() },
	"half-closed": func(c *net.TCPConn) { _ = c.CloseWrite() },
	"reset":       func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
}

// TestPeerGoneInSilence: with a reader parked in the link, or without.
func TestPeerGoneInSilence(t *testing.T) {
	for ending, end := range endings {
		for _, parks := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, parked %v", ending, parks), func(t *testing.T) {
				for range 20 {
					peers := make(chan net.Conn, 1)
					s := &fakebroker.Scripted{Answer: func(peer net.Conn, _ int16, _ int32) []byte {
						select {
						case peers <- peer:
						default:
						}
						return make([]byte, 6)
					}}
					cfg := s.Listening(t)
					if !parks {
						cfg.Transport = unparkedTCP()
					}
					cfg.ReconnectBackoff = time.Millisecond
					conn := dial(t, cfg)
					must(t, heartbeat(t.Context(), conn))
					end((<-peers).(*net.TCPConn))
					// Whether its end has arrived or not: a caller after the silence gets an error.
					for s.Conns.Load() < 2 {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						err := heartbeat(ctx, conn)
						cancel()
						require(t, err == nil || errors.Is(err, broker.ErrConnection), "%v", err)
					}
					noError(t, heartbeat(t.Context(), conn))
					fakebroker.Close(t, conn)
				}
			})
		}
	}
}

// checked is a link whose reader does not tell of the end before it is closed, as when
// its goroutine has not been scheduled yet.
type checked struct {
	parking
	hold  chan struct{} // the reader comes back after this
	once  *sync.Once
	looks *atomic.Int64
}

func check(l parking, looks *atomic.Int64) ports.Link {
	return checked{l, make(chan struct{}), new(sync.Once), looks}
}

func (l checked) Close() error {
	l.once.Do(func() { close(l.hold) })
	return l.parking.Close()
}

func (l checked) Read(p []byte) (int, error) {
	n, err := l.parking.Read(p)
	if err != nil && !errors.Is(err, ports.ErrInterrupted) {
		<-l.hold
	}
	return n, err
}

func (l checked) Check() error {
	l.looks.Add(1)
	return l.Link.(ports.Checker).Check()
}

// TestCheckBeforeTheFirstWriteAfterASilence: the peer has gone, and the parked reader
// has not reported yet. The request must not be written to the old connection.
func TestCheckBeforeTheFirstWriteAfterASilence(t *testing.T) {
	for ending, end := range endings {
		for _, way := range []string{"Request", "RequestRaw", "Connect", "Send"} {
			t.Run(ending+", "+way, func(t *testing.T) {
				peers := make(chan net.Conn, 10)
				cfg := listening(t, func(peer net.Conn, _ int16, _ int32) []byte {
					peers <- peer
					return make([]byte, 6)
				})
				clock := fake.New(time.Time{})
				var looks atomic.Int64
				cfg.Clock = clock
				var first ports.Checker // the socket itself
				cfg.Transport = wrapped{tcpTransport(), func(l parking) ports.Link {
					if first == nil {
						first = l.Link.(ports.Checker)
					}
					return check(l, &looks)
				}}
				var failed atomic.Int64
				lost := make(chan struct{}, 10)
				cfg.Hooks = &broker.Hooks{
					RequestFailed: func(broker.RequestInfo, error) { failed.Add(1) },
					StateChanged: func(_, to broker.State, _ broker.Endpoint, err error) {
						if to == broker.Disconnected {
							assert(t, !errors.Is(err, broker.ErrTimeout), "lost for %v", err)
							lost <- struct{}{}
						}
					},
				}
				conn := dial(t, cfg)
				defer func() { fakebroker.Close(t, conn) }()
				must(t, heartbeat(context.Background(), conn))
				clock.Advance(time.Second - 1)
				assert(t, looks.Load() == 0, "looked, and it was in use a moment ago")
				peer := (<-peers).(*net.TCPConn)
				end(peer)
				for first.Check() == nil { // until the kernel has passed it on
					runtime.Gosched()
				}
				clock.Advance(time.Minute)
				var err error
				done := make(chan struct{})
				go func() {
					defer close(done)
					ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
					defer cancel()
					switch way {
					case "Request":
						err = heartbeat(ctx, conn)
					case "RequestRaw":
						_, err = conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 12, APIVersion: 1})
					case "Connect":
						err = conn.Connect(ctx)
					case "Send":
						_, err = sendAndWait(ctx, conn, ask())
					}
				}()
				// The pause before the next connection is on the fake clock.
				for waiting := true; waiting; {
					select {
					case <-done:
						waiting = false
					case <-time.After(time.Millisecond):
						if !conn.Stats().BackoffUntil.IsZero() {
							clock.Advance(100 * time.Millisecond)
						}
					}
				}
				if way == "Send" {
					wantRefusal(t, err, broker.ErrNotConnected)
				} else if err != nil {
					t.Error(err)
				}
				assert(t, looks.Load() != 0 && failed.Load() == 0, "%d looks, %d requests failed", looks.Load(),
					failed.Load())
				receive(t, lost)
			})
		}
	}
}

// TestCheckIsNoSystemCallPerRequest: only after a silence of 10 ms.
func TestCheckIsNoSystemCallPerRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return check(l, &looks) }}
		conn := dial(t, cfg)
		for range 100 {
			noError(t, heartbeat(t.Context(), conn))
			time.Sleep(9 * time.Millisecond)
		}
		equal(t, "looks at a link that was in use", looks.Load(), 0)
		time.Sleep(time.Millisecond)
		err := heartbeat(t.Context(), conn)
		assert(t, err == nil && looks.Load() == 1, "%v, %d looks after 10 ms", err, looks.Load())
	})
}

// TestCheckThatPanics costs the connection, and the request at most.
func TestCheckThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
		cfg := s.Piped()
		first := true
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link {
			if first {
				first = false
				return panicsOnCheck{l}
			}
			return l
		}}
		conn := dial(t, cfg)
		time.Sleep(time.Minute)
		err := heartbeat(t.Context(), conn)
		assert(t, err == nil || errors.Is(err, broker.ErrPortPanic), "%v", err)
		noError(t, heartbeat(t.Context(), conn))
		equal(t, "connections", s.Conns.Load(), 2)
	})
}

type panicsOnCheck struct{ parking }

func (panicsOnCheck) Check() error { panic("in Check") }

// TestCheckWithNoReconnect: the request learns of the loss, and that it was not sent.
func TestCheckWithNoReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.NoReconnect = true
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return gonePeer{l, &gone} }}
		conn := dial(t, cfg)
		time.Sleep(time.Minute)
		gone.Store(true)
		err := heartbeat(t.Context(), conn)
		wantRefusal(t, err, broker.ErrConnection, io.EOF)
		receive(t, conn.Done())
	})
}

// gonePeer is a link whose Check reports the end before its reader does, as
// a kernel may: the reader is parked, and does not run yet.
type gonePeer struct {
	parking
	gone *atomic.Bool
}

func (l gonePeer) Check() error {
	if l.gone.Load() {
		return io.EOF
	}
	return nil
}

// TestCheckAmongManyCallers: the first caller after the silence looks, and no other
// of them fails.
func TestCheckAmongManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
		cfg := s.Piped()
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return gonePeer{l, &gone} }}
		cfg.Hooks = onState(broker.Disconnected, func() { gone.Store(false) })
		conn := dial(t, cfg)
		for range 50 {
			time.Sleep(time.Minute)
			gone.Store(true)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					began := time.Now()
					noError(t, heartbeat(t.Context(), conn))
					took := time.Since(began)
					assert(t, took <= 60*time.Millisecond, "it took %v", took)
				})
			}
			wg.Wait()
		}
		st := conn.Stats()
		assert(t, st.Failed == 0 && st.Ready == 51 && s.Conns.Load() == 51, "%+v", st)
	})
}

// TestPolledPeerGoneInSilence: a method that comes after the end finds it, and
// nothing is written to the old connection.
func TestPolledPeerGoneInSilence(t *testing.T) {
	for name, end := range map[string]func(r *harness){
		"closed": func(r *harness) { r.broker.peer.Close() },
		"reset":  func(r *harness) { r.broker.peer.Reset(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			onReady(t, nil, func(t *testing.T, r *harness) {
				r.pass(time.Minute)
				end(r)
				wantRefusal(t, r.outcome(r.send()), broker.ErrNotConnected)
				s := r.Stats()
				assert(t, s.Requests == 0, "%+v", s)
			})
		})
	}
}

// TestSendThatFindsThePeerGone is refused for want of a connection, so it sees to it
// that one is tried for the next.
func TestSendThatFindsThePeerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gone atomic.Bool
		var opened atomic.Int64
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link {
			if opened.Add(1) == 1 {
				return gonePeer{l, &gone}
			}
			return l
		}}
		conn := dial(t, cfg)
		must(t, heartbeat(t.Context(), conn))
		time.Sleep(time.Minute)
		gone.Store(true)
		wantRefusal(t, errorOf(sendAndWait(t.Context(), conn, ask())), broker.ErrConnection)
		time.Sleep(time.Minute)
		assert(t, conn.State() == broker.Connected, "a minute later: %v", conn.State())
		noError(t, errorOf(sendAndWait(t.Context(), conn, ask())))
	})
}
