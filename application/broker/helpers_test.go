package broker_test

import (
	"brokerconn/application/broker"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"brokerconn/adapters/tcp"
	"brokerconn/ports"
)

// throttledOnce is a broker whose first answer throttles for so many milliseconds.
// It answers Heartbeat v1 to v3.
func throttledOnce(ms uint32) func(net.Conn, int16, int32) []byte {
	var told atomic.Bool
	return func(net.Conn, int16, int32) []byte {
		body := make([]byte, 6)
		if !told.Swap(true) {
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

// refusedNow is a link that could not be had.
type refusedNow struct{ pendingLink }

func (refusedNow) Stage() (ports.Stage, error) { return ports.StageDialing, errors.New("refused") }

func tcpTransport() ports.Transport { return tcp.New(tcp.Options{}) }

func unparkedTCP() ports.Transport { return unparked{tcpTransport()} }

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
