"""Runs librdkafka's mock cluster with one broker until standard input ends. Prints the
version and the address; each line read ends its connections, and is answered by a line
when it accepts others."""

import ctypes
import glob
import os
import sys

import confluent_kafka

root = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
library = (glob.glob(os.path.join(root, "confluent_kafka.libs", "librdkafka*"))
           + glob.glob(os.path.join(root, "confluent_kafka", ".dylibs", "librdkafka*")))[0]
rd = ctypes.CDLL(library)
for function in (rd.rd_kafka_conf_new, rd.rd_kafka_new, rd.rd_kafka_mock_cluster_new):
    function.restype = ctypes.c_void_p
for function in (rd.rd_kafka_mock_cluster_bootstraps, rd.rd_kafka_version_str):
    function.restype = ctypes.c_char_p

PRODUCER, BROKER = 0, 1
text = ctypes.create_string_buffer(512)
client = rd.rd_kafka_new(PRODUCER, ctypes.c_void_p(rd.rd_kafka_conf_new()), text, ctypes.c_size_t(512))
if not client:
    sys.exit(text.value.decode())
cluster = ctypes.c_void_p(rd.rd_kafka_mock_cluster_new(ctypes.c_void_p(client), 1))
print(rd.rd_kafka_version_str().decode(), rd.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
for _ in sys.stdin:
    for change in (rd.rd_kafka_mock_broker_set_down, rd.rd_kafka_mock_broker_set_up):
        if change(cluster, BROKER) != 0:
            sys.exit("the broker cannot be changed")
    print("up", flush=True)
os._exit(0)  # librdkafka's threads have nothing to flush
