#!/usr/bin/env bash
# Kafka's SCRAM server cannot read the name of a user that Kafka's SCRAM client sends, unless it is ASCII.
#
# Guess:     RFC 5802 has UTF-8 in names, Kafka's client sends it, so Kafka's broker reads it.
# Versions:  kafka-clients 4.4.0, which has both ends.
# Behaviour: the client encodes the name as UTF-8. The pattern that the server reads the first message with
#            allows the characters U+0001 to U+007F in a name, so the message as a whole is rejected as malformed.
#            A password may have any character: it is never sent.
# Seen:      the output compared below: messages of the client, as the server reads them.
# Matters:   nothing before the first login shows it, and the error says "Invalid SCRAM client first message
#            format", of the client's message, not of the name. PLAIN takes the same names.
# Needs:     Java 17, Maven.
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
cat >Names.java <<'JAVA'
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.security.auth.callback.*;
import javax.security.sasl.SaslException;
import org.apache.kafka.common.security.plain.PlainAuthenticateCallback;
import org.apache.kafka.common.security.plain.internals.PlainSaslServer;
import org.apache.kafka.common.security.scram.internals.*;

public class Names {
    static String read(String mechanism, String name) throws Exception {
        if (mechanism.equals("PLAIN")) {
            PlainSaslServer server = new PlainSaslServer(callbacks -> {
                for (Callback c : callbacks)
                    if (c instanceof PlainAuthenticateCallback p) p.authenticated(true);
            });
            server.evaluateResponse(("\0" + name + "\0password").getBytes(StandardCharsets.UTF_8));
            return server.getAuthorizationID();
        }
        ScramSaslClient client = new ScramSaslClient(ScramMechanism.SCRAM_SHA_256, callbacks -> {
            for (Callback c : callbacks) {
                if (c instanceof NameCallback n) n.setName(name);
                if (c instanceof PasswordCallback p) p.setPassword("p\u00e4ssw\u00f6rd".toCharArray());
            }
        });
        ScramMessages.ClientFirstMessage message =
            new ScramMessages.ClientFirstMessage(client.evaluateChallenge(new byte[0]));
        return ScramFormatter.username(message.saslName());
    }

    public static void main(String[] names) throws Exception {
        for (String name : List.of("zoe", "a b", "x=1,y=2", "zo\u00eb", "\u7528\u6237"))
            for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256")) {
                String what;
                try {
                    what = read(mechanism, name).equals(name) ? "read as it is" : "read as another";
                } catch (SaslException e) {
                    what = e.getMessage().replaceAll(":.*", "");
                }
                System.out.println(mechanism + " " + escaped(name) + ": " + what);
            }
    }

    static String escaped(String name) {
        StringBuilder b = new StringBuilder();
        for (char c : name.toCharArray()) b.append(c < 128 ? "" + c : String.format("U+%04X", (int) c));
        return b.toString();
    }
}
JAVA
got=$(java -cp 'jars/*' Names.java)
want='PLAIN zoe: read as it is
SCRAM-SHA-256 zoe: read as it is
PLAIN a b: read as it is
SCRAM-SHA-256 a b: read as it is
PLAIN x=1,y=2: read as it is
SCRAM-SHA-256 x=1,y=2: read as it is
PLAIN zoU+00EB: read as it is
SCRAM-SHA-256 zoU+00EB: Invalid SCRAM client first message format
PLAIN U+7528U+6237: read as it is
SCRAM-SHA-256 U+7528U+6237: Invalid SCRAM client first message format'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
