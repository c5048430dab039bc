package probe

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/kafkacodec"
)

// TestJSONRoundTrip holds for every request of kmsg.
func TestJSONRoundTrip(t *testing.T) {
	for _, key := range kafkacodec.Keys() {
		t.Run(kafkacodec.KeyName(key), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := kmsg.RequestForKey(key)
				want.(interface{ Default() }).Default()
				fillAny(t, reflect.ValueOf(want).Elem())
				text := appendJSON(nil, reflect.ValueOf(want).Elem())
				got := kmsg.RequestForKey(key)
				if err := readBody(text, got); err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("got %+v (%v), want %+v, of %s", got, err, want, text)
				}
			})
		})
	}
}

// fillAny sets Kafka's fields of v to any values.
func fillAny(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for f, field := range v.Fields() {
			if isKafkaField(v.Type(), f) {
				fillAny(t, field)
			}
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "null") {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fillAny(t, v.Elem())
	case reflect.Slice:
		n := rapid.IntRange(-1, 2).Draw(t, "length")
		if n < 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fillAny(t, v.Index(i))
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		unused := 64 - v.Type().Bits()
		v.SetInt(rapid.Int64Range(math.MinInt64>>unused, math.MaxInt64>>unused).Draw(t, "int"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(rapid.Uint64Range(0, math.MaxUint64>>(64-v.Type().Bits())).Draw(t, "uint"))
	default:
		t.Fatalf("got a field of type %v, want a known kind", v.Type())
	}
}

func TestBodyHasDefaults(t *testing.T) {
	req := kmsg.NewPtrFetchRequest()
	fakebroker.Must(t, readBody([]byte(`{"topics":[{"partitions":[{"partition":4}]}]}`), req))
	want := kmsg.NewFetchRequestTopicPartition()
	want.Partition = 4
	if got := req.Topics[0].Partitions[0]; !reflect.DeepEqual(got, want) || got.CurrentLeaderEpoch != -1 {
		t.Errorf("got partition %+v, want %+v", got, want)
	}
	if req.ReplicaID != -1 || req.SessionEpoch != -1 {
		t.Errorf("got %+v, want replica and epoch -1", req)
	}
}

func TestBodyOfEnumerationsAndIDs(t *testing.T) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	err := readBody([]byte(`{"Resources":[{"ResourceType":"TOPIC"},{"ResourceType":4}]}`), req)
	if err != nil || req.Resources[0].ResourceType != kmsg.ConfigResourceTypeTopic ||
		req.Resources[1].ResourceType != kmsg.ConfigResourceTypeBroker {
		t.Errorf("got %+v (%v), want a topic and a broker", req.Resources, err)
	}
	want := [16]byte{0xfb, 0xff, 0xbf, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, id := range []string{
		"-_-_AwQFBgcICQoLDA0ODw", "+/+/AwQFBgcICQoLDA0ODw==",
		"fbffbf030405060708090a0b0c0d0e0f", "fbffbf03-0405-0607-0809-0a0b0c0d0e0f",
	} {
		meta := kmsg.NewPtrMetadataRequest()
		err := readBody([]byte(`{"Topics":[{"TopicID":"`+id+`"}]}`), meta)
		if err != nil || meta.Topics[0].TopicID != want {
			t.Errorf("%s: got %v (%v), want %v", id, meta.Topics, err, want)
		}
	}
}

func TestInvalidBody(t *testing.T) {
	for _, c := range []struct {
		key        kmsg.Key
		body, want string
	}{
		{kmsg.Metadata, `[]`, "the body must be an object, not an array"},
		{kmsg.Metadata, `null`, "the body cannot be null"},
		{kmsg.Metadata, `3`, "the body must be an object, not 3"},
		{kmsg.Metadata, `{} {}`, "more than one JSON value"},
		{kmsg.Metadata, `{}x`, "more than one JSON value"},
		{kmsg.Metadata, `{"Topics":[}`, "not JSON"},
		{kmsg.Metadata, `{"Topics":[{"Topic":"a"}`, "ends too early"},
		{kmsg.Metadata, `{"Version":3}`, "no field"},
		{kmsg.Metadata, `{"UnknownTags":{}}`, "no field"},
		{kmsg.Metadata, `{"Topics":[{"Topik":"a"}]}`, `Topics[0] has no field "Topik"; the nearest is "Topic"`},
		{kmsg.Metadata, `{"Topics":[{"Topic":"a"},{"Topic":3}]}`, "Topics[1].Topic must be a string, not 3"},
		{kmsg.Metadata, `{"Topics":{}}`, "Topics must be an array, not an object"},
		{kmsg.Metadata, `{"Topics":[],"topics":[]}`, "Topics is given twice"},
		{kmsg.Metadata, `{"Topics":[{"TopicID":"short"}]}`, "Topics[0].TopicID"},
		{kmsg.Metadata, `{"Topics":[{"TopicID":3}]}`, "an id in a string"},
		{kmsg.Metadata, `{"AllowAutoTopicCreation":1}`, "AllowAutoTopicCreation must be true or false, not 1"},
		{kmsg.Metadata, `{"AllowAutoTopicCreation":{}}`, "must be true or false, not an object"},
		{kmsg.Metadata, `{"AllowAutoTopicCreation":null}`, "AllowAutoTopicCreation cannot be null"},
		{kmsg.Produce, `{"Acks":40000}`, "Acks: 40000 does not fit an integer of 16 bits"},
		{kmsg.Produce, `{"Acks":1.5}`, "Acks: 1.5"},
		{kmsg.Produce, `{"Acks":"all"}`, `Acks must be an integer of 16 bits, not "all"`},
		{kmsg.Produce, `{"Topics":[{"Partitions":[{"Records":"?"}]}]}`, "[0].Partitions[0].Records: illegal base64"},
		{kmsg.Produce, `{"Topics":[{"Partitions":[{"Records":[1]}]}]}`, "base64 in a string"},
		{kmsg.DescribeConfigs, `{"Resources":[{"ResourceType":"NONSENSE"}]}`, "Resources[0].ResourceType"},
	} {
		err := readBody([]byte(c.body), kmsg.RequestForKey(c.key.Int16()))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.body, err, c.want)
		}
	}
}

