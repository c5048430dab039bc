package lessons

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/clock/system"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// counting is a clock that counts the alarms that rang.
type counting struct {
	system.Clock
	rings atomic.Int64
}

func (c *counting) NewAlarm(f func()) ports.Alarm {
	return c.Clock.NewAlarm(func() { c.rings.Add(1); f() })
}

// receive guards against a hang; the time says nothing else.
func receive(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Error("nothing came within a minute")
		panic("hang: see the stacks")
	}
}

func heartbeat(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	return err
}

// failing is what a *testing.T and a *rapid.T have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

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

func noError(t failing, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func must(t failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v, want no error", err)
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

// wantRefusal is wantError for a request that is safe to retry.
func wantRefusal(t failing, err error, kinds ...error) {
	t.Helper()
	wantError(t, err, kinds...)
	if !broker.SafeToRetry(err) {
		t.Errorf("got error %v, want one that is safe to retry", err)
	}
}

func errorOf[T any](_ T, err error) error { return err }

// newConn returns a Conn that is closed when the test ends.
func newConn(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn, err := broker.NewConn(cfg)
	must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

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

func configFor(t testing.TB, address string) broker.Config {
	t.Helper()
	host, port, err := broker.ParseAddress(address)
	must(t, err)
	return broker.Config{Host: host, Port: port}
}

func dial(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

func ask() *kmsg.HeartbeatRequest { return kmsg.NewPtrHeartbeatRequest() }
