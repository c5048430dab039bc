package broker_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/application/broker"
)

// handBroker is the broker of the example: it answers when act is called,
// and misbehaves on request.
type handBroker struct {
	network *memory.Transport
	peer    *memory.Peer
	unread  []byte // of the requests
	unsent  []byte // of the answers
	silent  bool
}

// act answers every request that has come, and reports whether it heard or said
// anything.
func (b *handBroker) act() bool {
	if peer := b.network.Accept(); peer != nil {
		b.peer, b.unread, b.unsent = peer, nil, nil
	}
	if b.peer == nil || b.silent {
		return false
	}
	chunk := make([]byte, 1024)
	received, _ := b.peer.Recv(chunk)
	b.unread = append(b.unread, chunk[:received]...)
	for len(b.unread) >= 4 && len(b.unread) >= 4+int(binary.BigEndian.Uint32(b.unread)) {
		size := int(binary.BigEndian.Uint32(b.unread))
		request := b.unread[4 : 4+size]
		b.unread = b.unread[4+size:]
		b.answer(request)
	}
	written, _ := b.peer.Send(b.unsent)
	b.unsent = b.unsent[written:]
	return received+written > 0
}

// answer knows ApiVersions and Heartbeat, whose answer holds no more than a
// throttle time and an error code.
func (b *handBroker) answer(request []byte) {
	key, version := binary.BigEndian.Uint16(request), binary.BigEndian.Uint16(request[2:])
	body := make([]byte, 6)
	if key == 18 {
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version = int16(version)
		r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 12, MaxVersion: 3}, {ApiKey: 18, MaxVersion: 4}}
		body = r.AppendTo(nil)
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	frame = append(frame, request[4:8]...) // the correlation id
	b.unsent = append(b.unsent, append(frame, body...)...)
}

// A user's own test of what happens when a broker goes away: no socket, no
// goroutine, no sleep. The clock is moved to the next deadline whenever nothing
// is left to do, so half a minute passes in no time, and every run is the same.
func ExamplePolled_deterministic() {
	clock := fake.New(time.Time{})
	start := clock.Now()
	network := memory.New()
	hand := &handBroker{network: network}
	say := func(format string, args ...any) {
		fmt.Printf("%6d ms  %s\n", clock.Now().Sub(start).Milliseconds(), fmt.Sprintf(format, args...))
	}

	refusals := 0
	conn, err := broker.NewPolled(broker.Config{
		Host:      "broker",
		Transport: network,
		Clock:     clock,
		Rand:      func() uint64 { return 1 << 62 }, // always the same jitter: 10 % less
		Hooks: &broker.Hooks{StateChanged: func(from, to broker.State, _ broker.Endpoint, err error) {
			say("%v -> %v", from, to)
			if errors.Is(err, broker.ErrDial) {
				refusals++
			}
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// until runs the loop of the owner, and the broker's, until something is so.
	until := func(done func() bool) {
		for conn.Connect(); !done(); conn.Connect() {
			for _, r := range conn.Recv() {
				say("answered: %v", r.Response.(*kmsg.HeartbeatResponse).ErrorCode == 0)
			}
			if !hand.act() && !done() {
				if next := conn.NextDeadline(); !next.IsZero() {
					clock.AdvanceTo(next)
				}
			}
		}
	}
	failed := func(f *broker.Future) {
		_, err := f.Response()
		var e *broker.Error
		errors.As(err, &e)
		say("failed: %v, %v, retriable %v, safe to retry %v", e.Kind, e.Sent, broker.Retriable(err),
			broker.SafeToRetry(err))
	}
	isDone := func(f *broker.Future) func() bool {
		return func() bool { return isDone(f) }
	}
	ask := func() *broker.Future { return conn.Send(kmsg.NewPtrHeartbeatRequest(), false) }

	until(conn.Connected)
	f := ask()
	until(isDone(f))

	say("-- the broker dies with a request in flight, and its port refuses for a while")
	f = ask()
	hand.peer.Reset(errors.New("connection reset by peer"))
	network.RefuseDial("broker:9092", errors.New("connection refused"))
	conn.Recv()
	<-f.Done()
	failed(f)
	until(func() bool { return refusals == 3 })
	network.RefuseDial("broker:9092", nil)
	until(conn.Connected)

	say("-- the broker falls silent")
	hand.silent = true
	f = ask()
	until(isDone(f))
	<-f.Done()
	failed(f)

	// Output:
	//      0 ms  Disconnected -> Connecting
	//      0 ms  Connecting -> NegotiatingVersions
	//      0 ms  NegotiatingVersions -> Connected
	//      0 ms  answered: true
	//      0 ms  -- the broker dies with a request in flight, and its port refuses for a while
	//      0 ms  Connected -> Disconnected
	//      0 ms  failed: connection lost, fully sent, retriable true, safe to retry false
	//     45 ms  Disconnected -> Connecting
	//     45 ms  Connecting -> Disconnected
	//    135 ms  Disconnected -> Connecting
	//    135 ms  Connecting -> Disconnected
	//    315 ms  Disconnected -> Connecting
	//    315 ms  Connecting -> Disconnected
	//    675 ms  Disconnected -> Connecting
	//    675 ms  Connecting -> NegotiatingVersions
	//    675 ms  NegotiatingVersions -> Connected
	//    675 ms  -- the broker falls silent
	//  30675 ms  Connected -> Disconnected
	//  30675 ms  failed: request timed out, fully sent, retriable true, safe to retry false
}
