package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// topic is the name of the topic of the load. It has one partition.
const topic = "soak"

// over dials the broker's PLAINTEXT listener, calls do, and closes the connection. The timeout of the connection bounds
// each request: reading the log of hours takes minutes.
func (s *soak) over(ctx context.Context, do func(context.Context, *broker.Conn) error) error {
	dialing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := broker.Dial(dialing, s.plaintext)
	if err != nil {
		return err
	}
	err = do(ctx, conn)
	_ = conn.Close() // Close returns nil
	<-conn.Done()
	return err
}

// makeTopic makes the topic, and returns when the broker leads it.
func (s *soak) makeTopic(ctx context.Context, conn *broker.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	create := kmsg.NewPtrCreateTopicsRequest()
	wanted := kmsg.NewCreateTopicsRequestTopic()
	wanted.Topic, wanted.NumPartitions, wanted.ReplicationFactor = topic, 1, 1
	create.Topics = append(create.Topics, wanted)
	made, err := create.RequestWith(ctx, conn)
	if err != nil {
		return err
	}
	if code := made.Topics[0].ErrorCode; code != 0 {
		return fmt.Errorf("create topic %s: error %d", topic, code)
	}
	for {
		// The broker has the topic after the controller, and leads it a moment later.
		meta, err := metadata(topic).RequestWith(ctx, conn)
		if err != nil {
			return err
		}
		if meta.Topics[0].ErrorCode == 0 {
			s.topicID = meta.Topics[0].TopicID
			resp, err := s.fetch(0, 0, 1).RequestWith(ctx, conn)
			if err != nil {
				return err
			}
			if _, err := batches(resp); err == nil {
				return nil
			}
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// limit sets the quotas of a client id, in bytes per second.
func limit(ctx context.Context, conn *broker.Conn, client string, produced, fetched float64) error {
	req := kmsg.NewPtrAlterClientQuotasRequest()
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	entity := kmsg.NewAlterClientQuotasRequestEntryEntity()
	entity.Type, entity.Name = "client-id", &client
	entry.Entity = append(entry.Entity, entity)
	for key, value := range map[string]float64{"producer_byte_rate": produced, "consumer_byte_rate": fetched} {
		op := kmsg.NewAlterClientQuotasRequestEntryOp()
		op.Key, op.Value = key, value
		entry.Ops = append(entry.Ops, op)
	}
	req.Entries = append(req.Entries, entry)
	resp, err := req.RequestWith(ctx, conn)
	if err == nil && resp.Entries[0].ErrorCode != 0 {
		err = fmt.Errorf("quotas of client %s: error %d", client, resp.Entries[0].ErrorCode)
	}
	return err
}

// readBack reads the partition from its first record to the last one, and enters each into the
// ledger.
func (s *soak) readBack(ctx context.Context, conn *broker.Conn) error {
	var broken error
	for offset := int64(0); ; {
		resp, err := s.fetch(offset, 0, readAtOnce).RequestWith(ctx, conn)
		if err != nil {
			return err
		}
		raw, err := batches(resp)
		if err != nil {
			return fmt.Errorf("read the log back from offset %d: %w", offset, err)
		}
		before, end := offset, resp.Topics[0].Partitions[0].HighWatermark
		err = eachRecord(raw, func(at int64, value []byte) {
			id, err := parseValue(value)
			if err != nil || at != offset {
				broken = errors.Join(broken, fmt.Errorf("at offset %d, where %d is next: %w", at, offset, err))
			} else {
				s.ledger.find(id)
			}
			offset = at + 1
		})
		if err = errors.Join(broken, err); err != nil || offset >= end {
			return err
		}
		if offset == before {
			return fmt.Errorf("the log ends at offset %d, and nothing is there from %d on", end, offset)
		}
	}
}

// readAtOnce is more than the largest record.
const readAtOnce = 8 << 20

func metadata(name string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &name
	req.Topics = append(req.Topics, asked)
	return req
}

func (s *soak) produce(acks int16, value []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, int32(patience.Milliseconds())
	into := kmsg.NewProduceRequestTopic()
	into.Topic, into.TopicID = topic, s.topicID
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batch(value)
	into.Partitions = append(into.Partitions, part)
	req.Topics = append(req.Topics, into)
	return req
}

func (s *soak) fetch(offset int64, wait time.Duration, bytes int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(wait.Milliseconds()), 1, bytes
	from := kmsg.NewFetchRequestTopic()
	from.Topic, from.TopicID = topic, s.topicID
	part := kmsg.NewFetchRequestTopicPartition()
	part.FetchOffset, part.PartitionMaxBytes = offset, bytes
	from.Partitions = append(from.Partitions, part)
	req.Topics = append(req.Topics, from)
	return req
}

// batches are the record batches of a response.
func batches(resp *kmsg.FetchResponse) ([]byte, error) {
	if resp.ErrorCode != 0 {
		return nil, fmt.Errorf("fetch: error %d", resp.ErrorCode)
	}
	if len(resp.Topics) == 0 { // the answer to a Fetch beyond the quota
		return nil, errors.New("fetch: throttled")
	}
	part := resp.Topics[0].Partitions[0]
	if part.ErrorCode != 0 {
		return nil, fmt.Errorf("fetch: error %d of the partition", part.ErrorCode)
	}
	return part.RecordBatches, nil
}

// pause waits for some time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
