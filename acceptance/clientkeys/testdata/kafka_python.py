"""Without arguments, prints the keys of kafka-python: name, type and default. With an
argument, reads lines of name and value, and prints them with the truth of what kafka-python's
command line makes of the text."""

import sys

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


if len(sys.argv) == 1:
    for name, (kind, default) in sorted(keys().items()):
        print(name, kind, default, sep="\t")
else:
    for line in sys.stdin:
        name, value = line.rstrip("\n").split("\t")
        print(name, value, "= " + str(bool(build_kwargs([name + "=" + value])[name])), sep="\t")
