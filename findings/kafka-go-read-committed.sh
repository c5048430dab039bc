#!/usr/bin/env bash
# kafka-go's ReadCommitted returns what was aborted, and the markers of transactions.
#
# Guess:     a reader with IsolationLevel ReadCommitted returns the records of committed
#            transactions only, as one of sarama does.
# Versions:  github.com/segmentio/kafka-go v0.4.51; sarama v1.61.1 beside it; kfake of
#            September 2026 as the broker, franz-go v1.22.3 as the producer.
# Behaviour: the level is sent in Fetch, the list of aborted transactions in the response is
#            parsed and dropped. Aborted records come as messages, and so does each control
#            record, as a message of six bytes of value, with the offset of the marker.
# Seen:      the output compared below. No error, no option that changes it.
# Matters:   a consumer of a transactional topic counts too many messages and fails to parse
#            every marker; "garbage" of value 00 00 00 00 00 00 in a topic is this.
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

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders")))
	defer cluster.Close()
	addrs := cluster.ListenAddrs()

	producer := must(kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID("shop"),
		kgo.DefaultProduceTopic("orders")))
	defer producer.Close()
	for _, tx := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{{"one", kgo.TryCommit}, {"two, aborted", kgo.TryAbort}, {"three", kgo.TryCommit}} {
		must(0, producer.BeginTransaction())
		must(0, producer.ProduceSync(ctx, kgo.StringRecord(tx.value)).FirstErr())
		must(0, producer.EndTransaction(ctx, tx.end))
	}

	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	consumer := must(sarama.NewConsumer(addrs, config))
	defer consumer.Close()
	partition := must(consumer.ConsumePartition("orders", 0, 0))
	for range 2 {
		m := <-partition.Messages()
		fmt.Printf("sarama   %d %q\n", m.Offset, m.Value)
	}

	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: addrs, Topic: "orders",
		MaxWait: 200 * time.Millisecond, IsolationLevel: kafka.ReadCommitted})
	defer reader.Close()
	for range 6 {
		m := must(reader.ReadMessage(ctx))
		fmt.Printf("kafka-go %d %q\n", m.Offset, m.Value)
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/segmentio/kafka-go@v0.4.51 github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(go run .)
want='sarama   0 "one"
sarama   4 "three"
kafka-go 0 "one"
kafka-go 1 "\x00\x00\x00\x00\x00\x00"
kafka-go 2 "two, aborted"
kafka-go 3 "\x00\x00\x00\x00\x00\x00"
kafka-go 4 "three"
kafka-go 5 "\x00\x00\x00\x00\x00\x00"'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
