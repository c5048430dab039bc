#!/usr/bin/env bash
# kafka-go's "roundrobin" gives every topic of one partition to the same member of a group.
#
# Guess:     the balancer of that name deals all partitions of all topics out in turn, as Java's, and
#            "range" gives the rest of an uneven division to the first members.
# Versions:  github.com/segmentio/kafka-go v0.4.51; sarama v1.61.1 and Java's kafka-clients 4.4.0.
# Behaviour: kafka-go begins with the first member again for each topic. Its range gives the last
#            members more, where Java and sarama give the first more.
# Seen:      the output compared below: members a, b, c; topics x, y, z of one partition, and t of 5.
# Matters:   a group that reads many small topics has one busy member and idle ones, and each new
#            member stays idle. In a group of clients in several languages, the plan depends on which
#            member leads it.
# Needs:     Go 1.26, Java 17, Maven.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

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
cat >Plan.java <<'JAVA'
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.common.*;

public class Plan {
    static void print(ConsumerPartitionAssignor assignor, Map<String, Integer> sizes) {
        var partitions = new ArrayList<PartitionInfo>();
        sizes.forEach((topic, n) -> {
            for (int i = 0; i < n; i++)
                partitions.add(new PartitionInfo(topic, i, null, null, null));
        });
        var cluster = new Cluster("id", List.of(), partitions, Set.of(), Set.of());
        var members = new HashMap<String, Subscription>();
        for (String member : List.of("a", "b", "c"))
            members.put(member, new Subscription(new ArrayList<>(sizes.keySet())));
        var plan = assignor.assign(cluster, new GroupSubscription(members)).groupAssignment();
        var line = new StringBuilder(assignor.name());
        for (String member : List.of("a", "b", "c")) {
            line.append(" ").append(member).append(":");
            plan.get(member).partitions().stream().map(TopicPartition::toString).sorted()
                .forEach(p -> line.append(" " + p));
        }
        System.out.println(line);
    }

    public static void main(String[] args) {
        print(new RoundRobinAssignor(), new TreeMap<>(Map.of("x", 1, "y", 1, "z", 1)));
        print(new RangeAssignor(), Map.of("t", 5));
    }
}
JAVA
cat >plan.go <<'GO'
package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/IBM/sarama"
	kafka "github.com/segmentio/kafka-go"
)

var members = []string{"a", "b", "c"}

func line[N int | int32](client, name string, plan func(member string) map[string][]N) {
	fmt.Print(client, " ", name)
	for _, member := range members {
		fmt.Print(" ", member, ":")
		topics := plan(member)
		for _, topic := range slices.Sorted(maps.Keys(topics)) {
			for _, partition := range topics[topic] {
				fmt.Printf(" %s-%d", topic, partition)
			}
		}
	}
	fmt.Println()
}

func kafkaGo(b kafka.GroupBalancer, sizes map[string]int32) {
	var group []kafka.GroupMember
	var partitions []kafka.Partition
	topics := slices.Sorted(maps.Keys(sizes))
	for _, member := range members {
		group = append(group, kafka.GroupMember{ID: member, Topics: topics})
	}
	for _, topic := range topics {
		for i := range sizes[topic] {
			partitions = append(partitions, kafka.Partition{Topic: topic, ID: int(i)})
		}
	}
	plan := b.AssignGroups(group, partitions)
	line("kafka-go", b.ProtocolName(), func(m string) map[string][]int { return plan[m] })
}

func saramas(b sarama.BalanceStrategy, sizes map[string]int32) {
	group := map[string]sarama.ConsumerGroupMemberMetadata{}
	partitions := map[string][]int32{}
	for _, member := range members {
		group[member] = sarama.ConsumerGroupMemberMetadata{Topics: slices.Sorted(maps.Keys(sizes))}
	}
	for topic, n := range sizes {
		for i := range n {
			partitions[topic] = append(partitions[topic], i)
		}
	}
	plan, err := b.Plan(group, partitions)
	if err != nil {
		panic(err)
	}
	line("sarama", b.Name(), func(m string) map[string][]int32 { return plan[m] })
}

func main() {
	small, one := map[string]int32{"x": 1, "y": 1, "z": 1}, map[string]int32{"t": 5}
	saramas(sarama.NewBalanceStrategyRoundRobin(), small)
	saramas(sarama.NewBalanceStrategyRange(), one)
	kafkaGo(kafka.RoundRobinGroupBalancer{}, small)
	kafkaGo(kafka.RangeGroupBalancer{}, one)
}
GO
go mod init finding 2>/dev/null
go get github.com/segmentio/kafka-go@v0.4.51 github.com/IBM/sarama@v1.61.1 2>/dev/null
got=$(java -cp 'jars/*' Plan.java | sed 's/^/Java /'
  go run .)
want='Java roundrobin a: x-0 b: y-0 c: z-0
Java range a: t-0 t-1 b: t-2 t-3 c: t-4
sarama roundrobin a: x-0 b: y-0 c: z-0
sarama range a: t-0 t-1 b: t-2 t-3 c: t-4
kafka-go roundrobin a: x-0 y-0 z-0 b: c:
kafka-go range a: t-0 b: t-1 t-2 c: t-3 t-4'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
