#!/usr/bin/env bash
# A Java client sends no server name for a host without a dot, nor for one with an underscore.
#
# Guess:     the ClientHello names the host for every name that is no address, as in Go and Python.
# Versions:  Java 17, Go 1.26, Python 3.11 with OpenSSL 3.0; each writes one ClientHello.
# Behaviour: Java leaves the extension out for "kafka" and for kafka_1.example, and says nothing.
#            Go and Python send both names. For kafka.example. Java and Go send the name without its
#            final dot, Python with it, which RFC 6066 does not allow.
# Seen:      the output compared below ("-" is no name at all).
# Matters:   names of Docker Compose and of a Kubernetes namespace have no dot. A proxy that routes
#            by server name works for each client but Java's, and there it looks as if the proxy
#            were broken; a name with a dot helps.
# Needs:     Java 17, Go 1.26, Python 3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >Hello.java <<'JAVA'
import java.nio.ByteBuffer;
import java.util.HexFormat;
import javax.net.ssl.*;

public class Hello {
    public static void main(String[] args) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine(args[0], 9093);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // as Kafka does
        engine.setSSLParameters(parameters);
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        byte[] hello = new byte[out.flip().remaining()];
        out.get(hello);
        System.out.println(HexFormat.of().formatHex(hello));
    }
}
JAVA
cat >hello.py <<'PY'
import ssl
import sys

out = ssl.MemoryBIO()
connection = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname=sys.argv[1])
try:
    connection.do_handshake()
except ssl.SSLWantReadError:
    print(out.read().hex())
PY
cat >hello.go <<'GO'
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
)

func main() {
	client, server := net.Pipe()
	go tls.Client(client, &tls.Config{ServerName: os.Args[1]}).Handshake()
	hello := make([]byte, 1<<14)
	n, err := server.Read(hello)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%x\n", hello[:n])
}
GO
go build -o hello hello.go
cat >name.py <<'PY'
import struct
import sys

data = bytes.fromhex(sys.stdin.read())
i = 5 + 4 + 2 + 32  # headers of record and message, version, random
i += 1 + data[i]  # session
i += 2 + struct.unpack_from(">H", data, i)[0]  # cipher suites
i += 1 + data[i]  # compression
end = i + 2 + struct.unpack_from(">H", data, i)[0]
i += 2
name = "-"
while i < end:
    kind, size = struct.unpack_from(">HH", data, i)
    if kind == 0:
        name = data[i + 9 : i + 4 + size].decode()
    i += 4 + size
print(name)
PY
got=$(for host in kafka kafka_1.example kafka.example kafka.example.; do
  echo "$host Java $(java Hello.java "$host" | python3 name.py)"
  echo "$host Go $(./hello "$host" | python3 name.py)"
  echo "$host Python $(python3 hello.py "$host" | python3 name.py)"
done)
want='kafka Java -
kafka Go kafka
kafka Python kafka
kafka_1.example Java -
kafka_1.example Go kafka_1.example
kafka_1.example Python kafka_1.example
kafka.example Java kafka.example
kafka.example Go kafka.example
kafka.example Python kafka.example
kafka.example. Java kafka.example
kafka.example. Go kafka.example
kafka.example. Python kafka.example.'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
