#!/usr/bin/env bash
# A certificate for *.internal is good for Java and Go clients, and for no others.
#
# Guess:     a star for the whole first label is read alike by all: broker-1.internal is covered.
# Versions:  Java 17, Go 1.26, Python 3.11, Node 20 and OpenSSL 3.0; each checks the same server.
# Behaviour: OpenSSL and Python want two dots behind the star, and so does Node in code of its own.
#            *.kafka.internal is good for all five.
# Seen:      the output compared below.
# Matters:   private domains are often of one label (.internal, .local, .lan). The broker serves its
#            Java clients for years, and the first librdkafka or Node client finds "another host".
# Needs:     Java 17, Go 1.26, Python 3, Node 18 or newer, OpenSSL 3.
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

context = ssl.create_default_context(cafile="server.pem")
try:
    context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname=sys.argv[2])
    print("accepted")
except ssl.SSLError as e:
    print("refused:", e.verify_message.split(",")[0])
PY
cat >client.js <<'JS'
const [port, servername] = process.argv.slice(2)
const ca = require('fs').readFileSync('server.pem')
const socket = require('tls').connect({host: '127.0.0.1', port, servername, ca})
socket.on('secureConnect', () => { console.log('accepted'); socket.destroy() })
socket.on('error', e => console.log('refused:', e.code))
JS
cat >client.go <<'GO'
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

func main() {
	roots := x509.NewCertPool()
	text, _ := os.ReadFile("server.pem")
	roots.AppendCertsFromPEM(text)
	_, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{RootCAs: roots, ServerName: os.Args[2]})
	if err != nil {
		var host x509.HostnameError
		fmt.Println("refused: of another host", errors.As(err, &host))
	} else {
		fmt.Println("accepted")
	}
}
GO
go build -o client client.go
ask() { # all five for one name and one certificate
  certificate "$1"
  python3 server.py >port &
  server=$!
  until [ -s port ]; do sleep 0.1; done
  echo "$2 Java $(java Client.java "$(cat port)" "$2" HTTPS)"
  echo "$2 Go $(./client "$(cat port)" "$2")"
  echo "$2 Python $(python3 client.py "$(cat port)" "$2")"
  echo "$2 Node $(node client.js "$(cat port)" "$2")"
  echo "$2 OpenSSL $(openssl verify -CAfile server.pem -verify_hostname "$2" server.pem 2>&1 |
    sed -n 's/^server.pem: OK/accepted/p; s/^error 62 at 0 depth lookup: /refused: /p')"
  kill "$server"
  : >port
}
got=$(ask '*.kafka.internal' broker-1.kafka.internal)
got+=$'\n'$(ask '*.internal' broker-1.internal)
want='broker-1.kafka.internal Java accepted
broker-1.kafka.internal Go accepted
broker-1.kafka.internal Python accepted
broker-1.kafka.internal Node accepted
broker-1.kafka.internal OpenSSL accepted
broker-1.internal Java accepted
broker-1.internal Go accepted
broker-1.internal Python refused: Hostname mismatch
broker-1.internal Node refused: ERR_TLS_CERT_ALTNAME_INVALID
broker-1.internal OpenSSL refused: hostname mismatch'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