func TestErrorCodesAreFound(t *testing.T) {
	message := "the broker's own text"
	part := kmsg.NewProduceResponseTopicPartition()
	part.ErrorCode, part.ErrorMessage = 87, &message
	produced := kmsg.NewPtrProduceResponse()
	produced.Topics = []kmsg.ProduceResponseTopic{{Partitions: []kmsg.ProduceResponseTopicPartition{{}, part}}}

	shared := kmsg.NewShareFetchResponseTopicPartition()
	shared.AcknowledgeErrorCode = 6
	fetched := kmsg.NewPtrShareFetchResponse()
	fetched.ErrorCode = 9999
	fetched.Topics = []kmsg.ShareFetchResponseTopic{{Partitions: []kmsg.ShareFetchResponseTopicPartition{shared}}}

	for _, c := range []struct {
		m    kmsg.Response
		want []answeredError // an empty Message is not compared
	}{
		{kmsg.NewPtrMetadataResponse(), nil},
		{produced, []answeredError{{"Topics[0].Partitions[1].ErrorCode", 87, "INVALID_RECORD", message}}},
		{fetched, []answeredError{
			{"ErrorCode", 9999, "UNKNOWN", "not a known error code of Kafka"},
			{"Topics[0].Partitions[0].AcknowledgeErrorCode", 6, "NOT_LEADER_FOR_PARTITION", ""},
		}},
	} {
		var got []answeredError
		if err, ok := answerErrors(c.m, nil).(*answerError); ok {
			got = err.all
		}
		if !slices.EqualFunc(got, c.want, func(got, want answeredError) bool {
			want.Message = cmp.Or(want.Message, got.Message)
			return got == want
		}) {
			t.Errorf("%T: got %+v, want %+v", c.m, got, c.want)
		}
	}
}
