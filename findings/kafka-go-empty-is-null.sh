#!/usr/bin/env bash
# kafka-go reads an empty key, value or header as nil: every empty value looks like a tombstone.
#
# Guess:     as kafka-go writes nil as null and []byte{} as empty, it reads them back so, as
#            sarama and franz-go do.
# Versions:  github.com/segmentio/kafka-go v0.4.51; sarama v1.61.1 and franz-go v1.22.3 beside
#            it; kfake of September 2026 as the broker.
# Behaviour: the two are different in the log, and both are nil when a Reader returns them.
# Seen:      the output compared below.
# Matters:   a program that mirrors a compacted topic, or deletes on Value == nil, deletes rows
#            whose value is empty; messages with empty keys go to a random partition when they
#            are written on, since balancers look for a nil key.
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
	"fmt"
	"time"

	"github.com/IBM/sarama"
	kafka "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func show(client string, fields ...[]byte) {
	fmt.Printf("%-8s", client)
	for _, f := range fields {
		if f == nil {
			fmt.Print(" nil")
		} else {
			fmt.Printf(" %q", f)
		}
	}
	fmt.Println()
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t")))
	defer cluster.Close()
	addrs := cluster.ListenAddrs()

	empty := []byte{}
	writer := &kafka.Writer{Addr: kafka.TCP(addrs...), Topic: "t", BatchTimeout: time.Millisecond}
	must(0, writer.WriteMessages(ctx, kafka.Message{Headers: []kafka.Header{{Key: "h"}}},
		kafka.Message{Key: empty, Value: empty, Headers: []kafka.Header{{Key: "h", Value: empty}}}))
	must(0, writer.Close())

	franz := must(kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics("t")))
	defer franz.Close()
	franz.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
		show("franz-go", r.Key, r.Value, r.Headers[0].Value)
	})
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	consumer := must(sarama.NewConsumer(addrs, config))
	defer consumer.Close()
	partition := must(consumer.ConsumePartition("t", 0, 0))
	for range 2 {
		m := <-partition.Messages()
		show("sarama", m.Key, m.Value, m.Headers[0].Value)
	}
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: addrs, Topic: "t", MaxWait: 200 * time.Millisecond})
	defer reader.Close()
	for range 2 {
		m := must(reader.ReadMessage(ctx))
		show("kafka-go", m.Key, m.Value, m.Headers[0].Value)
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/segmentio/kafka-go@v0.4.51 github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(go run .)
want='franz-go nil nil nil
franz-go "" "" ""
sarama   nil nil nil
sarama   "" "" ""
kafka-go nil nil nil
kafka-go nil nil nil'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
