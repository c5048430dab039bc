#!/usr/bin/env bash
# What sasl.jaas.config makes of a password: octal escapes, and no numbers without quotes.
#
# Guess:     in quotes a backslash escapes a quote and itself, as in JSON or a shell; without
#            quotes letters and digits are taken as they are; a JAAS file has the same grammar.
# Versions:  kafka-clients 4.4.0, Java 17.
# Behaviour: both read by Java's StreamTokenizer. In quotes \101 is the letter A, \7 is the control
#            character BEL, \q is q. Without quotes, what begins with a digit or "-" is a number,
#            and a number is no value: "Value not specified for key 'password'", and so is 1abc,
#            while abc1 is fine. The two differ all the same: 'single quotes' work in the property
#            and not in a file, and ${name} is replaced by a system property in a file only.
# Seen:      the output compared below.
# Matters:   generated passwords hold backslashes and begin with digits. The first become another
#            password and a refused login; in a properties file each backslash is doubled once more.
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
cat >Jaas.java <<'JAVA'
import java.security.URIParameter;
import java.nio.file.*;
import java.util.*;
import javax.security.auth.login.*;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

public class Jaas {
    interface Read { AppConfigurationEntry entry() throws Exception; }

    static String password(Read read) {
        try {
            String p = (String) read.entry().getOptions().get("password");
            return "[" + p.replace("\u0007", "BEL") + "]";
        } catch (Exception e) {
            return "refused";
        }
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("shop", "canary-property");
        for (String value : List.of("\"canary\\101\"", "\"canary\\7\"", "\"canary\\q\"", "\"canary\\\\101\"", "canary1",
                "1canary", "4711", "-canary", "'canary 1'", "\"${shop}\"")) {
            String entry = "org.example.Module required password=" + value + ";";
            Path file = Files.writeString(Path.of("jaas.conf"), "KafkaClient { " + entry + " };");
            Map<String, Object> map = Map.of(SaslConfigs.SASL_JAAS_CONFIG, new Password(entry));
            String property = password(() -> JaasContext.loadClientContext(map).configurationEntries().get(0));
            String inFile = password(() -> Configuration.getInstance("JavaLoginConfig",
                new URIParameter(file.toUri())).getAppConfigurationEntry("KafkaClient")[0]);
            System.out.println(value + " property " + property + " file " + inFile);
        }
    }
}
JAVA
got=$(java -cp 'jars/*' Jaas.java)
want='"canary\101" property [canaryA] file [canaryA]
"canary\7" property [canaryBEL] file [canaryBEL]
"canary\q" property [canaryq] file [canaryq]
"canary\\101" property [canary\101] file [canary\101]
canary1 property [canary1] file [canary1]
1canary property refused file refused
4711 property refused file refused
-canary property refused file refused
'"'canary 1' property [canary 1] file refused"'
"${shop}" property [${shop}] file [canary-property]'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
