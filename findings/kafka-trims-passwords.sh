#!/usr/bin/env bash
# Kafka's Java client cuts blanks off the ends of passwords.
#
# Guess:     a configuration value of type PASSWORD is taken as it is; only numbers and lists are
#            trimmed.
# Versions:  kafka-clients 4.4.0, Java 17; keytool of the same Java.
# Behaviour: ConfigDef trims every string first, also one that a program put into the map. A store
#            whose password ends with a blank cannot be opened by ssl.keystore.password, nor by
#            a value in quotes, which stay part of it. keytool opens the store.
# Seen:      the output compared below.
# Matters:   the message is "keystore password was incorrect" beside a password that is right, and
#            works in keytool. Only another password helps.
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
keytool -genkeypair -alias a -keyalg EC -dname CN=localhost -storetype PKCS12 -keystore store.p12 \
  -storepass 'canary-pass ' 2>/dev/null
keytool -list -keystore store.p12 -storepass 'canary-pass ' >keytool.txt 2>/dev/null
cat >Open.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

public class Open {
    public static void main(String[] args) {
        for (String password : List.of("canary-pass ", "\"canary-pass \"")) {
            Map<String, Object> map = new HashMap<>(Map.of("bootstrap.servers", "localhost:9093",
                "ssl.keystore.location", "store.p12", "ssl.keystore.type", "PKCS12",
                "ssl.keystore.password", password, "ssl.key.password", password));
            map.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
            map.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
            var config = new ProducerConfig(map);
            String kept = config.getPassword("ssl.keystore.password").value();
            System.out.println("given [" + password + "] kept [" + kept + "]");
            try (var factory = new DefaultSslEngineFactory()) {
                factory.configure(config.values());
                System.out.println("opened");
            } catch (Exception e) {
                Throwable t = e;
                while (t.getCause() != null) t = t.getCause();
                System.out.println("refused: " + t.getMessage().split(":")[0]);
            }
        }
    }
}
JAVA
got=$(grep -o PrivateKeyEntry keytool.txt; java -cp 'jars/*' Open.java)
want='PrivateKeyEntry
given [canary-pass ] kept [canary-pass]
refused: failed to decrypt safe contents entry
given ["canary-pass "] kept ["canary-pass "]
refused: failed to decrypt safe contents entry'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
