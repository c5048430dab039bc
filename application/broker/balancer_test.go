package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
)

// A balancer hands each connection to a backend. Some of them accept and hang up, or
// reset; the others are sound, new brokers, some of which are slow. Whatever the order,
// no such broker is taken for an old release.

type balancer struct {
	*dice
	cuts  int // the first connections are cut; then all are sound
	down  int // of 3 backends
	live  []net.Conn
	dials []time.Time
}

func (b *balancer) dial(context.Context, string, string) (net.Conn, error) {
	hangsUp := b.roll(3) < b.down
	b.mu.Lock()
	b.dials = append(b.dials, time.Now())
	hangsUp = hangsUp || len(b.dials) <= b.cuts
	b.mu.Unlock()
	ours, theirs := net.Pipe()
	switch {
	case !hangsUp:
		b.mu.Lock()
		b.live = append(b.live, theirs)
		b.mu.Unlock()
		go b.serve(theirs, time.Duration(max(b.roll(6)-3, 0))*100*time.Millisecond)
	case b.roll(2) == 0:
		theirs.Close()
		return resetConn{ours}, nil
	default:
		time.AfterFunc(time.Duration(b.roll(3))*time.Millisecond, func() { theirs.Close() })
	}
	return ours, nil
}

// hangUp ends all connections of sound backends.
func (b *balancer) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, conn := range b.live {
		conn.Close()
	}
	b.live = nil
}

// serve answers every request, in the version asked for, after a delay.
func (b *balancer) serve(conn net.Conn, delay time.Duration) {
	defer conn.Close()
	for {
		var head [12]byte // size, key, version, id
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:]))-8); err != nil {
			return
		}
		resp := kmsg.RequestForKey(int16(binary.BigEndian.Uint16(head[4:]))).ResponseKind()
		resp.SetVersion(int16(binary.BigEndian.Uint16(head[6:])))
		if table, ok := resp.(*kmsg.ApiVersionsResponse); ok {
			table.ApiKeys = fakebroker.ScriptedTable
		}
		time.Sleep(delay)
		id := int32(binary.BigEndian.Uint32(head[8:]))
		if _, err := conn.Write(fakebroker.ResponseFrame(id, resp.AppendTo(nil))); err != nil {
			return
		}
	}
}

type resetConn struct{ net.Conn }

func (resetConn) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }

func (b *balancer) config() broker.Config {
	return broker.Config{Transport: &netlink.Transport{Dial: b.dial}}
}

// TestNewBrokerIsNeverTakenForOld: however a connection to it comes about.
func TestNewBrokerIsNeverTakenForOld(t *testing.T) {
	for name, connect := range map[string]func(t *testing.T, b *balancer) *broker.Versions{
		"Dial": func(t *testing.T, b *balancer) *broker.Versions { return dialBalancer(t, b.config()) },
		"Dial with probes": func(t *testing.T, b *balancer) *broker.Versions {
			return dialBalancer(t, probing(b.config()))
		},
		"CheckVersion": func(t *testing.T, b *balancer) *broker.Versions {
			conn := newConn(t, b.config())
			defer fakebroker.Close(t, conn)
			if _, err := conn.CheckVersion(limited(t, 5*time.Second), broker.Check{}); err != nil {
				return nil
			}
			v, _ := conn.APIVersions(limited(t, time.Second))
			return v
		},
		"Polled": func(t *testing.T, b *balancer) *broker.Versions {
			var v *broker.Versions
			p := mustPolled(t, b.config(), &v)
			defer p.Close(nil)
			for end := time.Now().Add(5 * time.Second); p.Connect() != broker.Connected && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond)
			}
			return v
		},
		"Polled.CheckVersion": func(t *testing.T, b *balancer) *broker.Versions {
			var v *broker.Versions
			p := mustPolled(t, b.config(), &v)
			defer p.Close(nil)
			_, _ = p.CheckVersion(5*time.Second, false, nil)
			return v
		},
		"reconnects": func(t *testing.T, b *balancer) *broker.Versions {
			conn := newConn(t, probing(b.config()))
			defer fakebroker.Close(t, conn)
			var v *broker.Versions
			for range 4 {
				table, err := conn.APIVersions(limited(t, 5*time.Second))
				if err == nil {
					v = table
				}
				if _, _, old := table.Detected(); old {
					return table
				}
				b.hangUp()
				time.Sleep(time.Millisecond)
			}
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			connected := 0
			for seed := range uint64(1000) {
				synctest.Test(t, func(t *testing.T) {
					b := &balancer{dice: newDice(seed, 1), down: 2}
					if seed%4 == 0 {
						b.down, b.cuts = 0, 3+b.roll(3)
					}
					v := connect(t, b)
					if v != nil {
						connected++
					}
					if r, evidence, old := v.Detected(); old {
						t.Fatalf("seed %d: got a broker of %v (%q), want a new one", seed, r, evidence)
					}
					b.hangUp()
					time.Sleep(time.Minute)
				})
				if t.Failed() {
					return
				}
			}
			assert(t, connected >= 100, "got %d runs that connected, want more", connected)
		})
	}
}

