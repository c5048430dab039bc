#!/usr/bin/env bash
# kafkajs reads a header whose value is null, and cannot write it.
#
# Guess:     what a kafkajs consumer hands out can be given to a kafkajs producer as it is.
# Versions:  kafkajs 2.2.4 of npm; kfake of September 2026 as the broker, franz-go v1.22.3 writes.
# Behaviour: franz-go, as Java, writes null for a header without a value. kafkajs returns null
#            for it, and send() throws a TypeError of Node's Buffer for the same header. It is no
#            error of kafkajs' own, and names neither the header nor the topic.
# Seen:      the output compared below.
# Matters:   a program that forwards messages (a retry topic, a dead letter queue) stops at the first
#            such header of somebody else's producer, again after each restart.
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
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t", "retry")))
	defer cluster.Close()
	addr := cluster.ListenAddrs()[0]
	client := must(kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t")))
	defer client.Close()
	record := kgo.StringRecord("v")
	record.Headers = []kgo.RecordHeader{{Key: "trace"}}
	must(0, client.ProduceSync(ctx, record).FirstErr())
	node := exec.CommandContext(ctx, "node", "forward.js", addr)
	node.Stderr = os.Stderr
	fmt.Print(string(must(node.Output())))
}
GO
go mod init finding 2>/dev/null
go get github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
cat >forward.js <<'JS'
const {Kafka, logLevel} = require('kafkajs')
const main = async () => {
  const kafka = new Kafka({brokers: [process.argv[2]], logLevel: logLevel.NOTHING})
  const producer = kafka.producer({retry: {retries: 0}})
  await producer.connect()
  const consumer = kafka.consumer({groupId: 'forward'})
  await consumer.connect()
  await consumer.subscribe({topic: 't', fromBeginning: true})
  await consumer.run({
    eachMessage: async ({message: {value, headers}}) => {
      console.log('read', headers)
      const messages = [{value, headers}]
      const sent = producer.send({topic: 'retry', messages})
      await sent.then(() => console.log('written'), e => console.log(e.name, e.code))
      process.exit(0)
    }
  })
}
main().catch(e => { console.error(e); process.exit(1) })
JS
got=$(go run broker.go)
want='read { trace: null }
TypeError ERR_INVALID_ARG_TYPE'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
