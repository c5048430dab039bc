#!/usr/bin/env bash
# A Java TLS listener answers a plaintext client by an alert; those of Go, OpenSSL, Python and Node do not.
#
# Guess:     a TLS server that gets other bytes sends an alert before it closes, or none does.
# Versions:  Java 17, Go 1.26, OpenSSL 3.0, Python 3.11 with it, Node 20.
# Behaviour: Java writes 15 03 03 00 02 02 0a, which is unexpected_message. The others close, or reset,
#            without a byte.
# Seen:      the output compared below, for Kafka's ApiVersions in plaintext.
# Matters:   "a response of 352518912 bytes", the 15 03 03 00 of the alert read as a size, is how one knows a
#            client that should speak TLS. It comes from brokers alone: behind a proxy that ends TLS
#            the same mistake looks like a broker that hangs up.
# Needs:     Java 17, Go 1.26, Python 3, Node 18 or newer, OpenSSL 3.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
  -subj /CN=finding -days 2 2>/dev/null
openssl pkcs12 -export -in server.pem -inkey server.key -out server.p12 -passout pass:canary

cat >Server.java <<'JAVA'
import java.io.File;
import java.net.InetAddress;
import java.security.KeyStore;
import javax.net.ssl.*;

public class Server {
    public static void main(String[] args) throws Exception {
        KeyStore keys = KeyStore.getInstance(new File("server.p12"), "canary".toCharArray());
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(keys, "canary".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(factory.getKeyManagers(), null, null);
        var listener = (SSLServerSocket) context.getServerSocketFactory()
            .createServerSocket(0, 5, InetAddress.getLoopbackAddress());
        System.out.println(listener.getLocalPort());
        while (true) {
            var socket = (SSLSocket) listener.accept();
            try {
                socket.startHandshake();
            } catch (SSLException e) {
                socket.close();
            }
        }
    }
}
JAVA
cat >server.go <<'GO'
package main

import (
	"crypto/tls"
	"fmt"
	"net"
)

func main() {
	pair, err := tls.LoadX509KeyPair("server.pem", "server.key")
	if err != nil {
		panic(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		_ = conn.(*tls.Conn).Handshake()
		conn.Close()
	}
}
GO
cat >server.py <<'PY'
import socket
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()
PY
cat >server.js <<'JS'
const fs = require('fs')
const options = {key: fs.readFileSync('server.key'), cert: fs.readFileSync('server.pem')}
const server = require('tls').createServer(options, socket => socket.end())
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
JS
cat >ask.py <<'PY'
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
conn.settimeout(30)
conn.sendall(bytes.fromhex("00000012001200000000000100") + b"\x08finding!")
try:
    print(conn.recv(100).hex() or "no byte")
except ConnectionResetError:
    print("no byte")
PY
go build -o server server.go
java Server.java >Java.port &
./server >Go.port &
python3 server.py >Python.port &
node server.js >Node.port &
touch OpenSSL.log
openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key <&- >OpenSSL.log 2>&1 &
until [ -s OpenSSL.port ]; do
  sleep 0.1
  sed -n 's/^ACCEPT 127.0.0.1://p' OpenSSL.log >OpenSSL.port
done
got=$(for name in Java Go OpenSSL Python Node; do
  until [ -s $name.port ]; do sleep 0.1; done
  echo "$name $(python3 ask.py "$(cat $name.port)")"
done)
want='Java 1503030002020a
Go no byte
OpenSSL no byte
Python no byte
Node no byte'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
