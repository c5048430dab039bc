package acceptance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Newest is the newest release that this package was tried with.
const Newest = "4.4.0"

// A release is what this package must know of a range of Kafka's versions. All
// differences between versions stand in the table below; the code that reads it
// knows none. Its texts may hold places, filled in for each broker:
//
//	{dir}      the broker's directory
//	{port}     the port that clients dial
//	{aux}      the port of what stands beside the broker: the controller
//	{cluster}  the cluster id
type release struct {
	// from is the first version of the range, which ends where the next begins.
	from string
	// scala is the part of the artifact's name that says how it was compiled.
	scala string
	// java is the oldest major version of Java that runs it.
	java int
	// additions are "group:artifact:version" to resolve beside Kafka itself,
	// exclusions "group:artifact" to leave out of what it asks for.
	additions, exclusions []string
	// flags are given to every JVM.
	flags []string
	// properties is the server's configuration.
	properties map[string]string
	// prepare is the main class with its arguments that makes an empty directory
	// a broker's, run is the broker.
	prepare, run []string
	// ready is what the log says once the broker serves.
	ready string
}

// releases, oldest first.
var releases = []release{{
	from:  "4.0.0",
	scala: "2.13",
	java:  17,
	// One logging backend, which needs no file of its own and writes to stderr.
	additions:  []string{"org.slf4j:slf4j-simple:1.7.36"},
	exclusions: []string{"org.apache.logging.log4j:log4j-slf4j-impl", "ch.qos.logback:logback-classic"},
	flags: []string{
		"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC",
		// Half the start-up time, on a machine with two cores.
		"-XX:TieredStopAtLevel=1",
		// A JVM that is killed would leave its performance counters and its
		// unpacked native libraries in the machine's /tmp.
		"-XX:-UsePerfData", "-Djava.io.tmpdir={dir}/tmp",
		"-Djava.awt.headless=true",
		"-Dkafka.logs.dir={dir}",
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		// All settings, said five times over, are most of the log.
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
	},
	properties: map[string]string{
		"process.roles":             "broker,controller",
		"node.id":                   "1",
		"listeners":                 "PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{aux}",
		"controller.listener.names": "CONTROLLER",
		"controller.quorum.voters":  "1@127.0.0.1:{aux}",
		"log.dirs":                  "{dir}/data",

		"num.network.threads": "2",
		"num.io.threads":      "2",
		"num.partitions":      "1",
		// After a kill, the controller admits the broker again only when the
		// session of the dead one has run out, which by default takes 9 seconds.
		// Shorter than this, and a busy machine would lose brokers that live.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",

		// Records of tests may be as old as 1970, and are wanted back all the same.
		"log.retention.ms": "-1",

		// The cleaner's buffer alone is half of the heap.
		"log.cleaner.enable": "false",

		// The only broker of its cluster: no topic of its own may ask for more.
		"offsets.topic.replication.factor":         "1",
		"offsets.topic.num.partitions":             "1",
		"transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr":            "1",
		"transaction.state.log.num.partitions":     "1",
		"group.initial.rebalance.delay.ms":         "0",
	},
	prepare: []string{"kafka.tools.StorageTool", "format", "-t", "{cluster}", "-c", "{dir}/server.properties"},
	run:     []string{"kafka.Kafka", "{dir}/server.properties"},
	ready:   "Kafka Server started",
}}

// releaseOf finds the row of a version. It does not know which versions exist:
// that is for Maven Central to say.
func releaseOf(version string) (*release, error) {
	numbers, err := parseVersion(version)
	if err != nil {
		return nil, err
	}
	for i := range slices.Backward(releases) {
		from, err := parseVersion(releases[i].from)
		if err != nil {
			panic(err)
		}
		if slices.Compare(numbers, from) >= 0 {
			return &releases[i], nil
		}
	}
	return nil, fmt.Errorf("acceptance: Kafka %s is not supported: the oldest that is, is %s", version, releases[0].from)
}

// parseVersion reads "4.4.0", or "0.8.2.2" from the time of four numbers.
func parseVersion(version string) ([]int, error) {
	parts := strings.Split(version, ".")
	numbers := make([]int, len(parts))
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || len(parts) < 3 || len(parts) > 4 {
			return nil, fmt.Errorf("acceptance: %q is not a version of Kafka, such as %q", version, Newest)
		}
		numbers[i] = int(n)
	}
	return numbers, nil
}
