"""Makes vectors.txt, beside it: the values of kafka-python's own sensors for a random
course of events, under a clock of the script's own.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install kafka-python==2.3.3
    /tmp/oracle/bin/python vectors.py > vectors.txt

2.3.3 has throttle-time, which 2.0.2 has not; for the rest, 2.0.2 prints the same.
"""
import random

from kafka.client_async import KafkaClientMetrics
from kafka.conn import BrokerConnectionMetrics
from kafka.metrics import Metrics

EVENTS = ("connected", "closed", "flush", "flush", "flush", "recv", "recv", "recv")
# In ms: as they come, with long silences; and on the very edge of a window.
ANY = (0, 1, 40, 999, 5000, 9999, 14000) * 4 + (29999, 30001, 59999, 61000, 200000)
EDGE = (0, 0, 10000, 20000, 30000)


def course(seed, prefix, steps):
    chance = random.Random(seed)
    metrics = Metrics()
    conns = []
    client = KafkaClientMetrics(metrics, prefix, conns)
    nodes = {node: BrokerConnectionMetrics(metrics, prefix, node) for node in (1, "bootstrap-0")}
    now = 0
    print("prefix", prefix or "-")

    def read():
        print("read", now)
        for name in sorted(metrics.metrics, key=lambda n: (n.group, n.name)):
            if name.group != "kafka-metrics-count" and not name.name.startswith(("select-", "io-")):
                print("=", name.group, name.name, repr(float(metrics.metrics[name].value(now))))

    read()
    for _ in range(100):
        now += chance.choice(steps)
        node = chance.choice((1, 1, "bootstrap-0"))
        sensors = nodes[node]
        event = chance.choice(EVENTS)
        if event == "closed" and not conns:
            event = "connected"
        if event == "connected":
            conns.append(node)
            client.connection_created.record(time_ms=now)
            print(event, now, node)
        elif event == "closed":
            node = conns.pop()
            client.connection_closed.record(time_ms=now)
            print(event, now, node)
        elif event == "flush":
            size = chance.randrange(14, 5000)
            sensors.bytes_sent.record(size, now)
            print(event, now, node, size)
        else:
            size = chance.randrange(8, 100000)
            latency = chance.randrange(0, 40000)
            throttle = chance.choice((0, 0, 0, 7, 1500))
            sensors.bytes_received.record(size, now)
            sensors.request_time.record(latency, now)
            if hasattr(sensors, "throttle_time"):
                sensors.throttle_time.record(throttle, now)
            print(event, now, node, size, latency, throttle)
        if chance.random() < 0.25:
            read()


course(1, "", ANY)
course(2, "consumer", EDGE)
