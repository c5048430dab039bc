package domain_test

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// The core by hand: what a program does that has its own way to move bytes. It
// carries out each output of Next, brings the news back, and may wait whenever
// Next says Idle.
func ExampleMachine() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := domain.NewMachine(domain.Config{
		Host: "broker", Port: 9092, ClientID: "example", Codec: kafkacodec.Codec{},
		MaxInFlight: 5, MaxPendingBytes: 1 << 20, MaxFrameBytes: 1 << 20,
		RequestTimeout: 30 * time.Second, SetupTimeout: 10 * time.Second, MaxThrottle: time.Minute,
		BackoffBase: 50 * time.Millisecond, BackoffMax: time.Second,
	})

	var answer []byte // from the other side, to the last request
	drain := func() {
		for {
			switch out := m.Next(); out.Kind {
			case domain.Idle:
				return
			case domain.Resolve:
				m.HandleAddresses(now, out.Epoch, []ports.Endpoint{{Host: "broker", Address: "10.0.0.1:9092"}}, nil)
			case domain.Open:
				fmt.Println("open", out.Endpoint.Address)
				m.HandleStage(now, out.Epoch, ports.StageEstablished)
			case domain.Transmit:
				fmt.Printf("transmit %d bytes: API %d\n", len(out.Data), binary.BigEndian.Uint16(out.Data[4:]))
				answer = answerTo(out.Data)
				m.HandleWritten(now, out.Epoch, len(out.Data))
			case domain.Changed:
				fmt.Println(out.From, "->", out.To)
			case domain.Completed:
				fmt.Println("completed:", out.Future.Sent(), out.Future.Err(), len(out.Future.Body()), "bytes")
				m.Recycle(out.Future)
			case domain.Hangup:
				fmt.Println("hang up")
			}
		}
	}
	receive := func() {
		n := copy(m.Space(), answer)
		m.HandleRead(now, m.Epoch(), n)
		drain()
	}

	m.Connect(now, domain.ConnectOptions{})
	drain()
	receive()
	if _, err := m.Send(now, kmsg.NewPtrHeartbeatRequest(), time.Second); err != nil {
		fmt.Println(err)
	}
	drain()
	fmt.Println("the answer is due in", m.NextDeadline().Sub(now))
	receive()
	m.Close(now, nil, true)
	drain()
	// Output:
	// Disconnected -> Connecting
	// open 10.0.0.1:9092
	// Connecting -> NegotiatingVersions
	// transmit 25 bytes: API 18
	// NegotiatingVersions -> Connected
	// transmit 29 bytes: API 12
	// the answer is due in 1s
	// completed: fully sent <nil> 6 bytes
	// Connected -> Closed
	// hang up
}

// answerTo plays the broker: a table with Heartbeat v0 to v2, and its answer.
func answerTo(request []byte) []byte {
	body := make([]byte, 6)
	if binary.BigEndian.Uint16(request[4:]) == uint16(ports.KeyAPIVersions) {
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version = int16(binary.BigEndian.Uint16(request[6:]))
		r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 12, MaxVersion: 2}, {ApiKey: 18, MaxVersion: 4}}
		body = r.AppendTo(nil)
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	return append(append(frame, request[8:12]...), body...)
}
