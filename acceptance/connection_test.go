//go:build acceptance

package acceptance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// Tests of a Conn with a real Kafka.

func configOf(t *testing.T, b *Broker) broker.Config {
	t.Helper()
	return configAt(t, b, Plaintext)
}

func configAt(t *testing.T, b *Broker, l Listener) broker.Config {
	t.Helper()
	return fakebroker.ConfigFor(t, b.AddrOf(l))
}

func connect(t *testing.T, cfg broker.Config) *broker.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn := must(broker.Dial(ctx, cfg))(t)
	t.Cleanup(func() { closed(conn) })
	return conn
}

// closed closes a Conn and waits for its end.
func closed(conn *broker.Conn) broker.Stats {
	conn.Close()
	<-conn.Done()
	return conn.Stats()
}

// askMetadata sends a request for all metadata.
func askMetadata(ctx context.Context, conn *broker.Conn) error {
	_, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	return err
}

// topicNamed makes a topic of one partition and returns its id.
func topicNamed(t *testing.T, conn *broker.Conn, name string) [16]byte {
	t.Helper()
	resp := must(createRequest(name).RequestWith(t.Context(), conn))(t)
	if code := resp.Topics[0].ErrorCode; code != 0 {
		t.Fatalf("create topic %s: error %d", name, code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return must(awaitTopic(ctx, conn, name, 0))(t) // the broker has it after the controller
}

func hasLeader(t *testing.T, conn *broker.Conn, name string) bool {
	t.Helper()
	resp := must(metadataOf(name).RequestWith(t.Context(), conn))(t)
	return resp.Topics[0].ErrorCode == 0 && len(resp.Topics[0].Partitions) == 1 &&
		resp.Topics[0].Partitions[0].ErrorCode == 0
}

// batchOf is a record batch with one record.
func batchOf(value []byte) []byte {
	rec := kmsg.Record{Value: value}
	rec.Length = int32(len(rec.AppendTo(nil)) - 1) // the length of 0 takes a byte itself
	b := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: 1, Records: rec.AppendTo(nil),
	}
	raw := b.AppendTo(nil)
	const afterLength, afterCRC = 12, 21
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-afterLength))
	binary.BigEndian.PutUint32(raw[afterCRC-4:], crc32.Checksum(raw[afterCRC:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func produceRequest(name string, id [16]byte, acks int16, value []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = acks, int32(patience.Milliseconds())
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = name, id
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batchOf(value)
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return req
}

func produced(resp *kmsg.ProduceResponse, err error) (offset int64, _ error) {
	if err != nil {
		return 0, err
	}
	p := resp.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return 0, fmt.Errorf("produce: error %d", p.ErrorCode)
	}
	return p.BaseOffset, nil
}

func fetchRequest(name string, id [16]byte, offset int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 1000, 1, 64<<20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = name, id
	part := kmsg.NewFetchRequestTopicPartition()
	part.FetchOffset, part.PartitionMaxBytes = offset, 64<<20
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return req
}

func fetched(resp *kmsg.FetchResponse, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	if resp.ErrorCode != 0 || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		return nil, fmt.Errorf("fetch: error %d, %d", resp.ErrorCode, resp.Topics[0].Partitions[0].ErrorCode)
	}
	return resp.Topics[0].Partitions[0].RecordBatches, nil
}

func TestVersionsMetadataProduceFetch(t *testing.T) {
	conn := connect(t, configOf(t, sharedBroker(t)))
	v := must(conn.APIVersions(t.Context()))(t)
	if v.RequestVersion() != 4 {
		t.Errorf("asked for API versions at v%d, want v4 at once from this broker", v.RequestVersion())
	}
	verdict, err := conn.CheckVersion(t.Context(), broker.Check{})
	if err != nil || verdict.String() != "4.4" || verdict.Lineage != broker.KRaftBroker {
		t.Errorf("check version of %s: got %+v, %v; want 4.4 of a KRaft broker", Newest, verdict, err)
	}
	meta := must(kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), conn))(t)
	if id, _ := cluster(t, sharedBroker(t).Addr()); meta.ClusterID == nil || *meta.ClusterID != id {
		t.Errorf("cluster id: got %v, want %s", meta.ClusterID, id)
	}

	const name = "produce-fetch"
	id := topicNamed(t, conn, name)
	large := bytes.Repeat([]byte("0123456789abcdef"), 60_000) // larger than any first buffer
	for i, value := range [][]byte{[]byte("first"), {}, large[:900_000]} {
		offset, err := produced(produceRequest(name, id, -1, value).RequestWith(t.Context(), conn))
		if err != nil || offset != int64(i) {
			t.Fatalf("produce: got offset %d, %v; want %d", offset, err, i)
		}
		records := must(fetched(fetchRequest(name, id, offset).RequestWith(t.Context(), conn)))(t)
		// The broker fills in the offset and the leader's epoch, and nothing else.
		if sent := batchOf(value); len(records) != len(sent) || !bytes.Equal(records[16:], sent[16:]) {
			t.Errorf("record %d: got % x, want % x", i, records, sent)
		}
	}

	resp, err := conn.Request(t.Context(), produceRequest(name, id, 0, []byte("no acks")))
	if resp != nil || err != nil {
		t.Errorf("produce without acks: got %v, %v; want no response", resp, err)
	}
	records, err := fetched(fetchRequest(name, id, 3).RequestWith(t.Context(), conn))
	if err != nil || !bytes.Contains(records, []byte("no acks")) {
		t.Errorf("fetch: got %q, %v; want the record without acks", records, err)
	}
}

