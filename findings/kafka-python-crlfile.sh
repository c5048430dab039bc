#!/usr/bin/env bash
# kafka-python 3 cannot be given ssl_crlfile: it hands the file to Python by a name that Python lacks.
#
# Guess:     the documented setting works, as in version 2.
# Versions:  kafka-python 2.3.3 and 3.0.12 of PyPI; Python 3.8 or newer.
# Behaviour: version 3 calls load_verify_locations(crl=...). Each connection ends in a TypeError, which the
#            client takes for a failed connection and tries again until it times out. An ssl_context
#            made by the program works.
# Seen:      the output compared below: the error for a valid list of an own CA, and whether version 2 takes it.
# Matters:   an upgrade with the same settings gives "unable to bootstrap", which blames the network.
# Needs:     Python 3.8 or newer, OpenSSL 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in 2.3.3 3.0.12; do
  python3 -m venv $version
  $version/bin/pip -q install kafka-python==$version
done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=finding \
  -days 2 2>/dev/null
touch index.txt
printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=2\n' >ca.conf
openssl ca -config ca.conf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem 2>/dev/null

cat >two.py <<'PY'
import socket

import kafka
from kafka.conn import BrokerConnection

connection = BrokerConnection("localhost", 9093, socket.AF_INET, security_protocol="SSL", ssl_cafile="ca.pem",
                              ssl_crlfile="crl.pem")
connection._sock = socket.socket()
connection._wrap_ssl()
print(kafka.__version__, connection._ssl_context.cert_store_stats())
PY
cat >three.py <<'PY'
import logging
import socket
import ssl

import kafka
from kafka.net.transport import KafkaSSLTransport

try:
    KafkaSSLTransport(None, socket.socket(), host="localhost", ssl_cafile="ca.pem", ssl_crlfile="crl.pem")
except TypeError as e:
    print(kafka.__version__, "TypeError:", e)
listener = socket.create_server(("127.0.0.1", 0))
logging.disable()
try:
    kafka.KafkaAdminClient(bootstrap_servers="127.0.0.1:%d" % listener.getsockname()[1], security_protocol="SSL",
                           ssl_cafile="ca.pem", ssl_crlfile="crl.pem", bootstrap_timeout_ms=2000)
except Exception as e:
    print(kafka.__version__, type(e).__name__)
PY
got=$(2.3.3/bin/python two.py
  3.0.12/bin/python three.py)
want="2.3.3 {'x509': 1, 'crl': 1, 'x509_ca': 1}
3.0.12 TypeError: 'crl' is an invalid keyword argument for load_verify_locations()
3.0.12 KafkaTimeoutError"
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
