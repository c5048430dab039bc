package kafkacodec_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

// throttleByKmsg returns the result that kmsg gives by decoding the whole body.
func throttleByKmsg(t *testing.T, key, version int16, body []byte) (ms int32, wait bool) {
	t.Helper()
	resp := kmsg.ResponseForKey(key)
	resp.SetVersion(version)
	if err := resp.ReadFrom(body); err != nil {
		t.Fatal(err)
	}
	return throttleIn(resp)
}

func throttleIn(resp any) (ms int32, wait bool) {
	r, ok := resp.(kmsg.ThrottleResponse)
	if !ok {
		return 0, false
	}
	ms, wait = r.Throttle()
	return max(ms, 0), wait && ms > 0
}

func TestThrottleIsWhatKmsgReads(t *testing.T) {
	eachVersion(t, func(t *testing.T, seed [2]uint64, key, version int16) {
		req, rnd, name := kmsg.RequestForKey(key), source(seed), kafkacodec.KeyName(key)
		resp := filled(rnd, kmsg.ResponseForKey(key), version)
		if r, ok := resp.(kmsg.SetThrottleResponse); ok {
			r.SetThrottle(int32(rnd.Uint32()) >> rnd.IntN(32))
		}
		body := resp.AppendTo(nil)
		wantMS, wantWait := throttleByKmsg(t, key, version, body)
		if ms, wait := codec.Throttle(req, version, body); ms != wantMS || wait != wantWait {
			t.Errorf("%s v%d: %d ms, %v; kmsg reads %d ms, %v", name, version, ms, wait, wantMS, wantWait)
		}
		// A body that ends before the field has no throttle time; one that ends after it has.
		reached := false
		for n := range body {
			ms, wait := codec.Throttle(req, version, body[:n:n])
			reached = reached || ms != 0
			if reached && (ms != wantMS || wait != wantWait) || !reached && wait {
				t.Errorf("%s v%d: %d of %d bytes: %d ms, %v, want %d ms, %v", name, version, n, len(body), ms, wait,
					wantMS, wantWait)
			}
		}
	})
}

// waitsFrom is the first version in which the client is to wait, as Kafka's own
// Java client has it (shouldClientThrottle of its response classes, 4.0), for
// the APIs that have been in use on both sides of the change.
var waitsFrom = map[string]int16{
	"Produce": 6, "Fetch": 8, "ListOffsets": 3, "Metadata": 6, "OffsetCommit": 4, "OffsetFetch": 4,
	"FindCoordinator": 2, "JoinGroup": 3, "Heartbeat": 2, "LeaveGroup": 2, "SyncGroup": 2,
	"DescribeGroups": 2, "ListGroups": 2, "ApiVersions": 2, "CreateTopics": 3, "DeleteTopics": 2,
	"DeleteRecords": 1, "InitProducerID": 1, "AddPartitionsToTxn": 1, "AddOffsetsToTxn": 1,
	"EndTxn": 1, "TxnOffsetCommit": 1, "DescribeACLs": 1, "CreateACLs": 1, "DeleteACLs": 1,
	"DescribeConfigs": 2, "AlterConfigs": 1, "AlterReplicaLogDirs": 1, "DescribeLogDirs": 1,
	"CreatePartitions": 1, "CreateDelegationToken": 1, "RenewDelegationToken": 1,
	"ExpireDelegationToken": 1, "DescribeDelegationToken": 1, "DeleteGroups": 1,
}

func TestWaitsFromTheVersionThatJavaHas(t *testing.T) {
	for name, from := range waitsFrom {
		req, ok := kafkacodec.RequestByName(name)
		if !ok {
			t.Errorf("%s is unknown", name)
			continue
		}
		for v := from - 1; v <= req.MaxVersion(); v++ {
			resp := req.ResponseKind()
			resp.SetVersion(v)
			resp.(kmsg.SetThrottleResponse).SetThrottle(1000)
			if ms, wait := codec.Throttle(req, v, resp.AppendTo(nil)); ms != 1000 || wait != (v >= from) {
				t.Errorf("%s v%d: %d ms, %v", name, v, ms, wait)
			}
		}
	}
}

