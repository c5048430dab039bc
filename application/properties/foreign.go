package properties

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// foreign are the keys of programs beside a client: brokers, Kafka Streams, Kafka Connect,
// MirrorMaker, ksqlDB, interceptors, Spring and other frameworks. They are accepted with a
// warning: the file has no error, but is perhaps not the one that was meant, or has the key
// under another name.

//go:embed broker_keys.txt
var brokerKeys string

// The keys that Streams and Connect have and clients do not, and those of brokers that no
// list of theirs has, as they belong to the authorizer.
const (
	authorizerKeys = `allow.everyone.if.no.acl.found super.users`
	streamsKeys    = `
		acceptable.recovery.lag allow.os.group.write.access application.server buffered.records.per.partition
		built.in.metrics.version cache.max.bytes.buffering commit.interval.ms default.client.supplier
		default.deserialization.exception.handler default.dsl.store default.interactive.query.isolation.level
		default.key.serde default.production.exception.handler default.timestamp.extractor default.value.serde
		deserialization.exception.handler dsl.store.format dsl.store.suppliers.class enable.transactional.statestores
		ensure.explicit.internal.resource.naming errors.dead.letter.queue.topic.name log.summary.interval.ms
		max.task.idle.ms max.warmup.replicas num.standby.replicas num.stream.threads poll.ms
		probing.rebalance.interval.ms processing.exception.handler processing.exception.handler.global.enabled
		processing.guarantee processor.wrapper.class production.exception.handler rack.aware.assignment.non_overlap_cost
		rack.aware.assignment.strategy rack.aware.assignment.tags rack.aware.assignment.traffic_cost
		repartition.purge.interval.ms replication.factor rocksdb.config.setter state.cleanup.delay.ms
		state.cleanup.dir.max.age.ms state.dir statestore.cache.max.bytes statestore.uncommitted.max.bytes
		task.assignor.class task.timeout.ms topology.description.push.enabled topology.optimization upgrade.from
		window.size.ms windowed.inner.class.serde windowstore.changelog.additional.retention.ms`
	connectKeys = `
		access.control.allow.methods access.control.allow.origin admin.listeners config.action.reload connect.protocol
		connector.class connector.client.config.override.policy errors.deadletterqueue.context.headers.enable
		errors.deadletterqueue.topic.name errors.deadletterqueue.topic.replication.factor errors.log.enable
		errors.log.include.messages errors.retry.delay.max.ms errors.retry.timeout errors.tolerance
		exactly.once.source.support exactly.once.support header.converter inter.worker.key.generation.algorithm
		inter.worker.key.size inter.worker.key.ttl.ms inter.worker.signature.algorithm
		inter.worker.verification.algorithms internal.key.converter internal.value.converter key.converter name
		offset.flush.interval.ms offset.flush.timeout.ms offsets.storage.topic predicates
		plugin.discovery plugin.path response.http.headers.config rest.extension.classes
		scheduled.rebalance.max.delay.ms task.shutdown.graceful.timeout.ms tasks.max tasks.max.enforce
		topic.creation.enable topic.creation.groups topics topics.regex topic.tracking.allow.reset
		topic.tracking.enable transaction.boundary transaction.boundary.interval.ms transforms value.converter
		worker.sync.timeout.ms worker.unsync.backoff.ms`
	mirrorKeys = `
		add.source.alias.to.metrics admin.timeout.ms clusters config.properties.exclude config.property.filter.class
		consumer.poll.timeout.ms dedicated.mode.enable.internal.rest emit.checkpoints.enabled
		emit.checkpoints.interval.seconds emit.heartbeats.enabled emit.heartbeats.interval.seconds
		emit.offset-syncs.enabled forwarding.admin.class group.filter.class groups groups.exclude
		offset.lag.max offset-syncs.topic.location refresh.groups.enabled refresh.groups.interval.seconds
		refresh.topics.enabled refresh.topics.interval.seconds replication.policy.class
		replication.policy.internal.topic.separator.enabled replication.policy.separator sync.group.offsets.enabled
		sync.group.offsets.interval.seconds sync.topic.acls.enabled sync.topic.acls.interval.seconds
		sync.topic.configs.enabled sync.topic.configs.interval.seconds topic.filter.class topics.exclude
		use.incremental.alter.configs`
)

const (
	brokerOwner = "a Kafka broker"
	mirrorOwner = "MirrorMaker"
)

