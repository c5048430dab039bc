package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A client sends one kind of request and waits for its answer. heartbeat is answered
// at once; poll is a Fetch that the broker answers after the given time.
type client interface {
	heartbeat(ctx context.Context) error
	poll(ctx context.Context, maxWaitMillis uint32) error
	close()
}

func dial(kind, address string, inFlight int) (client, error) {
	switch kind {
	case "floor":
		c, err := net.Dial("tcp", address)
		return &floor{conn: c}, err
	case "franz":
		c, err := kgo.NewClient(kgo.SeedBrokers(address))
		if err != nil {
			return nil, err
		}
		return &franz{c, c.SeedBrokers()[0]}, nil
	}
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		return nil, err
	}
	c, err := broker.Dial(context.Background(), broker.Config{Host: host, Port: port, MaxInFlight: inFlight})
	return &conn{c}, err
}

// floor is a blocking socket with preformatted frames. It cannot be cancelled.
type floor struct {
	conn net.Conn
	in   [64]byte
}

var heartbeatFrame = append(binary.BigEndian.AppendUint32(nil, 10), 0, keyHeartbeat, 0, 1, 0, 0, 0, 1, 0, 0)

func (f *floor) heartbeat(context.Context) error { return f.roundTrip(heartbeatFrame, 14) }

func (f *floor) poll(_ context.Context, maxWaitMillis uint32) error {
	body := fetchBody(maxWaitMillis)
	frame := binary.BigEndian.AppendUint32(nil, uint32(10+len(body)))
	frame = append(frame, 0, keyFetch, 0, 4, 0, 0, 0, 1, 0, 0)
	return f.roundTrip(append(frame, body...), 16)
}

func (f *floor) roundTrip(frame []byte, answer int) error {
	if _, err := f.conn.Write(frame); err != nil {
		return err
	}
	_, err := io.ReadFull(f.conn, f.in[:answer])
	return err
}

func (f *floor) close() { _ = f.conn.Close() }

// conn is the library under test.
type conn struct{ *broker.Conn }

func (c *conn) heartbeat(ctx context.Context) error {
	_, err := c.RequestRaw(ctx, heartbeatRequest)
	return err
}

var heartbeatRequest = &ports.RawRequest{APIKey: keyHeartbeat, APIVersion: 1}

func (c *conn) poll(ctx context.Context, maxWaitMillis uint32) error {
	_, err := c.RequestRaw(ctx, &ports.RawRequest{APIKey: keyFetch, APIVersion: 4, Body: fetchBody(maxWaitMillis)})
	return err
}

func (c *conn) close() { _ = c.Conn.Close() }

// fetchBody is Fetch v4 without topics.
func fetchBody(maxWaitMillis uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0xffffffff)
	b = binary.BigEndian.AppendUint32(b, maxWaitMillis)
	b = append(b, 0, 0, 0, 1, 0, 1, 0, 0, 0)
	return append(b, 0, 0, 0, 0)
}

type franz struct {
	client *kgo.Client
	broker *kgo.Broker
}

func (f *franz) heartbeat(ctx context.Context) error {
	_, err := f.broker.Request(ctx, kmsg.NewPtrHeartbeatRequest())
	return err
}

func (f *franz) poll(ctx context.Context, maxWaitMillis uint32) error {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes = int32(maxWaitMillis), 1
	_, err := f.broker.Request(ctx, req)
	return err
}

func (f *franz) close() { f.client.Close() }
