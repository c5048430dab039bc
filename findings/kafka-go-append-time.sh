#!/usr/bin/env bash
# kafka-go shows the producer's time for messages of a topic with LogAppendTime.
#
# Guess:     with message.timestamp.type=LogAppendTime, Message.Time is when the broker appended
#            the batch, as in franz-go and sarama.
# Versions:  github.com/segmentio/kafka-go v0.4.51; sarama v1.61.1 and franz-go v1.22.3 beside
#            it; the batch is served through kfake of September 2026.
# Behaviour: a broker writes its time into the batch once, as the largest timestamp, with a bit
#            of the attributes, and leaves the records alone. kafka-go never looks at the bit:
#            Reader and Client.Fetch return the records' own times, here 1000 and 6000.
# Seen:      the output compared below (milliseconds since 1970).
# Matters:   lag in seconds, retention and windows computed from Message.Time are wrong by as much
#            as the producers' clocks are, and right again once another client reads the topic.
# Needs:     Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

cat >main.go <<'GO'
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/IBM/sarama"
	kafka "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const appended = 1_700_000_000_000

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// batch has two records, of 1000 and 6000 ms, appended at a time of the broker's.
func batch() []byte {
	var records []byte
	for i := range 2 {
		r := kmsg.Record{TimestampDelta64: int64(5000 * i), OffsetDelta: int32(i), Value: []byte("v")}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		records = r.AppendTo(records)
	}
	b := kmsg.RecordBatch{Magic: 2, Attributes: 1 << 3, LastOffsetDelta: 1, FirstTimestamp: 1000,
		MaxTimestamp: appended, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 2,
		Length: int32(49 + len(records)), Records: records}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t")))
	defer cluster.Close()
	addrs := cluster.ListenAddrs()
	cluster.ControlKey(int16(kmsg.Fetch), func(q kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := q.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range q.(*kmsg.FetchRequest).Topics {
			p := kmsg.NewFetchResponseTopicPartition()
			p.HighWatermark, p.LastStableOffset, p.RecordBatches = 2, 2, []byte{}
			if asked.Partitions[0].FetchOffset < 2 {
				p.RecordBatches = batch()
			}
			resp.Topics = append(resp.Topics, kmsg.FetchResponseTopic{Topic: asked.Topic,
				TopicID: asked.TopicID, Partitions: []kmsg.FetchResponseTopicPartition{p}})
		}
		return resp, nil, true
	})

	franz := must(kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics("t")))
	franz.PollFetches(ctx).EachRecord(func(r *kgo.Record) { fmt.Println("franz-go", r.Timestamp.UnixMilli()) })
	franz.Close()
	consumer := must(sarama.NewConsumer(addrs, sarama.NewConfig()))
	partition := must(consumer.ConsumePartition("t", 0, 0))
	for range 2 {
		fmt.Println("sarama", (<-partition.Messages()).Timestamp.UnixMilli())
	}
	must(0, consumer.Close())
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: addrs, Topic: "t", MaxWait: 200 * time.Millisecond})
	for range 2 {
		fmt.Println("kafka-go Reader", must(reader.ReadMessage(ctx)).Time.UnixMilli())
	}
	must(0, reader.Close())
	fetched := must((&kafka.Client{Addr: kafka.TCP(addrs...)}).Fetch(ctx,
		&kafka.FetchRequest{Topic: "t", MinBytes: 1, MaxBytes: 1 << 20, MaxWait: time.Second}))
	for range 2 {
		fmt.Println("kafka-go Client", must(fetched.Records.ReadRecord()).Time.UnixMilli())
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/segmentio/kafka-go@v0.4.51 github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(go run .)
want='franz-go 1700000000000
franz-go 1700000000000
sarama 1700000000000
sarama 1700000000000
kafka-go Reader 1000
kafka-go Reader 6000
kafka-go Client 1000
kafka-go Client 6000'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
