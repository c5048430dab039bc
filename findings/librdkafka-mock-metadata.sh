#!/usr/bin/env bash
# librdkafka's mock cluster ends Metadata with a byte too many from v9 on.
#
# Guess:     the mock cluster, which test suites of many languages start, answers by the schema,
#            and its controller is one of its brokers.
# Versions:  librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI.
# Behaviour: without topics, a response of a flexible version (9 and up) has a 00 behind its last
#            tag byte. v8 ends where it should. librdkafka itself does not look. The controller is
#            broker 0, and the only broker is number 1.
# Seen:      the output compared below: bytes left once every field has been read.
# Matters:   a client that checks the end of a response fails against the mock and nowhere else.
# Needs:     Python 3.8 or newer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

cat >mock.py <<'PY'
import socket
import struct

from confluent_kafka import Producer, libversion


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        out, self.data = self.data[:n], self.data[n:]
        return out

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def text(self, flexible):
        size = self.number(">B") - 1 if flexible else self.number(">h")
        return self.take(max(size, 0))  # -1 is null

    def count(self, flexible):
        return self.number(">B") - 1 if flexible else self.number(">i")


producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "replaced", "log_level": 0})
broker = next(iter(producer.list_topics(timeout=10).brokers.values()))
print("librdkafka", libversion()[0], "broker", broker.id)
sock = socket.create_connection((broker.host, broker.port), timeout=10)
for version in (8, 9, 12):
    flexible = version >= 9
    # No topics; no topic is created; no authorized operations are asked for.
    body = b"\x01" if flexible else b"\x00\x00\x00\x00"
    body += b"\x00" + (b"\x00\x00" if version <= 10 else b"\x00") + (b"\x00" if flexible else b"")
    request = struct.pack(">hhih", 3, version, 7, 1) + b"c" + (b"\x00" if flexible else b"") + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", sock.recv(4, socket.MSG_WAITALL))[0]
    r = Reader(sock.recv(size, socket.MSG_WAITALL))
    r.take(4 + flexible + 4)  # correlation id, tags of the header, throttle time
    for _ in range(r.count(flexible)):
        r.take(4), r.text(flexible), r.take(4), r.text(flexible), r.take(flexible)
    r.text(flexible)
    controller = r.number(">i")
    assert r.count(flexible) == 0
    r.take((4 if version <= 10 else 0) + flexible)
    print("v%d controller %d, bytes left %d" % (version, controller, len(r.data)))
PY
got=$(venv/bin/python mock.py)
want='librdkafka 2.16.0 broker 1
v8 controller 0, bytes left 0
v9 controller 0, bytes left 1
v12 controller 0, bytes left 1'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
