package fakebroker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Receive waits for c, and panics after a minute, which prints all stacks.
func Receive(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Error("nothing came within a minute")
		panic("hang: see the stacks")
	}
}

// Failing is what a *testing.T and a *rapid.T have in common.
type Failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Must fails the test if err is not nil.
func Must(t Failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
}

// NewConn returns a Conn that is closed when the test ends.
func NewConn(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn, err := broker.NewConn(cfg)
	return Closing(t, conn, err)
}

// Closing returns conn, which is closed when the test ends. An err fails the test.
func Closing(t testing.TB, conn *broker.Conn, err error) *broker.Conn {
	t.Helper()
	Must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

// ConfigFor returns a Config for an address.
func ConfigFor(t testing.TB, address string) broker.Config {
	t.Helper()
	host, port, err := broker.ParseAddress(address)
	Must(t, err)
	return broker.Config{Host: host, Port: port}
}

// IsDone returns whether f is done.
func IsDone(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

// MustSend sends a request that must not be refused.
func MustSend(t testing.TB, conn *broker.Conn, req ports.Message) *broker.Future {
	t.Helper()
	f, err := conn.Send(t.Context(), req)
	Must(t, err)
	return f
}

// SendAndWait returns the refusal of a request, or its response.
func SendAndWait(ctx context.Context, conn *broker.Conn, req ports.Message) (ports.Message, error) {
	f, err := conn.Send(ctx, req)
	if err != nil {
		return nil, err
	}
	return f.Wait(ctx)
}

// Numbered sends a Heartbeat with a generation.
func Numbered(ctx context.Context, conn *broker.Conn, generation int32) error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Generation = generation
	_, err := req.RequestWith(ctx, conn)
	return err
}

// NoError checks that err is nil.
func NoError(t Failing, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

// WantError checks that err matches each of the kinds.
func WantError(t Failing, err error, kinds ...error) {
	t.Helper()
	for _, kind := range kinds {
		if !errors.Is(err, kind) {
			t.Errorf("got error %v, want %v", err, kind)
		}
	}
}

// WantRefusal is WantError for a request that is safe to retry.
func WantRefusal(t Failing, err error, kinds ...error) {
	t.Helper()
	WantError(t, err, kinds...)
	if !broker.SafeToRetry(err) {
		t.Errorf("got error %v, want one that is safe to retry", err)
	}
}

// NewPolled returns a Polled.
func NewPolled(t Failing, cfg broker.Config) *broker.Polled {
	t.Helper()
	p, err := broker.NewPolled(cfg)
	Must(t, err)
	return p
}

// RunBubble runs a subtest in a bubble of testing/synctest.
func RunBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}
