package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

func silent(net.Conn, int16, int32) []byte { return nil }

func heartbeat(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrHeartbeatRequest().RequestWith(ctx, conn)
	return err
}

// TestCancelledContextGivesUpTheWaitingOnly: the caller comes back, its slot
// stays in line, and the answer that comes late reaches no caller.
func TestCancelledContextGivesUpTheWaitingOnly(t *testing.T) {
	for name, change := range links {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{})
			release := make(chan struct{})
			first := true
			cfg := piped(func(net.Conn, int16, int32) []byte {
				if first {
					first = false
					close(asked)
					<-release
					return []byte{0, 0, 0, 0, 0, 7}
				}
				return []byte{0, 0, 0, 0, 0, 8}
			})
			change(&cfg)
			conn := dial(t, cfg)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-asked; cancel() }()
			err := heartbeat(ctx, conn)
			require(t, errors.Is(err, context.Canceled) && errors.Is(err, broker.ErrCanceled), "got %v", err)
			var e *broker.Error
			if !errors.As(err, &e) || e.Sent != broker.SentFully || broker.SafeToRetry(err) {
				t.Errorf("sent %v", e.Sent)
			}
			assert(t, conn.Stats().InFlight == 1, "%d in flight, want the slot to stay", conn.Stats().InFlight)
			close(release)
			resp, err := kmsg.NewPtrHeartbeatRequest().RequestWith(t.Context(), conn)
			assert(t, err == nil && resp.ErrorCode == 8, "the next request got %+v, %v", resp, err)
		})
	}
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cfg := piped(silent)
	cfg.Hooks = &broker.Hooks{DialStart: func(broker.Endpoint) { cancel() }}
	cfg.Transport = neverReached{}
	wantError(t, errorOf(broker.Dial(ctx, cfg)), context.Canceled)
}

// neverReached is a transport whose dials neither succeed nor fail.
type neverReached struct{}

type pendingLink struct{}

func (neverReached) Resolve(host string, _ uint16) ports.Lookup { return foundLookup{host} }
func (neverReached) Open(ports.Endpoint) ports.Link             { return pendingLink{} }

type foundLookup struct{ host string }

func (l foundLookup) Result() ([]ports.Endpoint, error) {
	return []ports.Endpoint{{Host: l.host, Network: "none", Address: l.host}}, nil
}
func (foundLookup) Close() {}

func (pendingLink) Stage() (ports.Stage, error)    { return ports.StageDialing, ports.ErrWouldBlock }
func (pendingLink) Send([]byte) (n int, err error) { return 0, ports.ErrWouldBlock }
func (pendingLink) Recv([]byte) (n int, err error) { return 0, ports.ErrWouldBlock }
func (pendingLink) Close() error                   { return nil }

// TestLineIsFirstComeFirstServed: callers beyond the in-flight limit are sent in
// the order in which they came.
func TestLineIsFirstComeFirstServed(t *testing.T) {
	const callers = 40
	var order []int32
	start := make(chan struct{})
	cfg := piped(func(_ net.Conn, _ int16, id int32) []byte {
		<-start
		order = append(order, id)
		return binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(id))
	})
	cfg.MaxInFlight = 2
	conn := dial(t, cfg)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			noError(t, errorOf(conn.RequestRaw(t.Context(), &ports.RawRequest{APIKey: 12, APIVersion: 0})))
		})
	}
	close(start)
	wg.Wait()
	for i := 1; i < len(order); i++ {
		require(t, order[i] == order[i-1]+1, "order %v", order)
	}
	assert(t, len(order) == callers, "%d requests seen, want %d", len(order), callers)
}

