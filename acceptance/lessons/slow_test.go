package lessons

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// Lessons about hosts of which one address is slow.

// slowAddress: the first address hangs, in each phase; the second one still
// has its time.
func slowAddress(t *testing.T) {
	first := func(s *fakebroker.Hosts) func(context.Context) error {
		return func(ctx context.Context) error {
			if len(s.DialedHosts()) == 1 {
				return untilDone(ctx)
			}
			return nil
		}
	}
	for name, hang := range map[string]func(*fakebroker.Hosts){
		"the dial":      func(s *fakebroker.Hosts) { s.Reach = first(s) },
		"the handshake": func(s *fakebroker.Hosts) { s.Shake = first(s) },
		"ApiVersions":   func(s *fakebroker.Hosts) { s.Peer = map[string]func(net.Conn){"slow": drain} },
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{}).At("slow", "good")
			hang(hosts)
			began := time.Now()
			conn := dial(t, hosts.Config())
			took := time.Since(began)
			assert(t, took <= 5*time.Second, "the slow address took %v of the 10 s for both", took)
			noError(t, heartbeat(t.Context(), conn))
			assert(t, conn.Stats().Address == "good", "connected to %v", conn.Stats().Address)
		})
	}
}

// reasonOfEveryAddress: no address answers, each for its own reason, and
// the one error has them all.
func reasonOfEveryAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{
			Refuse: map[string]error{"closed": errors.New("connection refused")},
			Peer: map[string]func(net.Conn){
				"deaf": drain,
				"web":  func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 400")); drain(conn) },
			},
		}).At("closed", "deaf", "web")
		_, err := broker.Dial(t.Context(), hosts.Config())
		for _, part := range []string{
			"broker:9092", "closed: connection refused", "deaf: no answer from the peer after 5s", "web", "HTTP",
		} {
			assert(t, strings.Contains(err.Error(), part), "%q is missing in %q", part, err)
		}
		assert(t, !strings.Contains(err.Error(), "\n"), "more than a line: %q", err)
	})
}

// deadlineOfContext: it holds, in whatever phase it comes, and the error
// says what was waited for and what had failed before.
func deadlineOfContext(t *testing.T) {
	for name, c := range map[string]struct {
		hang  func(*fakebroker.Hosts)
		says  string
		after time.Duration
	}{
		"the dial": {func(s *fakebroker.Hosts) { s.Reach = untilDone }, "Connecting", time.Second},
		"ApiVersions": {func(s *fakebroker.Hosts) { s.Peer = map[string]func(net.Conn){"a": drain} },
			"NegotiatingVersions", time.Second},
		"the second address": {func(s *fakebroker.Hosts) {
			s.At("b", "a")
			s.Refuse = map[string]error{"b": errors.New("connection refused")}
			s.Peer = map[string]func(net.Conn){"a": drain}
		}, "connection refused", time.Second},
	} {
		runBubble(t, name, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{}).At("a")
			c.hang(hosts)
			ctx, cancel := context.WithTimeout(t.Context(), c.after)
			defer cancel()
			began := time.Now()
			_, err := broker.Dial(ctx, hosts.Config())
			took := time.Since(began)
			assert(t, took == c.after, "it took %v", took)
			assert(t, errors.Is(err, context.DeadlineExceeded) && errors.Is(err, broker.ErrCanceled) &&
				strings.Contains(err.Error(), c.says), "%v; want it to say %q", err, c.says)
		})
	}
}

// shortBudget: two seconds for it all, which is kafka-python's own budget
// for a version check and no more than the silent address has by itself. The good
// one behind it still has its share, and if none answers, the reason is reported.
func shortBudget(t *testing.T) {
	const budget = 2 * time.Second
	slow := func() *fakebroker.Hosts {
		return (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"slow": drain, "deaf": drain}}).At("slow", "good")
	}
	check := func(hosts *fakebroker.Hosts) error {
		p := newPolled(t, hosts.Config())
		defer p.Close(nil)
		return errorOf(p.CheckVersion(budget, false, nil))
	}
	dialFor := func(hosts *fakebroker.Hosts) error {
		ctx, cancel := context.WithTimeout(context.Background(), budget)
		defer cancel()
		conn, err := broker.Dial(ctx, hosts.Config())
		if err == nil {
			conn.Close()
			<-conn.Done()
		}
		return err
	}
	for name, reach := range map[string]func(*fakebroker.Hosts) error{"CheckVersion": check, "Dial": dialFor} {
		runBubble(t, name+", the second is good", func(t *testing.T) {
			began := time.Now()
			err := reach(slow())
			assert(t, err == nil && time.Since(began) < budget, "%v after %v", err, time.Since(began))
		})
		runBubble(t, name+", no answer", func(t *testing.T) {
			began := time.Now()
			err := reach(slow().At("slow", "deaf"))
			took := time.Since(began)
			assert(t, took <= budget, "it took %v", took)
			for _, part := range []string{"NegotiatingVersions", "slow", "deaf"} {
				assert(t, err != nil && strings.Contains(err.Error(), part), "%q is missing in %v", part, err)
			}
		})
	}
}
