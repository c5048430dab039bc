package probe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A record batch in a partition (magic 2, KIP-98):
//
//	 0  base offset           set by the broker
//	 8  length of the rest
//	12  leader epoch          set by the broker
//	16  magic
//	17  CRC32C of the rest
//	21  attributes, timestamps, producer, records
const (
	batchLengthEnd = 12
	batchMagicAt   = 16
	batchCRCAt     = 17
	batchCRCEnd    = 21
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// recordBatch returns a batch of one record.
func recordBatch(at time.Time, key, value []byte) []byte {
	record := kmsg.NewRecord()
	record.Key, record.Value = key, value
	body := record.AppendTo(nil)[1:] // without its length, which is still 0: one byte
	record.Length = int32(len(body))

	batch := kmsg.NewRecordBatch()
	batch.PartitionLeaderEpoch, batch.Magic = -1, 2
	batch.FirstTimestamp, batch.MaxTimestamp = at.UnixMilli(), at.UnixMilli()
	batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence = -1, -1, -1
	batch.NumRecords, batch.Records = 1, record.AppendTo(nil)

	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-batchLengthEnd))
	binary.BigEndian.PutUint32(raw[batchCRCAt:], crc32.Checksum(raw[batchCRCEnd:], castagnoli))
	return raw
}

// sameBatch returns an error unless the batches are equal, except for the two fields that
// the broker sets. Those are not part of the CRC, which is then right as well.
func sameBatch(produced, fetched []byte) error {
	if len(fetched) != len(produced) {
		return fmt.Errorf("%d bytes were produced and %d fetched", len(produced), len(fetched))
	}
	if offset := binary.BigEndian.Uint64(fetched); offset != 0 {
		return fmt.Errorf("the batch has offset %d, not 0", offset)
	}
	if !bytes.Equal(fetched[8:batchLengthEnd], produced[8:batchLengthEnd]) ||
		!bytes.Equal(fetched[batchMagicAt:], produced[batchMagicAt:]) {
		return errors.New("the bytes fetched are not those produced")
	}
	return nil
}
