#!/usr/bin/env bash
# A SCRAM password made for Kafka by Java cannot be used through xdg-go/scram, for some texts.
#
# Guess:     RFC 5802 has SASLprep for passwords; a broker and a client that both implement SCRAM
#            derive the same key from the same password, whatever characters it has.
# Versions:  kafka-clients 4.4.0 (what kafka-configs stores with); github.com/xdg-go/scram v1.4.0,
#            which sarama's examples and kafka-go log in with.
# Behaviour: Kafka takes the UTF-8 of a password as it is. NewClient of xdg-go applies SASLprep:
#            a no-break space becomes a space, a ligature its letters, a decomposed accent one
#            character, a soft hyphen nothing. The keys differ, the login is refused. Characters
#            that SASLprep leaves alone, among them precomposed accents, are fine.
#            NewClientUnprepped derives what Kafka stores.
# Seen:      the output compared below: StoredKey of both, for the salt "salt" and 4096 rounds.
# Matters:   the password works in every Java program and in none of these Go programs, and the
#            error is that of a wrong password. A password pasted from a page often has U+00A0.
# Needs:     Java 17, Maven, Go 1.26.
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
cat >Stored.java <<'JAVA'
import java.util.Base64;
import org.apache.kafka.common.security.scram.internals.*;

public class Stored {
    public static void main(String[] passwords) throws Exception {
        var f = new ScramFormatter(ScramMechanism.SCRAM_SHA_256);
        for (String p : "canary,canary\u00e9,canary\u00a0x,canary\ufb01,canarye\u0301,canary\u00adx".split(",")) {
            byte[] key = f.storedKey(f.clientKey(f.saltedPassword(p, "salt".getBytes(), 4096)));
            System.out.println(Base64.getEncoder().encodeToString(key));
        }
    }
}
JAVA
java -cp 'jars/*' Stored.java >java.txt

export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off
cat >main.go <<'GO'
package main

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
)

func main() {
	factors := scram.KeyFactors{Salt: "salt", Iters: 4096}
	text := func(c *scram.Client, err error) string {
		if err != nil {
			panic(err)
		}
		return base64.StdEncoding.EncodeToString(c.GetStoredCredentials(factors).StoredKey)
	}
	list := "canary,canary\u00e9,canary\u00a0x,canary\ufb01,canarye\u0301,canary\u00adx"
	for p := range strings.SplitSeq(list, ",") {
		fmt.Printf("%+q %s %s\n", p, text(scram.SHA256.NewClient("user", p, "")),
			text(scram.SHA256.NewClientUnprepped("user", p, "")))
	}
}
GO
go mod init finding 2>/dev/null
go get github.com/xdg-go/scram@v1.4.0 2>/dev/null
go run . >go.txt
got=$(paste -d ' ' go.txt java.txt | while read -r password prepared unprepared java; do
  [ "$prepared" = "$java" ] && p=same || p=other
  [ "$unprepared" = "$java" ] && u=same || u=other
  echo "$password: NewClient $p, NewClientUnprepped $u"
done)
want='"canary": NewClient same, NewClientUnprepped same
"canary\u00e9": NewClient same, NewClientUnprepped same
"canary\u00a0x": NewClient other, NewClientUnprepped same
"canary\ufb01": NewClient other, NewClientUnprepped same
"canarye\u0301": NewClient other, NewClientUnprepped same
"canary\u00adx": NewClient other, NewClientUnprepped same'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
