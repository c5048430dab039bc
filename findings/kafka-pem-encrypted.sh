#!/usr/bin/env bash
# On Java 17 Kafka cannot read an encrypted PEM key as OpenSSL 3 writes it, only the old schemes.
#
# Guess:     "openssl pkcs8 -topk8" with its defaults (PBES2, AES-256) is read, as Java 17 itself
#            has that scheme; the schemes of the nineties (SHA-1 with 3DES) are refused, if any.
# Versions:  kafka-clients 4.4.0; Java 17 (Debian's 17.0.15); keys by OpenSSL 3.0.
# Behaviour: the other way round. For each key of PBES2, Java 17 names its algorithm "PBES2", the
#            client asks for a factory of that name, and there is none. Java 25 reads the same key.
# Seen:      the output compared below.
# Matters:   the error has neither a file nor the word "key password"; a newer Java, a PKCS12 store,
#            or -v1 PBE-SHA1-3DES helps. Tests on another Java than the one that runs prove nothing.
# Needs:     Java 17 as java (it refuses another), Maven, OpenSSL 3.
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
java -version 2>&1 | grep -q '"17\.' || { echo "java is not Java 17" >&2; exit 2; }
openssl req -x509 -newkey RSA -nodes -keyout plain.key -out chain.crt -subj /CN=localhost -days 2 2>/dev/null
topk8() { openssl pkcs8 -topk8 -in plain.key -passout pass:canary1 "${@:2}" -out "$1.key"; }
topk8 defaults
topk8 AES-128-with-SHA1 -v2 aes-128-cbc -v2prf hmacWithSHA1
topk8 PBE-SHA1-3DES -v1 PBE-SHA1-3DES
cat >Encrypted.java <<'JAVA'
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;

public class Encrypted {
    public static void main(String[] kinds) throws Exception {
        for (String kind : kinds) {
            Map<String, Object> map = new HashMap<>(Map.of("ssl.protocol", "TLSv1.3", "ssl.cipher.suites", List.of(),
                "ssl.enabled.protocols", List.of("TLSv1.3"), "ssl.keystore.type", "PEM",
                "ssl.key.password", new Password("canary1"),
                "ssl.keystore.key", new Password(Files.readString(Path.of(kind + ".key"))),
                "ssl.keystore.certificate.chain", new Password(Files.readString(Path.of("chain.crt")))));
            try (var factory = new DefaultSslEngineFactory()) {
                factory.configure(map);
                System.out.println(kind + ": taken");
            } catch (Exception e) {
                System.out.println(kind + ": " + e.getMessage() + ": " + e.getCause().getMessage());
            }
        }
    }
}
JAVA
got=$(java -cp 'jars/*' Encrypted.java defaults AES-128-with-SHA1 PBE-SHA1-3DES)
want='defaults: Invalid PEM keystore configs: PBES2 SecretKeyFactory not available
AES-128-with-SHA1: Invalid PEM keystore configs: PBES2 SecretKeyFactory not available
PBE-SHA1-3DES: taken'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
