"""Without arguments, prints the keys of the librdkafka in confluent-kafka's wheel: name, type
and default. With an argument, reads lines of name and value, and prints them with what
librdkafka makes of the value, or with "refused"; PEM in one line, as in a file, also with the
ends of lines for its \\n. With "ranges", prints the numbers, of 32 bits, that each key takes:
name, least, most."""

import ctypes
import glob
import os
import sys
import tempfile

import confluent_kafka

OBJECT = "see dedicated API"

root = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
library = (glob.glob(os.path.join(root, "confluent_kafka.libs", "librdkafka*"))
           + glob.glob(os.path.join(root, "confluent_kafka", ".dylibs", "librdkafka*")))[0]
rd = ctypes.CDLL(library)
libc = ctypes.CDLL(None)
for function in (rd.rd_kafka_conf_new, rd.rd_kafka_topic_conf_new, libc.fopen, rd.rd_kafka_new):
    function.restype = ctypes.c_void_p


def described():
    """Yields name, type and default of what rd_kafka_conf_properties_show prints."""
    with tempfile.NamedTemporaryFile("r") as table:
        stream = ctypes.c_void_p(libc.fopen(table.name.encode(), b"w"))
        rd.rd_kafka_conf_properties_show(stream)
        libc.fclose(stream)
        for line in table.read().splitlines():
            cells = [cell.strip() for cell in line.split(" | ")]
            if len(cells) == 6 and "*Type: " in line:
                yield cells[0], line.split("*Type: ")[1].split("*")[0], cells[3]


def dumped(new, dump):
    """Yields name and default of what has one, also of keys that no table has."""
    dump.restype = ctypes.POINTER(ctypes.c_char_p)
    count = ctypes.c_size_t()
    pairs = dump(ctypes.c_void_p(new()), ctypes.byref(count))
    for i in range(0, count.value, 2):
        yield pairs[i].decode(), pairs[i + 1].decode()


def keys():
    found = {}
    for new, dump in ((rd.rd_kafka_topic_conf_new, rd.rd_kafka_topic_conf_dump),
                      (rd.rd_kafka_conf_new, rd.rd_kafka_conf_dump)):
        for name, default in dumped(new, dump):
            found[name] = "integer" if default.isdigit() else "string", default
    for name, kind, default in described():
        found[name] = kind, "" if kind == OBJECT else found.get(name, ("", default))[1]
    return found


def connects(name, value):
    """Whether a client can be made that trusts or shows what is in the PEM."""
    conf, text = ctypes.c_void_p(rd.rd_kafka_conf_new()), ctypes.create_string_buffer(512)
    for pair in (("security.protocol", "ssl"), (name, value)):
        rd.rd_kafka_conf_set(conf, pair[0].encode(), pair[1].encode(), text, ctypes.c_size_t(512))
    client = rd.rd_kafka_new(1, conf, text, ctypes.c_size_t(512))
    if client:
        rd.rd_kafka_destroy(ctypes.c_void_p(client))
    return bool(client)


def made(name, value):
    if value.startswith("-----BEGIN ") and not connects(name, value):
        return "= with ends of lines alone" if connects(name, value.replace("\\n", "\n")) else "refused"
    conf = ctypes.c_void_p(rd.rd_kafka_conf_new())
    text = ctypes.create_string_buffer(512)
    if rd.rd_kafka_conf_set(conf, name.encode(), value.encode(), text, ctypes.c_size_t(512)) != 0:
        return "refused"
    size = ctypes.c_size_t(512)
    if rd.rd_kafka_conf_get(conf, name.encode(), text, ctypes.byref(size)) != 0:
        return "= "
    return "= " + text.value.decode()


def limit(name, taken, refused):
    """Returns the last number that is taken."""
    while abs(refused - taken) > 1:
        middle = (taken + refused) // 2
        if made(name, str(middle)) == "refused":
            refused = middle
        else:
            taken = middle
    return taken


if sys.argv[1:] == ["ranges"]:
    for name, (kind, default) in sorted(keys().items()):
        if kind == "integer":
            print(name, limit(name, int(default), -2**31 - 1), limit(name, int(default), 2**31), sep="\t")
elif len(sys.argv) == 1:
    for name, (kind, default) in sorted(keys().items()):
        print(name, kind, default, sep="\t")
else:
    for line in sys.stdin:
        name, value = line.rstrip("\n").split("\t")
        print(name, value, made(name, value), sep="\t")
