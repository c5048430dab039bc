//go:build acceptance

package acceptance

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// Requests that a broker of any release answers. A request for the metadata of a topic
// creates it, since CreateTopics is new in 0.10.1, and records have the format of before
// 0.11 or the current one.

var roundTrips atomic.Int64

// over dials, calls do with the connection, and closes it.
func over(t testing.TB, cfg broker.Config, do func(context.Context, *broker.Conn) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer closed(conn)
	return do(ctx, conn)
}

// roundTrip connects, asks for the metadata, produces a record and fetches it back. cfg is
// for a listener of b.
func roundTrip(t testing.TB, b *Broker, cfg broker.Config) error {
	t.Helper()
	return over(t, cfg, func(ctx context.Context, conn *broker.Conn) error {
		n := roundTrips.Add(1)
		name, value := fmt.Sprint("round-trip-", n), fmt.Appendf(nil, "record %d", n)
		id, err := awaitTopic(ctx, conn, name, cfg.Port)
		if err != nil {
			return err
		}
		req := produceRequest(name, id, -1, value)
		req.Topics[0].Partitions[0].Records = b.records(value)
		offset, err := produced(req.RequestWith(ctx, conn))
		if err != nil {
			return err
		}
		records, err := fetched(fetchRequest(name, id, offset).RequestWith(ctx, conn))
		if err == nil && !bytes.Contains(records, value) {
			err = fmt.Errorf("produced %q at offset %d, and fetched %q from there", value, offset, records)
		}
		return err
	})
}

// awaitTopic asks for the metadata of a topic until it has a leader, and until the broker
// serves it: the metadata name a leader a moment before, when it still answers a fetch with an
// error. port is the one at which the broker must say that it listens; 0: any.
func awaitTopic(ctx context.Context, conn *broker.Conn, name string, port uint16) (id [16]byte, err error) {
	for {
		req := metadataOf(name)
		req.AllowAutoTopicCreation = true
		resp, err := req.RequestWith(ctx, conn)
		if err != nil {
			return id, err
		}
		// A new broker may not have its own registration yet.
		if len(resp.Brokers) == 1 && port != 0 && resp.Brokers[0].Port != int32(port) {
			return id, fmt.Errorf("the broker at port %d says that it is at %d", port, resp.Brokers[0].Port)
		}
		if len(resp.Brokers) != 1 || resp.Topics[0].ErrorCode != 0 || resp.Topics[0].Partitions[0].ErrorCode != 0 {
			continue
		}
		id = resp.Topics[0].TopicID
		fetch := fetchRequest(name, id, 0)
		fetch.MaxWaitMillis, fetch.MinBytes = 0, 0
		if _, err := fetched(fetch.RequestWith(ctx, conn)); err == nil || errors.As(err, new(*broker.Error)) {
			return id, err
		}
	}
}

// records is a record as the broker stores it.
func (b *Broker) records(value []byte) []byte {
	version, err := parseVersion(b.Version())
	if err != nil {
		panic(err)
	}
	if !version.less("0.11.0.0") {
		return batchOf(value)
	}
	raw := (&kmsg.MessageV0{Value: value}).AppendTo(nil)
	const afterSize, afterCRC = 12, 16
	binary.BigEndian.PutUint32(raw[afterSize-4:], uint32(len(raw)-afterSize))
	binary.BigEndian.PutUint32(raw[afterCRC-4:], crc32.ChecksumIEEE(raw[afterCRC:]))
	return raw
}
