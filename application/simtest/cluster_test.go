package simtest_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/application/simtest"
	"brokerconn/domain/release"
)

// Every API of every release has an answer that the codec, which checks each byte, accepts.
func TestEveryAPIOfEachReleaseAnswers(t *testing.T) {
	asked := 0
	for _, r := range release.Known() {
		if r.Compare(release.Release{Minor: 10}) < 0 {
			continue // brokers that do not answer ApiVersions
		}
		simtest.Run(t, simtest.Options{Seeds: 1, Brokers: 1, Release: r.String()}, func(w *simtest.World) {
			conn, _ := dial(w)
			defer conn.Close()
			versions, err := conn.APIVersions(w.Context())
			if err != nil {
				w.Fatalf("API versions: %v", err)
			}
			for _, row := range versions.Ranges() {
				if row.Key == 17 || row.Key == 36 { // of a login
					continue
				}
				req := kmsg.RequestForKey(row.Key)
				for version := row.Min; version <= row.Max; version++ {
					asked++
					f, err := conn.SendWait(w.Context(), kafkacodec.At(req, version))
					if err == nil {
						_, err = f.Wait(w.Context())
					}
					if err != nil {
						w.Errorf("%s v%d of %v: %v", kafkacodec.KeyName(row.Key), version, r, err)
					}
				}
			}
		})
	}
	if asked < 1000 {
		t.Errorf("got %d requests, want over a thousand", asked)
	}
}

// A broker of a release is taken for that release, also of one before ApiVersions, which takes probes.
func TestReleasesAreRecognized(t *testing.T) {
	for _, name := range []string{"0.8.1", "0.8.2", "0.9", "0.10.2", "2.8", "4.1"} {
		simtest.Run(t, simtest.Options{Release: name, Seeds: 3}, func(w *simtest.World) {
			conn, err := broker.NewPolled(w.Config(0))
			if err != nil {
				w.Fatalf("new: %v", err)
			}
			verdict, err := conn.CheckVersion(10*time.Second, false, nil)
			if got := verdict.Low.String(); err != nil || got != name && got != name+".0" {
				w.Errorf("got %v, %v, want %s", verdict, err, name)
			}
			conn.Close(nil)
		})
	}
}

func TestBadReleasesPanic(t *testing.T) {
	for _, name := range []string{"four", "4.1.2.3", "0.7.0"} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, name) {
					t.Errorf("got %q, want a panic that names %s", text, name)
				}
			}()
			simtest.Run(t, simtest.Options{Release: name}, func(*simtest.World) {})
		}()
	}
}

// What was produced to the leader is fetched from it, also by an old client; other brokers refuse both.
func TestProduceAndFetch(t *testing.T) {
	for _, name := range []string{"0.10.2", "2.8", ""} {
		simtest.Run(t, simtest.Options{Release: name, Seeds: 5}, func(w *simtest.World) {
			leader := w.Leader("orders", 1)
			var conns []*broker.Conn
			for i := range 3 {
				conn, err := broker.Dial(w.Context(), w.Config(i))
				if err != nil {
					w.Fatalf("dial: %v", err)
				}
				defer conn.Close()
				conns = append(conns, conn)
			}
			id := topicID(w, conns[0], "orders")
			for n := range int64(2) {
				if code, offset := produce(w, conns[leader], "orders", id); code != 0 || offset != 2*n {
					w.Errorf("got error %d, offset %d, want 0, %d: each batch has two records", code, offset, 2*n)
				}
			}
			if code, _ := produce(w, conns[(leader+1)%3], "orders", id); code != 6 {
				w.Errorf("got error %d of another broker, want 6, NOT_LEADER_OR_FOLLOWER", code)
			}
			begin := w.Now()
			p := fetch(w, conns[leader], "orders", id, 2)
			want := batch(2)
			if p.HighWatermark != 4 || !bytes.Equal(p.RecordBatches, want) || time.Since(begin) > time.Second {
				w.Errorf("got %d, % x after %v, want 4, % x at once", p.HighWatermark, p.RecordBatches,
					time.Since(begin), want)
			}
			if p := fetch(w, conns[leader], "orders", id, 4); p.ErrorCode != 0 || len(p.RecordBatches) > 0 ||
				time.Since(begin) < 3*time.Second {
				w.Errorf("got error %d, % x after %v, want nothing after the 3 s that the request allows", p.ErrorCode,
					p.RecordBatches, time.Since(begin))
			}
			if p := fetch(w, conns[leader], "orders", id, 5); p.ErrorCode != 1 {
				w.Errorf("got error %d beyond the end, want 1, OFFSET_OUT_OF_RANGE", p.ErrorCode)
			}
			w.At(w.Elapsed(), simtest.MoveLeaders)
			w.Sleep(time.Millisecond)
			if p := fetch(w, conns[leader], "orders", id, 2); p.ErrorCode != 6 {
				w.Errorf("got error %d of the old leader, want 6", p.ErrorCode)
			}
			if p := fetch(w, conns[w.Leader("orders", 1)], "orders", id, 2); !bytes.Equal(p.RecordBatches, want) {
				w.Errorf("got % x of the new leader, want % x", p.RecordBatches, want)
			}
		})
	}
}

