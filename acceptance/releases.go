package acceptance

// releases is the table of what brokers need, by ranges of versions. A release is the rows
// that apply to it, combined in this order. All differences between versions are in this
// table, none in the code that reads it. Remarks on Java are observations with 17 and 25.
var releases = []release{{
	from: "0.8.0",
	exclusions: []string{
		// A broker must have exactly one logging backend, which is added below.
		"log4j:log4j", "org.slf4j:slf4j-log4j12", "org.slf4j:slf4j-simple",
		"org.apache.logging.log4j:log4j-slf4j-impl", "ch.qos.logback:logback-classic", "ch.qos.logback:logback-core",
		// The log4j of Kafka 0.8 asks for these, which never were on Maven Central.
		"com.sun.jdmk:jmxtools", "com.sun.jmx:jmxri", "javax.jms:jms",
		// ZooKeeper's command line, which is not used here.
		"jline:jline",
	},
	flags: []string{
		"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC",
		// Half the start-up time, on a machine with two cores.
		"-XX:TieredStopAtLevel=1",
		// A JVM that is killed would leave its performance counters and its
		// unpacked native libraries in the machine's /tmp.
		"-XX:-UsePerfData", "-Djava.io.tmpdir={dir}/tmp",
		"-Djava.awt.headless=true",
		"-Dkafka.logs.dir={dir}",
	},
	files: map[string]map[string]string{"server.properties": {
		"log.dirs":            "{dir}/data",
		"num.network.threads": "2",
		"num.io.threads":      "2",
		"num.partitions":      "1",
		// The cleaner's buffer alone is half of the heap.
		"log.cleaner.enable": "false",
		// The only broker of its cluster: no topic of its own may ask for more.
		"offsets.topic.replication.factor": "1",
		"offsets.topic.num.partitions":     "1",
	}},
	run:       []string{"kafka.Kafka", "{dir}/server.properties"},
	listeners: []Listener{Plaintext},
}, {
	from: "0.8.0", mode: ZooKeeper,
	flags: []string{"-Dzookeeper.jmx.log4j.disable=true", "-Dzookeeper.sasl.client=false"},
	files: map[string]map[string]string{
		"server.properties": {
			"broker.id":                       "1",
			"zookeeper.connect":               "127.0.0.1:{aux}",
			"zookeeper.connection.timeout.ms": "30000",
			// A killed broker stays registered for this time. With a shorter one a busy machine would
			// lose running brokers.
			"zookeeper.session.timeout.ms": "3000",
		},
		"zookeeper.properties": {
			"dataDir":            "{dir}/zookeeper",
			"clientPort":         "{aux}",
			"clientPortAddress":  "127.0.0.1",
			"tickTime":           "500",
			"maxClientCnxns":     "0",
			"admin.enableServer": "false",
			// The commands of zookeeper.go, which ZooKeeper 3.5 and later must allow.
			"4lw.commands.whitelist": "conf,dump",
		},
	},
	beside: []string{"org.apache.zookeeper.server.quorum.QuorumPeerMain", "{dir}/zookeeper.properties"},
	ready:  "started (kafka.server.KafkaServer)",
}, {
	from: "0.8.0", before: "0.8.1",
	ready: "Started (kafka.server.KafkaServer)",
}, {
	from: "2.8.0", mode: KRaft,
	files: map[string]map[string]string{"server.properties": {
		"process.roles":                  "broker,controller",
		"node.id":                        "1",
		"listeners":                      "{listeners},CONTROLLER://127.0.0.1:{aux}",
		"listener.security.protocol.map": "{protocols},CONTROLLER:PLAINTEXT",
		"controller.listener.names":      "CONTROLLER",
		"controller.quorum.voters":       "1@127.0.0.1:{aux}",
		// After a kill, the controller admits the broker again only when its old session has
		// expired, by default after 9 seconds. With less than this a busy machine would lose
		// running brokers.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",
	}},
	prepare: []string{"kafka.tools.StorageTool", "format", "-t", "{cluster}", "-c", "{dir}/server.properties"},
	ready:   "Kafka Server started",
}, {
	from: "0.8.0", before: "0.8.2.0",
	scala: "2.10",
}, {
	from: "0.8.2.0", before: "1.0.0",
	scala: "2.11",
}, {
	from: "1.0.0", before: "2.4.0",
	scala: "2.12",
}, {
	from:  "2.4.0",
	scala: "2.13",
}, {
	// Brokers before 4.0 use classes of log4j 1, which reload4j has.
	from: "0.8.0", before: "4.0.0",
	additions: []string{"org.slf4j:slf4j-reload4j:1.7.36"},
	flags:     []string{"-Dlog4j.configuration=file:{dir}/log4j.properties"},
	files: map[string]map[string]string{"log4j.properties": {
		"log4j.rootLogger":                            "INFO, out",
		"log4j.appender.out":                          "org.apache.log4j.ConsoleAppender",
		"log4j.appender.out.layout":                   "org.apache.log4j.PatternLayout",
		"log4j.appender.out.layout.ConversionPattern": "%d{HH:mm:ss.SSS} %p %m (%c)%n",
		// The settings, logged five times, are most of the log.
		"log4j.logger.org.apache.kafka.common.config.AbstractConfig": "WARN",
		"log4j.logger.kafka.server.KafkaConfig":                      "WARN",
		"log4j.logger.org.apache.zookeeper":                          "WARN",
	}},
}, {
	from:      "4.0.0",
	additions: []string{"org.slf4j:slf4j-simple:1.7.36"},
	flags: []string{
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
	},
}, {
	// They ask Java for javax.xml.bind, which left it in 11, to make a cluster id.
	from: "0.10.1.0", before: "1.0.0",
	additions: []string{"javax.xml.bind:jaxb-api:2.3.1"},
}, {
	// Their own ZooKeeper, 3.4.13, cannot read the addresses that Java 14 and newer
	// print, "host/<unresolved>:port"; the one before it does not read them.
	from: "2.0.0", before: "2.4.0",
	additions: []string{"org.apache.zookeeper:zookeeper:3.4.12"},
}, {
	from: "0.8.0", before: "0.9.0.0",
	files: map[string]map[string]string{"server.properties": {"host.name": "127.0.0.1", "port": "{port}"}},
}, {
	from: "0.9.0.0", mode: ZooKeeper,
	files: map[string]map[string]string{"server.properties": {"listeners": "{listeners}"}},
}, {
	from:       "0.9.0.0",
	listeners:  []Listener{SSL, SSLClientAuth, SASLPlaintext, SASLSSL},
	mechanisms: []string{"GSSAPI"},
}, {
	from:       "0.10.0.0",
	mechanisms: []string{"PLAIN"},
	// Records have timestamps from here on. Those of tests may be of 1970, and must be kept.
	files: map[string]map[string]string{"server.properties": {"log.retention.ms": "-1"}},
}, {
	from: "0.10.2.0", mode: ZooKeeper,
	mechanisms: []string{"SCRAM-SHA-256", "SCRAM-SHA-512"},
	scram: []string{
		"kafka.admin.ConfigCommand", "--zookeeper", "127.0.0.1:{aux}", "--alter", "--entity-type", "users",
		"--entity-name", ScramUser,
		"--add-config", "SCRAM-SHA-256=[iterations=4096,password=" + ScramPassword +
			"],SCRAM-SHA-512=[iterations=4096,password=" + ScramPassword + "]",
	},
}, {
	from: "3.5.0", mode: KRaft,
	mechanisms: []string{"SCRAM-SHA-256", "SCRAM-SHA-512"},
	scram: []string{
		"--add-scram", "SCRAM-SHA-256=[name=" + ScramUser + ",password=" + ScramPassword + "]",
		"--add-scram", "SCRAM-SHA-512=[name=" + ScramUser + ",password=" + ScramPassword + "]",
	},
}, {
	from: "0.11.0.0", mode: ZooKeeper,
	files: map[string]map[string]string{"server.properties": {"listener.security.protocol.map": "{protocols}"}},
}, {
	from:  "0.11.0.0",
	named: true,
	files: map[string]map[string]string{"server.properties": {
		"transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr":            "1",
		"transaction.state.log.num.partitions":     "1",
		"group.initial.rebalance.delay.ms":         "0",
	}},
}, {
	from: "1.1.0",
	jaas: true,
}, {
	from:       "2.0.0",
	mechanisms: []string{"OAUTHBEARER"},
}, {
	from:      "2.2.0",
	listeners: []Listener{Reauth},
}}

// EveryRelease is the last patch release of each minor release, in its default mode, and
// both modes of 2.8 and 3.0, where KRaft is a preview, and of 3.4 and 3.9.
var EveryRelease = append(
	In(ZooKeeper,
		"0.8.0", "0.8.1.1", "0.8.2.2", "0.9.0.0", "0.9.0.1", "0.10.0.0", "0.10.0.1", "0.10.1.1", "0.10.2.2", "0.11.0.3",
		"1.0.2", "1.1.1", "2.0.1", "2.1.1", "2.2.2", "2.3.1", "2.4.1", "2.5.1", "2.6.3", "2.7.2", "2.8.2",
		"3.0.2", "3.1.2", "3.2.3", "3.4.1", "3.9.2"),
	In(KRaft,
		"2.8.2", "3.0.2", "3.3.2", "3.4.1", "3.5.2", "3.6.2", "3.7.2", "3.8.1", "3.9.2",
		"4.0.2", "4.1.2", "4.2.1", "4.3.1", "4.4.0")...)
