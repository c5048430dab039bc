package prometheus_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	brokerprom "brokerconn/adapters/metrics/prometheus"
	"brokerconn/application/broker"
)

// fakeBroker is the broker's end of a connection. It counts the bytes of both directions.
type fakeBroker struct {
	peer           *memory.Peer
	received, sent int // bytes
}

// hear reads a request and makes its answer. It knows ApiVersions, and Heartbeat,
// whose answer has a throttle time.
func (h *fakeBroker) hear(throttle int32) (request int, answer []byte) {
	frame := make([]byte, 1024)
	n, _ := h.peer.Recv(frame)
	h.received += n
	key, version := binary.BigEndian.Uint16(frame[4:]), int16(binary.BigEndian.Uint16(frame[6:]))
	var body []byte
	if key == 18 {
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version = version
		r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 12, MaxVersion: 3}, {ApiKey: 18, MaxVersion: 4}}
		body = r.AppendTo(nil)
	} else {
		r := kmsg.NewPtrHeartbeatResponse()
		r.Version, r.ThrottleMillis = version, throttle
		body = r.AppendTo(nil)
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	return n, append(append(out, frame[8:12]...), body...) // the correlation id
}

func (h *fakeBroker) send(p []byte) {
	h.peer.Send(p)
	h.sent += len(p)
}

// TestExchange: a connection that is refused, made, used and lost, as a scrape
// shows it.
func TestExchange(t *testing.T) {
	collector := brokerprom.New(brokerprom.Options{})
	clock := fake.New(time.Time{})
	network := memory.New()
	conn, err := broker.NewPolled(broker.Config{
		Host: "b", Transport: network, Clock: clock, Metrics: collector.Broker("b:9092"),
	})
	if err != nil {
		t.Fatal(err)
	}
	network.RefuseDial("b:9092", errors.New("connection refused"))
	conn.Connect()
	network.RefuseDial("b:9092", nil)
	clock.AdvanceTo(conn.NextDeadline())

	conn.Connect()
	h := &fakeBroker{peer: network.Accept()}
	clock.Advance(40 * time.Millisecond) // of the setup
	_, versions := h.hear(0)
	h.send(versions)
	conn.Recv()
	if !conn.Connected() {
		t.Fatal(conn.State())
	}

	conn.Send(kmsg.NewPtrHeartbeatRequest(), true)
	clock.Advance(30 * time.Millisecond) // until it is answered
	asked, answer := h.hear(200)
	h.send(answer[:5])
	conn.Recv()
	clock.Advance(5 * time.Millisecond) // until all of the answer has come
	h.send(answer[5:])
	if n := len(conn.Recv()); n != 1 {
		t.Fatalf("%d answers", n)
	}
	clock.Advance(200 * time.Millisecond) // the throttling

	conn.Send(kmsg.NewPtrHeartbeatRequest(), true)
	h.peer.Reset(errors.New("connection reset by peer"))
	conn.Recv()

	ms := func(n float64) float64 { return n / 1000 }
	compare(t, scrape(t, collector), map[string]float64{
		`connection_attempts_total{broker="b:9092"}`:                               2,
		`connection_setup_duration_seconds_count{broker="b:9092"}`:                 1,
		`connection_setup_duration_seconds_sum{broker="b:9092"}`:                   ms(40),
		`connections_closed_total{broker="b:9092",reason="failed"}`:                1,
		`connections_closed_total{broker="b:9092",reason="lost"}`:                  1,
		`requests_total{api_key="12",broker="b:9092"}`:                             2,
		`request_bytes_total{api_key="12",broker="b:9092"}`:                        float64(2 * asked),
		`response_bytes_total{api_key="12",broker="b:9092"}`:                       float64(len(answer)),
		`request_duration_seconds_count{api_key="12",broker="b:9092"}`:             1,
		`request_duration_seconds_sum{api_key="12",broker="b:9092"}`:               ms(35),
		`request_phase_duration_seconds_count{broker="b:9092",phase="writing"}`:    1,
		`request_phase_duration_seconds_count{broker="b:9092",phase="waiting"}`:    1,
		`request_phase_duration_seconds_sum{broker="b:9092",phase="waiting"}`:      ms(30),
		`request_phase_duration_seconds_count{broker="b:9092",phase="receiving"}`:  1,
		`request_phase_duration_seconds_sum{broker="b:9092",phase="receiving"}`:    ms(5),
		`throttle_seconds_total{api_key="12",broker="b:9092"}`:                     ms(200),
		`request_failures_total{api_key="12",broker="b:9092",reason="connection"}`: 1,
		// the last was not heard
		`sent_bytes_total{broker="b:9092"}`:     float64(h.received + asked),
		`received_bytes_total{broker="b:9092"}`: float64(h.sent),
		`writes_total{broker="b:9092"}`:         3,
		`reads_total{broker="b:9092"}`:          3,
	})
}