// Error codes have the names of Apache Kafka's Errors.java in the journal, also those of a handler of the test.
func TestJournalNamesErrorCodes(t *testing.T) {
	failure := simtest.Check(t, simtest.Options{Release: "3.9", Seeds: 1}, func(w *simtest.World) {
		w.Handle(kmsg.FindCoordinator, func(_ int, req kmsg.Request) kmsg.Response {
			resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
			resp.Coordinators = []kmsg.FindCoordinatorResponseCoordinator{{ErrorCode: 15}, {ErrorCode: 1234}}
			return resp
		})
		conn, err := broker.Dial(w.Context(), w.Config(int(w.Leader("orders", 1)+1)%3))
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		produce(w, conn, "orders", [16]byte{})
		_, _ = kmsg.NewPtrFindCoordinatorRequest().RequestWith(w.Context(), conn)
		w.Errorf("enough")
	})
	for _, want := range []string{" answers Produce v11 #2: error 6 NOT_LEADER_OR_FOLLOWER\n",
		" answers FindCoordinator v6 #3: error 15 COORDINATOR_NOT_AVAILABLE, error 1234\n"} {
		if !strings.Contains(failure.Journal, want) {
			t.Errorf("got\n%s\nwithout %q", failure.Journal, want)
		}
	}
}

// batch is a record batch of two records, whose contents no broker reads, as it is at an offset.
func batch(offset int64) []byte {
	b := make([]byte, 70)
	binary.BigEndian.PutUint64(b, uint64(offset))
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
	b[16] = 2                             // magic
	binary.BigEndian.PutUint32(b[23:], 1) // last offset delta
	copy(b[61:], "records..")
	return b
}

func topicID(w *simtest.World, conn *broker.Conn, name string) [16]byte {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(w.Context(), conn)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 3 || len(resp.Brokers) != 3 {
		w.Fatalf("metadata: %v %+v", err, resp)
	}
	return resp.Topics[0].TopicID
}

func produce(w *simtest.World, conn *broker.Conn, name string, id [16]byte) (code int16, offset int64) {
	req := kmsg.NewPtrProduceRequest()
	req.Acks = -1
	topic, p := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic, topic.TopicID, p.Partition, p.Records = name, id, 1, batch(0)
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(w.Context(), conn)
	if err != nil {
		w.Fatalf("produce: %v", err)
	}
	answer := resp.Topics[0].Partitions[0]
	return answer.ErrorCode, answer.BaseOffset
}

func fetch(w *simtest.World, conn *broker.Conn, name string, id [16]byte,
	offset int64) kmsg.FetchResponseTopicPartition {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = 3000
	topic, p := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	topic.Topic, topic.TopicID, p.Partition, p.FetchOffset, p.PartitionMaxBytes = name, id, 1, offset, 1<<20
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(w.Context(), conn)
	if err != nil {
		w.Fatalf("fetch: %v", err)
	}
	return resp.Topics[0].Partitions[0]
}
