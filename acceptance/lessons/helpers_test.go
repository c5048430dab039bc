package lessons

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/system"
	"brokerconn/application/broker"
)

// otherClock is a clock that is no system.Clock.
type otherClock struct{ system.Clock }

func heartbeat(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	return err
}

// What the tests of application/broker have too.
var (
	isDone, mustSend, sendAndWait   = fakebroker.IsDone, fakebroker.MustSend, fakebroker.SendAndWait
	noError, wantError, wantRefusal = fakebroker.NoError, fakebroker.WantError, fakebroker.WantRefusal
	newPolled, runBubble, numbered  = fakebroker.NewPolled, fakebroker.RunBubble, fakebroker.Numbered
)

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

func errorOf[T any](_ T, err error) error { return err }

func dial(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	return fakebroker.Closing(t, conn, err)
}

func ask() *kmsg.HeartbeatRequest { return kmsg.NewPtrHeartbeatRequest() }