// owners have the keys with these beginnings.
var owners = []struct{ prefix, owner string }{
	{"spring.", "Spring"},
	{"main.consumer.", "Kafka Streams"}, {"restore.consumer.", "Kafka Streams"}, {"global.consumer.", "Kafka Streams"},
	{"topology.", "Kafka Streams"},
	{"producer.override.", "Kafka Connect"}, {"consumer.override.", "Kafka Connect"},
	{"admin.override.", "Kafka Connect"},
	{"producer.", "Kafka Connect or Streams"}, {"consumer.", "Kafka Connect or Streams"},
	{"admin.", "Kafka Connect or Streams"},
	{"internal.key.converter.", "Kafka Connect"}, {"internal.value.converter.", "Kafka Connect"},
	{"topic.creation.", "Kafka Connect"},
	{"key.converter.", "Kafka Connect"}, {"value.converter.", "Kafka Connect"}, {"header.converter.", "Kafka Connect"},
	{"config.storage.", "Kafka Connect"}, {"offset.storage.", "Kafka Connect"}, {"status.storage.", "Kafka Connect"},
	{"rest.", "Kafka Connect"}, {"transforms.", "Kafka Connect"}, {"predicates.", "Kafka Connect"},
	{"checkpoints.topic.", mirrorOwner}, {"heartbeats.topic.", mirrorOwner}, {"offset-syncs.topic.", mirrorOwner},
	{"source.", mirrorOwner}, {"target.", mirrorOwner},
	{"database.", "Debezium"}, {"schema.history.internal.", "Debezium"},
	{"ksql.", "ksqlDB"}, {"properties.", "Flink"}, {"camel.", "Camel"}, {"akka.", "Akka"}, {"strimzi.", "Strimzi"},
	{"quarkus.", "Quarkus"}, {"mp.messaging.", "Quarkus"}, {"%", "Quarkus"},
	{"cruise.control.", "Cruise Control"}, {"topic.", "kcat"},
	{"print.", "Kafka's consumer for the console"},
	{"confluent.", "Confluent's programs"}, {"schema.registry.", "a schema registry"},
	{"listener.", brokerOwner}, {"zookeeper.", brokerOwner}, {"kafka.metrics.", brokerOwner},
	{"kafka.csv.", brokerOwner}, {"kafka.", "Spark, Quarkus or Micronaut"},
	{"go.", "Confluent's client for Go"}, {"dotnet.", "Confluent's client for .NET"},
	{"java.", "the Java machine"}, {"javax.", "the Java machine"}, {"sun.", "the Java machine"},
	{"log4j.", "a logger"}, {"logging.", "a logger"},
}

var foreign = func() map[string]string {
	all := map[string]string{}
	for owner, names := range map[string]string{brokerOwner: brokerKeys + authorizerKeys,
		"Kafka Streams": streamsKeys, "Kafka Connect": connectKeys, mirrorOwner: mirrorKeys} {
		for line := range strings.Lines(names) {
			if !strings.HasPrefix(line, "#") {
				for name := range strings.FieldsSeq(line) {
					all[name] = owner
				}
			}
		}
	}
	return all
}()

// ownerOf returns the program whose key it is; empty: none that is known.
func ownerOf(name string) string {
	if owner := foreign[name]; owner != "" {
		return owner
	}
	if i := slices.IndexFunc(owners, func(o struct{ prefix, owner string }) bool {
		return strings.HasPrefix(name, o.prefix)
	}); i >= 0 {
		return owners[i].owner
	}
	switch {
	case strings.Contains(name, "->"): // "one->other.topics"
		return mirrorOwner
	case strings.Contains(name, ".interceptor."):
		return "an interceptor"
	}
	return ""
}

// isOfBroker reports whether there are keys that only brokers have. Then those that librdkafka
// has as well, socket.send.buffer.bytes and its like, are theirs.
func isOfBroker(props []Property) bool {
	return slices.ContainsFunc(props, func(p Property) bool {
		return foreign[p.Key] == brokerOwner && len(dialectsOf(p.Key)) == 0
	})
}

// ownerOfKey is ownerOf for a key in one of the sources, empty if another client has it. The
// names of the clusters in a file of MirrorMaker begin its keys.
func (r *reader) ownerOfKey(p *Property) string {
	owner := ownerOf(p.Key)
	cluster, _, found := strings.Cut(p.Key, ".")
	switch {
	case len(dialectsOf(p.Key)) > 0 && (owner != brokerOwner || !r.ofBroker):
		return ""
	case owner == "" && found && slices.Contains(r.clusters, cluster):
		return mirrorOwner
	}
	return owner
}

// foreign ignores a key of another program, and says what its name would be here.
func (r *reader) foreign(p *Property, owner string) {
	why := fmt.Sprintf("a key of %s alone", owner)
	name := strings.ReplaceAll(p.Key, "-", ".")
	for found := true; found && index[r.s.Dialect][name] == nil; {
		_, name, found = strings.Cut(name, ".")
	}
	if index[r.s.Dialect][name] != nil && strings.Contains(name, ".") {
		why += "; of a client it is " + name
	}
	r.warn(p, why)
}
