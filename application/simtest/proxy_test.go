package simtest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// proxy is what a user has: it forwards the requests of its clients over one Conn, as they are. A
// request that fails ends the connection of its client.
type proxy struct {
	upstream *broker.Conn
	clients  sync.WaitGroup
}

// Serve returns when ctx ends, or the listener is closed.
func (p *proxy) Serve(ctx context.Context, l net.Listener) {
	defer p.clients.Wait()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		p.clients.Go(func() {
			defer client.Close()
			defer context.AfterFunc(ctx, func() { client.Close() })()
			for p.forward(ctx, client) == nil {
			}
		})
	}
}

func (p *proxy) forward(ctx context.Context, client net.Conn) error {
	size := make([]byte, 4)
	if _, err := io.ReadFull(client, size); err != nil {
		return err
	}
	frame := make([]byte, min(binary.BigEndian.Uint32(size), 1<<20))
	if _, err := io.ReadFull(client, frame); err != nil {
		return err
	}
	header, req, err := kafkacodec.ParseRequest(frame)
	if err != nil {
		return err
	}
	body, err := p.upstream.RequestRaw(ctx, &req)
	if err != nil || req.NoResponse {
		return err
	}
	_, err = client.Write(header.Reply(body))
	return err
}

func TestProxyKeepsAnswersApart(t *testing.T) {
	simtest.Run(t, simtest.Options{Brokers: 1, Seeds: 20}, func(w *simtest.World) {
		upstream, _ := broker.NewConn(w.Config(0))
		defer upstream.Close()
		l, _ := w.Listen("tcp", "proxy:9092")
		p := &proxy{upstream: upstream}
		w.Go(func() { p.Serve(w.Context(), l) })
		for i := range 3 {
			w.Go(func() { askFor(w, fmt.Sprint("topic-", i)) })
		}
		w.Chaos(time.Minute)
		cfg := w.Config(0)
		cfg.Host = "proxy"
		conn, _ := broker.NewConn(cfg)
		defer conn.Close()
		w.Eventually(time.Minute, func() bool { return answers(w, conn) })
	})
}

// askFor asks for a topic, by the proxy, again and again.
func askFor(w *simtest.World, topic string) {
	cfg := w.Config(0)
	cfg.Host = "proxy"
	conn, _ := broker.NewConn(cfg)
	defer conn.Close()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	req.Topics = append(req.Topics, t)
	for w.Context().Err() == nil {
		resp, err := req.RequestWith(w.Context(), conn)
		if err == nil && (len(resp.Topics) != 1 || *resp.Topics[0].Topic != topic) {
			w.Errorf("asked for %s, got %+v", topic, resp.Topics)
		}
		w.Sleep(time.Second)
	}
}
