#!/usr/bin/env bash
# ssl.endpoint.identification.algorithm=none is librdkafka's word; in Java it fails every handshake.
#
# Guess:     "none" switches the check of host names off in Java as it does in librdkafka, or is
#            refused when it is set.
# Versions:  Java 17; librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI.
# Behaviour: Java takes any text when it is set, and looks at it once a certificate is there: each
#            handshake then fails, also with the right certificate and the right name. Java's word
#            is the empty text. librdkafka has none and https; its empty text is an error.
# Seen:      the output compared below, for a server whose certificate is right.
# Matters:   a file of properties shared by clients of both kinds has no value for "off" that both
#            take, and Java's error does not name the key.
# Needs:     Java 17, Python 3.8 or newer, OpenSSL 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

certificate() { # of a name, in server.pem and server.key
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
    -subj /CN=finding -days 2 -addext "subjectAltName=DNS:$1" 2>/dev/null
}
cat >Client.java <<'JAVA'
import java.io.FileInputStream;
import java.net.*;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.*;

public class Client {
    public static void main(String[] args) throws Exception { // the port, the name, the algorithm
        var trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        var factory = CertificateFactory.getInstance("X.509");
        trust.setCertificateEntry("ca", factory.generateCertificate(new FileInputStream("server.pem")));
        var managers = TrustManagerFactory.getInstance("PKIX");
        managers.init(trust);
        var context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        var raw = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
        var socket = (SSLSocket) context.getSocketFactory().createSocket(raw, args[1], 9093, true);
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm(args[2]);
        socket.setSSLParameters(parameters);
        try {
            socket.startHandshake();
            System.out.println("accepted");
        } catch (SSLException e) {
            System.out.println("refused: " + e.getMessage());
        }
    }
}
JAVA
cat >server.py <<'PY'
import socket
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.settimeout(10)
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()
PY
certificate localhost
python3 server.py >port &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do sleep 0.1; done
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1
cat >set.py <<'PY'
import sys

from confluent_kafka import KafkaException, Producer

try:
    Producer({"log_level": 0, "ssl.endpoint.identification.algorithm": sys.argv[1]})
    print("taken")
except KafkaException:
    print("refused")
PY
got=$(for word in https none ""; do
  echo "[$word] Java $(java Client.java "$(cat port)" localhost "$word")"
  echo "[$word] librdkafka $(venv/bin/python set.py "$word")"
done)
want='[https] Java accepted
[https] librdkafka taken
[none] Java refused: Unknown identification algorithm: none
[none] librdkafka taken
[] Java accepted
[] librdkafka refused'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
