package main

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
)

// sarama's Broker is a connection whose calls wait.
type saramaBroker struct{ b *sarama.Broker }

func dialSarama(address string, inFlight int) (client, error) {
	cfg := sarama.NewConfig()
	cfg.Net.MaxOpenRequests = inFlight
	b := sarama.NewBroker(address)
	if err := b.Open(cfg); err != nil {
		return nil, err
	}
	c := &saramaBroker{b}
	return c, c.heartbeat(context.Background()) // Open returns before it is connected
}

func (c *saramaBroker) heartbeat(context.Context) error {
	_, err := c.b.Heartbeat(&sarama.HeartbeatRequest{Version: 1})
	return err
}

func (c *saramaBroker) close() { _ = c.b.Close() }

// kafkaGo is kafka-go's Transport, which has no request that goes to one broker but ApiVersions.
type kafkaGo struct{ c kafka.Client }

func dialKafkaGo(address string) (client, error) {
	c := &kafkaGo{kafka.Client{Addr: kafka.TCP(address), Transport: &kafka.Transport{}}}
	return c, c.heartbeat(context.Background())
}

func (c *kafkaGo) heartbeat(ctx context.Context) error {
	_, err := c.c.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	return err
}

func (c *kafkaGo) close() { c.c.Transport.(*kafka.Transport).CloseIdleConnections() }
