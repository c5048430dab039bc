package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// In a bubble of synctest the time goes on only when every goroutine waits. So a
// wake-up that is lost shows as a wait that is too long, or as a deadlock, and
// one too many can be counted.

// moody is a broker that echoes bodies, late, sometimes never, and that hangs up
// or refuses when it pleases.
type moody struct {
	*dice
	silent, kills, refuse int // of 100
}

func (m *moody) dial(context.Context, string, string) (net.Conn, error) {
	time.Sleep(time.Duration(m.roll(20)) * time.Millisecond)
	if m.roll(100) < m.refuse {
		return nil, errors.New("refused")
	}
	ours, theirs := net.Pipe()
	go m.serve(theirs)
	return ours, nil
}

func (m *moody) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var head [14]byte // size, key, version, id, size of the client id
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		rest := make([]byte, binary.BigEndian.Uint32(head[:])-10)
		if _, err := io.ReadFull(conn, rest); err != nil || m.roll(100) < m.kills {
			return
		}
		time.Sleep(time.Duration(m.roll(4)*m.roll(4)) * time.Millisecond)
		if m.roll(100) < m.silent {
			if m.roll(2) == 0 {
				_, _ = io.Copy(io.Discard, conn)
				return
			}
			time.Sleep(time.Duration(m.roll(4000)) * time.Millisecond) // and reads nothing
		}
		body := rest[binary.BigEndian.Uint16(head[12:]):]
		switch binary.BigEndian.Uint16(head[4:]) {
		case 0: // Produce, here with acks 0
			continue
		case 18:
			r := kmsg.NewPtrApiVersionsResponse()
			r.Version = int16(binary.BigEndian.Uint16(head[6:]))
			r.ApiKeys = fakebroker.ScriptedTable
			body = r.AppendTo(nil)
		}
		if _, err := conn.Write(fakebroker.ResponseFrame(int32(binary.BigEndian.Uint32(head[8:])), body)); err != nil {
			return
		}
	}
}

// TestEveryWaitEndsInTime: whatever the broker does, a caller is back when its
// context or the request timeout has ended, and with the answer to its own
// request if with any. Two rounds of the patrol are allowed for.
func TestEveryWaitEndsInTime(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) { moodyRound(t, seed) })
		require(t, !t.Failed(), "with seed %d", seed)
	}
}

func moodyRound(t *testing.T, seed uint64) {
	const timeout, patrols = 2 * time.Second, 20 * time.Millisecond
	m := &moody{dice: newDice(seed, 1)}
	m.silent, m.kills, m.refuse = m.roll(4), m.roll(10), m.roll(100)
	cfg := broker.Config{
		Transport:      &netlink.Transport{Dial: m.dial},
		RequestTimeout: timeout, SetupTimeout: timeout / 4,
		MaxInFlight: 1 + m.roll(6),
	}
	if m.roll(3) == 0 {
		cfg.Transport = fakebroker.Unparked{Transport: cfg.Transport}
	}
	if m.roll(3) == 0 {
		cfg.Clock = &counting{}
	}
	if m.roll(4) == 0 {
		cfg.MaxPendingBytes = 300
	}
	conn := newConn(t, cfg)
	var wg sync.WaitGroup
	for caller := range 1 + m.roll(9) {
		wg.Go(func() {
			for n := range 30 {
				limit, ctx, cancel := timeout, context.Background(), func() {}
				if m.roll(2) == 0 {
					limit = time.Duration(1+m.roll(60)) * time.Millisecond
					ctx, cancel = context.WithTimeout(ctx, limit)
				}
				body := fmt.Appendf(nil, "request %d of %d, with some more to write", n, caller)
				began := time.Now()
				got, err := askOneWay(ctx, conn, m.roll(7), body)
				cancel()
				took := time.Since(began)
				assert(t, took <= limit+patrols, "%v where %v was the limit: %v", took, limit, err)
				assert(t, err != nil || got == nil || string(got) == string(body), "%q for %q", got, body)
				if err != nil && m.roll(20) == 0 {
					time.Sleep(time.Duration(m.roll(3000)) * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	fakebroker.Close(t, conn)
	time.Sleep(time.Minute) // for the broker to find out
}

// askOneWay uses one of the ways to ask; nil and nil is a success without an answer.
func askOneWay(ctx context.Context, conn *broker.Conn, way int, body []byte) ([]byte, error) {
	req := &ports.RawRequest{APIKey: 12, APIVersion: 1, Body: body}
	switch way {
	case 0:
		return nil, conn.Connect(ctx)
	case 1:
		return conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 0, APIVersion: 3, NoResponse: true, Body: body})
	case 2:
		return bodyOf(sendAndWait(ctx, conn, req))
	case 3: // a channel waits, and another goroutine gives up
		f, err := conn.SendWait(ctx, req)
		if err != nil {
			return nil, err
		}
		defer context.AfterFunc(ctx, f.Cancel)()
		<-f.Done()
		return bodyOf(f.Response())
	case 4:
		f, err := conn.SendWait(ctx, req)
		if err != nil {
			return nil, err
		}
		defer context.AfterFunc(ctx, f.Cancel)()
		return bodyOf(f.Wait(context.Background()))
	}
	return conn.RequestRaw(ctx, req)
}

func bodyOf(resp ports.Message, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return resp.(*ports.RawResponse).Body, nil
}

// counting is a clock that counts the alarms that rang.
type counting struct {
	system.Clock
	rings atomic.Int64
}

func (c *counting) NewAlarm(f func()) ports.Alarm {
	return c.Clock.NewAlarm(func() { c.rings.Add(1); f() })
}

// TestIdleConnectionSleeps: an idle connection wakes up for nothing, and one with
// a request under way a few times at most.
func TestIdleConnectionSleeps(t *testing.T) {
	for name, change := range links {
		runBubble(t, name, func(t *testing.T) {
			var mute atomic.Bool
			s := &fakebroker.Scripted{Answer: func(net.Conn, int16, int32) []byte {
				if mute.Load() {
					return nil
				}
				return make([]byte, 6)
			}}
			clock := &counting{}
			cfg := s.Piped()
			cfg.Clock, cfg.IdleTimeout = clock, -1
			change(&cfg)
			began := time.Now()
			conn := dial(t, cfg)
			for range 100 {
				noError(t, heartbeat(t.Context(), conn))
			}
			equal(t, "time waited for nothing", time.Since(began), 0)
			time.Sleep(time.Minute) // the patrol sends a reader, the timeout of the last request passes
			before := clock.rings.Load()
			time.Sleep(24 * time.Hour)
			equal(t, "alarms on a day without requests", clock.rings.Load()-before, 0)
			mute.Store(true)
			before = clock.rings.Load()
			wantError(t, heartbeat(t.Context(), conn), broker.ErrRequestTimeout)
			if n := clock.rings.Load() - before; n > 4 {
				t.Errorf("%d alarms while one request waited", n)
			}
		})
	}
}
