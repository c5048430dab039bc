package simtest_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// producer is what a user has: it sends values to partition 0 of a topic, one after the other. It
// looks for the leader and sends again until a value is acknowledged, so that some are sent twice.
type producer struct {
	topic  string
	conns  []*broker.Conn // one for each broker, by its node id
	leader int
}

func newProducer(topic string, brokers ...broker.Config) *producer {
	p := &producer{topic: topic}
	for _, cfg := range brokers {
		cfg.RequestTimeout = 5 * time.Second
		conn, err := broker.NewConn(cfg)
		if err != nil {
			panic(err)
		}
		p.conns = append(p.conns, conn)
	}
	return p
}

func (p *producer) Close() {
	for _, conn := range p.conns {
		conn.Close()
	}
}

func (p *producer) Send(ctx context.Context, value string) error {
	for n := 0; ; n++ {
		if acknowledged(p.request(value).RequestWith(ctx, p.conns[p.leader])) {
			return nil
		}
		p.find(ctx, p.conns[n%len(p.conns)])
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func acknowledged(resp *kmsg.ProduceResponse, err error) bool {
	return err == nil && resp.Topics[0].Partitions[0].ErrorCode == 0
}

func (p *producer) find(ctx context.Context, conn *broker.Conn) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &p.topic
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(broker.WithFailFast(ctx), conn)
	if err == nil {
		p.leader = int(resp.Topics[0].Partitions[0].Leader)
	}
}

func (p *producer) request(value string) *kmsg.ProduceRequest {
	record := kmsg.Record{Value: []byte(value)}
	record.Length = int32(len(record.AppendTo(nil)) - 1)
	batch := kmsg.RecordBatch{Magic: 2, NumRecords: 1, Records: record.AppendTo(nil)}
	batch.Length = int32(len(batch.AppendTo(nil)) - 12)
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = batch.AppendTo(nil)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = p.topic, append(topic.Partitions, partition)
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.Topics = -1, 5000, append(req.Topics, topic)
	return req
}

func TestAcknowledgedValuesAreInTheLog(t *testing.T) {
	simtest.Run(t, simtest.Options{Release: "3.9", Seeds: 20}, func(w *simtest.World) {
		p := newProducer("orders", w.Config(0), w.Config(1), w.Config(2))
		defer p.Close()
		w.Go(func() { w.Chaos(time.Minute) })
		for i := 0; w.Elapsed() < time.Minute; i++ {
			value := fmt.Sprintf("<value %d>", i)
			if err := p.Send(w.Context(), value); err != nil || !bytes.Contains(w.Log("orders", 0), []byte(value)) {
				w.Errorf("%s: %v, and it is not in the log", value, err)
			}
			w.Sleep(time.Second)
		}
	})
}
