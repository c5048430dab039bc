package lessons

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/hostile"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about bytes: first bytes of other protocols, sizes that are too large, and the
// last bytes of a write.

// firstBytes: a peer of another protocol is detected by its first bytes, at once, whether
// it writes first or answers.
func firstBytes(t *testing.T) {
	for _, c := range []struct {
		name, says string
		kind       error
		reports    string
	}{
		{"alert of TLS 1.2", "\x15\x03\x03\x00\x02\x02\x50", broker.ErrTLSExpected, "TLS"},
		{"alert of TLS 1.0", "\x15\x03\x01\x00\x02\x02\x46", broker.ErrTLSExpected, "TLS"},
		{"handshake of TLS", "\x16\x03\x03\x00\x7a\x02\x00\x00\x76", broker.ErrTLSExpected, "TLS"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", broker.ErrNotKafka, "web server"},
		{"a page alone", "<html><body>Bad Request", broker.ErrNotKafka, "web server"},
		{"SSH", "SSH-2.0-OpenSSH_9.9\r\n", broker.ErrNotKafka, "SSH"},
		{"SMTP", "220 mail.test ESMTP\r\n", broker.ErrNotKafka, "220 "},
	} {
		for order, speak := range map[string]func(net.Conn){
			"speaks first": func(conn net.Conn) {
				_, _ = io.WriteString(conn, c.says)
				drain(conn)
			},
			"answers": answers(c.says),
		} {
			runBubble(t, c.name+", "+order, func(t *testing.T) {
				hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": speak}}).At("a")
				began := time.Now()
				_, err := broker.Dial(t.Context(), hosts.Config())
				assert(t, errors.Is(err, c.kind) && errors.Is(err, broker.ErrNotKafka) && !broker.Retriable(err),
					"got %v", err)
				e := brokerError(t, err)
				assert(t, e.Hint != "" && e.Address == "a" && strings.Contains(err.Error()+e.Hint, c.reports),
					"hint %q, address %q, want %q in %q", e.Hint, e.Address, c.reports, err)
				took, dials := time.Since(began), len(hosts.DialedHosts())
				assert(t, took == 0 && dials == 1, "it took %v and %d dials", took, dials)
			})
		}
	}
}

// tlsServerHangsUp: crypto/tls sends no alert to a plaintext client, but closes. The error
// has a hint all the same.
func tlsServerHangsUp(t *testing.T) {
	hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
		defer conn.Close()
		_ = tls.Server(conn, &tls.Config{}).HandshakeContext(t.Context())
	}}}).At("a")
	_, err := broker.Dial(t.Context(), hosts.Config())
	wantError(t, err, broker.ErrConnection, io.EOF)
	e := brokerError(t, err)
	assert(t, e.Phase == broker.NegotiatingVersions && strings.Contains(e.Hint, "TLS"), "%v, %q", e.Phase, e.Hint)
}

// polledAt is a polledBroker in one of the phases in which a peer's bytes are read.
func polledAt(t *testing.T, phase broker.State) *fakebroker.PolledBroker {
	t.Helper()
	s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) {
		if phase == broker.Authenticating {
			cfg.Authenticators = []ports.Authenticator{&fakebroker.Login{}}
		}
	})
	r := receiveAll(t, s)
	if phase != broker.NegotiatingVersions {
		reply(s, r, fakebroker.Table(r.Version))
	}
	require(t, s.State() == phase, "state %v, want %v: %v", s.State(), phase, s.Stats().LastError)
	return s
}

// polledAtTokens is a polledBroker whose login is one of raw tokens (KIP-43), each behind its size.
func polledAtTokens(t *testing.T) *fakebroker.PolledBroker {
	t.Helper()
	login := &fakebroker.Login{Step: func(int, []byte) ([]byte, bool, error) { return []byte("token"), false, nil }}
	s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) {
		cfg.Authenticators, cfg.APIVersion = []ports.Authenticator{login}, broker.Release{Minor: 10}
	})
	reply(s, receiveAll(t, s), []byte("\x00\x00\x00\x00\x00\x01\x00\x08X-LESSON"))
	token := make([]byte, 100)
	n, _ := s.Hand.Peer.Recv(token)
	require(t, s.State() == broker.Authenticating && string(token[:n]) == "\x00\x00\x00\x05token",
		"state %v, want a login with a token alone, got %q: %v", s.State(), token[:n], s.Stats().LastError)
	return s
}

// allocatedFor is how many bytes of memory s takes to read a size and 64 bytes.
func allocatedFor(s *fakebroker.PolledBroker, size int32) uint64 {
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(size)), make([]byte, 64)...)
	return hostile.Allocated(func() {
		_, _ = s.Hand.Peer.Send(frame)
		s.Recv()
	})
}

