package broker_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// never waits until ctx ends.
func never(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestShortWaitSaysWhatItWaitedFor: where the context, or the timeout of a request, is shorter than the
// setup, its error has the phase, the address and what was being waited for, and does not read as if
// the address were silent where the resolver is.
func TestShortWaitSaysWhatItWaitedFor(t *testing.T) {
	mute := func(conn net.Conn) {
		fakebroker.Serve(conn, func(fakebroker.Request) []byte { return nil })
	}
	hosts := func(peer func(net.Conn)) *fakebroker.Hosts {
		return (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"10.0.0.1:9092": peer}}).At("10.0.0.1:9092")
	}
	changed := func(change func(*fakebroker.Hosts)) broker.Config {
		h := hosts(mute)
		change(h)
		return h.Config()
	}
	withLogin := func(login *fakebroker.Login) broker.Config {
		cfg := hosts(fakebroker.Keeper(func([]byte) *kmsg.SASLAuthenticateResponse { return nil })).Config()
		cfg.Authenticators = []ports.Authenticator{login}
		return cfg
	}
	const at = "broker:9092 (10.0.0.1:9092): "
	for _, c := range []struct {
		name string
		cfg  broker.Config
		want []string
	}{
		{"lookup", changed(func(h *fakebroker.Hosts) { h.Find = never }),
			[]string{"broker:9092: ", "while Connecting", "no answer from the resolver after 4s"}},
		{"dial", changed(func(h *fakebroker.Hosts) { h.Reach = never }),
			[]string{at, "while Connecting", "no answer from the address after 4s"}},
		{"TLS", changed(func(h *fakebroker.Hosts) { h.Shake = never }),
			[]string{at, "while Handshake", "no answer from the peer after 4s"}},
		{"API versions", hosts(mute).Config(),
			[]string{at, "while NegotiatingVersions", "no answer from the peer after 4s"}},
		{"login", withLogin(&fakebroker.Login{}),
			[]string{at, "while Authenticating", "no answer from the peer after 4s"}},
		{"token", withLogin(&fakebroker.Login{Step: func(int, []byte) ([]byte, bool, error) {
			return nil, false, ports.ErrWouldBlock
		}}), []string{at, "while Authenticating", "no token from the authenticator after 4s"}},
	} {
		for name, wait := range map[string]func(*testing.T, broker.Config) error{
			"Dial": func(t *testing.T, cfg broker.Config) error {
				return errorOf(broker.Dial(limited(t, 4*time.Second), cfg))
			},
			"Connect": func(t *testing.T, cfg broker.Config) error {
				return newConn(t, cfg).Connect(limited(t, 4*time.Second))
			},
			"Request": func(t *testing.T, cfg broker.Config) error {
				return heartbeat(limited(t, 4*time.Second), newConn(t, cfg))
			},
			"timeout of the request": func(t *testing.T, cfg broker.Config) error {
				return heartbeat(broker.WithRequestTimeout(t.Context(), 4*time.Second), newConn(t, cfg))
			},
			"CheckVersion": func(t *testing.T, cfg broker.Config) error {
				return errorOf(newConn(t, cfg).CheckVersion(limited(t, 4*time.Second), broker.Check{}))
			},
		} {
			runBubble(t, c.name+" "+name, func(t *testing.T) {
				cfg := c.cfg
				cfg.APIVersionTimeout = time.Minute
				err := wait(t, cfg)
				kind := broker.ErrCanceled
				if strings.HasPrefix(name, "timeout") {
					kind = broker.ErrRequestTimeout
				} else {
					wantError(t, err, context.DeadlineExceeded)
				}
				wantError(t, err, kind)
				assert(t, broker.Retriable(err) == (kind != broker.ErrCanceled), "got Retriable %v: %v",
					broker.Retriable(err), err)
				for _, want := range c.want {
					assert(t, strings.Contains(err.Error(), want), "got %v, want %q in it", err, want)
				}
				assert(t, len(err.Error()) <= 300, "got %d characters, want at most 300: %v", len(err.Error()), err)
				time.Sleep(time.Hour)
			})
		}
	}
}

// TestShortWaitInOtherStates: a pause before the next attempt, and the limits of the connection.
func TestShortWaitInOtherStates(t *testing.T) {
	runBubble(t, "pause", func(t *testing.T) {
		cfg := (&fakebroker.Hosts{Refuse: map[string]error{"a": errors.New("refused")}}).At("a").Config()
		cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Minute, time.Minute
		cfg.Rand = func() uint64 { return 1 << 63 }
		err := heartbeat(limited(t, 4*time.Second), newConn(t, cfg))
		wantError(t, err, broker.ErrCanceled, broker.ErrDial)
		for _, want := range []string{"the next attempt to connect begins in 56s", "refused"} {
			assert(t, strings.Contains(err.Error(), want), "got %v, want %q in it", err, want)
		}
	})
	runBubble(t, "in flight", func(t *testing.T) {
		conn := dialOne(t, silent)
		go func() { _ = heartbeat(t.Context(), conn) }()
		time.Sleep(time.Second)
		err := heartbeat(limited(t, 4*time.Second), conn)
		wantError(t, err, broker.ErrCanceled, broker.ErrTooManyInFlight)
		assert(t, !broker.Retriable(err), "got Retriable true, want false, the caller gave up: %v", err)
	})
}

// TestNoLastByteWithoutOne: an error does not say when the last byte was received where none was.
func TestNoLastByteWithoutOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := &fakebroker.Hosts{
			Refuse: map[string]error{"10.0.0.1:9092": errors.New("refused")},
			Peer:   map[string]func(net.Conn){"10.0.0.2:9092": func(conn net.Conn) { fakebroker.Serve(conn, mute) }},
		}
		cfg := hosts.At("10.0.0.1:9092").Config()
		cfg.APIVersion, cfg.ReconnectBackoff = broker.Release{Major: 3}, time.Minute
		_, refused := broker.Dial(t.Context(), cfg)
		hosts.At("10.0.0.2:9092")
		late := heartbeat(broker.WithRequestTimeout(t.Context(), time.Second), newConn(t, cfg))
		for _, err := range []error{refused, late} {
			var e *broker.Error
			assert(t, errors.As(err, &e) && e.SinceLastByte == 0 && !strings.Contains(e.Explain(), "last byte"),
				"got %v after %v, want no last byte", err, e.SinceLastByte)
		}
	})
}

func mute(fakebroker.Request) []byte { return nil }
