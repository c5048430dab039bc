package lessons

import (
	"context"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about hooks: they hold no lock, and Close waits for none.

// allHooks is Hooks of which each one calls reported with its name; read from the
// type, so that one that is added is tried too.
func allHooks(reported func(name string)) *broker.Hooks {
	hooks := &broker.Hooks{}
	v := reflect.ValueOf(hooks).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		v.Field(i).Set(reflect.MakeFunc(v.Field(i).Type(), func([]reflect.Value) []reflect.Value {
			reported(name)
			return nil
		}))
	}
	return hooks
}

// events are the hooks that one life of a connection calls. The others are Warning,
// before there is a connection, IdleLost, after seconds of silence, and Panicked.
func events() (names []string) {
	hooks := reflect.TypeFor[broker.Hooks]()
	for i := range hooks.NumField() {
		if n := hooks.Field(i).Name; !slices.Contains([]string{"Warning", "IdleLost", "Panicked"}, n) {
			names = append(names, n)
		}
	}
	return names
}

// wholeLife is the life of a connection in which everything happens: TLS, a login,
// a late answer, a throttle, an idle limit, a loss with a request in flight. It ends
// early if a hook closes the connection.
func wholeLife(t *testing.T, reported func(conn *broker.Conn, name string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var conn *broker.Conn
		var asked atomic.Int64
		idle, gone := make(chan struct{}, 1), make(chan struct{}, 1)
		hosts := (&fakebroker.Hosts{
			Shake: func(context.Context) error { return nil },
			Peer:  map[string]func(net.Conn){},
		}).At("a")
		hosts.Peer["a"] = func(peer net.Conn) {
			fakebroker.Serve(peer, func(r fakebroker.Request) []byte {
				switch r.Key {
				case 18:
					return fakebroker.Table(r.Version)
				case 12:
					if asked.Add(1) == 2 {
						peer.Close()
						return nil
					}
					time.Sleep(5 * time.Millisecond)
					return []byte{0, 0, 0, 1, 0, 0} // a throttle of a millisecond
				case 17:
					return kmsg.NewPtrSASLHandshakeResponse().AppendTo(nil)
				}
				resp := kmsg.NewPtrSASLAuthenticateResponse()
				resp.Version = r.Version
				return resp.AppendTo(nil)
			})
		}
		cfg := hosts.Config()
		cfg.Authenticators, cfg.IdleTimeout = []ports.Authenticator{&fakebroker.Login{}}, 20*time.Millisecond
		cfg.StallAfter = time.Millisecond
		begin := make(chan struct{})
		cfg.Hooks = allHooks(func(name string) {
			<-begin
			reported(conn, name)
			if name == "Idle" {
				idle <- struct{}{}
			}
		})
		conn = fakebroker.NewConn(t, cfg)
		close(begin)
		go func() { fakebroker.Receive(t, conn.Done()); close(gone) }()
		_ = heartbeat(context.Background(), conn)
		select {
		case <-idle:
		case <-gone:
		}
		_ = heartbeat(context.Background(), conn)
		fakebroker.Close(t, conn)
		<-gone
		time.Sleep(time.Second) // for an answer of the peer that nothing waits for
	})
}

// hooksHoldNoLock: while a hook runs, another goroutine asks everything
// there is to ask, and is answered before the hook returns.
func hooksHoldNoLock(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	wholeLife(t, func(conn *broker.Conn, name string) {
		mu.Lock()
		seen = append(seen, name)
		mu.Unlock()
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			conn.State()
			conn.Stats()
			conn.LastError()
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			_, _ = conn.APIVersions(ended)
		}()
		fakebroker.Receive(t, asked)
	})
	for _, name := range events() {
		assert(t, slices.Contains(seen, name), "%s was not called", name)
	}
}

// closeFromEveryHook: each hook in turn closes its connection, twice.
func closeFromEveryHook(t *testing.T) {
	for _, at := range events() {
		t.Run(at, func(t *testing.T) {
			var closed atomic.Bool
			wholeLife(t, func(conn *broker.Conn, name string) {
				if name == at && !closed.Swap(true) {
					conn.Close()
					conn.Close()
				}
			})
			assert(t, closed.Load(), "it was not called")
		})
	}
}

// closeWhileHandlerWaits: a handler of answers waits for a goroutine that waits for Close;
// Close does not wait for the handler.
func closeWhileHandlerWaits(t *testing.T) {
	inHandler, closed := make(chan struct{}), make(chan struct{})
	cfg := (&fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}).Piped()
	cfg.Hooks = &broker.Hooks{RequestAnswered: func(broker.RequestInfo) {
		close(inHandler)
		fakebroker.Receive(t, closed)
	}}
	conn := dial(t, cfg)
	f := mustSend(t, conn, kmsg.NewPtrHeartbeatRequest())
	go func() {
		fakebroker.Receive(t, inHandler)
		conn.Close()
		close(closed)
	}()
	fakebroker.Receive(t, f.Done())
	fakebroker.Receive(t, conn.Done())
}
