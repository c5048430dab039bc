package lessons

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Lessons about the pauses between attempts.

// pausesOf splits dials into attempts: the dials of one instant is one.
func pausesOf(dials []fakebroker.Dial) (pauses []time.Duration, limit int) {
	n := 1
	for i := 1; i < len(dials); i++ {
		pause := dials[i].At.Sub(dials[i-1].At)
		if pause == 0 {
			n++
			limit = max(limit, n)
			continue
		}
		n = 1
		pauses = append(pauses, pause)
	}
	return pauses, max(limit, n)
}

// checkPauses: 50 ms doubled up to 1 s, a fifth more or less.
func checkPauses(t *testing.T, pauses []time.Duration) {
	t.Helper()
	for n, pause := range pauses {
		want := min(50*time.Millisecond<<min(n, 10), time.Second)
		assert(t, pause >= want*8/10 && pause <= want*12/10, "pause %d is %v, want %v and a fifth", n+1, pause, want)
	}
}

// failForAMinute asks for a connection for a minute, in vain, without a pause of its own, and checks the
// pauses between the attempts, each of at most this many dials.
func failForAMinute(t *testing.T, hosts *fakebroker.Hosts, cfg broker.Config, dials int) {
	t.Helper()
	conn := fakebroker.New(t, cfg)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		require(t, conn.Connect(ctx) != nil, "it was to fail")
	}
	pauses, limit := pausesOf(hosts.DialedHosts())
	assert(t, limit <= dials, "%d dials at once, want at most %d", limit, dials)
	assert(t, len(pauses) >= 45, "%d pauses in a minute", len(pauses))
	checkPauses(t, pauses)
}

// pausesGrow: callers ask for a connection for a minute, without a pause of
// their own, and the peer fails a little further up each time.
// The pauses are those of attempts of which each failed.
func pausesGrow(t *testing.T) {
	hangUp := func(conn net.Conn) { conn.Close() }
	web := func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 400")); drain(conn) }
	for name, c := range map[string]struct {
		fail  func(*fakebroker.Hosts, *broker.Config)
		limit int // dials of one attempt
	}{
		"after TCP": {func(s *fakebroker.Hosts, _ *broker.Config) { s.Peer["a"] = hangUp }, 6},
		// asked at v0 too, and for what old brokers know
		"not Kafka": {func(s *fakebroker.Hosts, _ *broker.Config) { s.Peer["a"] = web }, 1},
		"in the handshake": {func(s *fakebroker.Hosts, _ *broker.Config) {
			s.Shake = func(context.Context) error { return errors.New("bad certificate") }
		}, 1},
		"behind TLS": {func(s *fakebroker.Hosts, _ *broker.Config) {
			s.Peer["a"], s.Shake = hangUp, func(context.Context) error { return nil }
		}, 6},
		"in the login": {func(s *fakebroker.Hosts, cfg *broker.Config) {
			s.Peer["a"] = fakebroker.Keeper(fakebroker.Refuse)
			cfg.Authenticators = []ports.Authenticator{&fakebroker.Login{}}
		}, 1},
		"error of versions": {func(s *fakebroker.Hosts, _ *broker.Config) {
			s.Peer["a"] = func(conn net.Conn) {
				fakebroker.Serve(conn, func(fakebroker.Request) []byte { return []byte{0, 42, 0, 0, 0, 0} })
			}
		}, 1},
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){}}).At("a")
			cfg := hosts.Config()
			c.fail(hosts, &cfg)
			failForAMinute(t, hosts, cfg, c.limit)
		})
	}
}

// pausesEndWhenReady: a connection that became ready ends the row, whatever
// it is lost by.
func pausesEndWhenReady(t *testing.T) {
	s := fakebroker.NewPolledBroker(t, nil)
	s.Network.RefuseDial("broker:9092", errors.New("refused"))
	for range 6 {
		s.Connect()
		d, _ := s.ConnectionDelay()
		s.Clock.Advance(d)
	}
	s.Network.RefuseDial("broker:9092", nil)
	s.Ready(t)
	s.Hand.Peer.Reset(nil)
	s.Recv()
	d, _ := s.ConnectionDelay()
	assert(t, d == 40*time.Millisecond, "a pause of %v, want the shortest", d)
}
