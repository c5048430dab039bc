package lessons

import (
	"context"
	"errors"
	"testing"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// Helpers of the lessons for hosts and for a PolledBroker, which use public ports alone.

// untilDone waits for the end of ctx: what hangs.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// oneRequest is the next request on a polledBroker, whose hand-played broker does not
// answer by itself.
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