// TestTimeoutNamesItsRequest: the connection goes with the first request that
// times out, and each request in flight learns its own part of it.
func TestTimeoutNamesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := piped(silent)
		cfg.RequestTimeout = 20 * time.Millisecond
		conn := dial(t, cfg)
		first := mustSend(t, conn, kmsg.NewPtrHeartbeatRequest())
		time.Sleep(5 * time.Millisecond) // so that their deadlines differ
		second := mustSend(t, conn, kmsg.NewPtrHeartbeatRequest())
		wantError(t, errorOf(first.Wait(t.Context())), broker.ErrRequestTimeout)
		_, err := second.Wait(t.Context())
		assert(t, !errors.Is(err, broker.ErrTimeout) && errors.Is(err, broker.ErrConnection) &&
			strings.Contains(err.Error(), "another request on it timed out"), "second: %v", err)
	})
}

// TestReconnectsOnDemand: a request that comes after the loss makes a new
// connection.
func TestReconnectsOnDemand(t *testing.T) {
	var dropped atomic.Bool
	s := &fakebroker.Scripted{Answer: func(conn net.Conn, _ int16, _ int32) []byte {
		if !dropped.Swap(true) {
			conn.Close()
			return nil
		}
		return make([]byte, 6)
	}}
	conn := dial(t, s.Listening(t))
	err := heartbeat(t.Context(), conn)
	assert(t, errors.Is(err, broker.ErrConnection) && broker.Retriable(err) && !broker.SafeToRetry(err), "first: %v",
		err)
	noError(t, heartbeat(t.Context(), conn))
	equal(t, "connections", s.Conns.Load(), 2)
}

// TestIdleConnectionThatIsClosedIsNoticed without any request.
func TestIdleConnectionThatIsClosedIsNoticed(t *testing.T) {
	lost := make(chan struct{})
	closeIt := make(chan net.Conn, 1)
	cfg := listening(t, func(conn net.Conn, _ int16, _ int32) []byte {
		closeIt <- conn
		return make([]byte, 6)
	})
	cfg.Hooks = onState(broker.Disconnected, func() { close(lost) })
	conn := dial(t, cfg)
	must(t, heartbeat(t.Context(), conn))
	(<-closeIt).Close()
	receive(t, lost)
}

func TestAnswerThatCannotBeRead(t *testing.T) {
	cfg := piped(func(net.Conn, int16, int32) []byte { return []byte{0, 0, 0} })
	cfg.NoReconnect = true
	conn := dial(t, cfg)
	err := heartbeat(t.Context(), conn)
	assert(t, errors.Is(err, broker.ErrProtocol) && !broker.Retriable(err), "got %v", err)
	receive(t, conn.Done())
}

// TestAnswerThatCannotBeReadIsLookedAtLate: the connection that it came on is
// gone, and the next one is not affected.
func TestAnswerThatCannotBeReadIsLookedAtLate(t *testing.T) {
	var answers atomic.Int64
	conn := dial(t, listening(t, func(peer net.Conn, _ int16, _ int32) []byte {
		switch answers.Add(1) {
		case 1:
			return []byte{0}
		case 2:
			peer.Close()
			return nil
		}
		return make([]byte, 6)
	}))
	f := mustSend(t, conn, kmsg.NewPtrHeartbeatRequest())
	receive(t, f.Done())
	err := heartbeat(t.Context(), conn)
	require(t, err != nil, "it was to be lost")
	must(t, heartbeat(t.Context(), conn))
	wantError(t, errorOf(f.Response()), broker.ErrProtocol)
	assert(t, conn.State() == broker.Connected, "another connection was dropped for it")
}

func TestNoVersionInCommon(t *testing.T) {
	conn := dial(t, piped(fakebroker.HeartbeatBody))
	_, err := kmsg.NewPtrCreateTopicsRequest().RequestWith(t.Context(), conn)
	var v *broker.VersionError
	assert(t, errors.Is(err, broker.ErrUnsupportedVersion) && errors.As(err, &v) && v.Unknown, "got %v", err)
	noError(t, heartbeat(t.Context(), conn))
}