// TestFiveInFlightInOrder: records are stored in the order in which a window of five sends
// them.
func TestFiveInFlightInOrder(t *testing.T) {
	conn := connect(t, configOf(t, sharedBroker(t)))
	const name, rounds = "in-order", 100
	id := topicNamed(t, conn, name)
	var window []*broker.Future
	next := int64(0)
	take := func() {
		resp := must(window[0].Wait(t.Context()))(t)
		offset, err := produced(resp.(*kmsg.ProduceResponse), nil)
		if err != nil || offset != next {
			t.Fatalf("got offset %d, %v; want %d", offset, err, next)
		}
		next++
		window = window[1:]
	}
	for i := range rounds {
		if len(window) == 5 {
			take()
		}
		window = append(window, sendOn(t, conn, produceRequest(name, id, -1, []byte(fmt.Sprint(i)))))
	}
	for len(window) > 0 {
		take()
	}
	if next != rounds {
		t.Errorf("%d answers, want %d", next, rounds)
	}
}

// TestKilledWithRequestsInFlight: the sockets' buffers in front of a paused broker take
// what fits, so that a large request is sent in part. Then the broker is killed. Each
// future fails with how much of it was sent.
func TestKilledWithRequestsInFlight(t *testing.T) {
	b := privateBroker(t, Config{})
	counts := recorder.New()
	cfg := configOf(t, b)
	var wire piecemeal
	cfg.Transport = tapped(tcp.Options{SendBufferBytes: 4 << 10}, wire.write)
	cfg.Metrics = counts
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = 20*time.Millisecond, 200*time.Millisecond
	conn := connect(t, cfg)
	const name = "killed"
	id := topicNamed(t, conn, name)
	fakebroker.Must(t, b.Pause())
	before := wire.written.Load()
	small := sendOn(t, conn, kmsg.NewPtrMetadataRequest())
	large := sendOn(t, conn, produceRequest(name, id, -1, make([]byte, 16<<20)))
	behind := sendOn(t, conn, kmsg.NewPtrMetadataRequest())
	unacked := sendOn(t, conn, produceRequest(name, id, 0, []byte("behind the large one")))
	for wire.written.Load() < before+16<<10 { // so the large one is under way
		time.Sleep(time.Millisecond)
	}
	fakebroker.Must(t, b.Kill())
	for _, c := range []struct {
		what string
		f    *broker.Future
		sent broker.Sent
		safe bool
	}{
		{"the small one", small, broker.SentFully, false},
		{"the large one", large, broker.SentPartly, true},
		{"the one behind", behind, broker.SentNothing, true},
		{"the one without acks", unacked, broker.SentNothing, true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := c.f.Wait(ctx)
		cancel()
		var e *broker.Error
		if !errors.As(err, &e) || !errors.Is(err, broker.ErrConnection) {
			t.Fatalf("%s: %v", c.what, err)
		}
		if e.Sent != c.sent || broker.SafeToRetry(err) != c.safe || !broker.Retriable(err) {
			t.Errorf("%s was %v, safe to retry %v: %v", c.what, e.Sent, broker.SafeToRetry(err), err)
		}
	}

	// Down: no broker accepts, and a request waits out the backoff until its context ends.
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	err := askMetadata(ctx, conn)
	cancel()
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, broker.ErrDial) || broker.Retriable(err) {
		t.Errorf("while the broker is down: %v", err)
	}

	// Up again: waiting callers are served.
	waiting := make(chan error, 1)
	go func() { waiting <- askMetadata(t.Context(), conn) }()
	fakebroker.Must(t, b.Restart(t.Context()))
	// Its timeout may have passed while the broker started.
	if err := <-waiting; err != nil && (!errors.Is(err, broker.ErrRequestTimeout) || !broker.SafeToRetry(err)) {
		t.Errorf("a waiting caller: got %v", err)
	}
	for !hasLeader(t, conn, name) {
	}
	if _, err := produced(produceRequest(name, id, -1, []byte("after")).RequestWith(t.Context(), conn)); err != nil {
		t.Errorf("after the restart: got %v", err)
	}

	closed(conn)
	if after := auditCounts(t, counts); after.Started < 4 {
		t.Errorf("got %d attempts, want more", after.Started)
	}
}

