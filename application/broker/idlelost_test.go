package broker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
)

// TestPeerClosesAnIdleConnection: brokers and balancers close idle connections by limits of their own,
// and no request was lost. The connection is used once and idle for ReconnectBackoffMax, 1 s.
func TestPeerClosesAnIdleConnection(t *testing.T) {
	reset := errors.New("reset")
	for name, c := range map[string]struct {
		end  func(*harness)
		want error
	}{
		"closed": {func(r *harness) { r.broker.peer.Close() }, io.EOF},
		"reset":  {func(r *harness) { r.broker.peer.Reset(reset) }, reset},
	} {
		t.Run(name, func(t *testing.T) {
			onReady(t, nil, func(t *testing.T, r *harness) {
				must(t, r.request(0))
				r.pass(time.Second)
				r.log = nil
				c.end(r)
				r.turn()
				r.wantHooks(cleanClose, "idle lost "+c.want.Error())
				s := r.Stats()
				assert(t, s.FailuresInARow == 0 && s.LastError == nil && s.ClosedClean == 1 && s.BackoffUntil.IsZero(),
					"got %+v, want a clean close", s)
				r.connect()
				r.wantState(broker.Connected)
				noError(t, r.request(0))
				r.sums()
			})
		})
	}
}

// TestPeerClosesAfterAMoment: a peer that closes each connection is met by pauses, so the loss is a
// failure where it was not idle for as long as the longest pause, had not served a request, or had one
// in flight.
func TestPeerClosesAfterAMoment(t *testing.T) {
	for name, before := range map[string]func(*harness) error{
		"a moment ago": func(r *harness) error {
			err := r.request(0)
			r.pass(time.Second - 1)
			return err
		},
		"no request": func(r *harness) error { r.pass(time.Hour); return nil },
		"in flight": func(r *harness) error {
			err := r.request(0)
			r.send()
			r.pass(29 * time.Second)
			return err
		},
		"within an answer": func(r *harness) error {
			err := r.request(0)
			_, _ = r.broker.peer.Send([]byte{0, 0, 0})
			r.pass(29 * time.Second)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onReady(t, nil, func(t *testing.T, r *harness) {
				must(t, before(r))
				r.broker.peer.Close()
				r.turn()
				s := r.Stats()
				assert(t, s.FailuresInARow == 1 && errors.Is(s.LastError, io.EOF) && s.ClosedClean == 0 &&
					s.BackoffUntil.After(r.clock.Now()), "got %+v, want a failure with a pause", s)
			})
		})
	}
}

// TestIdleLossIsFinalWithNoReconnect as IdleTimeout is.
func TestIdleLossIsFinalWithNoReconnect(t *testing.T) {
	r := newHarness(t, "Conn", func(cfg *broker.Config) { cfg.NoReconnect = true })
	r.ready()
	must(t, r.request(0))
	r.pass(time.Minute)
	r.broker.peer.Close()
	r.turn()
	r.wantState(broker.Closed)
	receive(t, r.conn.Done())
	wantError(t, r.outcome(r.send()), broker.ErrClosed)
}

// TestIdleLostHookMayClose: it holds no lock, and the Conn may be closed in it.
func TestIdleLostHookMayClose(t *testing.T) {
	var conn *broker.Conn
	r := newHarness(t, "Conn", func(cfg *broker.Config) {
		cfg.Hooks.IdleLost = func(broker.Endpoint, error) {
			if s := conn.Stats(); s.State == broker.Disconnected {
				conn.Close()
			}
		}
	})
	conn = r.conn
	r.ready()
	must(t, r.request(0))
	r.pass(time.Minute)
	r.broker.peer.Close()
	r.turn()
	r.wantState(broker.Closed)
	receive(t, conn.Done())
}

// forgetful is a connection over a box that forgets a flow after a while without traffic, and drops
// what comes then, or answers it with a reset.
type forgetful struct {
	net.Conn
	limit  time.Duration
	resets bool

	mu   sync.Mutex
	last time.Time
}

func (c *forgetful) forgot() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	forgot := time.Since(c.last) >= c.limit
	if !forgot {
		c.last = time.Now()
	}
	return forgot
}

func (c *forgetful) Write(p []byte) (int, error) {
	switch {
	case !c.forgot():
		return c.Conn.Write(p)
	case c.resets:
		return 0, syscall.ECONNRESET
	}
	return len(p), nil
}

// TestFlowsThatAreForgotten on the way cost no request: Azure Load Balancer and Event Hubs forget after
// 240 s, AWS's Network Load Balancer, NAT gateway and PrivateLink after 350 s, OCI's network balancer
// after 360 s, Google's firewalls after 600 s, by their documentation; confluentinc/librdkafka#3109 and
// IBM/sarama#1796 report what it did to clients.
func TestFlowsThatAreForgotten(t *testing.T) {
	for _, limit := range []time.Duration{240 * time.Second, 350 * time.Second, 360 * time.Second, 600 * time.Second} {
		for name, resets := range map[string]bool{"silently": false, "with a reset": true} {
			runBubble(t, limit.String()+" "+name, func(t *testing.T) {
				s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
				conn := dial(t, broker.Config{Transport: &netlink.Transport{
					Dial: func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go s.Serve(theirs)
						return &forgetful{Conn: ours, limit: limit, resets: resets, last: time.Now()}, nil
					},
				}})
				for _, pause := range []time.Duration{limit - 1, limit, limit + time.Second, time.Hour} {
					noError(t, heartbeat(t.Context(), conn))
					time.Sleep(pause)
					began := time.Now()
					err := heartbeat(t.Context(), conn)
					assert(t, err == nil && time.Since(began) < time.Second, "after a pause of %v: got %v after %v",
						pause, err, time.Since(began))
				}
				st := conn.Stats()
				assert(t, st.Failed == 0 && st.FailuresInARow == 0, "got %+v, want no failure", st)
			})
		}
	}
}
