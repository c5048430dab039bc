package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

type failing = fakebroker.Failing

var (
	configFor   = fakebroker.ConfigFor
	isDone      = fakebroker.IsDone
	must        = fakebroker.Must
	mustSend    = fakebroker.MustSend
	newConn     = fakebroker.NewConn
	newPolled   = fakebroker.NewPolled
	noError     = fakebroker.NoError
	numbered    = fakebroker.Numbered
	receive     = fakebroker.Receive
	runBubble   = fakebroker.RunBubble
	sendAndWait = fakebroker.SendAndWait
	wantError   = fakebroker.WantError
	wantRefusal = fakebroker.WantRefusal
)

// links are transports in whose links callers park, and others.
var links = map[string]func(*broker.Config){"parked": func(*broker.Config) {}, "unparked": unpark}

func unpark(cfg *broker.Config) { cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport} }

// answersAfter is a broker that answers a Heartbeat v1 to v3 after a while.
func answersAfter(d time.Duration) answers {
	return func(net.Conn, int16, int32) []byte {
		time.Sleep(d)
		return make([]byte, 6)
	}
}

type answers = func(peer net.Conn, key int16, id int32) []byte

// piped is a broker over pipes, and listening one over sockets.
func piped(answer answers) broker.Config { return (&fakebroker.Scripted{Answer: answer}).Piped() }

func listening(t testing.TB, answer answers) broker.Config {
	t.Helper()
	return (&fakebroker.Scripted{Answer: answer}).Listening(t)
}

// dialOne dials a broker to which at most one request is in flight.
func dialOne(t testing.TB, answer answers) *broker.Conn {
	t.Helper()
	cfg := piped(answer)
	cfg.MaxInFlight = 1
	return dial(t, cfg)
}

// dice are for several goroutines.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed, stream uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, stream))} }

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// heartbeats sends n requests, and returns what becomes of them.
func heartbeats(ctx context.Context, conn *broker.Conn, n int) <-chan error {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- heartbeat(ctx, conn) }()
	}
	return errs
}

// onState are hooks that call f in a state.
func onState(state broker.State, f func()) *broker.Hooks {
	return &broker.Hooks{StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
		if to == state {
			f()
		}
	}}
}

// throttledOnce is a broker whose first answer throttles for so many milliseconds.
// It answers Heartbeat v1 to v3.
func throttledOnce(ms uint32) answers {
	var reported atomic.Bool
	return func(net.Conn, int16, int32) []byte {
		body := make([]byte, 6)
		if !reported.Swap(true) {
			binary.BigEndian.PutUint32(body, ms)
		}
		return body
	}
}

// dialsAfter refuses the first n dials, and counts them.
func dialsAfter(t ports.Transport, n int64, refused *atomic.Int64) ports.Transport {
	return refusesFirst{t, n, refused}
}

type refusesFirst struct {
	ports.Transport
	n       int64
	refused *atomic.Int64
}

func (r refusesFirst) Open(ep ports.Endpoint) ports.Link {
	if r.refused.Add(1) <= r.n {
		return refusedNow{}
	}
	r.refused.Add(-1)
	return r.Transport.Open(ep)
}

// refusedNow is a link whose dial has failed.
type refusedNow struct{ pendingLink }

func (refusedNow) Stage() (ports.Stage, error) { return ports.StageDialing, errors.New("refused") }

func tcpTransport() ports.Transport { return tcp.New(tcp.Options{}) }

func unparkedTCP() ports.Transport { return fakebroker.Unparked{Transport: tcpTransport()} }

// equal reports what differs.
func equal[T comparable](t failing, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// assert reports what does not hold.
func assert(t failing, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Errorf(format, args...)
	}
}

// require is assert, and ends the test.
func require(t failing, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Fatalf(format, args...)
	}
}

// wantErrorBut checks that err matches one kind, and not the other.
func wantErrorBut(t failing, err error, kind, other error) {
	t.Helper()
	if !errors.Is(err, kind) || errors.Is(err, other) {
		t.Errorf("got error %v, want %v and not %v", err, kind, other)
	}
}

func errorOf[T any](_ T, err error) error { return err }
