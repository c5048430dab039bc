package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// conn is the library under test.
type conn struct {
	*broker.Conn
	typed bool
}

func configOf(address string, inFlight int) (broker.Config, error) {
	host, port, err := broker.ParseAddress(address)
	return broker.Config{Host: host, Port: port, MaxInFlight: inFlight}, err
}

// transport is the one over TLS, which is made once.
var transport struct {
	once sync.Once
	is   ports.Transport
	err  error
}

func dialConn(address string, link linkKind, authority string, inFlight int, typed bool) (client, error) {
	cfg, err := configOf(address, inFlight)
	if err != nil {
		return nil, err
	}
	if link == secure {
		transport.once.Do(func() {
			transport.is, transport.err = tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: authority})
		})
		if cfg.Transport, err = transport.is, transport.err; err != nil {
			return nil, err
		}
	}
	c, err := broker.Dial(context.Background(), cfg)
	return &conn{c, typed}, err
}

func (c *conn) heartbeat(ctx context.Context) error {
	if c.typed {
		_, err := c.Request(ctx, typedHeartbeat)
		return err
	}
	_, err := c.RequestRaw(ctx, requests[small])
	return err
}

func (c *conn) poll(ctx context.Context, millis uint32) error {
	_, err := c.RequestRaw(ctx, &ports.RawRequest{APIKey: keyFetch, APIVersion: 4, Body: fetchBody(millis, 0)})
	return err
}

func (c *conn) close() { _ = c.Conn.Close() }

// requests are those of each kind. They are shared: the library only reads them, and a caller that makes one for each
// call allocates that itself.
var requests = map[kind]*ports.RawRequest{
	small:   {APIKey: keyHeartbeat, APIVersion: 1},
	produce: {APIKey: keyProduce, APIVersion: 3, Body: produceRequestBody()},
	fetch:   {APIKey: keyFetch, APIVersion: 4, Body: fetchBody(0, payload)},
	borrow:  {APIKey: keyFetch, APIVersion: 4, Body: fetchBody(0, payload)},
}

var typedHeartbeat = kmsg.NewPtrHeartbeatRequest()
