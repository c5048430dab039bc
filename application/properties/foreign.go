package properties

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// foreign are the keys of programs beside a client: brokers, Kafka Streams, Kafka Connect,
// interceptors, Spring. They are accepted with a warning: the file has no error, but is
// perhaps not the one that was meant, or has the key under another name.

//go:embed broker_keys.txt
var brokerKeys string

// The keys that Streams and Connect have and clients do not.
const (
	streamsKeys = `
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
		access.control.allow.methods access.control.allow.origin admin.listeners connector.class
		connector.client.config.override.policy header.converter key.converter offset.flush.interval.ms
		offset.flush.timeout.ms plugin.discovery plugin.path response.http.headers.config rest.extension.classes
		task.shutdown.graceful.timeout.ms tasks.max topic.creation.enable topics topics.regex
		topic.tracking.allow.reset topic.tracking.enable transforms value.converter`
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
	{"key.converter.", "Kafka Connect"}, {"value.converter.", "Kafka Connect"}, {"header.converter.", "Kafka Connect"},
	{"config.storage.", "Kafka Connect"}, {"offset.storage.", "Kafka Connect"}, {"status.storage.", "Kafka Connect"},
	{"rest.", "Kafka Connect"}, {"transforms.", "Kafka Connect"}, {"predicates.", "Kafka Connect"},
	{"confluent.", "Confluent's programs"}, {"schema.registry.", "a schema registry"},
	{"listener.", "a Kafka broker"}, {"zookeeper.", "a Kafka broker"}, {"kafka.", "a Kafka broker"},
	{"go.", "Confluent's client for Go"}, {"dotnet.", "Confluent's client for .NET"},
	{"java.", "the Java machine"}, {"javax.", "the Java machine"}, {"sun.", "the Java machine"},
	{"log4j.", "a logger"}, {"logging.", "a logger"},
}

var foreign = func() map[string]string {
	all := map[string]string{}
	for owner, names := range map[string]string{"a Kafka broker": brokerKeys, "Kafka Streams": streamsKeys,
		"Kafka Connect": connectKeys} {
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
	if strings.Contains(name, ".interceptor.") {
		return "an interceptor"
	}
	return ""
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
