package main

import (
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// franz is franz-go's client, by the method that sends one request to one broker.
type franz struct {
	client *kgo.Client
	broker *kgo.Broker
}

func dialFranz(address string, link linkKind, authority string) (client, error) {
	options := []kgo.Opt{kgo.SeedBrokers(address)}
	if link == secure {
		config, err := trusting(authority)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(config))
	}
	c, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	f := &franz{c, c.SeedBrokers()[0]}
	return f, f.heartbeat(context.Background()) // it connects with the first request
}

func (f *franz) heartbeat(ctx context.Context) error {
	return f.one(ctx, small)
}

func (f *franz) poll(ctx context.Context, millis uint32) error {
	_, err := f.broker.Request(ctx, franzFetch(millis))
	return err
}

// pipeline has a goroutine for each request in flight: a call of the client waits for its answer.
func (f *franz) pipeline(ctx context.Context, what kind, window, n int) error {
	errs := make(chan error, window)
	var wait sync.WaitGroup
	for i := range window {
		wait.Go(func() {
			for range (n + window - 1 - i) / window {
				if err := f.one(ctx, what); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(errs)
	return <-errs
}

func (f *franz) one(ctx context.Context, what kind) error {
	_, err := f.broker.Request(ctx, copyOf(franzRequests[what]))
	return err
}

// franzRequests are those of each kind.
var franzRequests = map[kind]kmsg.Request{
	small:   kmsg.NewPtrHeartbeatRequest(),
	produce: franzProduce("t", make([]byte, payload)),
	fetch:   franzFetch(0),
}

// copyOf returns a request that the client may change: it sets the version.
func copyOf(req kmsg.Request) kmsg.Request {
	switch req := req.(type) {
	case *kmsg.HeartbeatRequest:
		one := *req
		return &one
	case *kmsg.ProduceRequest:
		one := *req
		return &one
	case *kmsg.FetchRequest:
		one := *req
		return &one
	}
	panic("peers: no such request of franz-go's")
}

func franzFetch(millis uint32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(millis), 1, payload
	return req
}

func franzProduce(name string, batch []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = 1, 30_000
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = name, append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	return req
}

func (f *franz) close() { f.client.Close() }