func TestSendRefusesBeyondTheLimit(t *testing.T) {
	cfg := piped(silent)
	cfg.MaxInFlight = 2
	conn := dial(t, cfg)
	for range 2 {
		mustSend(t, conn, ask())
	}
	_, err := conn.Send(t.Context(), ask())
	wantRefusal(t, err, broker.ErrTooManyInFlight)
}

// TestProduceWithoutAcks is done when written, and takes no slot.
func TestProduceWithoutAcks(t *testing.T) {
	conn := dial(t, piped(func(_ net.Conn, key int16, _ int32) []byte {
		if key == 0 {
			return nil
		}
		return make([]byte, 6)
	}))
	for range 20 {
		req := kmsg.NewPtrProduceRequest()
		req.Acks = 0
		resp, err := conn.Request(t.Context(), req)
		require(t, resp == nil && err == nil, "got %v, %v", resp, err)
	}
	noError(t, heartbeat(t.Context(), conn))
}

func TestPanicsOfHooksAreContained(t *testing.T) {
	var panics []any
	cfg := piped(fakebroker.HeartbeatBody)
	cfg.Hooks = &broker.Hooks{
		StateChanged:    func(broker.State, broker.State, broker.Endpoint, error) { panic("state") },
		RequestAnswered: func(broker.RequestInfo) { panic("answered") },
		Panicked:        func(v any) { panics = append(panics, v); panic("again") },
	}
	conn := dial(t, cfg)
	noError(t, heartbeat(t.Context(), conn))
	fakebroker.Close(t, conn)
	assert(t, len(panics) >= 4, "got panics %v", panics)
}

func TestPanicsOfPortsDropTheConnection(t *testing.T) {
	cfg := piped(fakebroker.HeartbeatBody)
	cfg.Transport = panicking{}
	wantError(t, errorOf(broker.Dial(t.Context(), cfg)), broker.ErrPortPanic)
}

type panicking struct{ ports.Transport }

func (panicking) Resolve(string, uint16) ports.Lookup { panic("no resolver here") }

// TestDialReportsEveryAddress in one line.
func TestDialReportsEveryAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	cfg := configFor(t, l.Addr().String())
	l.Close() // so the port refuses
	_, err = broker.Dial(t.Context(), cfg)
	assert(t, errors.Is(err, broker.ErrDial) && !strings.Contains(err.Error(), "\n"), "got %v", err)
	assert(t, strings.Contains(err.Error(), "refused"), "the cause is missing: %v", err)
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		in, host string
		port     uint16
	}{
		{"kafka:9093", "kafka", 9093},
		{"kafka", "kafka", 9092},
		{"10.0.0.1:1", "10.0.0.1", 1},
		{"[::1]:9094", "::1", 9094},
		{"[::1]", "::1", 9092},
		{"::1", "::1", 9092},
		{"fe80::1%lo", "fe80::1%lo", 9092},
		{"PLAINTEXT://kafka:9093", "kafka", 9093},
		{"kafka://kafka:9093/", "kafka", 9093},
	} {
		host, port, err := broker.ParseAddress(c.in)
		assert(t, err == nil && host == c.host && port == c.port, "%q: got %q %d %v", c.in, host, port, err)
	}
	_, _, err := broker.ParseAddress("2001:db8::1:40000") // no IPv6 literal: a group has four digits
	assert(t, err != nil && strings.Contains(err.Error(), `write "[2001:db8::1]:40000"`),
		"got %v, want the correction", err)
	for _, in := range []string{"", ":9092", "kafka:0", "kafka:99999", "kafka:x", "a:b:c", "[::1", "kafka:", "a b:1",
		"a,b", "a/b:1", "a\x00b", "a\x1b[31m:1", "fe80::1%a]", "h%x:1"} {
		if host, port, err := broker.ParseAddress(in); err == nil {
			t.Errorf("%q was accepted as %q %d", in, host, port)
		}
	}
}

