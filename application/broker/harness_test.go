package broker_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A harness is a connection of either kind on the fake clock and the memory transport,
// with a broker that answers on request. Nothing happens but in the calls
// of the test, so each run is the same.

// question is a request that the broker has heard and not answered.
type question struct {
	key, version int16
	id           int32
}

// playedBroker hears every request at once, and answers ApiVersions at once.
type fakeBroker struct {
	network  *memory.Transport
	peer     *memory.Peer
	dials    []string // the addresses that were reached
	unread   []byte
	unsent   []byte
	received []question // and not answered
	asked    []question // all of them, in order
	mute     bool       // it answers ApiVersions not even
	// throttle is sent with the answers to ApiVersions, and rows are behind the others.
	throttle int32
	rows     []kmsg.ApiVersionsResponseApiKey
}

// hear takes in what has come; it reports whether anything has.
func (b *fakeBroker) hear() (news bool) {
	for {
		peer := b.network.Accept()
		if peer == nil {
			break
		}
		b.peer, b.unread, b.unsent, b.received = peer, nil, nil, nil
		b.dials = append(b.dials, peer.Endpoint().Address)
		news = true
	}
	if b.peer == nil {
		return news
	}
	news = b.speak() || news
	chunk := make([]byte, 4096)
	n, _ := b.peer.Recv(chunk)
	b.unread = append(b.unread, chunk[:n]...)
	for len(b.unread) >= 4 && len(b.unread) >= 4+int(binary.BigEndian.Uint32(b.unread)) {
		frame := b.unread[4 : 4+binary.BigEndian.Uint32(b.unread)]
		b.unread = b.unread[4+len(frame):]
		q := question{
			key:     int16(binary.BigEndian.Uint16(frame)),
			version: int16(binary.BigEndian.Uint16(frame[2:])),
			id:      int32(binary.BigEndian.Uint32(frame[4:])),
		}
		b.asked = append(b.asked, q)
		if q.key == 18 && !b.mute {
			b.say(q, b.versions(q.version))
			continue
		}
		if q.key == 0 {
			continue // Produce, here with acks 0
		}
		b.received = append(b.received, q)
	}
	return news || n > 0
}

func (b *fakeBroker) versions(version int16) []byte {
	r := kmsg.NewPtrApiVersionsResponse()
	r.Version, r.ThrottleMillis = version, b.throttle
	r.ApiKeys = append(slices.Clone(fakebroker.ScriptedTable),
		kmsg.ApiVersionsResponseApiKey{ApiKey: 17, MaxVersion: 1},
		kmsg.ApiVersionsResponseApiKey{ApiKey: 36, MaxVersion: 1})
	r.ApiKeys = append(r.ApiKeys, b.rows...)
	return r.AppendTo(nil)
}

func (b *fakeBroker) say(q question, body []byte) {
	b.unsent = append(b.unsent, fakebroker.ResponseFrame(q.id, body)...)
	b.speak()
}

// speak says what the link takes of what is to be said.
func (b *fakeBroker) speak() (news bool) {
	n, _ := b.peer.Send(b.unsent)
	b.unsent = b.unsent[n:]
	return n > 0
}

// answer answers the next n requests, each with a throttle time in milliseconds.
func (b *fakeBroker) answer(n int, throttle int32) {
	for _, q := range b.received[:n] {
		body := make([]byte, 6) // Heartbeat v1 to v3: the throttle time, an error code
		if q.key == 18 {
			b.throttle = throttle
			body = b.versions(q.version)
		} else {
			binary.BigEndian.PutUint32(body, uint32(throttle))
		}
		b.say(q, body)
	}
	b.received = b.received[n:]
}

// connection is what a Conn and a Polled have in common.
type connection interface {
	State() broker.State
	Stats() broker.Stats
}

type harness struct {
	connection
	t        failing
	clock    *fake.Clock
	network  *memory.Transport
	broker   *fakeBroker
	counts   *recorder.Recorder
	log      []string         // the calls of hooks
	versions *broker.Versions // the last that Hooks.Versions got

	// One of them.
	polled *broker.Polled
	conn   *broker.Conn
}

const cleanClose = "Connected -> Disconnected <nil>"

