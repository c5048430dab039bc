package broker_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// answerHeartbeats answers each request with an empty Heartbeat response of 6 bytes, and
// allocates nothing.
func answerHeartbeats(conn net.Conn) {
	in, out := make([]byte, 1024), make([]byte, 14)
	binary.BigEndian.PutUint32(out, 10)
	for {
		if _, err := io.ReadFull(conn, in[:4]); err != nil {
			return
		}
		frame := in[4 : 4+binary.BigEndian.Uint32(in)]
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		copy(out[4:8], frame[4:8])
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// The allocations of one request: a raw one allocates the body of its response, a typed one
// in addition the response, and one that was sent with Send its Future, which has a small body and the response in
// itself.
func TestAllocationsPerRequest(t *testing.T) {
	if raceEnabled {
		t.Skip("needs a run without the race detector: it allocates")
	}
	cfg := configFor(t, fakebroker.Listen(t, func(conn net.Conn) {
		defer conn.Close()
		answerHeartbeats(conn)
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
		{"Connect", 0, func() error { return conn.Connect(ctx) }},
		{"Send", 1, func() error { _, err := sendAndWait(ctx, conn, raw); return err }},
	} {
		n := testing.AllocsPerRun(100, func() { noError(t, c.send()) })
		assert(t, n <= c.limit, "%s: got %v allocations, want %v", c.name, n, c.limit)
	}
}
