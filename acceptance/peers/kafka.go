package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Against a real broker, which takes longer for a request than any client does: what is left to compare is the
// latency, and the client's own processor time.

// kafkaWorkloads are those for which a process runs asKafkaWants.
var kafkaWorkloads = []workload{
	{"Kafka, 1 in flight", kafkaClients, false, 5, plain, func(m *meter) error { return m.timedCallers(1, 4000) }},
	{"Kafka, 64 callers", kafkaClients, false, 64, plain, func(m *meter) error { return m.timedCallers(64, 200) }},
	{"Kafka, 1 MiB produce", kafkaClients, false, 5, plain,
		func(m *meter) error { return m.records(produce, 100) }},
	{"Kafka, 1 MiB fetch", kafkaClients, false, 5, plain,
		func(m *meter) error { return m.records(fetch, 300) }},
}

var kafkaClients = []string{"conn", "franz"}

const (
	fetchTopic   = "fetched" // a topic with one batch
	produceTopic = "produced"
)

// timedCallers is callers with the time that each request takes.
func (m *meter) timedCallers(callers, each int) error {
	m.requests = callers * each
	m.latencies = make([]time.Duration, m.requests)
	errs := make(chan error, callers)
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			for n := range each {
				start := time.Now()
				if err := m.client.(caller).heartbeat(m.ctx); err != nil {
					errs <- err
					return
				}
				m.latencies[i*each+n] = time.Since(start)
			}
		})
	}
	wait.Wait()
	close(errs)
	return <-errs
}

// records has five requests of large records in flight.
func (m *meter) records(what kind, n int) error {
	m.requests = n
	return m.client.(pipeliner).pipeline(m.ctx, what, 5, n)
}

// kafka measures against a broker of a release.
func (b *bench) kafka(out io.Writer, release string) error {
	load, err := b.quiet()
	if err != nil {
		return err
	}
	ctx := context.Background()
	server, err := acceptance.Start(ctx, acceptance.Config{Version: release,
		Properties: map[string]string{"message.max.bytes": "2000000"}})
	if err != nil {
		return err
	}
	defer server.Close()
	if err := fill(ctx, server.Addr()); err != nil {
		return err
	}
	err = b.repeat(kafkaWorkloads, func(w workload, client string) (result, error) {
		return b.today.measure(w, client, "-kafka", "-plain", server.Addr())
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Kafka %s, load average before %s, %d rounds\n", server.Version(), load, b.rounds)
	return b.printKafka(out)
}

func (b *bench) printKafka(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tclient\tper second\tp50\tp99\tCPU\tCPU / franz (quartiles)\tswitches\tallocations")
	for _, w := range kafkaWorkloads {
		for _, c := range w.clients {
			results := b.found[w.name][c]
			if len(results) == 0 { // only another workload was asked for
				continue
			}
			low, middle, high := quartiles(b.values(figure{workload: w.name, client: c, of: cpu, than: "franz"}))
			fmt.Fprintf(t, "%s\t%s\t%.0f\t%v\t%v\t%v\t%.2f (%.2f to %.2f)\t%.2f\t%.2f\n", w.name, c,
				median(results, perSecond), duration(results, p50), duration(results, p99), duration(results, cpu),
				middle, low, high, median(results, switches), median(results, allocs))
		}
	}
	return t.Flush()
}

// fill makes the topics, each with one batch.
func fill(ctx context.Context, address string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.AllowAutoTopicCreation(), kgo.DisableIdempotentWrite(),
		kgo.RequiredAcks(kgo.LeaderAck()), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(2_000_000))
	if err != nil {
		return err
	}
	defer client.Close()
	for _, topic := range []string{fetchTopic, produceTopic} {
		record := &kgo.Record{Topic: topic, Value: make([]byte, payload)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}

// asKafkaWants makes the requests of this process such that a real broker does what they are for, and checks that it
// does.
func asKafkaWants(address string) error {
	cfg, err := configOf(address, 5)
	if err != nil {
		return err
	}
	ctx := context.Background()
	c, err := broker.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	topics := kmsg.NewPtrMetadataRequest()
	for _, name := range []string{fetchTopic, produceTopic} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		topics.Topics = append(topics.Topics, topic)
	}
	known, err := topics.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	ids := map[string][16]byte{}
	for _, topic := range known.Topics {
		ids[*topic.Topic] = topic.TopicID
	}
	fetchRecords := fetchFrom(fetchTopic, ids[fetchTopic])
	answer, err := fetchRecords.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	batch := answer.Topics[0].Partitions[0].RecordBatches
	if len(batch) < payload {
		return fmt.Errorf("the topic %s has %d bytes, and not %d", fetchTopic, len(batch), payload)
	}
	produceRecords := produceTo(produceTopic, ids[produceTopic], batch)
	franzRequests = map[kind]kmsg.Request{small: heartbeatOf("g"), produce: produceRecords, fetch: fetchRecords}
	requests = map[kind]*ports.RawRequest{ // in the last versions with names of topics
		small: rawOf(heartbeatOf("g"), 3), produce: rawOf(produceRecords, 8), fetch: rawOf(fetchRecords, 11),
	}
	return check(ctx, c)
}

// check sends the raw requests of records once.
func check(ctx context.Context, c *broker.Conn) error {
	produced := kmsg.NewPtrProduceResponse()
	fetched := kmsg.NewPtrFetchResponse()
	for what, answer := range map[kind]kafkacodec.Response{produce: produced, fetch: fetched} {
		body, err := c.RequestRaw(ctx, requests[what])
		if err != nil {
			return err
		}
		answer.SetVersion(requests[what].APIVersion)
		if err := answer.ReadFrom(body); err != nil {
			return err
		}
	}
	if n := len(fetched.Topics[0].Partitions[0].RecordBatches); n < payload {
		return fmt.Errorf("a fetch is answered with %d bytes, and not %d", n, payload)
	}
	return errors.Join(kerr.ErrorForCode(produced.Topics[0].Partitions[0].ErrorCode),
		kerr.ErrorForCode(fetched.Topics[0].Partitions[0].ErrorCode))
}

func rawOf(req kmsg.Request, version int16) *ports.RawRequest {
	req.SetVersion(version)
	return &ports.RawRequest{APIKey: req.Key(), APIVersion: version, Body: req.AppendTo(nil)}
}

func heartbeatOf(group string) kmsg.Request {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group = group
	return req
}

func produceTo(topic string, id [16]byte, batch []byte) kmsg.Request {
	req := franzProduce(topic, batch)
	req.Topics[0].TopicID = id
	return req
}

func fetchFrom(topic string, id [16]byte) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 0, 1, 2*payload
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes = 2 * payload
	from := kmsg.NewFetchRequestTopic()
	from.Topic, from.TopicID, from.Partitions = topic, id, append(from.Partitions, partition)
	req.Topics = append(req.Topics, from)
	return req
}
