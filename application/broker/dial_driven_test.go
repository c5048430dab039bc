package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
)

// The caller of Dial does the work itself over a transport that is Prompt. Whatever happens, it gets what
// it gets over one that is not.

// stuck is a dial that stays somewhere until its context ends, or the peer closes.
type stuck struct {
	at   string
	once sync.Once
	here chan struct{} // closed when it is there
}

func (s *stuck) arrive() { s.once.Do(func() { close(s.here) }) }

func (s *stuck) wait(ctx context.Context) error {
	s.arrive()
	<-ctx.Done()
	return ctx.Err()
}

func (s *stuck) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if s.at == "dial" {
		return nil, s.wait(ctx)
	}
	client, peer := net.Pipe()
	go func() {
		defer peer.Close()
		if _, err := peer.Read(make([]byte, 1)); err == nil {
			s.arrive()
			_, _ = io.Copy(io.Discard, peer)
		}
	}()
	if s.at == "handshake" {
		return &shaking{client, s.wait}, nil
	}
	return client, nil
}

// shaking is a net.Conn with a handshake.
type shaking struct {
	net.Conn
	handshake func(context.Context) error
}

func (s *shaking) HandshakeContext(ctx context.Context) error { return s.handshake(ctx) }

var figures = regexp.MustCompile(`[0-9][0-9.]*(µs|ms|s)\b`)

// TestDialThatIsStuckEnds: with its context or the SetupTimeout, and the error and the hooks are those of a link
// with a goroutine.
func TestDialThatIsStuckEnds(t *testing.T) {
	cause := errors.New("the user left")
	for _, at := range []string{"dial", "handshake", "version call"} {
		for _, by := range []string{"cancel", "deadline", "SetupTimeout"} {
			run := func(prompt bool) (text string, states []broker.State) {
				s := &stuck{at: at, here: make(chan struct{})}
				ctx, cancel := context.WithCancelCause(t.Context())
				cfg := broker.Config{Host: "b", Transport: &netlink.Transport{Dial: s.dial, Prompt: prompt}}
				var mu sync.Mutex
				cfg.Hooks = &broker.Hooks{StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
					mu.Lock()
					defer mu.Unlock()
					states = append(states, to)
				}}
				switch by {
				case "cancel":
					go func() { <-s.here; cancel(cause) }()
				case "deadline":
					late, stop := context.WithTimeout(ctx, 30*time.Millisecond)
					defer stop()
					ctx = late
				default:
					cfg.SetupTimeout = 30 * time.Millisecond
				}
				conn, err := broker.Dial(ctx, cfg)
				cancel(nil)
				require(t, conn == nil && err != nil, "%s, %s: got %v and %v, want an error", at, by, conn, err)
				mu.Lock()
				defer mu.Unlock()
				return figures.ReplaceAllString(err.Error(), "N"), slices.Clone(states)
			}
			want, states := run(false)
			got, visited := run(true)
			equal(t, at+", "+by, got, want)
			assert(t, slices.Equal(visited, states), "%s, %s: states %v, want %v", at, by, visited, states)
		}
	}
}

// TestCallerOfDialDials: a transport that is Prompt is dialed on its goroutine, and no other one.
func TestCallerOfDialDials(t *testing.T) {
	for _, prompt := range []bool{true, false} {
		s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
		cfg := s.Piped()
		under := cfg.Transport.(*netlink.Transport)
		var itself atomic.Bool
		cfg.Transport = &netlink.Transport{
			Lookup: under.Lookup, AtOnce: func(string) bool { return true }, Prompt: prompt,
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				itself.Store(calledBy("broker.Dial"))
				return under.Dial(ctx, network, address)
			},
		}
		conn := dial(t, cfg)
		equal(t, "dialed by the caller", itself.Load(), prompt)
		noError(t, heartbeat(t.Context(), conn))
	}
}

// TestPanicInDrivenDialIsContained as one in a goroutine of the link is.
func TestPanicInDrivenDialIsContained(t *testing.T) {
	run := func(prompt, handshake bool) string {
		panics := func(context.Context) error { panic("oh") }
		cfg := broker.Config{Host: "b", SetupTimeout: time.Second, Transport: &netlink.Transport{
			Prompt: prompt, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if !handshake {
					return nil, panics(ctx)
				}
				client, peer := net.Pipe()
				return &shaking{client, panics}, peer.Close()
			}}}
		_, err := broker.Dial(t.Context(), cfg)
		require(t, err != nil, "no error of a panic")
		return figures.ReplaceAllString(err.Error(), "N")
	}
	for _, handshake := range []bool{false, true} {
		equal(t, "error of a panic", run(true, handshake), run(false, handshake))
	}
}

// TestContextOfDialEndsInHook: Dial returns whichever state it has reached.
func TestContextOfDialEndsInHook(t *testing.T) {
	for _, state := range []broker.State{broker.Connecting, broker.NegotiatingVersions, broker.Connected} {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := listening(t, fakebroker.HeartbeatBody)
		cfg.Hooks = onState(state, cancel)
		conn, err := broker.Dial(ctx, cfg)
		switch {
		case err == nil:
			noError(t, conn.Close())
		default:
			wantError(t, err, broker.ErrCanceled, context.Canceled)
		}
		cancel()
	}
}

// TestDialDrivesSecondConnection: the broker closes the first one when it is asked at a version that it does not know.
func TestDialDrivesSecondConnection(t *testing.T) {
	s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
	cfg := s.Piped()
	under := cfg.Transport.(*netlink.Transport)
	var dials, itself atomic.Int64
	cfg.Transport = &netlink.Transport{
		Lookup: under.Lookup, AtOnce: func(string) bool { return true }, Prompt: true,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if calledBy("broker.Dial") {
				itself.Add(1)
			}
			if dials.Add(1) > 1 {
				return under.Dial(ctx, network, address)
			}
			client, peer := net.Pipe()
			go func() {
				_, _ = peer.Read(make([]byte, 64))
				_ = peer.Close()
			}()
			return client, nil
		},
	}
	conn := dial(t, cfg)
	equal(t, "dials", dials.Load(), 2)
	equal(t, "dials by the caller", itself.Load(), 2)
	noError(t, heartbeat(t.Context(), conn))
}
