package probe

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

func TestRecordBatch(t *testing.T) {
	raw := recordBatch(time.UnixMilli(1234567890123), []byte("key"), []byte("value"))
	var batch kmsg.RecordBatch
	err := batch.ReadFrom(raw)
	if err != nil || batch.Magic != 2 || batch.NumRecords != 1 || int(batch.Length) != len(raw)-12 ||
		batch.FirstTimestamp != 1234567890123 {
		t.Fatalf("got batch %+v (%v)", batch, err)
	}
	var record kmsg.Record
	err = record.ReadFrom(batch.Records)
	if err != nil || string(record.Key) != "key" || string(record.Value) != "value" {
		t.Errorf("got record %+v (%v), want key and value", record, err)
	}
}

func TestSameBatch(t *testing.T) {
	raw := recordBatch(time.UnixMilli(1), []byte("key"), []byte("value"))
	fakebroker.Must(t, sameBatch(raw, raw))
	for i := range raw {
		changed := append([]byte(nil), raw...)
		changed[i] ^= 1
		isEpoch := i >= 12 && i < 16 // set by the broker
		if err := sameBatch(raw, changed); (err == nil) != isEpoch {
			t.Errorf("byte %d changed: got %v, want equal %v", i, err, isEpoch)
		}
	}
	if sameBatch(raw, raw[:len(raw)-1]) == nil || sameBatch(raw, nil) == nil {
		t.Error("got no error for a shorter batch")
	}
}

func TestPercentile(t *testing.T) {
	var times []time.Duration
	for i := range 100 {
		times = append(times, time.Duration(i+1))
	}
	for _, c := range []struct {
		n, p int
		want time.Duration
	}{{100, 99, 99}, {100, 50, 50}, {1, 99, 1}, {1, 50, 1}, {3, 50, 2}, {4, 99, 4}} {
		if got := percentile(times[:c.n], c.p); got != c.want {
			t.Errorf("p%d of 1 to %d: got %d, want %d", c.p, c.n, got, c.want)
		}
	}
}
