#!/usr/bin/env bash
# Java refuses a broker whose host name has an underscore, though its certificate names it.
#
# Guess:     a certificate with SAN DNS:kafka_1 is right for https-style verification of kafka_1.
# Versions:  Java 17, Go 1.26, Python 3.11 and OpenSSL 3.0; each checks the same server.
# Behaviour: Java says that the name asked for is illegal, before it looks at the certificate. Go,
#            Python and OpenSSL accept it.
# Seen:      the output compared below.
# Matters:   older Docker Compose makes such names, and resolves them. Over TLS each client works
#            but the Java ones; a new certificate never helps, an alias without underscore does.
# Needs:     Java 17, Go 1.26, Python 3, OpenSSL 3.
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
	text, _ := os.ReadFile("server.pem")
	roots.AppendCertsFromPEM(text)
	_, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{RootCAs: roots, ServerName: os.Args[2]})
	if err != nil {
		fmt.Println("refused:", err)
	} else {
		fmt.Println("accepted")
	}
}
GO
go build -o client client.go
certificate kafka_1.example.com
python3 server.py >port &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do sleep 0.1; done
ask() { # all four for one name
  echo "$1 Java $(java Client.java "$(cat port)" "$1" HTTPS)"
  echo "$1 Go $(./client "$(cat port)" "$1")"
  echo "$1 Python $(python3 client.py "$(cat port)" "$1")"
  echo "$1 OpenSSL $(openssl verify -CAfile server.pem -verify_hostname "$1" server.pem 2>&1 |
    sed -n 's/^server.pem: OK/accepted/p; s/^error 62 at 0 depth lookup: /refused: /p')"
}
got=$(ask kafka_1.example.com)
want='kafka_1.example.com Java refused: Illegal given domain name: kafka_1.example.com
kafka_1.example.com Go accepted
kafka_1.example.com Python accepted
kafka_1.example.com OpenSSL accepted'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