// TestThrottleReadsOnlyWhatItMust: bodies cut off behind the field, by hand from
// https://kafka.apache.org/protocol.
func TestThrottleReadsOnlyWhatItMust(t *testing.T) {
	const nine, negative, never = "\x00\x00\x00\x09", "\xff\xff\xff\xff", "\x80\x00\x00\x00"
	partition := "\x00\x00\x00\x07" + "\x00\x00" + strings.Repeat("\x11", 8+8) // index, error, offset, time
	for _, c := range []struct {
		req     kafkacodec.Request
		version int16
		body    string
		ms      int32
		wait    bool
	}{
		{kmsg.NewPtrFetchRequest(), 0, nine, 0, false},
		{kmsg.NewPtrFetchRequest(), 1, nine, 9, false},
		{kmsg.NewPtrFetchRequest(), 8, nine, 9, true},
		{kmsg.NewPtrFetchRequest(), 12, nine, 9, true},
		{kmsg.NewPtrFetchRequest(), 12, nine + "what no broker sends", 9, true},
		{kmsg.NewPtrFetchRequest(), 12, negative, 0, false},
		{kmsg.NewPtrFetchRequest(), 12, never, 0, false},
		{kmsg.NewPtrFetchRequest(), 12, "\x00\x00\x00\x00", 0, false},
		{kmsg.NewPtrFetchRequest(), 12, "\x7f\xff\xff\xff", 1<<31 - 1, true},
		{kmsg.NewPtrProduceRequest(), 0, "\x00\x00\x00\x00" + nine, 0, false},
		{kmsg.NewPtrProduceRequest(), 1, "\x00\x00\x00\x00" + nine, 9, false},
		{kmsg.NewPtrProduceRequest(), 3, "\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x02" + partition + partition + nine, 9,
			false},
		{kmsg.NewPtrProduceRequest(), 6, "\x00\x00\x00\x00" + nine, 9, true},
		{kmsg.NewPtrProduceRequest(), 6, "\x7f\xff\xff\xff" + nine, 0, false},
		{kmsg.NewPtrProduceRequest(), 9, "\x01" + nine, 9, true},
		{kmsg.NewPtrProduceRequest(), 9, "\xff\xff\xff\xff\xff" + nine, 0, false},
		{kmsg.NewPtrSASLHandshakeRequest(), 1, nine + nine, 0, false},
	} {
		if ms, wait := codec.Throttle(c.req, c.version, []byte(c.body)); ms != c.ms || wait != c.wait {
			t.Errorf("%s v%d %q: %d ms, %v, want %d ms, %v", kafkacodec.KeyName(c.req.Key()), c.version, c.body, ms,
				wait, c.ms, c.wait)
		}
	}
}

func TestThrottleOfOtherMessages(t *testing.T) {
	meta := kmsg.NewPtrMetadataRequest()
	body := []byte("\x00\x00\x00\x09")
	for _, c := range []struct {
		m    ports.Message
		ms   int32
		wait bool
	}{
		{kafkacodec.At(meta, 9), 9, true},
		{kafkacodec.At((*kmsg.MetadataRequest)(nil), 9), 0, false},
		{&byValue{*meta}, 9, true},
		{&byPointer{meta}, 9, true},
		{&panicky{}, 0, false}, // its response is not kmsg's, so it is not measured
		{(*kmsg.MetadataRequest)(nil), 0, false},
		{kmsg.NewPtrMetadataResponse(), 0, false},
		{&ports.RawRequest{APIKey: 3, APIVersion: 9}, 0, false},
		{nil, 0, false},
	} {
		if ms, wait := codec.Throttle(c.m, 9, body); ms != c.ms || wait != c.wait {
			t.Errorf("%T: %d ms, %v, want %d ms, %v", c.m, ms, wait, c.ms, c.wait)
		}
	}
}

func TestThrottleAllocatesNothing(t *testing.T) {
	check := func(m ports.Message, version int16, body []byte) {
		t.Helper()
		if n := testing.AllocsPerRun(10, func() { codec.Throttle(m, version, body) }); n != 0 {
			t.Errorf("%T v%d: %v allocations", m, version, n)
		}
	}
	for _, key := range kafkacodec.Keys() {
		req := kmsg.RequestForKey(key)
		for v := int16(0); v <= req.MaxVersion(); v++ {
			check(req, v, answer(t, req, v))
			check(req, v, []byte{0xff})
		}
	}
	meta := kmsg.NewPtrMetadataRequest()
	check(kafkacodec.At(meta, 9), 9, answer(t, meta, 9))
	check(&panicky{}, 9, answer(t, meta, 9))
	check(&ports.APIVersionsRequest{}, 3, answer(t, kmsg.NewPtrApiVersionsRequest(), 3))
	check(&ports.SASLHandshakeRequest{}, 1, answer(t, kmsg.NewPtrSASLHandshakeRequest(), 1))
	check(&ports.SASLAuthenticateRequest{}, 2, answer(t, kmsg.NewPtrSASLAuthenticateRequest(), 2))
}

// BenchmarkThrottle: first in a body of a megabyte; behind the results of a
// thousand partitions; first in a table of all topics.
func BenchmarkThrottle(b *testing.B) {
	fetch := kmsg.NewPtrFetchResponse()
	fetch.Topics = []kmsg.FetchResponseTopic{{
		Partitions: []kmsg.FetchResponseTopicPartition{{RecordBatches: make([]byte, 1<<20)}},
	}}
	produce := kmsg.NewPtrProduceResponse()
	produce.Topics = []kmsg.ProduceResponseTopic{{Topic: "topic"}}
	few := *produce
	few.Topics = []kmsg.ProduceResponseTopic{{Topic: "topic",
		Partitions: make([]kmsg.ProduceResponseTopicPartition, 1)}}
	produce.Topics[0].Partitions = make([]kmsg.ProduceResponseTopicPartition, 1000)
	for _, c := range []struct {
		name    string
		resp    kafkacodec.Response
		version int16
	}{
		{"fetch of 1 MiB", fetch, 12},
		{"produce, 1 partition", &few, 9},
		{"produce, 1000 partitions", produce, 9},
		{"metadata", filled(rand.New(rand.NewPCG(1, 2)), kmsg.NewPtrMetadataResponse(), 9), 9},
	} {
		c.resp.SetVersion(c.version)
		c.resp.(kmsg.SetThrottleResponse).SetThrottle(9)
		body, req := c.resp.AppendTo(nil), c.resp.RequestKind()
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ms, wait := codec.Throttle(req, c.version, body); ms != 9 || !wait {
					b.Fatal(ms, wait)
				}
			}
		})
	}
}
