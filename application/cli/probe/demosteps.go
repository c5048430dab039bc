package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// The steps of the demonstration, in order.

// startBroker starts the fake broker, after a restart on the same port.
func (d *demonstration) startBroker(context.Context) (string, error) {
	cluster, err := kfake.NewCluster(kfake.Ports(int(d.port))) // 0: any port
	if err != nil {
		return "", err
	}
	d.cluster = cluster
	address := cluster.ListenAddrs()[0] // a closed cluster would block here
	d.host, d.port, err = broker.ParseAddress(address)
	return "kfake listens on " + address, err
}

// connect dials; the hooks measure its parts.
func (d *demonstration) connect(ctx context.Context) (_ string, err error) {
	d.setup.lost = make(chan struct{}, 1)
	cfg := broker.Config{Host: d.host, Port: d.port, ClientID: d.app.clientID, Hooks: d.setup.hooks()}
	d.conn, err = broker.Dial(ctx, cfg)
	if err != nil {
		return "", err
	}
	versions, err := d.conn.APIVersions(ctx)
	if err != nil {
		return "", err
	}
	for _, part := range d.setup.parts {
		if err := d.report(part); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("ready: %d APIs", len(versions.Ranges())), nil
}

func (d *demonstration) metadata(ctx context.Context) (string, error) {
	resp, err := checked(kmsg.NewPtrMetadataRequest().RequestWith(ctx, d.conn))
	if err != nil {
		return "", err
	}
	if len(resp.Brokers) != 1 {
		return "", fmt.Errorf("got %d brokers, want 1", len(resp.Brokers))
	}
	b := resp.Brokers[0]
	return fmt.Sprintf("v%d: broker %d at %s:%d, %d topics",
		resp.Version, b.NodeID, b.Host, b.Port, len(resp.Topics)), nil
}

func (d *demonstration) createTopic(ctx context.Context) (string, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: demoTopic, NumPartitions: 1, ReplicationFactor: 1}}
	resp, err := checked(req.RequestWith(ctx, d.conn))
	if err != nil {
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
	req := kmsg.NewPtrProduceRequest()
	req.Acks = -1
	req.Topics = []kmsg.ProduceRequestTopic{{
		Topic: demoTopic, TopicID: d.topic.TopicID, // a name up to v12, later the id
		Partitions: []kmsg.ProduceRequestTopicPartition{{Records: d.batch}},
	}}
	resp, err := checked(req.RequestWith(ctx, d.conn))
	if err != nil {
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
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes = 1000, 1
	req.Topics = []kmsg.FetchRequestTopic{{
		Topic: demoTopic, TopicID: d.topic.TopicID, Partitions: []kmsg.FetchRequestTopicPartition{partition},
	}}
	resp, err := checked(req.RequestWith(ctx, d.conn))
	if err != nil {
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

// checked returns the error of a request, or the error codes of its answer.
func checked[R kmsg.Response](resp R, err error) (R, error) {
	if err == nil {
		err = answerErrors(resp, nil)
	}
	return resp, err
}

// restart stops the broker and starts another on its port. Meanwhile one request must
// fail at its timeout, and one must wait.
func (d *demonstration) restart(ctx context.Context) (string, error) {
	d.cluster.Close()
	select {
	case <-d.setup.lost:
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

	shortCtx, done := context.WithTimeout(ctx, demoRequestTimeout)
	defer done()
	if _, err := kmsg.NewPtrMetadataRequest().RequestWith(shortCtx, d.conn); !errors.Is(err, broker.ErrCanceled) {
		return "", fmt.Errorf("got %v from a request while the broker is down, want a timeout", err)
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
	return fmt.Sprintf("broker down: a request with a timeout of %v failed, one without waited, "+
		"and the new broker answered it; connections made: %d", demoRequestTimeout, d.conn.Stats().Ready), nil
}

// pipeline sends many requests from several goroutines over the one connection. Each
// names a different group, which the answer repeats, so that an answer to another request
// is detected.
func (d *demonstration) pipeline(ctx context.Context) (string, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var wg sync.WaitGroup
	var next atomic.Int64
	times := make([]time.Duration, demoRequests)
	began := time.Now()
	for range demoInFlight {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < demoRequests; n = next.Add(1) - 1 {
				sent := time.Now()
				if err := d.findCoordinator(ctx, fmt.Sprintf("group-%05d", n)); err != nil {
					fail(fmt.Errorf("request %d: %w", n, err))
					return
				}
				times[n] = time.Since(sent)
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	slices.Sort(times)
	return fmt.Sprintf("%d requests from %d goroutines, %d in flight (the default of MaxInFlight), "+
		"each with its own answer: %.0f/s, p50 %.3f ms, p99 %.3f ms",
		demoRequests, demoInFlight, demoInFlight, demoRequests/took.Seconds(),
		millis(percentile(times, 50)), millis(percentile(times, 99))), nil
}

func (d *demonstration) findCoordinator(ctx context.Context, group string) error {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKeys = []string{group}
	resp, err := checked(req.RequestWith(ctx, d.conn))
	if err != nil {
		return err
	}
	if len(resp.Coordinators) != 1 || resp.Coordinators[0].Key != group {
		return fmt.Errorf("got coordinators %[2]v, want that of %[1]s", group, resp.Coordinators)
	}
	return nil
}
