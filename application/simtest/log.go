package simtest

import (
	"encoding/binary"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// partition is the log of one partition: batches as they were produced, with their offsets. It
// outlives restarts and moves of the leadership.
type partition struct {
	mu      sync.Mutex
	batches []batch
	next    int64 // offset
}

type batch struct {
	first, last int64
	bytes       []byte
}

// Sizes and places of a record batch (magic 2) and of a message set (magic 0 and 1).
const (
	batchHeader     = 61
	magicAt         = 16
	lastOffsetDelta = 23
	entryHeader     = 12 // offset and size
)

// append appends the records of a Produce, and returns the first offset. ok is false if they cannot be
// read.
func (p *partition) append(records []byte) (first int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first = p.next
	for len(records) > 0 {
		if len(records) < magicAt+1 {
			return first, false
		}
		size := entryHeader + int(int32(binary.BigEndian.Uint32(records[8:])))
		if size <= magicAt || size > len(records) {
			return first, false
		}
		b := batch{first: p.next, last: p.next, bytes: records[:size]}
		if b.bytes[magicAt] >= 2 {
			if size < batchHeader {
				return first, false
			}
			b.last += int64(binary.BigEndian.Uint32(b.bytes[lastOffsetDelta:]))
		}
		binary.BigEndian.PutUint64(b.bytes, uint64(b.first))
		p.batches, p.next, records = append(p.batches, b), b.last+1, records[size:]
	}
	return first, true
}

// read returns batches from an offset on, at least one if there is one.
func (p *partition) read(offset int64, most int32) (records []byte, end int64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.batches {
		if b.last >= offset && (records == nil || len(records)+len(b.bytes) <= int(most)) {
			records = append(records, b.bytes...)
		}
	}
	return records, p.next, offset >= 0 && offset <= p.next
}

// Log returns the record batches of a partition, as they were produced, with their offsets, one behind
// the other: what Produce was acknowledged for is among them. It panics if the topic does not have
// that partition.
func (w *World) Log(topic string, partition int) []byte {
	w.Leader(topic, partition) // which validates it
	records, _, _ := w.names.get(topic).partitions[partition].read(0, 1<<31-1)
	return records
}

func (w *World) produce(i int, req *kmsg.ProduceRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, asked := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
		t := w.named(asked.Topic, asked.TopicID)
		for _, in := range asked.Partitions {
			out := kmsg.NewProduceResponseTopicPartition()
			out.Partition, out.BaseOffset = in.Partition, -1
			p, code := w.leads(i, t, in.Partition)
			if out.ErrorCode = code; code == 0 {
				first, ok := p.append(in.Records)
				if out.BaseOffset = first; !ok {
					out.ErrorCode = corruptMessage
				}
			}
			topic.Partitions = append(topic.Partitions, out)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

const corruptMessage = 2

// fetch returns what there is; some is false if that is nothing, and a broker would wait for more.
func (w *World) fetch(i int, req *kmsg.FetchRequest) (resp *kmsg.FetchResponse, some bool) {
	resp = req.ResponseKind().(*kmsg.FetchResponse)
	for _, asked := range req.Topics {
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.TopicID = asked.Topic, asked.TopicID
		t := w.named(asked.Topic, asked.TopicID)
		for _, in := range asked.Partitions {
			out := kmsg.NewFetchResponseTopicPartition()
			out.Partition = in.Partition
			p, code := w.leads(i, t, in.Partition)
			if out.ErrorCode = code; code == 0 {
				records, end, ok := p.read(in.FetchOffset, in.PartitionMaxBytes)
				out.RecordBatches, out.HighWatermark, out.LastStableOffset = records, end, end
				if !ok {
					out.ErrorCode = offsetOutOfRange
				}
			}
			some = some || out.ErrorCode != 0 || len(out.RecordBatches) > 0
			topic.Partitions = append(topic.Partitions, out)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp, some
}

func (w *World) offsets(i int, req *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, asked := range req.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = asked.Topic
		for _, in := range asked.Partitions {
			out := kmsg.NewListOffsetsResponseTopicPartition()
			out.Partition = in.Partition
			p, code := w.leads(i, w.names.get(asked.Topic), in.Partition)
			if out.ErrorCode = code; code == 0 && in.Timestamp == latestOffset {
				_, out.Offset, _ = p.read(0, 0)
			} else if code == 0 {
				out.Offset = 0
			}
			out.OldStyleOffsets = []int64{out.Offset}
			topic.Partitions = append(topic.Partitions, out)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}
