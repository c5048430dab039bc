package broker_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
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
		"first Write": func(l parking) ports.Link { return panicsOnWrite{l, new(atomic.Int64)} },
		"later Write": func(l parking) ports.Link {
			l2 := panicsOnWrite{l, new(atomic.Int64)}
			l2.healthy.Store(1)
			return l2
		},
		"later Read": func(l parking) ports.Link {
			l2 := panicsOnRead{l, new(atomic.Int64)}
			l2.healthy.Store(1)
			return l2
		},
		"count":     func(l parking) ports.Link { return miscounts{l} },
		"Interrupt": func(l parking) ports.Link { return panicsOnInterrupt{l} },
		"Resume":    func(l parking) ports.Link { return panicsOnResume{l} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := (&fakebroker.Scripted{Answer: silent}).Piped() // so that the context ends while the caller reads
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
	cfg := (&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Piped()
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
		cfg := (&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Piped()
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
		conn.Close()
		receive(t, conn.Done())
	}
}

// TestDialTriesEachAddressOnce also when a hook takes longer than the pause after
// a failure.
func TestDialTriesEachAddressOnce(t *testing.T) {
	tries := 0
	cfg := broker.Config{Transport: refusing{}, ReconnectBackoff: 1, ReconnectBackoffMax: 1}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg.Hooks = &broker.Hooks{StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
		if to == broker.Disconnected {
			if tries++; tries > 1 {
				cancel()
			}
			for start := time.Now(); !time.Now().After(start); {
				runtime.Gosched()
			}
		}
	}}
	if _, err := broker.Dial(ctx, cfg); !errors.Is(err, broker.ErrDial) || tries != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

type refusing struct{ neverReached }

type refusedLink struct{ pendingLink }

func (refusing) Open(ports.Endpoint) ports.Link { return refusedLink{} }

func (refusedLink) Stage() (ports.Stage, error) {
	return ports.StageDialing, errors.New("refused")
}