// TestHangUpsArePaced: a peer that closes every connection is met by pauses, also while
// it is probed.
func TestHangUpsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &balancer{dice: newDice(1, 1), down: 3}
		v := dialBalancer(t, probing(b.config()))
		require(t, v == nil, "got a connection, want none")
		require(t, len(b.dials) == 6, "got %d connections, want 6", len(b.dials))
		for i, want := range []time.Duration{50, 100, 200, 400} {
			got := b.dials[i+2].Sub(b.dials[i+1])
			assert(t, got >= want*8/10*time.Millisecond, "got probe %d after %v, want a pause of %d ms, less a fifth",
				i, got, want)
		}
		time.Sleep(time.Minute)
	})
}

func probing(cfg broker.Config) broker.Config {
	cfg.ProbeOldReleases = new(true)
	return cfg
}

func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func dialBalancer(t *testing.T, cfg broker.Config) *broker.Versions {
	conn, err := broker.Dial(limited(t, 5*time.Second), cfg)
	if err != nil {
		return nil
	}
	defer fakebroker.Close(t, conn)
	v, err := conn.APIVersions(limited(t, time.Second))
	assert(t, err == nil || errors.Is(err, broker.ErrConnection), "%v", err)
	return v
}

func mustPolled(t *testing.T, cfg broker.Config, versions **broker.Versions) *broker.Polled {
	cfg.Hooks = &broker.Hooks{Versions: func(_ broker.Endpoint, v *broker.Versions) { *versions = v }}
	return newPolled(t, cfg)
}

// old is a broker of 0.8.2: it closes the connection on a request that it does not know.
func old(_ context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	b := &balancer{}
	go b.serve(knowing{theirs, map[byte]bool{3: true, 10: true}}, 0)
	return ours, nil
}

// knowing ends the connection on a request whose key it does not know, once it has read what
// was sent: a pipe has no buffer.
type knowing struct {
	net.Conn
	keys map[byte]bool
}

func (c knowing) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if len(p) == 12 && n == 12 && !c.keys[p[5]] {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, _ = io.Copy(io.Discard, c.Conn)
		return 0, io.EOF
	}
	return n, err
}

// TestOldBrokerIsDetectedOnRequest: without the setting its error names it; with it, and for
// CheckVersion, the release is detected and reported to Hooks.Warning.
func TestOldBrokerIsDetectedOnRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var warnings []string
		cfg := broker.Config{
			Transport: &netlink.Transport{Dial: old},
			Hooks:     &broker.Hooks{Warning: func(text string) { warnings = append(warnings, text) }},
		}
		_, err := broker.Dial(limited(t, 5*time.Second), cfg)
		var e *broker.Error
		assert(t, errors.As(err, &e) && strings.Contains(e.Hint, "ProbeOldReleases (probe_old_releases)"),
			"got error %v, want a hint at ProbeOldReleases", err)
		assert(t, len(warnings) == 0, "got warnings %q, want none", warnings)
		fakebroker.Close(t, dial(t, probing(cfg)))
		conn := newConn(t, cfg)
		verdict, err := conn.CheckVersion(limited(t, 5*time.Second), broker.Check{})
		assert(t, err == nil && verdict.Kind == broker.Exact && verdict.String() == "0.8.2",
			"got %v and error %v, want 0.8.2", verdict, err)
		fakebroker.Close(t, conn)
		assert(t, len(warnings) == 2 && strings.Contains(warnings[0], "0.8.2") &&
			strings.Contains(warnings[1], "it answered FindCoordinator"),
			"got warnings %q, want two with the release and the evidence", warnings)
		time.Sleep(time.Minute)
	})
}
