#!/usr/bin/env bash
# aiokafka's compiled reader cannot cross from old messages to new ones; its Python reader can.
#
# Guess:     what a broker sends for a partition is read whole, whichever format each part of it has,
#            and the compiled module and the Python one are the same but for speed.
# Versions:  aiokafka 0.14.0 of PyPI, Python 3.8 or newer.
# Behaviour: a partition that was written before and after an upgrade from 0.10 has messages of
#            v0 or v1 and then batches of v2, and a broker sends both in one response. The compiled
#            reader parses the rest in the format of the first and raises CorruptRecordException.
#            With AIOKAFKA_NO_EXTENSIONS=1 the same bytes are read.
# Seen:      the output compared below. The bytes are made by aiokafka's own builders.
# Matters:   a consumer stops at one offset of an old topic with "corrupt" data that each other client
#            reads; whether it does depends on where the fetches happen to end.
# Needs:     Python 3.8 or newer, on Linux (a wheel with the compiled module).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install aiokafka==0.14.0

cat >read.py <<'PY'
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords


def old(magic):
    b = LegacyRecordBatchBuilder(magic=magic, compression_type=0, batch_size=1000)
    b.append(0, timestamp=1000, key=None, value=b"old")
    return bytes(b.build())


def new():
    b = DefaultRecordBatchBuilder(magic=2, compression_type=0, is_transactional=False, producer_id=-1,
                                  producer_epoch=-1, base_sequence=-1, batch_size=1000)
    b.append(0, timestamp=1000, key=None, value=b"new", headers=[])
    return bytes(b.build())


kind = "compiled" if "_crecords" in MemoryRecords.__module__ else "Python"
for name, data in {"v1, v1": old(1) + old(1), "v2, v2": new() + new(), "v0, v2": old(0) + new(),
                   "v1, v2": old(1) + new()}.items():
    seen = []
    try:
        records = MemoryRecords(data)
        while records.has_next():
            seen += [r.value.decode() for r in records.next_batch()]
    except CorruptRecordException:
        seen.append("CorruptRecordException")
    print(kind, name, "is", *seen)
PY
got=$(venv/bin/python read.py
  AIOKAFKA_NO_EXTENSIONS=1 venv/bin/python read.py)
want='compiled v1, v1 is old old
compiled v2, v2 is new new
compiled v0, v2 is old CorruptRecordException
compiled v1, v2 is old CorruptRecordException
Python v1, v1 is old old
Python v2, v2 is new new
Python v0, v2 is old new
Python v1, v2 is old new'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
