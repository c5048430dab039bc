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
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

type failing = fakebroker.Failing

var (
	configFor = fakebroker.ConfigFor
	must      = fakebroker.Must
	newConn   = fakebroker.NewConn
	receive   = fakebroker.Receive
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

func isDone(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

// mustSend sends a request that must not be refused.
func mustSend(t testing.TB, conn *broker.Conn, req ports.Message) *broker.Future {
	t.Helper()
	f, err := conn.Send(t.Context(), req)
	if err != nil {
		t.Fatalf("Send: got %v, want a Future", err)
	}
	return f
}

// sendAndWait returns what became of a request: its refusal, or its response.
func sendAndWait(ctx context.Context, conn *broker.Conn, req ports.Message) (ports.Message, error) {
	f, err := conn.Send(ctx, req)
	if err != nil {
		return nil, err
	}
	return f.Wait(ctx)
}

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

func noError(t failing, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// wantError checks that err matches each of the kinds.
func wantError(t failing, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("got error %v, want %v", err, kind)
		}
	}
}

// wantErrorBut checks that err matches one kind, and not the other.
func wantErrorBut(t failing, err error, kind, other error) {
	t.Helper()
	if !errors.Is(err, kind) || errors.Is(err, other) {
		t.Errorf("got error %v, want %v and not %v", err, kind, other)
	}
}

// wantRefusal is wantError for a request that is safe to retry.
func wantRefusal(t failing, err error, kinds ...error) {
	t.Helper()
	wantError(t, err, kinds...)
	if !broker.SafeToRetry(err) {
		t.Errorf("got error %v, want one that is safe to retry", err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

func newPolled(t failing, cfg broker.Config) *broker.Polled {
	t.Helper()
	p, err := broker.NewPolled(cfg)
	must(t, err)
	return p
}

// runBubble runs a subtest in a bubble of testing/synctest.
func runBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func numbered(ctx context.Context, conn *broker.Conn, generation int32) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Generation = generation
	_, err := req.RequestWith(ctx, conn)
	return err
}
