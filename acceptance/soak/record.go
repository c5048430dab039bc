package soak

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A recordID is a lane, which is a caller's, and a number in it. No two requests of a soak
// carry the same one, except where a request that was not sent is repeated.
type recordID struct {
	lane, n int
}

func (id recordID) String() string { return fmt.Sprintf("%d of lane %d", id.n, id.lane) }

// value is the record's value: the id and its own length, and padding up to size.
func (id recordID) value(size int) []byte {
	head := fmt.Appendf(nil, "%d %d %d ", id.lane, id.n, size)
	return append(head, bytes.Repeat([]byte{'.'}, max(size-len(head), 0))...)
}

// parseValue is the reverse of value. A value that was cut, or has other bytes, is an error.
func parseValue(value []byte) (id recordID, err error) {
	var size int
	if _, err := fmt.Fscan(bytes.NewReader(value[:min(len(value), 64)]), &id.lane, &id.n, &size); err != nil {
		return id, fmt.Errorf("a record %.40q is not one of the load: %w", value, err)
	}
	if !bytes.Equal(value, id.value(size)) {
		return id, fmt.Errorf("record %v has %d bytes that are not those of a record of %d", id, len(value), size)
	}
	return id, nil
}

// The layout of a record batch (KIP-98): what its length does not count, and where the bytes
// begin that its checksum covers.
const (
	batchPrefix  = 12
	batchCovered = 21
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batch is a record batch with one record.
func batch(value []byte) []byte {
	record := kmsg.Record{Value: value}
	record.Length = int32(len(record.AppendTo(nil)) - 1) // the length of 0 takes a byte itself
	b := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: 1, Records: record.AppendTo(nil)}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchPrefix))
	binary.BigEndian.PutUint32(raw[batchCovered-4:], crc32.Checksum(raw[batchCovered:], castagnoli))
	return raw
}

// eachRecord calls do for each whole batch in raw, as a Fetch returns them, with its offset and
// the value of its one record. The last batch of raw may be cut.
func eachRecord(raw []byte, do func(offset int64, value []byte)) error {
	for len(raw) > batchPrefix {
		size := batchPrefix + int(int32(binary.BigEndian.Uint32(raw[8:])))
		if size <= batchCovered {
			return fmt.Errorf("a batch of %d bytes", size)
		}
		if size > len(raw) {
			return nil
		}
		whole := raw[:size]
		raw = raw[size:]
		sum := crc32.Checksum(whole[batchCovered:], castagnoli)
		if sum != binary.BigEndian.Uint32(whole[batchCovered-4:]) {
			return errors.New("a batch with another checksum than its bytes have")
		}
		var b kmsg.RecordBatch
		var record kmsg.Record
		if err := b.ReadFrom(whole); err != nil {
			return err
		}
		if err := record.ReadFrom(b.Records); err != nil || b.NumRecords != 1 {
			return fmt.Errorf("a batch of %d records: %w", b.NumRecords, err)
		}
		do(b.FirstOffset, record.Value)
	}
	return nil
}
