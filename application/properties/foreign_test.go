package properties

import "testing"

// The keys of other programs are known as such, and those of a client are not.
func TestOwnersOfKeys(t *testing.T) {
	for key, want := range map[string]string{
		"ssl.client.auth": "a Kafka broker", "zookeeper.connect": "a Kafka broker", "broker.id": "a Kafka broker",
		"listener.name.sasl_ssl.plain.sasl.jaas.config": "a Kafka broker", "num.stream.threads": "Kafka Streams",
		"producer.interceptor.classes":                "Kafka Connect or Streams",
		"restore.consumer.max.poll.records":           "Kafka Streams",
		"confluent.monitoring.interceptor.publish.ms": "Confluent's programs",
		"org.example.interceptor.sample":              "an interceptor",
		"spring.kafka.properties.sasl.mechanism":      "Spring",
		"java.security.auth.login.config":             "the Java machine",
		"plugin.path":                                 "Kafka Connect",
		"internal.key.converter.schemas.enable":       "Kafka Connect",
		"exactly.once.source.support":                 "Kafka Connect",
		"super.users":                                 "a Kafka broker",
		"one->other.topics":                           "MirrorMaker",
		"sync.topic.acls.enabled":                     "MirrorMaker",
		"source.bootstrap.servers":                    "MirrorMaker",
		"ksql.service.id":                             "ksqlDB",
		"ksql.streams.producer.retries":               "ksqlDB",
		"properties.security.protocol":                "Flink",
		"schema.history.internal.kafka.topic":         "Debezium",
		"database.password":                           "Debezium",
		"%prod.kafka.security.protocol":               "Quarkus",
		"kafka.security.protocol":                     "Spark, Quarkus or Micronaut",
		"kafka.metrics.reporters":                     "a Kafka broker",
		"camel.component.kafka.brokers":               "Camel",
		"topic.request.timeout.ms":                    "kcat",
		"print.key":                                   "Kafka's consumer for the console",
		"sasl.mechanism":                              "",
		"ssl.keystore.pasword":                        "",
		"client_idd":                                  "",
	} {
		if got := ownerOf(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

func TestForeignKeysNameTheClients(t *testing.T) {
	for key, want := range map[string]string{
		"spring.kafka.properties.security.protocol":       "; of a client it is security.protocol",
		"spring.kafka.bootstrap-servers":                  "; of a client it is bootstrap.servers",
		"spring.kafka.consumer.properties.sasl.mechanism": "; of a client it is sasl.mechanism",
		"consumer.request.timeout.ms":                     "; of a client it is request.timeout.ms",
		"spring.kafka.listener.ack-mode":                  "",
		"ksql.streams.security.protocol":                  "; of a client it is security.protocol",
		"properties.sasl.jaas.config":                     "; of a client it is sasl.jaas.config",
	} {
		s, err := Read(Java, Pairs(map[string]string{key: "x"}))
		if err != nil || len(s.Ignored) != 1 || !s.Ignored[0].Suspect {
			t.Fatalf("%s: got %v, want it ignored with a warning", key, err)
		}
		if got := s.Ignored[0].Why; got != "a key of "+ownerOf(key)+" alone"+want {
			t.Errorf("%s: got %q, want %q at its end", key, got, want)
		}
	}
}