// TestSendMakesAConnectionForTheNext: who only ever sends must get one too.
func TestSendMakesAConnectionForTheNext(t *testing.T) {
	connected := make(chan struct{}, 1)
	cfg := piped(fakebroker.HeartbeatBody)
	cfg.Hooks = onState(broker.Connected, func() { connected <- struct{}{} })
	conn := newConn(t, cfg)
	wantError(t, errorOf(sendAndWait(t.Context(), conn, kmsg.NewPtrHeartbeatRequest())), broker.ErrConnection)
	receive(t, connected)
	noError(t, errorOf(sendAndWait(t.Context(), conn, kmsg.NewPtrHeartbeatRequest())))
}

// TestBackPressureWaits: what finds no room among the pending bytes waits in line
// for it; Send is refused.
func TestBackPressureWaits(t *testing.T) {
	start := make(chan struct{})
	cfg := piped(func(net.Conn, int16, int32) []byte { <-start; return make([]byte, 6) })
	cfg.MaxInFlight, cfg.MaxPendingBytes = 100, 2000
	conn := dial(t, cfg)
	large := &ports.RawRequest{APIKey: 12, APIVersion: 0, Body: make([]byte, 1500)}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { noError(t, errorOf(conn.RequestRaw(t.Context(), large))) })
	}
	for refused := false; !refused; {
		_, err := conn.Send(t.Context(), large)
		refused = errors.Is(err, broker.ErrBackPressure) || errors.Is(err, broker.ErrTooManyInFlight)
		require(t, err == nil || refused, "%v", err)
	}
	close(start)
	wg.Wait()
}

// TestLineGoesOnAfterABadAnswer: one answer that is no answer costs the requests
// in flight, not those in line; a peer that is no broker fails them all at once.
func TestLineGoesOnAfterABadAnswer(t *testing.T) {
	var asked atomic.Int64
	second := make(chan struct{})
	conn := dialOne(t, func(net.Conn, int16, int32) []byte {
		if asked.Add(1) == 1 {
			<-second
			return []byte{0}
		}
		return make([]byte, 6)
	})
	errs := heartbeats(t.Context(), conn, 1)
	for conn.Stats().InFlight == 0 {
		runtime.Gosched()
	}
	waiting := heartbeats(t.Context(), conn, 1)
	for conn.Stats().Waiting == 0 {
		runtime.Gosched()
	}
	close(second)
	wantError(t, <-errs, broker.ErrProtocol)
	// It was admitted to the same connection, or not yet.
	if err := <-waiting; err != nil && !broker.Retriable(err) {
		t.Errorf("the one in line: %v", err)
	}
	noError(t, heartbeat(t.Context(), conn))

	web := &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			theirs.Read(make([]byte, 1024))
			theirs.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		}()
		return ours, nil
	}}
	other := newConn(t, broker.Config{Transport: web})
	err := heartbeat(t.Context(), other)
	assert(t, errors.Is(err, broker.ErrNotKafka) && !broker.Retriable(err), "a web server: %v", err)
}

// TestLossAfterTrafficIsNoticed: after the last response the end of the connection is
// reported, although no caller reads.
func TestLossAfterTrafficIsNoticed(t *testing.T) {
	for round := range 60 {
		synctest.Test(t, func(t *testing.T) { lossAfterTraffic(t, 1+round%6) })
	}
}

func lossAfterTraffic(t *testing.T, callers int) {
	var mu sync.Mutex
	var peers []net.Conn
	cfg := piped(func(conn net.Conn, _ int16, _ int32) []byte {
		mu.Lock()
		peers = append(peers[:0], conn)
		mu.Unlock()
		return make([]byte, 6)
	})
	lost := make(chan struct{}, 1)
	cfg.Hooks = onState(broker.Disconnected, func() { lost <- struct{}{} })
	conn := dial(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range 20 {
				noError(t, heartbeat(ctx, conn))
			}
		})
	}
	wg.Wait()
	cancel()
	mu.Lock()
	peers[0].Close()
	mu.Unlock()
	receive(t, lost)
}
