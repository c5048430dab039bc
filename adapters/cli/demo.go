package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// The demonstration: everything that one connection does, against franz-go's fake
// broker in this process, each step checked and timed. It configures the
// connection as any user would: host and port, and the defaults.

const (
	demoTopic    = "kafkaprobe-demo"
	demoRequests = 10_000
	// demoInFlight is the default of Config.MaxInFlight, and how many goroutines
	// share the connection.
	demoInFlight = 5
	// demoPatience bounds the request that must fail while the broker is away.
	demoPatience = 150 * time.Millisecond
)

func (a *app) demo() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "demo",
		Short: "Show and check all of it against a broker in this process",
		Long: `demo starts a fake broker in this process, on a loopback port, and does with it
what a connection is for: connects, creates a topic, produces a record, fetches it
back, sends 10,000 pipelined requests and checks every answer, and goes on with
the same connection after a restart of the broker. Each step is printed with the
time that it took. Exit code 0 only if all of it held.`,
		Example: `  kafkaprobe demo
  kafkaprobe demo --json | jq .steps`,
	}, func(ctx context.Context, _ []string) error {
		if a.timed {
			var cancel context.CancelFunc
			ctx, cancel = a.limited(ctx)
			defer cancel()
		}
		d := &demonstration{app: a, began: time.Now(), doc: demoDocument{OK: true}}
		return d.run(ctx)
	})
}

type demonstration struct {
	app     *app
	began   time.Time
	doc     demoDocument
	cluster *kfake.Cluster
	host    string
	port    uint16
	conn    *broker.Conn
	diary   diary
	topic   kmsg.CreateTopicsResponseTopic
	batch   []byte // as produced
}

type demoDocument struct {
	OK    bool       `json:"ok"`
	Steps []demoStep `json:"steps"`
	Error *errorInfo `json:"error,omitempty"`
}

type demoStep struct {
	Name   string  `json:"name"`
	Millis float64 `json:"ms"`
	Detail string  `json:"detail"`
}

func (d *demonstration) run(ctx context.Context) error {
	defer d.stop()
	steps := []struct {
		name string
		do   func(context.Context) (detail string, err error)
	}{
		{"broker", d.startBroker},
		{"connect", d.connect},
		{"metadata", d.metadata},
		{"create topic", d.createTopic},
		{"produce", d.produce},
		{"fetch", d.fetch},
		{"pipeline", d.pipeline},
		{"restart", d.restart},
	}
	for _, s := range steps {
		d.app.progress.waitFor(s.name)
		began := time.Now()
		detail, err := s.do(ctx)
		if err != nil {
			return d.fail(ctx, s.name, err)
		}
		if err := d.tell(s.name, time.Since(began), detail); err != nil {
			return err
		}
	}
	if d.app.json {
		return d.app.emit(d.doc, "")
	}
	return d.app.emit(nil, fmt.Sprintf("all held, in %v\n", time.Since(d.began).Round(time.Millisecond)))
}

// tell records a step, and prints it at once where people read.
func (d *demonstration) tell(name string, took time.Duration, detail string) error {
	d.doc.Steps = append(d.doc.Steps, demoStep{name, millis(took), detail})
	if d.app.json {
		return nil
	}
	return d.app.emit(nil, fmt.Sprintf("%-13s %9.3f ms  %s\n", name, millis(took), detail))
}

func (d *demonstration) fail(ctx context.Context, step string, err error) error {
	if ctx.Err() != nil {
		err = fmt.Errorf("the step %q was not over: %w", step, context.Cause(ctx))
	} else {
		err = checkf(err, "the step %q failed", step)
	}
	if !d.app.json {
		return err
	}
	d.doc.OK, d.doc.Error = false, describe(err)
	return errors.Join(err, d.app.emit(d.doc, ""))
}

func (d *demonstration) stop() {
	if d.conn != nil {
		d.conn.Close()
	}
	if d.cluster != nil {
		d.cluster.Close()
	}
}

// startBroker starts the fake broker; on the port that it had, if it had one.
func (d *demonstration) startBroker(context.Context) (string, error) {
	options := []kfake.Opt{kfake.NumBrokers(1)}
	if d.port != 0 {
		options = append(options, kfake.Ports(int(d.port)))
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return "", err
	}
	d.cluster = cluster
	address := cluster.ListenAddrs()[0] // not to be asked of one that is closed: it hangs
	d.host, d.port, err = broker.ParseAddress(address)
	return "kfake listens on " + address, err
}

