package matrix

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/proxies"
	"brokerconn/acceptance/relay"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
	"brokerconn/ports"
)

// The cells of the wire, on loopback: a Conn, a relay with the fault on its first connection, and a server. Nothing
// depends on real time: where a timeout passes, the clock of the Conn is advanced.

const (
	bound = time.Minute      // of setup and of requests
	gap   = 10 * time.Minute // for which a process is stopped
)

// framesBefore is how many frames the server has sent when a phase begins.
var framesBefore = map[byte]int{'V': 0, 'H': 1, 'A': 2, 'F': 2, 'K': 4, 'C': 2}

// wire is one run.
type wire struct {
	t        *testing.T
	c        Cell
	kind     relay.Kind
	seen     *Seen
	proxy    *relay.Relay
	server   *server
	conn     *broker.Conn
	clock    *clock // nil: the system's
	began    time.Time
	links    *links      // nil: they are not looked at
	stop     *stop       // nil: the process is not stopped
	armed    atomic.Bool // the next hook of an answer closes hooked, and waits for unhook
	hooked   chan struct{}
	unhook   chan struct{}
	down     chan struct{} // a state without a connection was reached behind another
	requests sync.WaitGroup
}

// sockets runs a cell. It returns what was wrong.
func sockets(t *testing.T, c Cell) []string {
	w := &wire{t: t, c: c, seen: newSeen(0), down: make(chan struct{}, 100),
		hooked: make(chan struct{}), unhook: make(chan struct{})}
	w.seen.conn, w.seen.real = true, true
	fault := w.fault()
	w.server = newServer(c)
	secure := httptest.NewUnstartedServer(nil)
	defer secure.Close()
	if c.Phase == 'T' || w.kind == "tls-port" {
		secure.StartTLS()
		w.server.tls = secure.TLS
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	served := w.server.accept(listener)
	defer func() { listener.Close(); <-served }()
	target := listener.Addr().String()
	proxy, proxyAt := w.throughProxy(), ""
	if proxy != "" {
		proxyAt = proxies.Listen(t, serveProxy(proxy, nil))
	}
	if proxy != "" && c.Phase == 'D' { // the fault is one of the conversation with the proxy
		target = proxyAt
	}
	w.proxy, err = relay.Start(target, relay.Options{Fault: func(n int) relay.Fault {
		if n == 0 {
			return fault
		}
		return relay.Fault{}
	}})
	fakebroker.Must(t, err)
	defer w.proxy.Close()
	cfg := w.config()
	if proxy != "" && c.Phase == 'D' {
		at := fakebroker.ConfigFor(t, listener.Addr().String())
		cfg.Host, cfg.Port, proxyAt = at.Host, at.Port, w.proxy.Addr()
	}
	cfg.Transport = w.transport(proxy, proxyAt, secure)
	w.conn, err = broker.NewConn(cfg)
	fakebroker.Must(t, err)
	w.run()
	settled := w.pump()
	defer settled()
	w.requests.Wait()
	if c.Want.Next == Closed { // which may follow the last response
		w.until(func(broker.Stats) bool { return w.seen.wentDown() })
	} else {
		w.settle()
	}
	w.seen.end()
	w.conn.Close()
	<-w.conn.Done()
	w.server.release()
	return w.seen.wrong(c)
}

// fault reads the Wire of the cell: a kind, how many bytes pass before it, and its bytes in hexadecimal.
func (w *wire) fault() (f relay.Fault) {
	words := strings.Fields(w.c.Wire)
	w.kind = relay.Kind(words[0])
	f = relay.Fault{Kind: w.kind, Frames: framesBefore[w.c.Phase]}
	if len(words) > 1 {
		f.After, _ = strconv.Atoi(words[1])
	}
	if len(words) > 2 {
		f.Bytes, _ = hex.DecodeString(words[2])
	}
	switch {
	case w.c.Phase == 'R', slices.Contains(unrelayed, w.kind):
		return relay.Fault{}
	case w.kind == "close": // the owner closes while the phase waits
		f.Kind = relay.Silence
	}
	return f
}

// unrelayed are the kinds that begin later, or that the relay has no part in.
var unrelayed = []relay.Kind{"refuse", "plain", "tls-port", "narrow", "hook", "gap", "short", "long", relay.Stall}

// throughProxy returns the kind of the proxy in the cell, "" without one.
func (w *wire) throughProxy() string {
	if words := strings.Fields(w.c.Wire); w.kind == "close" && len(words) > 1 {
		return words[1] // which is silent, so that there is a dial to end
	}
	return w.c.Proxy
}

// passes reports whether a timeout passes in the cell.
func (w *wire) passes() bool {
	return w.kind == "hook" || w.kind == "gap" || errors.Is(w.c.Want.Kind, broker.ErrTimeout) ||
		w.c.Want.Text == "no answer"
}

func (w *wire) config() broker.Config {
	cfg := fakebroker.ConfigFor(w.t, w.proxy.Addr())
	cfg.SetupTimeout, cfg.RequestTimeout, cfg.IdleTimeout = bound, bound, -1
	if w.passes() {
		w.clock = newClock()
		cfg.Clock = w.clock
	}
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = 10*time.Millisecond, time.Hour // none is idle for that
	cfg.MaxResponseBytes, cfg.MaxPendingBytes = 1<<20, 1<<30
	cfg.Metrics = &w.seen.tally
	if strings.IndexByte("HAK", w.c.Phase) >= 0 {
		cfg.Authenticators = []ports.Authenticator{fakebroker.NewToken("X", "one", 0)}
	}
	w.began = time.Now()
	cfg.Hooks = broker.JoinHooks(logging.Hooks(slog.New(&lines{seen: w.seen})), &broker.Hooks{
		StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
			w.seen.changed(time.Since(w.began), from, to, err)
			w.seen.pauses(to, w.conn.Stats().BackoffUntil, w.now())
			if to.Down() {
				w.down <- struct{}{}
			}
		},
		RequestAnswered: func(broker.RequestInfo) {
			if w.armed.CompareAndSwap(true, false) {
				close(w.hooked)
				<-w.unhook
			}
		},
	})
	return cfg
}