// onBoth runs a test for either kind of connection.
func onBoth(t *testing.T, change func(*broker.Config), test func(t *testing.T, r *harness)) {
	t.Helper()
	for _, kind := range []string{"Polled", "Conn"} {
		t.Run(kind, func(t *testing.T) { test(t, newHarness(t, kind, change)) })
	}
}

// onReady is onBoth with a connection that is ready.
func onReady(t *testing.T, change func(*broker.Config), test func(t *testing.T, r *harness)) {
	t.Helper()
	onBoth(t, change, func(t *testing.T, r *harness) {
		r.ready()
		test(t, r)
	})
}

func newHarness(t *testing.T, kind string, change func(*broker.Config)) *harness {
	t.Helper()
	r := &harness{t: t, clock: fake.New(time.Time{}), network: memory.New(), counts: recorder.New()}
	r.broker = &fakeBroker{network: r.network}
	record := func(format string, args ...any) { r.log = append(r.log, fmt.Sprintf(format, args...)) }
	start := r.clock.Now()
	cfg := broker.Config{
		Host: "broker", Transport: r.network, Clock: r.clock, Metrics: r.counts,
		Rand:        func() uint64 { return 1 << 63 }, // pauses of just the length that is configured
		IdleTimeout: -1,
		Selector:    fake.Selector{Clock: r.clock, Work: func(any) bool { return r.broker.hear() }},
		Hooks: &broker.Hooks{
			StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
				record("%v -> %v %v", from, to, err)
			},
			RequestWritten:  func(i broker.RequestInfo) { record("written %d", i.CorrelationID) },
			RequestAnswered: func(i broker.RequestInfo) { record("answered %d", i.CorrelationID) },
			RequestFailed:   func(i broker.RequestInfo, _ error) { record("failed %d", i.CorrelationID) },
			Throttled:       func(_ broker.Endpoint, end time.Time) { record("throttled until %v", end.Sub(start)) },
			Idle:            func(broker.Endpoint) { record("idle") },
			IdleLost:        func(_ broker.Endpoint, err error) { record("idle lost %v", err) },
			Versions:        func(_ broker.Endpoint, v *broker.Versions) { r.versions = v },
			Warning:         func(text string) { record("warning %s", text) },
			Panicked:        func(v any) { t.Errorf("a hook panicked: %v", v) },
		},
	}
	if change != nil {
		change(&cfg)
	}
	if kind == "Polled" {
		r.polled = newPolled(t, cfg)
		r.connection = r.polled
	} else {
		r.conn = newConn(t, cfg)
		r.connection = r.conn
	}
	return r
}

// ready connects.
func (r *harness) ready() {
	r.t.Helper()
	r.connect()
	require(r.t, r.State() == broker.Connected, "state %v", r.State())
	r.log = nil
}

// reach asks for a connection.
func (r *harness) reach() {
	if r.polled != nil {
		r.polled.Connect()
		return
	}
	// It is refused, and starts a connection for the next one.
	if _, err := r.conn.Send(context.Background(), ask()); err == nil {
		r.t.Fatal("Send: got a Future, want a refusal")
	}
}

// connect asks for a connection, and lets both sides act.
func (r *harness) connect() {
	r.t.Helper()
	r.reach()
	r.turn()
}

// request sends a request that is answered, with a throttle time.
func (r *harness) request(throttle int32) error {
	r.t.Helper()
	f := r.send()
	r.exchange(1, throttle)
	return r.outcome(f)
}

// turn lets both sides act until nothing is left to do now.
func (r *harness) turn() {
	for range 1000 {
		if r.polled != nil {
			if r.polled.Connecting() {
				r.polled.Connect()
			}
			for range r.polled.Recv() {
			}
		}
		if !r.broker.hear() {
			return
		}
	}
	r.t.Fatal("they never come to rest")
}

// answer answers the next n requests, and lets both sides act.
func (r *harness) answer(n int, throttle int32) {
	r.t.Helper()
	r.broker.answer(n, throttle)
	r.turn()
}

// exchange lets the requests arrive before that.
func (r *harness) exchange(n int, throttle int32) {
	r.t.Helper()
	r.turn()
	r.answer(n, throttle)
}

