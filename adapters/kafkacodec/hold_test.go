package kafkacodec_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

// holding is, by API and field, the first version in which the field lets a broker hold the
// request, and the last; -1: up to the newest. The schemas are Kafka's (clients/src/main/resources/
// common/message of 4.4), and so is which fields the broker waits by: KafkaApis, ReplicaManager's and
// the group coordinator's purgatories.
var holding = map[string][2]int16{
	"Produce.TimeoutMillis":                    {0, -1}, // for acks -1
	"Fetch.MaxWaitMillis":                      {0, -1},
	"ListOffsets.TimeoutMillis":                {10, -1}, // KIP-1075
	"JoinGroup.SessionTimeoutMillis":           {0, 0},   // v0 has no time for the rebalance
	"JoinGroup.RebalanceTimeoutMillis":         {1, -1},
	"CreateTopics.TimeoutMillis":               {0, -1},
	"DeleteTopics.TimeoutMillis":               {0, -1},
	"DeleteRecords.TimeoutMillis":              {0, -1},
	"CreatePartitions.TimeoutMillis":           {0, -1},
	"ElectLeaders.TimeoutMillis":               {0, -1},
	"AlterPartitionAssignments.TimeoutMillis":  {0, -1},
	"ListPartitionReassignments.TimeoutMillis": {0, -1},
	"UpdateFeatures.TimeoutMillis":             {0, -1},
	"ShareFetch.MaxWaitMillis":                 {0, -1},
	"AddRaftVoter.TimeoutMillis":               {0, -1},
}

// notHolding are fields that look like it, and what they are.
var notHolding = map[string]string{
	"OffsetCommit.RetentionTimeMillis":              "for how long offsets are kept",
	"InitProducerID.TransactionTimeoutMillis":       "of transactions",
	"CreateDelegationToken.MaxLifetimeMillis":       "of the token",
	"RenewDelegationToken.RenewTimeMillis":          "of the token",
	"ExpireDelegationToken.ExpiryPeriodMillis":      "of the token",
	"ListTransactions.DurationFilterMillis":         "a filter",
	"ConsumerGroupHeartbeat.RebalanceTimeoutMillis": "of the next rebalance; heartbeats are answered at once",
	"StreamsGroupHeartbeat.RebalanceTimeoutMillis":  "the same",
}

// TestHoldOfEveryRequest compares with the tables above in every version, and fails for a new
// field of kmsg that is in none.
func TestHoldOfEveryRequest(t *testing.T) {
	seen := 0
	for _, key := range kafkacodec.Keys() {
		highest, _ := kafkacodec.MaxVersion(key)
		typ := reflect.TypeOf(kmsg.RequestForKey(key)).Elem()
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := kafkacodec.KeyName(key) + "." + f.Name
			between, holds := holding[name]
			_, not := notHolding[name]
			looksIt := strings.Contains(f.Name, "Millis") || strings.Contains(f.Name, "Timeout") ||
				strings.Contains(f.Name, "Wait")
			if looksIt && !holds && !not {
				t.Errorf("%s: got a field in neither table", name)
			}
			if !looksIt {
				continue
			}
			seen++
			for v := int16(0); v <= highest; v++ {
				req := kmsg.RequestForKey(key)
				if p, ok := req.(*kmsg.ProduceRequest); ok {
					p.Acks = -1
				}
				zero(req)
				reflect.ValueOf(req).Elem().Field(i).SetInt(7000)
				want := time.Duration(0)
				if holds && v >= between[0] && (between[1] < 0 || v <= between[1]) {
					want = 7 * time.Second
				}
				if got := codec.Hold(req, v); got != want {
					t.Errorf("%s v%d: got %v, want %v", name, v, got, want)
				}
				if got := codec.Hold(kafkacodec.At(req, v), v); got != want {
					t.Errorf("%s v%d pinned: got %v, want %v", name, v, got, want)
				}
			}
		}
	}
	if want := len(holding) + len(notHolding); seen != want {
		t.Errorf("got %d fields, want %d: the tables have some that kmsg has not", seen, want)
	}
}

// zero clears the times of a request that kmsg sets by default.
func zero(req kmsg.Request) {
	v := reflect.ValueOf(req).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; strings.HasSuffix(name, "Millis") {
			v.Field(i).SetZero()
		}
	}
}

type (
	fetchByValue   struct{ kmsg.FetchRequest }
	fetchByPointer struct{ *kmsg.FetchRequest }
	aroundNil      struct{ *kmsg.FetchRequest }
)

func (aroundNil) SetVersion(int16)            {}
func (aroundNil) GetVersion() int16           { return 4 }
func (aroundNil) IsFlexible() bool            { return false }
func (aroundNil) ResponseKind() kmsg.Response { return kmsg.NewPtrFetchResponse() }

func TestHoldOfOtherRequests(t *testing.T) {
	fetch := kmsg.NewPtrFetchRequest()
	fetch.MaxWaitMillis = 500
	produce := func(acks int16, ms int32) *kmsg.ProduceRequest {
		p := kmsg.NewPtrProduceRequest()
		p.Acks, p.TimeoutMillis = acks, ms
		return p
	}
	for _, c := range []struct {
		name    string
		m       ports.Message
		version int16
		want    time.Duration
	}{
		{"a user's type", &fetchByValue{*fetch}, 4, 500 * time.Millisecond},
		{"a user's type around a pointer", fetchByPointer{fetch}, 4, 500 * time.Millisecond},
		{"a user's type around nil", aroundNil{}, 4, 0},
		{"all replicas", produce(-1, 15_000), 9, 15 * time.Second},
		{"the leader alone", produce(1, 15_000), 9, 0},
		{"no answer", produce(0, 15_000), 9, 0},
		{"negative", produce(-1, -1), 9, 0},
		{"no such version", fetch, 1000, 0},
		{"negative version", fetch, -1, 0},
		{"no such field", kmsg.NewPtrMetadataRequest(), 9, 0},
		{"of the core", &ports.APIVersionsRequest{}, 3, 0},
		{"unknown", &ports.RawRequest{APIKey: 1}, 3, 0},
		{"nil", (*kmsg.FetchRequest)(nil), 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := codec.Hold(c.m, c.version); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() { codec.Hold(fetch, 4) }); n != 0 && !raceEnabled {
		t.Errorf("got %v allocations, want none", n)
	}
}