// now is the time of the Conn.
func (w *wire) now() time.Time {
	if w.clock != nil {
		return w.clock.Now()
	}
	return time.Now()
}

// run leads to the phase of the cell, and lets the fault happen.
func (w *wire) run() {
	closes := w.kind == "close"
	switch w.c.Phase {
	case 'D', 'T', 'V', 'H', 'A':
		if w.kind == "refuse" {
			fakebroker.Must(w.t, w.proxy.Refuse())
		}
		w.request(1, w.patience())
		if w.kind == "refuse" {
			<-w.down
			fakebroker.Must(w.t, w.proxy.Reopen())
		}
		if closes || w.passes() && w.kind != "gap" {
			w.until(func(s broker.Stats) bool { return s.State == state(w.c.Phase) && s.Waiting == 1 })
		}
	case 'R':
		w.first()
		if !closes && !w.misreads() && w.kind != "gap" {
			w.proxy.Strike(relay.Fault{Kind: w.kind})
		}
		switch {
		case closes, w.kind == "gap":
		case len(w.c.judged()) > 0:
			w.send(2, w.asking(2))
		default:
			<-w.down
		}
	case 'F':
		w.first()
		if w.kind == "narrow" { // each write takes a part
			w.send(2, &ports.RawRequest{APIKey: 3, Body: make([]byte, 8<<20)})
			w.send(3, heartbeat(3))
			w.send(4, heartbeat(4))
			break
		}
		if w.kind == relay.Stall {
			w.proxy.Strike(relay.Fault{Kind: relay.Stall})
			before := w.proxy.Received()
			w.send(2, &ports.RawRequest{APIKey: 3, Body: make([]byte, 32<<20)})
			w.until(func(broker.Stats) bool { return w.proxy.Received() > before })
			for _, n := range []int64{3, 4, 5} {
				w.send(n, heartbeat(n))
			}
			break
		}
		w.armed.Store(w.kind == "hook")
		for _, n := range w.c.judged() {
			w.send(n, w.asking(n))
		}
		if w.kind == "hook" { // for longer than requests may take, and all answers arrive meanwhile
			<-w.hooked
			w.server.release()
			w.until(func(broker.Stats) bool { return w.links.unread() })
			w.clock.Advance(bound)
			close(w.unhook)
			return
		}
		if closes {
			w.server.await(4)
		}
	case 'K':
		w.first()
		w.requests.Go(func() { _ = w.conn.Reauthenticate(context.Background()) })
		w.until(func(s broker.Stats) bool { return s.Reauthenticating })
		w.request(2, w.patience())
		w.until(func(s broker.Stats) bool { return s.Waiting == 1 })
		w.server.release()
	case 'C':
		w.first()
		for _, n := range w.c.judged() {
			w.send(n, w.asking(n))
		}
		w.server.await(2)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.conn.Drain(ended) // which goes on
		if !closes {
			w.server.release()
		}
	}
	switch {
	case closes:
		w.conn.Close()
	case w.kind == "gap":
		if w.stop == nil {
			w.clock.skip(gap)
			break
		}
		<-w.stop.arrived
		w.clock.skip(gap) // timers first: the worst order that a system has
		close(w.stop.over)
		w.until(func(s broker.Stats) bool { return s.State == broker.Connected || w.seen.wentDown() })
		w.requests.Wait() // nothing is left that needs time
	case w.passes():
		if w.kind != relay.Stall {
			w.until(func(s broker.Stats) bool { return s.PendingBytes == 0 })
		}
		w.clock.Advance(bound)
	}
}

