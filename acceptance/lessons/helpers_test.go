package lessons

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

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

// untilDone waits for the end of ctx: what hangs.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// receiveAll is the next request on a PolledBroker, whose broker does not answer by itself.
func receiveAll(t *testing.T, s *fakebroker.PolledBroker) fakebroker.Request {
	t.Helper()
	all := requestsAll(t, s)
	require(t, len(all) == 1, "%d requests: %+v", len(all), all)
	return all[0]
}

// requestsAll is all that has come since, at least one request.
func requestsAll(t *testing.T, s *fakebroker.PolledBroker) (all []fakebroker.Request) {
	t.Helper()
	s.Connect()
	if peer := s.Network.Accept(); peer != nil {
		s.Hand.Peer = peer
	}
	chunk := make([]byte, 4096)
	n, err := s.Hand.Peer.Recv(chunk)
	for rest := chunk[:n]; len(rest) > 0 || all == nil; {
		var r fakebroker.Request
		var ok bool
		if r, rest, ok = fakebroker.Parse(rest); !ok {
			t.Fatalf("no request, or half of one: %d bytes, %v", n, err)
		}
		all = append(all, r)
	}
	return all
}

// reply answers a request on a polledBroker.
func reply(s *fakebroker.PolledBroker, r fakebroker.Request, body []byte) {
	_, _ = s.Hand.Peer.Send(fakebroker.ResponseFrame(r.ID, body))
	s.Recv()
}

// brokerError is the Error in err.
func brokerError(t *testing.T, err error) *broker.Error {
	t.Helper()
	var e *broker.Error
	require(t, errors.As(err, &e), "%v is no broker.Error", err)
	return e
}

func acceptLogin([]byte) *kmsg.SASLAuthenticateResponse {
	return kmsg.NewPtrSASLAuthenticateResponse()
}

// drain reads everything and answers nothing.
func drain(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}

// answers is a peer that answers the first request with a text.
func answers(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
		drain(conn)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
