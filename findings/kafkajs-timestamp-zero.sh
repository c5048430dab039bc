#!/usr/bin/env bash
# kafkajs sends the timestamp 0 as the time of sending, and '0' as 0.
#
# Guess:     timestamp: 0 and timestamp: '0' are the same time, 1970.
# Versions:  kafkajs 2.2.4 of npm; kfake of September 2026 as the broker, franz-go v1.22.3 reads.
# Behaviour: the number 0 is taken for none, the text is taken as it is. The smallest and the largest
#            of a batch are found by a sort of texts: of 999 and 1000 the smallest is 1000
#            and the largest 999, in the header of the batch.
# Seen:      the output compared below: the record's time, and the batch's first and largest.
# Matters:   records without a time of their own (0 in many sources) get one that looks right, and a
#            backfill cannot be told from live data.
# Needs:     Node 18 or newer, Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-fund --no-audit kafkajs@2.2.4 >/dev/null
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

cat >broker.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t")))
	defer cluster.Close()
	addr := cluster.ListenAddrs()[0]
	cluster.ControlKey(int16(kmsg.Produce), func(q kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		var b kmsg.RecordBatch
		must(0, b.ReadFrom(q.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records))
		if b.MaxTimestamp < 10_000 {
			fmt.Println("batch from", b.FirstTimestamp, "to", b.MaxTimestamp)
		}
		return nil, nil, false
	})
	node := exec.CommandContext(ctx, "node", "produce.js", addr)
	node.Stderr = os.Stderr
	must(0, node.Run())
	client := must(kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("t")))
	defer client.Close()
	for n := 0; n < 4; {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			n++
			if time.Since(r.Timestamp) < time.Hour {
				fmt.Println(string(r.Value), "now")
			} else {
				fmt.Println(string(r.Value), r.Timestamp.UnixMilli())
			}
		})
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
cat >produce.js <<'JS'
const {Kafka, logLevel} = require('kafkajs')
const main = async () => {
  const producer = new Kafka({brokers: [process.argv[2]], logLevel: logLevel.ERROR}).producer()
  await producer.connect()
  await producer.send({topic: 't', messages: [{value: 'number', timestamp: 0}]})
  await producer.send({topic: 't', messages: [{value: 'text', timestamp: '0'}]})
  await producer.send({topic: 't', messages: [{value: 'a', timestamp: '999'}, {value: 'b', timestamp: '1000'}]})
  await producer.disconnect()
}
main().catch(e => { console.error(e); process.exit(1) })
JS
got=$(go run broker.go)
want='batch from 0 to 0
batch from 0 to 0
batch from 1000 to 999
number now
text 0
a 999
b 1000'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