func (r *harness) wantState(want broker.State) {
	r.t.Helper()
	equal(r.t, "state", r.State(), want)
}

// pass lets time pass as the owner of a loop would: from one deadline to the next.
// It returns how many there were.
func (r *harness) pass(d time.Duration) (deadlines int) {
	r.t.Helper()
	end := r.clock.Now().Add(d)
	for r.turn(); ; r.turn() {
		next := r.next()
		if next.IsZero() || next.After(end) {
			break
		}
		require(r.t, next.After(r.clock.Now()), "it is %v, and it waits for %v", r.clock.Now(), next)
		if deadlines++; deadlines > 100_000 {
			r.t.Fatal("it does not sleep")
		}
		r.clock.AdvanceTo(next)
	}
	r.clock.AdvanceTo(end)
	r.turn()
	return deadlines
}

// next is the time that it waits for; zero: none.
func (r *harness) next() time.Time {
	if r.polled != nil {
		return r.polled.NextDeadline()
	}
	t, _ := r.clock.Next()
	return t
}

// sending is a request that was sent, or refused: by a Conn with an error, by a Polled
// with a Future that has failed.
type sending struct {
	*broker.Future
	refusal error
}

func (s sending) isDone() bool { return s.refusal != nil || isDone(s.Future) }

func (s sending) Response() (ports.Message, error) {
	if s.refusal != nil {
		return nil, s.refusal
	}
	return s.Future.Response()
}

func (r *harness) send() sending { return r.sendThis(ask()) }

func (r *harness) sendThis(req ports.Message) sending {
	if r.polled != nil {
		return sending{Future: r.polled.Send(req, false)}
	}
	f, err := r.conn.Send(context.Background(), req)
	return sending{f, err}
}

func (r *harness) sendWithin(d time.Duration) sending {
	if r.polled != nil {
		return sending{Future: r.polled.Send(ask(), false, broker.WithTimeout(d))}
	}
	f, err := r.conn.Send(broker.WithRequestTimeout(context.Background(), d), ask())
	return sending{f, err}
}

func (r *harness) throttleDelay() time.Duration {
	return max(r.Stats().ThrottledUntil.Sub(r.clock.Now()), 0)
}

func (r *harness) inFlight() int { return r.Stats().InFlight }

func (r *harness) lastError() error { return r.Stats().LastError }

func (r *harness) close() {
	if r.polled != nil {
		r.polled.Close(nil)
		return
	}
	r.conn.Close()
}

// outcome is what became of a request that must be done.
func (r *harness) outcome(f sending) error {
	r.t.Helper()
	require(r.t, f.isDone(), "it is not done")
	_, err := f.Response()
	return err
}

func (r *harness) pending(f sending) {
	r.t.Helper()
	if f.isDone() {
		_, err := f.Response()
		r.t.Fatalf("it is done: %v", err)
	}
}

// wantHooks compares the calls of hooks since the last comparison.
func (r *harness) wantHooks(want ...string) {
	r.t.Helper()
	equal(r.t, "hooks", fmt.Sprintf("%q", r.log), fmt.Sprintf("%q", want))
	r.log = nil
}

// sums checks what must add up at any time.
func (r *harness) sums() { r.t.Helper(); checkSums(r.t, r.Stats()) }

// checkSums checks a picture of a connection.
func checkSums(t failing, s broker.Stats) {
	t.Helper()
	live := int64(1)
	if s.State.Down() {
		live = 0
	}
	assert(t, s.Requests == s.Responses+s.Failed+int64(s.InFlight) && s.TimedOut <= s.Failed &&
		s.Throttled <= s.Responses && s.Attempts == s.Closed+live && s.Ready <= s.Attempts &&
		s.ClosedClean <= s.Closed && s.InFlight >= 0, "the sums do not hold: %+v", s)
}

func at(address string) ports.Endpoint {
	return ports.Endpoint{Host: "broker", Network: "memory", Address: address}
}

func (r *harness) wantDials(want ...string) {
	r.t.Helper()
	equal(r.t, "dials", fmt.Sprint(r.broker.dials), fmt.Sprint(want))
}
