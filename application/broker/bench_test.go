package broker_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The broker of the benchmarks answers canned frames on loopback, as fast as it
// can. What it costs itself is in every figure, the floor's too: only ratios
// within one run mean anything.

// floor is the least that one request can cost: a write and a read, with nothing
// between the socket and the caller.
func BenchmarkFloor(b *testing.B) {
	cfg := listening(b, fakebroker.HeartbeatBody)
	conn, err := net.Dial("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := append(binary.BigEndian.AppendUint32(nil, 10), 0, 12, 0, 1, 0, 0, 0, 1, 0, 0)
	answer := make([]byte, 14)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRaw is one caller with bodies that are already encoded.
func BenchmarkRaw(b *testing.B) {
	conn := dial(b, listening(b, fakebroker.HeartbeatBody))
	req := &ports.RawRequest{APIKey: 12, APIVersion: 1}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.RequestRaw(context.Background(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTyped is one caller with a kmsg request.
func BenchmarkTyped(b *testing.B) {
	conn := dial(b, listening(b, fakebroker.HeartbeatBody))
	req := kmsg.NewPtrHeartbeatRequest()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Request(context.Background(), req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCallers is 64 callers at once.
func BenchmarkCallers(b *testing.B) {
	cfg := listening(b, fakebroker.HeartbeatBody)
	cfg.MaxInFlight = 64
	conn := dial(b, cfg)
	b.ReportAllocs()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			req := &ports.RawRequest{APIKey: 12, APIVersion: 1}
			for range b.N / 64 {
				if _, err := conn.RequestRaw(context.Background(), req); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkWindow is one caller with a window of 64 futures.
func BenchmarkWindow(b *testing.B) {
	cfg := listening(b, fakebroker.HeartbeatBody)
	cfg.MaxInFlight = 64
	conn := dial(b, cfg)
	req := &ports.RawRequest{APIKey: 12, APIVersion: 1}
	var window [64]*broker.Future
	b.ReportAllocs()
	for i := range b.N {
		if f := window[i%64]; f != nil {
			if _, err := f.Wait(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		window[i%64] = mustSend(b, conn, req)
	}
}