// connect dials; the hooks tell the times of its parts.
func (d *demonstration) connect(ctx context.Context) (string, error) {
	d.diary.lost = make(chan struct{}, 1)
	var err error
	d.conn, err = broker.Dial(ctx, broker.Config{Host: d.host, Port: d.port, ClientID: d.app.clientID, Hooks: d.diary.hooks()})
	if err != nil {
		return "", err
	}
	versions, err := d.conn.APIVersions(ctx)
	if err != nil {
		return "", err
	}
	for _, part := range d.diary.parts() {
		if err := d.tell(part.name, part.took, part.detail); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("ready: %d APIs", len(versions.Ranges())), nil
}

func (d *demonstration) metadata(ctx context.Context) (string, error) {
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, d.conn)
	if err != nil {
		return "", err
	}
	if err := answerErrors(resp); err != nil {
		return "", err
	}
	if len(resp.Brokers) != 1 {
		return "", fmt.Errorf("%d brokers where there is one", len(resp.Brokers))
	}
	b := resp.Brokers[0]
	return fmt.Sprintf("v%d: broker %d at %s:%d, %d topics", resp.Version, b.NodeID, b.Host, b.Port, len(resp.Topics)), nil
}

func (d *demonstration) createTopic(ctx context.Context) (string, error) {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = demoTopic, 1, 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, d.conn)
	if err != nil {
		return "", err
	}
	if err := answerErrors(resp); err != nil {
		return "", err
	}
	if len(resp.Topics) != 1 || resp.Topics[0].Topic != demoTopic {
		return "", errors.New("the answer is about another topic")
	}
	d.topic = resp.Topics[0]
	return fmt.Sprintf("v%d: %s, one partition", resp.Version, demoTopic), nil
}

func (d *demonstration) produce(ctx context.Context) (string, error) {
	d.batch = recordBatch(time.Now(), []byte("demo"), bytes.Repeat([]byte("to be fetched back, byte for byte; "), 30))
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = d.batch
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = demoTopic, d.topic.TopicID // a name up to v12, then the id
	topic.Partitions = append(topic.Partitions, partition)
	req := kmsg.NewPtrProduceRequest()
	req.Acks = -1
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, d.conn)
	if err != nil {
		return "", err
	}
	if err := answerErrors(resp); err != nil {
		return "", err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return "", errors.New("the answer is not about one partition")
	}
	offset := resp.Topics[0].Partitions[0].BaseOffset
	return fmt.Sprintf("v%d: a batch of %d bytes, acks all, at offset %d", resp.Version, len(d.batch), offset), nil
}

func (d *demonstration) fetch(ctx context.Context) (string, error) {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes = 1 << 20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = demoTopic, d.topic.TopicID
	topic.Partitions = append(topic.Partitions, partition)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes = 1000, 1
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, d.conn)
	if err != nil {
		return "", err
	}
	if err := answerErrors(resp); err != nil {
		return "", err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return "", errors.New("the answer is not about one partition")
	}
	if err := sameBatch(d.batch, resp.Topics[0].Partitions[0].RecordBatches); err != nil {
		return "", err
	}
	return fmt.Sprintf("v%d: the same bytes, CRC right", resp.Version), nil
}

// restart stops the broker and starts another on its port. Meanwhile one request
// must fail, since its time is up, and one must wait.
func (d *demonstration) restart(ctx context.Context) (string, error) {
	d.cluster.Close()
	select {
	case <-d.diary.lost:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}

	var wg sync.WaitGroup
	defer wg.Wait()
	waitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan error, 1)
	wg.Go(func() {
		_, err := kmsg.NewPtrMetadataRequest().RequestWith(waitCtx, d.conn)
		waited <- err
	})

	brief, done := context.WithTimeout(ctx, demoPatience)
	defer done()
	if _, err := kmsg.NewPtrMetadataRequest().RequestWith(brief, d.conn); !errors.Is(err, broker.ErrGivenUp) {
		return "", fmt.Errorf("a request to a broker that is away ended with: %v", err)
	}
	if _, err := d.startBroker(ctx); err != nil {
		return "", err
	}
	if err := <-waited; err != nil {
		return "", fmt.Errorf("a request did not survive the restart: %w", err)
	}
	if _, err := d.metadata(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("broker away: a request of %v failed, one without limit waited and was answered by the new broker; connections made: %d",
		demoPatience, d.diary.connections()), nil
}
