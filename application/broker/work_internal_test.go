package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"brokerconn/ports"
)

// answerEach answers each request with a body of six zeros.
func answerEach(conn net.Conn) {
	defer conn.Close()
	for {
		var head [12]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:]))-8); err != nil {
			return
		}
		answer := append([]byte{0, 0, 0, 10}, head[8:]...)
		if _, err := conn.Write(append(answer, make([]byte, 6)...)); err != nil {
			return
		}
	}
}

// While one caller lets others send, the one with which enough have sent writes for all. Fewer wait for it.
func TestHalfOfCallersIsWritten(t *testing.T) {
	for _, c := range []struct {
		name                  string
		before, inFlight, now int // requests in flight at the last two reads, and requests that are sent now
		want                  bool
	}{
		{"enough for a write", 0, 0, gatherAtLeast, true},
		{"fewer", 0, 0, gatherAtLeast - 1, false},
		{"half of those in flight", 0, 60, 30, true},
		{"less than half", 0, 60, 29, false},
		{"half of those before that", 50, 0, 25, true},
		{"less than half of those before that", 50, 0, 24, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				if conn, err := l.Accept(); err == nil {
					answerEach(conn)
				}
			}()
			port := uint16(l.Addr().(*net.TCPAddr).Port)
			conn, err := Dial(t.Context(), Config{
				Host: "127.0.0.1", Port: port, APIVersion: Release{Major: 2}, MaxInFlight: 64,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { conn.Close(); <-conn.Done() }()
			conn.mu.Lock()
			conn.gathering = true
			conn.inFlight = [2]int{c.inFlight, c.before}
			conn.mu.Unlock()
			heartbeat := &ports.RawRequest{APIKey: 12, APIVersion: 1}
			for range c.now - 1 {
				if _, err := conn.Send(t.Context(), heartbeat); err != nil {
					t.Fatal(err)
				}
			}
			ctx := t.Context()
			if !c.want {
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				ctx = short
			}
			_, err = conn.RequestRaw(ctx, heartbeat)
			if written := err == nil; written != c.want || !written && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got error %v, want it written: %v", err, c.want)
			}
		})
	}
}
