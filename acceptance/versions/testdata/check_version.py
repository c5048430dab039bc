"""Which release kafka-python takes the broker at 127.0.0.1 for: one line of JSON.

check_version.py PORT SECONDS. "release" is what it says, null if it says nothing
within that time, and "error" why.
"""
import json
import logging
import socket
import sys
import time

import kafka
import kafka.errors

logging.disable(logging.CRITICAL)


def check_version_2(port, until):
    from kafka.conn import BrokerConnection
    # It halves this with each probe: the 2 s of its default end in a quarter of a second,
    # too short for a broker that makes its topic of offsets meanwhile.
    conn = BrokerConnection('127.0.0.1', port, socket.AF_INET, api_version_auto_timeout_ms=6000)
    try:
        while True:
            try:
                return conn.check_version(timeout=until - time.time())
            except kafka.errors.NodeNotReadyError:  # it gives up with the first connection that is lost
                if time.time() > until:
                    raise
                time.sleep(0.05)
    finally:
        conn.close()


# BrokerConnection is gone; this is how its clients ask.
def check_version_3(port, until):
    from kafka.net.compat import KafkaNetClient
    client = KafkaNetClient(bootstrap_servers='127.0.0.1:%d' % port)
    try:
        return client.check_version(timeout_ms=1000 * (until - time.time()))
    finally:
        client.close()


port, until = int(sys.argv[1]), time.time() + float(sys.argv[2])
ask = check_version_2 if kafka.__version__.startswith('2.') else check_version_3
said = {'version': kafka.__version__, 'release': None, 'error': ''}
try:
    said['release'] = ask(port, until)
except Exception as e:
    said['error'] = type(e).__name__
print(json.dumps(said))
