package probe

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"brokerconn/adapters/kafkacodec"
)

// What is printed is read back as the same, for every message of kmsg.
func TestMessagesComeBackFromJSON(t *testing.T) {
	for _, key := range kafkacodec.Keys() {
		t.Run(kafkacodec.KeyName(key), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				original := kmsg.RequestForKey(key)
				original.(interface{ Default() }).Default()
				fillAny(t, reflect.ValueOf(original).Elem())
				text, err := json.Marshal(jsonValue(reflect.ValueOf(original).Elem()))
				if err != nil {
					t.Fatal(err)
				}
				back := kmsg.RequestForKey(key)
				if err := readBody(text, back); err != nil {
					t.Fatalf("%v in %s", err, text)
				}
				if !reflect.DeepEqual(back, original) {
					t.Fatalf("%s\nbecame %+v\nand was %+v", text, back, original)
				}
			})
		})
	}
}

// fillAny fills Kafka's fields of v with anything.
func fillAny(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for f, field := range v.Fields() {
			if isKafkas(v.Type(), f) {
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
		v.SetInt(rapid.Int64Range(math.MinInt64>>(64-v.Type().Bits()), math.MaxInt64>>(64-v.Type().Bits())).Draw(t, "int"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(rapid.Uint64Range(0, math.MaxUint64>>(64-v.Type().Bits())).Draw(t, "uint"))
	default:
		t.Fatalf("kmsg has a new kind of field: %v", v.Type())
	}
}

func TestBodyHasDefaults(t *testing.T) {
	req := kmsg.NewPtrFetchRequest()
	if err := readBody([]byte(`{"topics":[{"partitions":[{"partition":4}]}]}`), req); err != nil {
		t.Fatal(err)
	}
	want := kmsg.NewFetchRequestTopicPartition()
	want.Partition = 4
	if got := req.Topics[0].Partitions[0]; !reflect.DeepEqual(got, want) || got.CurrentLeaderEpoch != -1 {
		t.Errorf("%+v", got)
	}
	if req.ReplicaID != -1 || req.SessionEpoch != -1 {
		t.Errorf("%+v", req)
	}
}

func TestBodyOfEnumerationsAndIDs(t *testing.T) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	if err := readBody([]byte(`{"Resources":[{"ResourceType":"TOPIC"},{"ResourceType":4}]}`), req); err != nil {
		t.Fatal(err)
	}
	if r := req.Resources; r[0].ResourceType != kmsg.ConfigResourceTypeTopic || r[1].ResourceType != kmsg.ConfigResourceTypeBroker {
		t.Errorf("%+v", r)
	}
	want := [16]byte{0xfb, 0xff, 0xbf, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, id := range []string{
		"-_-_AwQFBgcICQoLDA0ODw", "+/+/AwQFBgcICQoLDA0ODw==",
		"fbffbf030405060708090a0b0c0d0e0f", "fbffbf03-0405-0607-0809-0a0b0c0d0e0f",
	} {
		meta := kmsg.NewPtrMetadataRequest()
		if err := readBody([]byte(`{"Topics":[{"TopicID":"`+id+`"}]}`), meta); err != nil || meta.Topics[0].TopicID != want {
			t.Errorf("%s: %v %v", id, meta.Topics, err)
		}
	}
}

func TestBodyIsRefused(t *testing.T) {
	for _, c := range []struct{ body, word string }{
		{`[]`, "the body must be an object, not an array"},
		{`null`, "the body cannot be null"},
		{`3`, "the body must be an object, not 3"},
		{`{} {}`, "more than one JSON value"},
		{`{}x`, "more than one JSON value"},
		{`{"Topics":[}`, "not JSON"},
		{`{"Topics":[{"Topic":"a"}`, "ends too early"},
		{`{"Version":3}`, "no field"},
		{`{"UnknownTags":{}}`, "no field"},
		{`{"Topics":[{"Topik":"a"}]}`, `Topics[0] has no field "Topik"; the nearest is "Topic"`},
		{`{"Topics":[{"Topic":"a"},{"Topic":3}]}`, "Topics[1].Topic must be a string, not 3"},
		{`{"Topics":{}}`, "Topics must be an array, not an object"},
		{`{"Topics":[],"topics":[]}`, "Topics is given twice"},
		{`{"Topics":[{"TopicID":"short"}]}`, "Topics[0].TopicID"},
		{`{"Topics":[{"TopicID":3}]}`, "an id in a string"},
		{`{"AllowAutoTopicCreation":1}`, "AllowAutoTopicCreation must be true or false, not 1"},
		{`{"AllowAutoTopicCreation":null}`, "AllowAutoTopicCreation cannot be null"},
	} {
		if err := readBody([]byte(c.body), kmsg.NewPtrMetadataRequest()); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	for _, c := range []struct{ body, word string }{
		{`{"Acks":40000}`, "Acks: 40000 does not fit an integer of 16 bits"},
		{`{"Acks":1.5}`, "Acks: 1.5"},
		{`{"Acks":"all"}`, `Acks must be an integer of 16 bits, not "all"`},
		{`{"Topics":[{"Partitions":[{"Records":"?"}]}]}`, "Topics[0].Partitions[0].Records: illegal base64"},
		{`{"Topics":[{"Partitions":[{"Records":[1]}]}]}`, "base64 in a string"},
	} {
		if err := readBody([]byte(c.body), kmsg.NewPtrProduceRequest()); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	if err := readBody([]byte(`{"Resources":[{"ResourceType":"NONSENSE"}]}`), kmsg.NewPtrDescribeConfigsRequest()); err == nil {
		t.Error("a name that there is not is an enumeration's value")
	}
}

func TestErrorCodesAreFound(t *testing.T) {
	said := "the broker's own words"
	part := kmsg.NewProduceResponseTopicPartition()
	part.ErrorCode, part.ErrorMessage = 87, &said
	topic := kmsg.NewProduceResponseTopic()
	topic.Partitions = append(topic.Partitions, kmsg.NewProduceResponseTopicPartition(), part)
	produced := kmsg.NewPtrProduceResponse()
	produced.Topics = append(produced.Topics, topic)

	fetched := kmsg.NewPtrShareFetchResponse()
	fetched.ErrorCode = 9999
	inner := kmsg.NewShareFetchResponseTopicPartition()
	inner.AcknowledgeErrorCode = 6
	shared := kmsg.NewShareFetchResponseTopic()
	shared.Partitions = append(shared.Partitions, inner)
	fetched.Topics = append(fetched.Topics, shared)

	for _, c := range []struct {
		m    kmsg.Response
		want []answeredError
	}{
		{kmsg.NewPtrMetadataResponse(), nil},
		{produced, []answeredError{{"Topics[0].Partitions[1].ErrorCode", 87, "INVALID_RECORD", said}}},
		{fetched, []answeredError{
			{"ErrorCode", 9999, "UNKNOWN", "no error of Kafka's that is known here"},
			{"Topics[0].Partitions[0].AcknowledgeErrorCode", 6, "NOT_LEADER_FOR_PARTITION", ""},
		}},
	} {
		var got []answeredError
		if err, ok := answerErrors(c.m).(*answerError); ok {
			got = err.all
		}
		if len(got) != len(c.want) {
			t.Errorf("%T: %+v", c.m, got)
			continue
		}
		for i, w := range c.want {
			if w.Message == "" {
				w.Message = got[i].Message
			}
			if got[i] != w {
				t.Errorf("%T: %+v, want %+v", c.m, got[i], w)
			}
		}
	}
}
