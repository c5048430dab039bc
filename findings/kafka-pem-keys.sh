#!/usr/bin/env bash
# Kafka's Java client takes an Ed25519 or RSASSA-PSS key from a PKCS12 store, and not as PEM.
#
# Guess:     a key that Java's TLS can use may come as PEM (KIP-651) or in a store alike.
# Versions:  kafka-clients 4.4.0, Java 17 (Java 25 is the same), keys and stores by OpenSSL 3.0.
# Behaviour: for PEM three kinds of key are tried, RSA, DSA and EC, whatever the key says it is.
#            An Ed25519 key is then "Invalid RSA private key".
# Seen:      the output compared below.
# Matters:   the error sends one looking for a broken key, or for RSA where there is none. The same
#            key and certificate work as soon as they are put into a PKCS12 file.
# Needs:     Java 17, Maven, OpenSSL 3.
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
for kind in RSA ED25519 RSA-PSS; do
  openssl req -x509 -newkey $kind -nodes -keyout $kind.key -out $kind.crt -subj /CN=localhost -days 2 2>/dev/null
  openssl pkcs12 -export -in $kind.crt -inkey $kind.key -out $kind.p12 -passout pass:canary1
done
cat >Keys.java <<'JAVA'
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

public class Keys {
    static String load(Map<String, Object> keys) throws Exception {
        Map<String, Object> map = new HashMap<>(keys);
        map.put("ssl.protocol", "TLSv1.3");
        map.put("ssl.enabled.protocols", List.of("TLSv1.3"));
        map.put("ssl.cipher.suites", List.of());
        try (var factory = new DefaultSslEngineFactory()) {
            factory.configure(map);
            return "taken";
        } catch (Exception e) {
            Throwable t = e;
            while (t.getCause() instanceof java.security.GeneralSecurityException
                || t.getCause() instanceof org.apache.kafka.common.KafkaException) t = t.getCause();
            return "refused, " + t.getMessage();
        }
    }

    public static void main(String[] kinds) throws Exception {
        for (String kind : kinds) {
            System.out.println(kind + " PEM " + load(Map.of("ssl.keystore.type", "PEM",
                "ssl.keystore.key", new Password(Files.readString(Path.of(kind + ".key"))),
                "ssl.keystore.certificate.chain", new Password(Files.readString(Path.of(kind + ".crt"))))));
            System.out.println(kind + " PKCS12 " + load(Map.of("ssl.keystore.type", "PKCS12",
                "ssl.keystore.location", kind + ".p12", "ssl.keystore.password", new Password("canary1"),
                "ssl.key.password", new Password("canary1"))));
        }
    }
}
JAVA
got=$(java -cp 'jars/*' Keys.java RSA ED25519 RSA-PSS)
want='RSA PEM taken
RSA PKCS12 taken
ED25519 PEM refused, Invalid RSA private key
ED25519 PKCS12 taken
RSA-PSS PEM refused, Expected a RSA key, but got RSASSA-PSS
RSA-PSS PKCS12 taken'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
