package lessons

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about peers that take nothing more, and about connections on which
// nothing happened for a while.

// stopReading is a broker that sends its API versions and then reads no more,
// until release is closed.
func stopReading(release <-chan struct{}) func(net.Conn) {
	return func(conn net.Conn) {
		defer conn.Close()
		chunk := make([]byte, 4096)
		n, err := conn.Read(chunk)
		if r, _, ok := fakebroker.Parse(chunk[:n]); ok && err == nil {
			_, err = conn.Write(fakebroker.ResponseFrame(r.ID, fakebroker.Table(r.Version)))
		}
		if err == nil {
			<-release
		}
	}
}

// large is a request that no pipe takes in one piece.
func large() *ports.RawRequest {
	return &ports.RawRequest{APIKey: 12, APIVersion: 1, Body: make([]byte, 1<<20)}
}

// noticeTime is how long a caller may take to notice that its context ended.
const interval = 20 * time.Millisecond

// peerStopsReading: a caller that writes, or waits behind one that does, is back
// when its time is over, and knows how much of its request had left.
func peerStopsReading(t *testing.T) {
	const limit = 5 * time.Second
	for name, change := range map[string]func(*broker.Config){
		"parked": func(*broker.Config) {},
		"polled": func(cfg *broker.Config) { cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport} },
	} {
		runBubble(t, name, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": stopReading(release)}}).At("a")
			cfg := hosts.Config()
			cfg.RequestTimeout, cfg.NoReconnect = limit, true
			change(&cfg)
			conn := dial(t, cfg)
			began := time.Now()
			var wg sync.WaitGroup
			for n := range 3 {
				wg.Go(func() {
					_, err := conn.RequestRaw(context.Background(), large())
					took := time.Since(began)
					assert(t, took == limit, "request %d: it took %v", n, took)
					e := brokerError(t, err)
					assert(t, errors.Is(err, broker.ErrRequestTimeout) && e.Sent != broker.SentFully &&
						broker.SafeToRetry(err), "request %d: %v", n, err)
				})
			}
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := conn.RequestRaw(ctx, large())
				took := time.Since(began)
				assert(t, took <= time.Second+interval && errors.Is(err, context.DeadlineExceeded),
					"with a context: %v after %v", err, took)
			})
			wg.Wait()
		})
	}
}

// pendingIsBounded: what waits to be written has a limit, and Send says so
// at once instead of waiting.
func pendingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": stopReading(release)}}).At("a")
		cfg := hosts.Config()
		cfg.MaxInFlight, cfg.MaxPendingBytes = 1000, 4<<20
		conn := dial(t, cfg)
		began := time.Now()
		admitted, refused := 0, 0
		for range 100 {
			_, err := conn.Send(t.Context(), large())
			if err == nil {
				admitted++
				continue
			}
			wantRefusal(t, err, broker.ErrBackPressure)
			refused++
		}
		assert(t, admitted <= 5 && refused >= 95 && time.Now().Equal(began),
			"%d admitted and %d refused in %v", admitted, refused, time.Since(began))
	})
}

// idleCloseIsQuiet: a broker closes a connection after 10 minutes without
// traffic. The default limit comes first: no error, no failure counted, no pause,
// and the next request has a new connection at once.
func idleCloseIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const brokerLimit = 10 * time.Minute
		var idle, bad int
		hosts := (&fakebroker.Hosts{}).At("a")
		cfg := hosts.Config()
		cfg.Hooks = &broker.Hooks{
			Idle: func(broker.Endpoint) { idle++ },
			StateChanged: func(_, to broker.State, _ broker.Endpoint, err error) {
				if err != nil {
					bad++
				}
			},
			RequestFailed: func(broker.RequestInfo, error) { bad++ },
		}
		conn := dial(t, cfg)
		for range 3 {
			noError(t, heartbeat(t.Context(), conn))
			time.Sleep(brokerLimit)
			s := conn.Stats()
			assert(t, s.State == broker.Disconnected && s.LastError == nil && s.BackoffUntil.IsZero(), "%+v", s)
			began := time.Now()
			err := heartbeat(t.Context(), conn)
			assert(t, err == nil && time.Now().Equal(began), "the next request: %v after %v", err, time.Since(began))
		}
		assert(t, idle == 3 && bad == 0, "%d idle closes were reported, and %d failures", idle, bad)
	})
}

// firstAfterSilence: something between closes the connection while nothing
// happens. The first request after it succeeds or is safe to retry, and the one
// after that succeeds.
func firstAfterSilence(t *testing.T) {
	for name, change := range map[string]func(*broker.Config){
		"parked":        func(*broker.Config) {},
		"polled":        func(cfg *broker.Config) { cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport} },
		"another clock": func(cfg *broker.Config) { cfg.Clock = otherClock{} },
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
				time.AfterFunc(5*time.Minute, func() { conn.Close() })
				(&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Serve(conn)
			}}}).At("a")
			cfg := hosts.Config()
			change(&cfg)
			conn := dial(t, cfg)
			for range 5 {
				err := heartbeat(t.Context(), conn)
				assert(t, err == nil || broker.SafeToRetry(err), "first: %v", err)
				noError(t, heartbeat(t.Context(), conn))
				time.Sleep(6 * time.Minute)
			}
		})
	}
}

// brokenPipe: the loss shows in the write, of which nothing left. So the
// request is safe to retry, by whatever way it was sent.
func brokenPipe(t *testing.T) {
	for way, send := range map[string]func(*broker.Conn) error{
		"Request": func(conn *broker.Conn) error { return heartbeat(context.Background(), conn) },
		"Send":    func(conn *broker.Conn) error { return errorOf(sendAndWait(context.Background(), conn, ask())) },
	} {
		t.Run(way, func(t *testing.T) {
			var broken atomic.Bool
			hosts := (&fakebroker.Hosts{Wrap: func(c net.Conn) net.Conn { return brokenConn{c, &broken} }}).At("a")
			conn := dial(t, hosts.Config())
			fakebroker.Must(t, heartbeat(t.Context(), conn))
			broken.Store(true)
			err := send(conn)
			wantRefusal(t, err, broker.ErrConnection)
			e := brokerError(t, err)
			assert(t, e.Sent == broker.SentNothing, "%v", e.Sent)
			broken.Store(false)
			noError(t, heartbeat(t.Context(), conn))
		})
	}
}

// brokenConn is a net.Conn whose peer is gone, which the next write finds out.
type brokenConn struct {
	net.Conn
	broken *atomic.Bool
}

func (p brokenConn) Write(b []byte) (int, error) {
	if p.broken.Load() {
		p.Conn.Close()
		return 0, &net.OpError{Op: "write", Net: "pipe", Err: syscall.EPIPE}
	}
	return p.Conn.Write(b)
}
