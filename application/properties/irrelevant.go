package properties

import "strings"

// irrelevant are keys that clients have for producers, consumers, administrators and whole
// clusters, for libraries of a Java or C program, or for the timing of logins. Existing
// files have them, so they are accepted, whatever the dialect, and have no effect.
var irrelevant = func() map[string]bool {
	all := map[string]bool{}
	for _, names := range []string{irrelevantJava, irrelevantLibrdkafka, irrelevantKafkaPython, irrelevantOthers} {
		for _, name := range strings.Fields(names) {
			all[name] = true
		}
	}
	return all
}()

// The keys of Java, many of which the other two have as well.
const irrelevantJava = `
	acks allow.auto.create.topics auto.commit.interval.ms auto.include.jmx.reporter auto.offset.reset batch.size
	block.on.buffer.full bootstrap.controllers bootstrap.resolve.timeout.ms buffer.memory
	buffer.memory.allocation.strategy check.crcs client.rack compression.gzip.level
	compression.lz4.level compression.type compression.zstd.level config.providers default.api.timeout.ms
	default.list.key.serde.inner default.list.key.serde.type default.list.value.serde.inner
	default.list.value.serde.type delivery.timeout.ms enable.auto.commit enable.idempotence enable.metrics.push
	exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes group.id group.instance.id
	group.protocol group.remote.assignor heartbeat.interval.ms interceptor.classes internal.leave.group.on.close
	internal.throw.on.fetch.stable.offset.unsupported isolation.level key.deserializer metadata.cluster.check.enable
	key.deserializer.encoding key.serializer linger.ms max.block.ms max.partition.fetch.bytes max.poll.interval.ms
	max.poll.records max.request.size metadata.fetch.timeout.ms metadata.max.age.ms metadata.max.idle.ms
	metadata.recovery.rebootstrap.trigger.ms metadata.recovery.strategy metric.reporters metrics.jmx.blacklist
	metrics.jmx.exclude metrics.jmx.include metrics.jmx.whitelist metrics.num.samples metrics.recording.level
	metrics.sample.window.ms partition.assignment.strategy
	partitioner.adaptive.partitioning.enable partitioner.availability.timeout.ms partitioner.class
	partitioner.ignore.keys partitioner.rack.aware rebalance.timeout.ms retries retry.backoff.max.ms retry.backoff.ms
	sasl.kerberos.kinit.cmd sasl.oauthbearer.allow.unverified.audience sasl.oauthbearer.allow.unverified.issuer
	sasl.kerberos.min.time.before.relogin sasl.kerberos.ticket.renew.jitter sasl.kerberos.ticket.renew.window.factor
	sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
	sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
	sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.oauthbearer.clock.skew.seconds
	sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
	sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
	sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url
	sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name
	security.providers session.timeout.ms share.acknowledgement.mode share.acquire.mode
	socket.connection.setup.timeout.max.ms ssl.keymanager.algorithm ssl.provider ssl.secure.random.implementation
	ssl.trustmanager.algorithm transaction.timeout.ms transaction.two.phase.commit.enable
	transactional.id value.deserializer value.deserializer.encoding
	value.serializer`

const irrelevantLibrdkafka = `
	api.version.fallback.ms auto.commit.enable batch.num.messages broker.address.ttl builtin.features
	compression.codec compression.level consume.callback.max.messages coordinator.query.interval.ms debug
	delivery.report.only.error enable.auto.offset.store enable.gapless.guarantee enable.partition.eof
	enable.random.seed enable.sparse.connections enable_sasl_queue enabled_events fetch.error.backoff.ms
	fetch.message.max.bytes fetch.queue.backoff.ms fetch.wait.max.ms
	group.protocol.type interceptors internal.termination.signal log.connection.close log.queue log.thread.name
	log_level message.copy.max.bytes message.max.bytes message.send.max.retries message.timeout.ms
	metadata.request.timeout.ms offset.store.method
	offset.store.path offset.store.sync.interval.ms partitioner plugin.library.paths produce.offset.report
	queue.buffering.backpressure.threshold queue.buffering.max.kbytes queue.buffering.max.messages
	queue.buffering.max.ms queued.max.messages.kbytes queued.min.messages queuing.strategy reconnect.backoff.jitter.ms
	request.required.acks socket.blocking.max.ms socket.max.fails statistics.interval.ms sticky.partitioning.linger.ms
	test.mock.broker.rtt test.mock.num.brokers topic.blacklist topic.metadata.propagation.max.ms
	topic.metadata.refresh.fast.cnt
	topic.metadata.refresh.fast.interval.ms topic.metadata.refresh.interval.ms topic.metadata.refresh.sparse`

const irrelevantKafkaPython = `
	allow_auto_create_topics auto_commit_interval_ms auto_offset_reset batch_size bootstrap_timeout_ms
	bootstrap_topics_filter buffer_memory check_crcs client_rack compression_level compression_type
	consumer_timeout_ms default_api_timeout_ms default_offset_commit_callback delivery_timeout_ms enable_auto_commit
	enable_idempotence enable_incremental_fetch_sessions exclude_internal_topics fetch_max_bytes fetch_max_wait_ms
	fetch_min_bytes group_id group_instance_id heartbeat_interval_ms isolation_level kafka_client key_deserializer
	key_serializer linger_ms max_block_ms max_partition_fetch_bytes max_poll_interval_ms max_poll_records
	max_request_size metadata_max_age_ms metric_reporters metrics_enabled metrics_num_samples metrics_sample_window_ms
	net node_id partition_assignment_strategy retry_backoff_ms session_timeout_ms sock_chunk_buffer_count
	sock_chunk_bytes socket_connection_setup_timeout_max_ms transaction_timeout_ms transactional_id value_deserializer
	value_serializer`

// standards are values that ask for nothing, since their clients have them without a line,
// of keys whose other values are rejected.
var standards = map[string]string{
	"enable.sasl.oauthbearer.unsecure.jwt":          "false",
	"sasl.oauthbearer.metadata.authentication.type": "none",
	"ssl.ca.certificate.stores":                     "Root",
	"ssl.engine.id":                                 "dynamic",
}

// The keys of programs that read the same files.
const irrelevantOthers = `
	application.id auto.register.schemas basic.auth.credentials.source basic.auth.user.info key.subject.name.strategy
	schema.registry.basic.auth.credentials.source schema.registry.basic.auth.user.info schema.registry.url
	specific.avro.reader use.latest.version value.subject.name.strategy`
