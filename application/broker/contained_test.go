package broker_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A defect in a link, or a hook that ends its goroutine, costs the connection at
// most, and never the process, the lock, or time.

// parking is a link of netlink's with all that it can do.
type parking struct {
	ports.Link
	ports.Watcher
	ports.Parker
	_ []int // links need not be comparable
}

// wrapped is a transport whose links were tampered with.
type wrapped struct {
	ports.Transport
	wrap func(parking) ports.Link
}

func (w wrapped) Open(ep ports.Endpoint) ports.Link {
	l := w.Transport.Open(ep)
	return w.wrap(parking{Link: l, Watcher: l.(ports.Watcher), Parker: l.(ports.Parker)})
}

type panicsOnWrite struct {
	parking
	healthy *atomic.Int64 // so many writes go well
}

func (l panicsOnWrite) Write(p []byte) (int, error) {
	if l.healthy.Add(-1) < 0 {
		panic("in Write")
	}
	return l.parking.Write(p)
}

func counter(n int64) *atomic.Int64 {
	c := new(atomic.Int64)
	c.Store(n)
	return c
}

type panicsOnRead struct {
	parking
	healthy *atomic.Int64
}

func (l panicsOnRead) Read(p []byte) (int, error) {
	if l.healthy.Add(-1) < 0 {
		panic("in Read")
	}
	return l.parking.Read(p)
}

type miscounts struct{ parking }

func (l miscounts) Write(p []byte) (int, error) { return len(p) + 1, nil }

type panicsOnInterrupt struct{ parking }

func (panicsOnInterrupt) Interrupt() { panic("in Interrupt") }

type panicsOnResume struct{ parking }

func (panicsOnResume) Resume() { panic("in Resume") }

type panicsOnClose struct{ parking }

func (l panicsOnClose) Close() error {
	_ = l.parking.Close()
	panic("in Close")
}

func TestDefectsOfLinksAreContained(t *testing.T) {
	for name, wrap := range map[string]func(parking) ports.Link{
		"first Write": func(l parking) ports.Link { return panicsOnWrite{l, counter(0)} },
		"later Write": func(l parking) ports.Link { return panicsOnWrite{l, counter(1)} },
		"later Read":  func(l parking) ports.Link { return panicsOnRead{l, counter(1)} },
		"count":       func(l parking) ports.Link { return miscounts{l} },
		"Interrupt":   func(l parking) ports.Link { return panicsOnInterrupt{l} },
		"Resume":      func(l parking) ports.Link { return panicsOnResume{l} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := piped(silent) // so that the context ends while the caller reads
			cfg.Transport = wrapped{cfg.Transport, wrap}
			cfg.NoReconnect = true
			cfg.RequestTimeout = time.Second
			conn, err := broker.Dial(t.Context(), cfg)
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				err = heartbeat(ctx, conn)
				cancel()
				receive(t, conn.Done())
			}
			wantErrorBut(t, err, broker.ErrPortPanic, broker.ErrTimeout)
			assert(t, strings.Contains(err.Error(), "in "), "what happened is missing: %v", err)
		})
	}
}

func TestPanicInCloseOfALinkIsContained(t *testing.T) {
	cfg := piped(fakebroker.HeartbeatBody)
	cfg.Transport = wrapped{cfg.Transport, func(l parking) ports.Link { return panicsOnClose{l} }}
	conn := dial(t, cfg)
	noError(t, heartbeat(t.Context(), conn))
}

// TestHookThatEndsItsGoroutine as t.Fatal does: the connection goes on.
func TestHookThatEndsItsGoroutine(t *testing.T) {
	for at := range int64(6) {
		var events atomic.Int64
		happened := func() {
			if events.Add(1) == at {
				runtime.Goexit()
			}
		}
		cfg := piped(fakebroker.HeartbeatBody)
		cfg.Hooks = &broker.Hooks{
			StateChanged:    func(broker.State, broker.State, broker.Endpoint, error) { happened() },
			RequestWritten:  func(broker.RequestInfo) { happened() },
			RequestAnswered: func(broker.RequestInfo) { happened() },
		}
		conn := newConn(t, cfg)
		for range 3 {
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				_ = heartbeat(context.Background(), conn)
			}()
			receive(t, asked)
		}
		fakebroker.Close(t, conn)
	}
}

// TestDialTriesEachAddressOnce also when a hook takes longer than the pause after
// a failure.
func TestDialTriesEachAddressOnce(t *testing.T) {
	tries := 0
	cfg := broker.Config{Transport: refusing{}, ReconnectBackoff: 1, ReconnectBackoffMax: 1}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg.Hooks = onState(broker.Disconnected, func() {
		if tries++; tries > 1 {
			cancel()
		}
		for start := time.Now(); !time.Now().After(start); {
			runtime.Gosched()
		}
	})
	if _, err := broker.Dial(ctx, cfg); !errors.Is(err, broker.ErrDial) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

type refusing struct{ neverReached }

func (refusing) Open(ports.Endpoint) ports.Link { return refusedNow{} }

// TestSendWhileAHookRunsAndThePeerGoes: the loss waits behind the hook, and the request
// for a connection, which comes meanwhile, must outlive it.
func TestSendWhileAHookRunsAndThePeerGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var slow atomic.Bool
		slow.Store(true)
		cfg := piped(func(peer net.Conn, _ int16, _ int32) []byte {
			if slow.Load() {
				time.AfterFunc(time.Second, func() { peer.Close() })
				time.Sleep(time.Minute) // no answer
			}
			return make([]byte, 6)
		})
		cfg.Hooks = &broker.Hooks{RequestWritten: func(broker.RequestInfo) {
			if slow.Load() {
				time.Sleep(3 * time.Second)
			}
		}}
		conn := dial(t, cfg)
		time.Sleep(5 * time.Second) // the Conn's own reader is at work: it notices the loss
		go heartbeat(t.Context(), conn)
		time.Sleep(2 * time.Second)
		_, err := sendAndWait(t.Context(), conn, ask())
		slow.Store(false)
		wantError(t, err, broker.ErrNotConnected)
		time.Sleep(time.Minute)
		assert(t, conn.State() == broker.Connected, "a minute later: %v", conn.State())
	})
}
