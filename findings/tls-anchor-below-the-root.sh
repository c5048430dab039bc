#!/usr/bin/env bash
# An intermediate CA alone as the truststore is enough for Java and Go, and not for OpenSSL's clients.
#
# Guess:     what one puts into a truststore is trusted; a root is needed by all or by none.
# Versions:  Java 17, Go 1.26, Python 3.11 with OpenSSL 3.0, Node 20; librdkafka 2.16.0, in
#            confluent-kafka 2.16.1 of PyPI. The server sends its certificate and the intermediate.
# Behaviour: Java and Go stop at any certificate that is in the store. OpenSSL goes on to a root that
#            signed itself, unless the program sets a flag, and these three do not.
# Seen:      the output compared below.
# Matters:   a truststore with just the CA that issues the brokers' certificates, which is how one keeps
#            other branches of a company's PKI out, has librdkafka say that the ca.location is wrong.
# Needs:     Java 17, Go 1.26, Python 3.11 (or older than 3.13), Node 18 to 20, OpenSSL 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

key() { # and a request, in $1.key and $1.csr
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" \
    -subj "/CN=$1" 2>/dev/null
}
sign() { # $1 by $2, with the extension $3
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days 2 \
    -extfile <(echo "$3") 2>/dev/null
}
key root
openssl x509 -req -in root.csr -signkey root.key -out root.pem -days 2 \
  -extfile <(echo basicConstraints=critical,CA:TRUE) 2>/dev/null
key issuer
sign issuer root basicConstraints=critical,CA:TRUE
key server
sign server issuer subjectAltName=DNS:localhost
cat issuer.pem >>server.pem
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
        trust.setCertificateEntry("ca", factory.generateCertificate(new FileInputStream("ca.pem")));
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
    connection.settimeout(60)
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()
PY
cat >client.py <<'PY'
import socket
import ssl
import sys

context = ssl.create_default_context(cafile="ca.pem")
try:
    context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
    print("accepted")
except ssl.SSLError as e:
    print("refused:", e.verify_message)
PY
cat >client.js <<'JS'
const ca = require('fs').readFileSync('ca.pem')
const socket = require('tls').connect({host: '127.0.0.1', port: process.argv[2], servername: 'localhost', ca})
socket.on('secureConnect', () => { console.log('accepted'); socket.destroy() })
socket.on('error', e => console.log('refused:', e.message))
JS
cat >client.go <<'GO'
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	roots := x509.NewCertPool()
	text, _ := os.ReadFile("ca.pem")
	roots.AppendCertsFromPEM(text)
	_, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		fmt.Println("refused:", err)
	} else {
		fmt.Println("accepted")
	}
}
GO
cat >rdkafka.py <<'PY'
import sys

from confluent_kafka import Producer

errors = []
producer = Producer({"bootstrap.servers": "localhost:" + sys.argv[1], "security.protocol": "ssl", "log_level": 0,
                     "ssl.ca.location": "ca.pem", "error_cb": lambda e: errors.append(e.str())})
for _ in range(30):  # the server closes after a handshake, so there is an error always
    if errors:
        break
    producer.poll(1)
print("refused: verify failed" if "verify failed" in errors[0] else "accepted")
PY
go build -o client client.go
python3 server.py >port &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do sleep 0.1; done
got=$(for anchor in root issuer; do
  sed '/-----END/q' $anchor.pem >ca.pem
  echo "$anchor Java $(java Client.java "$(cat port)" localhost HTTPS)"
  echo "$anchor Go $(./client "$(cat port)")"
  echo "$anchor Python $(python3 client.py "$(cat port)")"
  echo "$anchor Node $(node client.js "$(cat port)")"
  echo "$anchor librdkafka $(venv/bin/python rdkafka.py "$(cat port)")"
done)
want='root Java accepted
root Go accepted
root Python accepted
root Node accepted
root librdkafka accepted
issuer Java accepted
issuer Go accepted
issuer Python refused: unable to get issuer certificate
issuer Node refused: unable to get issuer certificate
issuer librdkafka refused: verify failed'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
