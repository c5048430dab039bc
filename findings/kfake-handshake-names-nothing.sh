#!/usr/bin/env bash
# kfake takes a SaslHandshake and names no mechanism, so kafkajs and Python's clients never log in.
#
# Guess:     a test cluster with EnableSASL lets each client in that has the right password.
# Versions:  kfake of September 2026, franz-go v1.22.3, sarama v1.61.1; kafkajs 2.2.4 of npm;
#            confluent-kafka 2.16.1, aiokafka 0.14.0 and kafka-python 3.0.12 of PyPI.
# Behaviour: Apache's broker lists its mechanisms also when it takes the one asked for. kfake answers
#            error 0 and an empty list. Clients that look at the error code go on; those that look
#            for their mechanism in the list say that the server does not have it.
# Seen:      the output compared below: PLAIN, with the right password.
# Matters:   it looks like a wrong setting of the client, and no setting of either side helps.
# Needs:     Go 1.26, Python 3.8 or newer, Node 18 or newer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off
npm install --silent --no-fund --no-audit kafkajs@2.2.4 >/dev/null
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1 aiokafka==0.14.0 kafka-python==3.0.12

cat >python.py <<'PY'
import asyncio
import logging
import sys

login = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "admin",
         "sasl_plain_password": "canary"}


async def aio():
    from aiokafka.admin import AIOKafkaAdminClient

    client = AIOKafkaAdminClient(bootstrap_servers=sys.argv[1], **login)
    try:
        await client.start()
    finally:
        await client.close()


def kafka_python():
    from kafka import KafkaAdminClient

    KafkaAdminClient(bootstrap_servers=sys.argv[1], bootstrap_timeout_ms=3000, **login)


def confluent():
    from confluent_kafka import Producer

    Producer({"bootstrap.servers": sys.argv[1], "security.protocol": "SASL_PLAINTEXT", "log_level": 0,
              "sasl.mechanism": "PLAIN", "sasl.username": "admin", "sasl.password": "canary"}).list_topics(timeout=20)


logging.disable()
for name, connect in {"confluent-kafka": confluent, "aiokafka": lambda: asyncio.run(aio()),
                      "kafka-python": kafka_python}.items():
    try:
        connect()
        print(name, "is in")
    except Exception as e:
        print(name, "fails:", type(e).__name__)
PY
cat >node.js <<'JS'
const {Kafka, logLevel} = require('kafkajs')
const sasl = {mechanism: 'plain', username: 'admin', password: 'canary'}
const kafka = new Kafka({brokers: [process.argv[2]], sasl, logLevel: logLevel.NOTHING, retry: {retries: 0}})
kafka.admin().connect().then(() => console.log('kafkajs is in'), e => console.log('kafkajs fails:', e.message))
  .then(() => process.exit(0))
JS
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cluster := must(kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "admin", "canary")))
	defer cluster.Close()
	addr := cluster.ListenAddrs()[0]

	q := kmsg.NewPtrSASLHandshakeRequest()
	q.Version, q.Mechanism = 1, "PLAIN"
	conn := must(net.Dial("tcp", addr))
	must(conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, q, 1)))
	frame := make([]byte, 4)
	must(io.ReadFull(conn, frame))
	frame = make([]byte, int(frame[3]))
	must(io.ReadFull(conn, frame))
	answer := q.ResponseKind().(*kmsg.SASLHandshakeResponse)
	must(0, answer.ReadFrom(frame[4:]))
	fmt.Println("handshake: error", answer.ErrorCode, "mechanisms", answer.SupportedMechanisms)

	franz := must(kgo.NewClient(kgo.SeedBrokers(addr),
		kgo.SASL(plain.Auth{User: "admin", Pass: "canary"}.AsMechanism())))
	must(0, franz.Ping(ctx))
	fmt.Println("franz-go is in")
	franz.Close()
	config := sarama.NewConfig()
	config.Net.SASL.Enable, config.Net.SASL.User, config.Net.SASL.Password = true, "admin", "canary"
	must(0, must(sarama.NewClient([]string{addr}, config)).Close())
	fmt.Println("sarama is in")
	fmt.Print(string(must(exec.CommandContext(ctx, "venv/bin/python", "python.py", addr).Output())))
	fmt.Print(string(must(exec.CommandContext(ctx, "node", "node.js", addr).Output())))
}
GO
go mod init finding 2>/dev/null
go get github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go@v1.22.3 \
  github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(go run .)
want='handshake: error 0 mechanisms []
franz-go is in
sarama is in
confluent-kafka is in
aiokafka fails: KafkaConnectionError
kafka-python fails: KafkaTimeoutError
kafkajs fails: SASL PLAIN mechanism is not supported by the server'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
