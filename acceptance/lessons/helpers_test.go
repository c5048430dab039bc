package lessons

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
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

func heartbeat(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	return err
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
	require(t, err == nil, "Send: got %v, want a Future", err)
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

// assert reports what does not hold.
func assert(t fakebroker.Failing, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Errorf(format, args...)
	}
}

// require is assert, and ends the test.
func require(t fakebroker.Failing, holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.Fatalf(format, args...)
	}
}

func noError(t fakebroker.Failing, err error) {
	t.Helper()
	assert(t, err == nil, "got %v, want no error", err)
}

// wantError checks that err matches each of the kinds.
func wantError(t fakebroker.Failing, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		assert(t, errors.Is(err, kind), "got error %v, want %v", err, kind)
	}
}

// wantRefusal is wantError for a request that is safe to retry.
func wantRefusal(t fakebroker.Failing, err error, kinds ...error) {
	t.Helper()
	wantError(t, err, kinds...)
	assert(t, broker.SafeToRetry(err), "got error %v, want one that is safe to retry", err)
}

func errorOf[T any](_ T, err error) error { return err }

func newPolled(t fakebroker.Failing, cfg broker.Config) *broker.Polled {
	t.Helper()
	p, err := broker.NewPolled(cfg)
	fakebroker.Must(t, err)
	return p
}

// runBubble runs a subtest in a bubble of testing/synctest.
func runBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func dial(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	fakebroker.Must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

func ask() *kmsg.HeartbeatRequest { return kmsg.NewPtrHeartbeatRequest() }
