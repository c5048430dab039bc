package broker_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The allocations of one request: a raw one allocates the body of its response, a typed one
// in addition the response, and one that was sent with Send its Future, which has a small body and the response in
// itself.
func TestAllocationsPerRequest(t *testing.T) {
	if raceEnabled {
		t.Skip("needs a run without the race detector: it allocates")
	}
	cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		answerEach(conn, fakebroker.ResponseFrame(0, make([]byte, 6)))
	}))
	cfg.APIVersion = broker.Release{Major: 2} // so that ApiVersions is not requested
	conn := dial(t, cfg)
	ctx := context.Background()
	raw, typed := &ports.RawRequest{APIKey: 12, APIVersion: 1}, kmsg.NewPtrHeartbeatRequest()
	for _, c := range []struct {
		name  string
		limit float64
		send  func() error
	}{
		{"RequestRaw", 1, func() error { _, err := conn.RequestRaw(ctx, raw); return err }},
		{"RequestRaw, context can end", 1, func() error { _, err := conn.RequestRaw(t.Context(), raw); return err }},
		{"Request", 2, func() error { _, err := conn.Request(ctx, typed); return err }},
		{"RequestRaw after 10 ms", 1, func() error {
			time.Sleep(11 * time.Millisecond) // so that the link is checked
			_, err := conn.RequestRaw(ctx, raw)
			return err
		}},
		{"RequestRawFunc", 0, func() error { return conn.RequestRawFunc(ctx, raw, look) }},
		{"RequestRawFunc, context can end", 0, func() error { return conn.RequestRawFunc(t.Context(), raw, look) }},
		{"WaitFunc", 1, func() error { return sendAndLook(ctx, conn, raw) }},
		{"Connect", 0, func() error { return conn.Connect(ctx) }},
		{"Send", 1, func() error { _, err := sendAndWait(ctx, conn, raw); return err }},
	} {
		n := testing.AllocsPerRun(100, func() { noError(t, c.send()) })
		assert(t, n <= c.limit, "%s: got %v allocations, want %v", c.name, n, c.limit)
	}
}

func look([]byte) error { return nil }

func sendAndLook(ctx context.Context, conn *broker.Conn, req ports.Message) error {
	f, err := conn.Send(ctx, req)
	if err != nil {
		return err
	}
	return f.WaitFunc(ctx, look)
}

// A body that is only looked at costs nothing, whatever its size, and however many are in flight.
func TestBorrowedBodiesAreNotAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("needs a run without the race detector: it allocates")
	}
	const window = 5
	for _, size := range []int{1000, 16_000, 20_000, 1 << 20} {
		frame := fakebroker.ResponseFrame(0, make([]byte, size))
		cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) {
			defer conn.Close()
			answerEach(conn, frame)
		}))
		cfg.APIVersion = broker.Release{Major: 2}
		conn := dial(t, cfg)
		ctx, req := context.Background(), &ports.RawRequest{APIKey: 12}
		whole := func(body []byte) error {
			if len(body) != size {
				return fmt.Errorf("got %d bytes, want %d", len(body), size)
			}
			return nil
		}
		n := testing.AllocsPerRun(50, func() { noError(t, conn.RequestRawFunc(ctx, req, whole)) })
		assert(t, n == 0, "RequestRawFunc of %d bytes: got %v allocations, want 0", size, n)

		var futures [window]*broker.Future
		i := 0
		next := func() {
			if f := futures[i%window]; f != nil {
				noError(t, f.WaitFunc(ctx, whole))
			}
			f, err := conn.Send(ctx, req)
			must(t, err)
			futures[i%window] = f
			i++
		}
		for range 3 * window {
			next()
		}
		n = testing.AllocsPerRun(50, next)
		assert(t, n <= 1, "WaitFunc of %d bytes, %d in flight: got %v allocations, want 1: the Future", size, window, n)
	}
}

// answerEach answers each request with the same frame, and allocates nothing.
func answerEach(conn net.Conn, frame []byte) {
	in, out := make([]byte, 1024), append([]byte(nil), frame...)
	for {
		if _, err := io.ReadFull(conn, in[:4]); err != nil {
			return
		}
		request := in[4 : 4+binary.BigEndian.Uint32(in)]
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		copy(out[4:8], request[4:8])
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}
