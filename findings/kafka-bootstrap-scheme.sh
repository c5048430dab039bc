#!/usr/bin/env bash
# Kafka's Java client takes SSL://host:port as a bootstrap server, and speaks plaintext to it.
#
# Guess:     an entry of bootstrap.servers with a scheme is refused, as one with a path is, or the
#            scheme is obeyed, since it is written like a listener of the broker's.
# Versions:  kafka-clients 4.4.0, Java 17; librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI.
# Behaviour: whatever is before :// is dropped, also https; security.protocol alone decides, and it
#            is PLAINTEXT where it is not given. One bracket without the other is dropped too, and a
#            port without a host is localhost. librdkafka knows the scheme and leaves out servers of
#            another protocol, so that none is left: the producer is created all the same.
# Seen:      the output compared below: what the first bytes of the client are.
# Matters:   advertised listeners are copied with their scheme. The Java client sends its requests in
#            clear to a port of TLS, and the other one has nothing to connect to, and does not say so
#            where it is created.
# Needs:     Java 17, Maven, Python 3.8 or newer, on Linux.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion><groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.4.0</version>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$work/m2" -DoutputDirectory=jars \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies >mvn.log || { cat mvn.log >&2; exit 1; }
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

cat >Scheme.java <<'JAVA'
import java.net.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.Admin;

public class Scheme {
    public static void main(String[] args) throws Exception {
        for (String form : List.of("127.0.0.1:%d", "SSL://127.0.0.1:%d", "https://127.0.0.1:%d",
                "[127.0.0.1:%d", "127.0.0.1:%d/")) {
            try (var server = new ServerSocket(0, 9, InetAddress.getByName("127.0.0.1"))) {
                String shown = form.replace("%d", "port");
                try (var admin = Admin.create(Map.<String, Object>of(
                        "bootstrap.servers", String.format(form, server.getLocalPort())))) {
                    server.setSoTimeout(20_000);
                    admin.describeCluster();
                    try (var peer = server.accept()) {
                        byte[] first = peer.getInputStream().readNBytes(6);
                        boolean request = first[0] == 0 && first[4] == 0 && first[5] == 18;
                        System.out.println("Java " + shown + (request ? ": ApiVersions in clear" : ": something else"));
                    }
                    admin.close(Duration.ZERO);
                } catch (org.apache.kafka.common.KafkaException e) {
                    System.out.println("Java " + shown + ": refused");
                }
            }
        }
        System.exit(0);
    }
}
JAVA
cat >scheme.py <<'PY'
import logging
import socket

import confluent_kafka


class Messages(logging.Handler):
    def emit(self, record):
        added.append("Added new broker" in record.getMessage())


log = logging.getLogger("librdkafka")
log.addHandler(Messages())
log.setLevel(logging.DEBUG)
log.propagate = False
for form in "127.0.0.1:%d", "PLAINTEXT://127.0.0.1:%d", "SSL://127.0.0.1:%d":
    added = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": form % server.getsockname()[1], "debug": "broker"}, logger=log
        )
        producer.poll(1)
    print("librdkafka", form.replace("%d", "port") + ":", "a server" if any(added) else "created without a server")
PY
got=$(java -cp 'jars/*' Scheme.java 2>&1; venv/bin/python scheme.py 2>/dev/null)
want='Java 127.0.0.1:port: ApiVersions in clear
Java SSL://127.0.0.1:port: ApiVersions in clear
Java https://127.0.0.1:port: ApiVersions in clear
Java [127.0.0.1:port: ApiVersions in clear
Java 127.0.0.1:port/: refused
librdkafka 127.0.0.1:port: a server
librdkafka PLAINTEXT://127.0.0.1:port: a server
librdkafka SSL://127.0.0.1:port: created without a server'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