// piecemeal writes in small pieces and counts the bytes written.
type piecemeal struct{ written atomic.Int64 }

func (p *piecemeal) write(conn net.Conn, data []byte) (n int, err error) {
	for piece := range slices.Chunk(data, 4<<10) {
		m, err := conn.Write(piece)
		n += m
		p.written.Add(int64(m))
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// TestPausedPastTheTimeout: a silent broker fails the requests in flight, and no later
// ones.
func TestPausedPastTheTimeout(t *testing.T) {
	b := privateBroker(t, Config{})
	cfg := configOf(t, b)
	cfg.RequestTimeout = 500 * time.Millisecond
	cfg.SetupTimeout = time.Second
	conn := connect(t, cfg)
	fakebroker.Must(t, b.Pause())
	err := askMetadata(t.Context(), conn)
	if !errors.Is(err, broker.ErrRequestTimeout) || broker.SafeToRetry(err) {
		t.Errorf("request to a paused broker: got %v, want ErrRequestTimeout, not safe to retry", err)
	}
	fakebroker.Must(t, b.Resume())
	for range 20 {
		if err = askMetadata(t.Context(), conn); err == nil {
			return
		}
	}
	t.Errorf("after Resume: got %v", err)
}

// TestKilledUnderLoad: the broker is killed and restarted while callers send requests.
// Each request ends, and those after the restart succeed.
func TestKilledUnderLoad(t *testing.T) {
	b := privateBroker(t, Config{})
	counts := recorder.New()
	cfg := configOf(t, b)
	cfg.Metrics = counts
	conn := connect(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				err := askMetadata(ctx, conn)
				if err != nil && !broker.Retriable(err) && !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want a retriable error", err)
				}
			}
		})
	}
	answered := func(n int64) {
		reach := counts.Snapshot().Received + n
		for counts.Snapshot().Received < reach {
			time.Sleep(time.Millisecond)
		}
	}
	for range 3 {
		answered(200)
		fakebroker.Must(t, b.Kill())
		fakebroker.Must(t, b.Restart(t.Context()))
	}
	answered(200)
	stop()
	wg.Wait()
	closed(conn)
	s := auditCounts(t, counts)
	t.Logf("%d requests, %d answered, %d failed over %d connections", s.Sent, s.Received, s.Failed, s.Started)
}

// TestPolled uses the same broker through a Polled.
func TestPolled(t *testing.T) {
	p := must(broker.NewPolled(configOf(t, sharedBroker(t))))(t)
	defer p.Close(nil)
	verdict, err := p.CheckVersion(patience, false, nil)
	if err != nil || verdict.String() != "4.4" {
		t.Fatalf("check version of %s: got %+v, %v; want 4.4", Newest, verdict, err)
	}
	var sent []*broker.Future
	for p.CanSendMore() { // an answer that arrives meanwhile makes room for one more
		sent = append(sent, p.Send(kmsg.NewPtrMetadataRequest(), true))
	}
	if got := p.Stats().InFlight; got != 5 || len(sent) < got {
		t.Errorf("got %d in flight of %d, want 5", got, len(sent))
	}
	for woken := make(chan struct{}, 4); len(sent) > 0; {
		p.Watch(func() { woken <- struct{}{} })
		for _, r := range p.Recv() {
			if r.Future != sent[0] || len(r.Response.(*kmsg.MetadataResponse).Brokers) != 1 {
				t.Fatalf("got %+v", r)
			}
			sent = sent[1:]
		}
		if len(sent) == 0 {
			break
		}
		select {
		case <-woken:
		case <-time.After(patience):
			t.Fatalf("got %d requests without an answer, want 0", len(sent))
		}
	}
}
