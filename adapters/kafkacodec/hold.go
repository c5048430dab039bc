package kafkacodec

import (
	"bytes"
	"reflect"
	"time"

	"brokerconn/ports"
)

// A broker may hold a request for as long as one of its fields allows: Fetch until there are
// records, JoinGroup until all members have joined, CreateTopics until the cluster has them. kmsg
// names these fields alike.

var _ ports.HoldingCodec = Codec{}

const (
	keyProduce   = 0
	keyJoinGroup = 11
)

// holdingFields are the names of the field, in milliseconds; of two that a version has, the first
// counts. JoinGroup v0 has the session timeout alone, which bounds the rebalance. Timeouts of other
// names, such as those of a transaction or of a heartbeat, delay no response.
func holdingFields(key int16) []string {
	if key == keyJoinGroup {
		return []string{"RebalanceTimeoutMillis", "SessionTimeoutMillis"}
	}
	return []string{"MaxWaitMillis", "TimeoutMillis"}
}

// Hold returns the time of the field by which the broker may hold m. It is 0 for a Produce that
// does not wait for all replicas.
func (Codec) Hold(m ports.Message, version int16) time.Duration {
	req := alike(m)
	if req == nil {
		return 0
	}
	k, err := kindOf(req)
	if err != nil || version < 0 || int(version) >= len(k.holds) || k.holds[version] == nil {
		return 0
	}
	v := reflect.Indirect(reflect.ValueOf(req))
	if k.acks != nil && intField(v, k.acks) != -1 {
		return 0
	}
	return time.Duration(max(intField(v, k.holds[version]), 0)) * time.Millisecond
}

// intField returns 0 if the way to the field leads through a nil pointer.
func intField(v reflect.Value, index []int) int64 {
	f, err := v.FieldByIndexErr(index)
	if err != nil {
		return 0
	}
	return f.Int()
}

// findHolds sets, for each version, the index of the field by which a broker may hold the request;
// nil if the version has none.
func (k *kind) findHolds(req Request) {
	t := reflect.Indirect(reflect.ValueOf(req)).Type()
	if t.Kind() != reflect.Struct {
		return
	}
	for _, name := range holdingFields(req.Key()) {
		f, ok := t.FieldByName(name)
		if !ok || f.Type.Kind() != reflect.Int32 {
			continue
		}
		if k.holds == nil {
			k.holds = make([][]int, int(k.maxVersion)+1)
		}
		for version := range k.holds {
			if k.holds[version] == nil && (k.fixed || k.encodes(f.Index, int16(version))) {
				k.holds[version] = f.Index
			}
		}
	}
}

// encodes reports whether a version has the field.
func (k *kind) encodes(field []int, version int16) bool {
	blank := k.scratch.New().(Request)
	blank.SetVersion(version)
	without := blank.AppendTo(nil)
	reflect.ValueOf(blank).Elem().FieldByIndex(field).SetInt(1)
	return !bytes.Equal(without, blank.AppendTo(nil))
}