// misreads reports whether the fault is a body that cannot be read.
func (w *wire) misreads() bool { return w.kind == "short" || w.kind == "long" }

// asking is a request in whose answer the fault is, if it is the first.
func (w *wire) asking(n int64) ports.Message {
	if w.misreads() && n == w.c.judged()[0] {
		return kmsg.NewPtrMetadataRequest()
	}
	return heartbeat(n)
}

// patience is how long a request waits that is to outlive the fault, if the process is not stopped.
func (w *wire) patience() time.Duration {
	if w.kind == "gap" && w.c.Want.Late {
		return bound
	}
	return 100 * bound
}

// pump lets the pauses of the backoff pass, if the clock is not the system's, until the function that it returns is
// called.
func (w *wire) pump() (end func()) {
	if w.clock == nil {
		return func() {}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
				w.clock.Advance(5 * time.Millisecond)
			}
		}
	}()
	return func() { close(over); <-ended }
}

// first sends a request and waits for its answer.
func (w *wire) first() { fakebroker.Must(w.t, fakebroker.Numbered(w.t.Context(), w.conn, 1)) }

// settle shows that the connection answers a request behind the fault.
func (w *wire) settle() {
	ctx := broker.WithRequestTimeout(context.Background(), 10*bound)
	if err := fakebroker.Numbered(ctx, w.conn, 99); err != nil {
		w.t.Errorf("%v: got %v behind the fault, want an answer", w.c, err)
	}
}

func heartbeat(n int64) ports.Message {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Generation = int32(n)
	return req
}

// request makes a request that waits until it is admitted, and judges its end.
func (w *wire) request(n int64, timeout time.Duration) {
	w.requests.Go(func() {
		ctx := broker.WithRequestTimeout(context.Background(), timeout)
		err := fakebroker.Numbered(ctx, w.conn, int32(n))
		w.seen.completed(time.Since(w.began), n, err)
	})
}

// send admits a request now, and judges its end.
func (w *wire) send(n int64, req ports.Message) {
	future, err := w.conn.Send(context.Background(), req)
	if err != nil {
		w.seen.completed(time.Since(w.began), n, err)
		return
	}
	w.requests.Go(func() {
		_, err := future.Wait(context.Background())
		w.seen.completed(time.Since(w.began), n, err)
	})
}

// until waits for a condition of the connection.
func (w *wire) until(is func(broker.Stats) bool) {
	w.t.Helper()
	for end := time.Now().Add(bound); !is(w.conn.Stats()); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Errorf("%v: got no such state within %v; stats: %+v", w.c, bound, w.conn.Stats())
			panic("hang: see the stacks")
		}
	}
}

// String names a cell in failures.
func (c Cell) String() string { return fmt.Sprintf("%c %s (%s)", c.Phase, c.Fault, c.Wire) }
