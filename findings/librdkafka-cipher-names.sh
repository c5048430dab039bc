#!/usr/bin/env bash
# librdkafka refuses a list of TLS 1.3 cipher suites, and ignores one such name beside others.
#
# Guess:     ssl.cipher.suites takes the names of both versions, as Java's key of that name does, or
#            says which of them it does not take.
# Versions:  librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI; Java 17.
# Behaviour: the list goes to OpenSSL's call for TLS 1.2 and older. Names of 1.3 alone are "no cipher match".
#            Beside a name of 1.2 they are taken without a word, and all three suites of 1.3 stay on.
# Seen:      the output compared below: librdkafka's suites in the ClientHello, without 00ff.
# Matters:   suites of TLS 1.3 cannot be chosen in librdkafka, and a configuration that seems to choose
#            them, passes. Java's client with the same list offers that and no more.
# Needs:     Python 3.8 or newer, Java 17.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

cat >hello.py <<'PY'
import socket
import sys

from confluent_kafka import KafkaException, Producer

listener = socket.create_server(("127.0.0.1", 0))
listener.settimeout(30)
try:
    producer = Producer({"bootstrap.servers": "127.0.0.1:%d" % listener.getsockname()[1], "log_level": 0,
                         "security.protocol": "ssl", "ssl.cipher.suites": sys.argv[1]})
except KafkaException as e:
    print("refused:", e.args[0].str().split(":")[-1])
    sys.exit()
connection, _ = listener.accept()
hello = connection.recv(5 + 4 + 2 + 32 + 1, socket.MSG_WAITALL)
connection.recv(hello[-1], socket.MSG_WAITALL)
size = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
suites = connection.recv(size, socket.MSG_WAITALL).hex()
print(*(s for s in (suites[i : i + 4] for i in range(0, len(suites), 4)) if s != "00ff"))
PY
cat >Suites.java <<'JAVA'
import javax.net.ssl.*;

public class Suites {
    public static void main(String[] args) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setEnabledCipherSuites(args[0].split(","));
        System.out.println(String.join(" ", engine.getEnabledCipherSuites()));
    }
}
JAVA
got=$(echo "librdkafka 1.3 $(venv/bin/python hello.py TLS_AES_128_GCM_SHA256)"
  echo "librdkafka 1.2 $(venv/bin/python hello.py ECDHE-RSA-AES128-GCM-SHA256)"
  echo "librdkafka both $(venv/bin/python hello.py ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256)"
  echo "Java 1.3 $(java Suites.java TLS_AES_128_GCM_SHA256)"
  echo "Java both $(java Suites.java TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256)")
want='librdkafka 1.3 refused: no cipher match
librdkafka 1.2 1302 1303 1301 c02f
librdkafka both 1302 1303 1301 c02f
Java 1.3 TLS_AES_128_GCM_SHA256
Java both TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_AES_128_GCM_SHA256'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
