#!/usr/bin/env bash
# librdkafka reads numbers as C does: 045000 is 18944, 1m is 1, and 1_500 is 1.
#
# Guess:     a number with a unit or with an underscore is an error, as in Java; leading zeros mean
#            nothing.
# Versions:  librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI.
# Behaviour: rd_kafka_conf_set takes the leading digits, ignores the rest and says OK. A leading 0 is
#            octal, 0x hexadecimal. Only the result is checked against the bounds. linger.ms is a
#            fraction, where 010 is 10 and 1e3 is 1000; an integer key makes 1 of 1e3.
# Seen:      the output compared below.
# Matters:   session.timeout.ms=1m is a session of one millisecond, and "30s" one of thirty; nothing
#            says so when it is set.
# Needs:     Python 3.8 or newer, on Linux.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

cat >numbers.py <<'PY'
import ctypes
import glob
import os

import confluent_kafka

wheel = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
lib = ctypes.CDLL(glob.glob(wheel + "/confluent_kafka.libs/librdkafka*")[0])
lib.rd_kafka_version_str.restype = ctypes.c_char_p
lib.rd_kafka_conf_new.restype = ctypes.c_void_p
print("librdkafka", lib.rd_kafka_version_str().decode())
for key, value in [("session.timeout.ms", v) for v in ("45000", "045000", "0x10", "30s", "1m", "1e3", "1_500", "s")] + [
    ("linger.ms", v) for v in ("010", "1e3", "5ms")
]:
    conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
    error, out, size = ctypes.create_string_buffer(256), ctypes.create_string_buffer(256), ctypes.c_size_t(256)
    result = lib.rd_kafka_conf_set(conf, key.encode(), value.encode(), error, 256)
    lib.rd_kafka_conf_get(conf, key.encode(), out, ctypes.byref(size))
    print(key, value, "is", out.value.decode() if result == 0 else "refused")
    lib.rd_kafka_conf_destroy(conf)
PY
got=$(venv/bin/python numbers.py)
want='librdkafka 2.16.0
session.timeout.ms 45000 is 45000
session.timeout.ms 045000 is 18944
session.timeout.ms 0x10 is 16
session.timeout.ms 30s is 30
session.timeout.ms 1m is 1
session.timeout.ms 1e3 is 1
session.timeout.ms 1_500 is 1
session.timeout.ms s is refused
linger.ms 010 is 10
linger.ms 1e3 is 1000
linger.ms 5ms is 5'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