// noise is the memory that errors, hooks and the test itself may take.
const noise = 128 << 10

// hostileSizes: an impossible size ends the connection, in every phase, and allocates
// nothing.
func hostileSizes(t *testing.T) {
	const limit = 100 << 20
	for _, phase := range []broker.State{broker.NegotiatingVersions, broker.Authenticating, broker.Connected} {
		sizes := []int32{math.MinInt32, -1, 0, 3, limit + 1, 352518912, math.MaxInt32}
		if phase != broker.Connected {
			sizes = append(sizes, 64<<20) // no answer of the setup's is
		}
		for _, size := range sizes {
			s := polledAt(t, phase)
			took := allocatedFor(s, size)
			err := s.Stats().LastError
			assert(t, s.State() == broker.Disconnected && errors.Is(err, broker.ErrProtocol),
				"%v, size %d: %v, %v", phase, size, s.State(), err)
			assert(t, took <= noise, "%v, size %d: %d bytes of memory", phase, size, took)
		}
	}
	for _, size := range []int32{math.MinInt32, -1, 64 << 20, limit + 1, 352518912, math.MaxInt32} {
		s := polledAtTokens(t)
		took := allocatedFor(s, size)
		err := s.Stats().LastError
		assert(t, s.State() == broker.Disconnected && errors.Is(err, broker.ErrProtocol),
			"raw token, size %d: %v, %v", size, s.State(), err)
		assert(t, took <= noise, "raw token, size %d: %d bytes of memory", size, took)
	}
}

// memoryFollowsBytes: for a possible size, memory grows with the bytes received.
func memoryFollowsBytes(t *testing.T) {
	for _, c := range []struct {
		phase broker.State
		size  int32
		ahead uint64
	}{
		{broker.NegotiatingVersions, 1 << 20, 64 << 10},
		{broker.Authenticating, 1 << 20, 64 << 10},
		{broker.Connected, 100 << 20, 4 << 20},
	} {
		s := polledAt(t, c.phase)
		if c.phase == broker.Connected {
			s.Send(ask(), false)
		}
		took := allocatedFor(s, c.size)
		assert(t, s.State() == c.phase, "%v: such a size is allowed: %v", c.phase, s.Stats().LastError)
		assert(t, took <= c.ahead+noise, "%v: %d bytes of memory for 68 that came", c.phase, took)
	}
	s := polledAtTokens(t)
	took := allocatedFor(s, 1<<20)
	assert(t, s.State() == broker.Authenticating, "raw token: such a size is allowed: %v", s.Stats().LastError)
	assert(t, took <= 64<<10+noise, "raw token: %d bytes of memory for 68 that came", took)
}

// allSent sends requests of all sizes over a link that takes a few bytes at
// a time, more of them while the rest of one waits. SendPendingV2 says that all
// is sent exactly when the link has taken the last byte of the last one.
func allSent(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := fakebroker.NewPolledBroker(t, func(cfg *broker.Config) { cfg.MaxInFlight, cfg.ClientID = 1000, "me" })
		s.Network.Capacity = rapid.IntRange(1, 300).Draw(r, "capacity")
		for s.Connect() != broker.Connected {
			s.Hand.Act()
		}
		var want, got []byte
		take := func(n int) {
			chunk := make([]byte, n)
			n, _ = s.Hand.Peer.Recv(chunk)
			got = append(got, chunk[:n]...)
		}
		before := s.Counts.Snapshot().BytesSent
		validate := func() bool {
			all := s.SendPendingV2()
			left := int64(len(want)) - (s.Counts.Snapshot().BytesSent - before)
			require(r, all == (left == 0), "all sent: %v, and %d bytes are left", all, left)
			return all
		}
		for id := range int32(rapid.IntRange(1, 12).Draw(r, "requests")) {
			body := bytes.Repeat([]byte{byte(id)}, rapid.IntRange(0, 200).Draw(r, "size"))
			want = binary.BigEndian.AppendUint32(want, uint32(8+2+len("me")+len(body)))
			want = append(want, 0, 12, 0, 1)
			want = binary.BigEndian.AppendUint32(want, uint32(id+2)) // behind ApiVersions
			want = append(append(append(want, 0, 2), "me"...), body...)
			s.Send(&ports.RawRequest{APIKey: 12, APIVersion: 1, Body: body}, false)
			for range rapid.IntRange(0, 3).Draw(r, "turns") {
				take(rapid.IntRange(1, 400).Draw(r, "taken"))
				validate()
			}
		}
		for range len(want) + 1 {
			if validate() {
				break
			}
			take(1000)
		}
		take(1000)
		require(r, bytes.Equal(got, want), "the broker got\n%x, want\n%x", got, want)
	})
}
