"""Without arguments, prints the keys of kafka-python: name, type and default. With an
argument, reads lines of name and value, and prints them with the truth of what kafka-python's
command line makes of the text, or with what becomes of a connection with such an idle time."""

import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.cli.common import build_kwargs
from kafka.net.connection import KafkaConnection
from kafka.net.manager import KafkaConnectionManager
from kafka.net.transport import KafkaSSLTransport

SIMPLE = (bool, int, float, str, tuple, list, type(None))


def keys():
    found = {}
    for owner in (KafkaConnection, KafkaConnectionManager, KafkaSSLTransport, KafkaAdminClient, KafkaProducer,
                  KafkaConsumer):
        for name, default in owner.DEFAULT_CONFIG.items():
            kind, text = type(default).__name__, repr(default).strip("'")
            if not isinstance(default, SIMPLE) or "<" in text or " at 0x" in text:
                kind, text = "object", ""
            found[name] = kind, text
    return found


class Idle(KafkaConnectionManager):
    """The manager of one connection, which has just been active."""

    node_id, last_activity, kept = 0, time.monotonic(), True
    transport = property(lambda self: self)

    def least_used_connections(self):
        return [self] if self.kept else []

    def close(self):
        self.kept = False

    def call_at(self, when, task):
        pass


def made(name, value):
    given = build_kwargs([name + "=" + value])
    if name != "connections_max_idle_ms":
        return "= " + str(bool(given[name]))
    idle = Idle.__new__(Idle)
    try:
        idle.__init__(idle, **given)
    except TypeError:
        return "refused"
    return "= kept" if idle.kept else "= closed at once"


if len(sys.argv) == 1:
    for name, (kind, default) in sorted(keys().items()):
        print(name, kind, default, sep="\t")
else:
    for line in sys.stdin:
        name, value = line.rstrip("\n").split("\t")
        print(name, value, made(name, value), sep="\t")
