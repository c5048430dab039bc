#!/usr/bin/env bash
# A token endpoint that redirects: Go follows 307 and 308, Kafka's Java client 307 alone, librdkafka none.
#
# Guess:     307 and 308, which both ask for the same POST again, are followed both or neither; and all
#            clients of Kafka do the same.
# Versions:  kafka-clients 4.4.0 with Jackson 2.18.2 on Java 17; librdkafka 2.16.0, in confluent-kafka 2.16.1 of PyPI;
#            golang.org/x/oauth2 v0.37.0, Go 1.26.
# Behaviour: Java's HttpURLConnection repeats the POST with its secret for 307, and knows no 308. For 302
#            both send a GET, Java without the secret, Go with it. librdkafka reads the body of the
#            redirect as if it were the answer.
# Seen:      the output compared below: the answer, and what arrives behind the redirect.
# Matters:   an identity provider that moves to another path answers 308. Programs in Go go on, Java's fail
#            with the code, librdkafka's with "Expected JSON response with access_token".
# Needs:     Java 17, Maven, Go 1.26, Python 3.8 or newer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off
python3 -m venv venv
venv/bin/pip -q install confluent-kafka==2.16.1

cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion><groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>4.4.0</version>
    </dependency>
    <dependency>
      <groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-databind</artifactId><version>2.18.2</version>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$work/m2" -DoutputDirectory=jars \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies >mvn.log || { cat mvn.log >&2; exit 1; }
cat >Ask.java <<'JAVA'
import java.util.*;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.security.oauthbearer.*;

public class Ask {
    public static void main(String[] args) { // the URL, the secret
        System.setProperty("org.apache.kafka.sasl.oauthbearer.allowed.urls", args[0]);
        var settings = new HashMap<String, Object>(new ConfigDef().withClientSaslSupport().parse(Map.of(
            "sasl.oauthbearer.token.endpoint.url", args[0],
            "sasl.oauthbearer.client.credentials.client.id", "canary",
            "sasl.oauthbearer.client.credentials.client.secret", args[1])));
        var entry = new AppConfigurationEntry(OAuthBearerLoginModule.class.getName(),
            AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, Map.of());
        var retriever = new ClientCredentialsJwtRetriever();
        retriever.configure(settings, "OAUTHBEARER", List.of(entry));
        try {
            retriever.retrieve();
            System.out.println("has a token");
        } catch (KafkaException e) {
            System.out.println("has none");
        }
    }
}
JAVA
cat >ask.py <<'PY'
import sys

from confluent_kafka import Producer

errors = []
producer = Producer({"bootstrap.servers": "127.0.0.1:9", "security.protocol": "sasl_plaintext", "log_level": 0,
                     "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.method": "oidc",
                     "sasl.oauthbearer.token.endpoint.url": sys.argv[1], "sasl.oauthbearer.client.id": "canary",
                     "sasl.oauthbearer.client.secret": sys.argv[2], "error_cb": lambda e: errors.append(e.str())})
for _ in range(30):  # with a token it dials, and finds nobody there
    if errors:
        break
    producer.poll(1)
print("has none" if "OAUTHBEARER token" in errors[0] else "has a token")
PY
cat >ask.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	config := clientcredentials.Config{TokenURL: os.Args[1], ClientID: "canary", ClientSecret: os.Args[2],
		AuthStyle: oauth2.AuthStyleInHeader}
	if _, err := config.Token(context.Background()); err != nil {
		fmt.Println("has none")
	} else {
		fmt.Println("has a token")
	}
}
GO
go mod init finding 2>/dev/null
go get golang.org/x/oauth2@v0.37.0 2>/dev/null
go build -o ask ask.go
cat >server.py <<'PY'
import base64
import http.server
import json
import time


def part(fields):
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


jwt = part({"alg": "none"}) + "." + part({"sub": "canary", "iat": 1, "exp": int(time.time()) + 600}) + ".eA"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        basic = (self.headers.get("Authorization") or " ").split(" ")[1]
        with open("seen", "a") as f:
            print(self.command, self.path, base64.b64decode(basic).decode() or "-", body or "-", file=f)
        code, fields = self.answer()
        data = json.dumps(fields).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if code != 200:
            self.send_header("Location", "/token")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def answer(self):
        if self.path[1:].isdigit():
            return int(self.path[1:]), {}
        name = "id_token" if self.path == "/id" else "access_token"
        return 200, {name: jwt, "expires_in": 600, "token_type": "Bearer"}

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
python3 server.py >port &
server=$!
trap 'kill "$server"; rm -rf "$work"' EXIT
until [ -s port ]; do sleep 0.1; done
ask() { # the client, the path, the secret
  : >seen
  local url
  url=http://127.0.0.1:$(cat port)$2
  case $1 in
  Java) echo "$2 Java $(java -cp 'jars/*' Ask.java "$url" "$3" 2>/dev/null)" ;;
  librdkafka) echo "$2 librdkafka $(venv/bin/python ask.py "$url" "$3")" ;;
  Go) echo "$2 Go $(./ask "$url" "$3")" ;;
  esac
}
got=$(for path in /302 /307 /308; do
  for client in Java Go librdkafka; do
    ask $client $path canary-secret
    sed -n 's/^\([A-Z]*\) \/token/  then \1/p' seen | sort -u
  done
done)
want='/302 Java has a token
  then GET - -
/302 Go has a token
  then GET canary:canary-secret -
/302 librdkafka has none
/307 Java has a token
  then POST canary:canary-secret grant_type=client_credentials
/307 Go has a token
  then POST canary:canary-secret grant_type=client_credentials
/307 librdkafka has none
/308 Java has none
/308 Go has a token
  then POST canary:canary-secret grant_type=client_credentials
/308 librdkafka has none'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
