package kafkacodec_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

var codec kafkacodec.Codec

func TestContract(t *testing.T) {
	meta := kmsg.NewPtrMetadataRequest()
	fetch := kmsg.NewPtrFetchRequest()
	pinned := kafkacodec.At(meta, 1)
	produce := kmsg.NewPtrProduceRequest()
	samples := []porttest.CodecSample{
		{Request: meta, Version: 9, Response: answer(t, meta, 9)},
		{Request: fetch, Version: 12, Response: answer(t, fetch, 12)},
		{Request: produce, Version: 5, Response: answer(t, produce, 5)},
		{Request: produce, Version: 9, Response: answer(t, produce, 9)},
		{Request: pinned, Version: 1, Response: answer(t, meta, 1)},
	}
	for i, s := range samples {
		samples[i].ThrottleMillis, samples[i].Wait = throttleByKmsg(t, s.Request.Key(), s.Version, s.Response)
	}
	porttest.Codec(t, codec, samples...)
}

// answer is the response that kmsg writes itself.
func answer(t *testing.T, req kafkacodec.Request, version int16) []byte {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, uint64(version)))
	return filled(rnd, req.ResponseKind(), version).AppendTo(nil)
}

// eachVersion calls f for every API and version of kmsg, each time with
// other values.
func eachVersion(t *testing.T, f func(t *testing.T, seed [2]uint64, key, version int16)) {
	for range 10 {
		seed := rand.Uint64()
		for _, key := range kafkacodec.Keys() {
			highest, _ := kafkacodec.MaxVersion(key)
			for v := int16(0); v <= highest; v++ {
				f(t, [2]uint64{seed, uint64(key)<<16 | uint64(v)}, key, v)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %#x", seed)
		}
	}
}

func source(seed [2]uint64) *rand.Rand { return rand.New(rand.NewPCG(seed[0], seed[1])) }

func TestRequestsAreWrittenAsKmsgWritesThem(t *testing.T) {
	eachVersion(t, func(t *testing.T, seed [2]uint64, key, version int16) {
		req := filled(source(seed), kmsg.RequestForKey(key), 0)
		twin := filled(source(seed), kmsg.RequestForKey(key), 0)

		got, err := codec.AppendBody([]byte("before"), req, version)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(req, twin) {
			t.Errorf("%s v%d: the message was changed", kafkacodec.KeyName(key), version)
		}
		twin.SetVersion(version)
		if want := twin.AppendTo([]byte("before")); !bytes.Equal(got, want) {
			t.Errorf("%s v%d: got %x, kmsg writes %x", kafkacodec.KeyName(key), version, got, want)
		}
	})
}

func TestResponsesAreReadAsKmsgReadsThem(t *testing.T) {
	eachVersion(t, func(t *testing.T, seed [2]uint64, key, version int16) {
		name := kafkacodec.KeyName(key)
		req := kmsg.RequestForKey(key)
		rnd := source(seed)
		body := filled(rnd, kmsg.ResponseForKey(key), version).AppendTo(nil)
		got, err := codec.Decode(req, version, body)
		if err != nil {
			t.Errorf("%s v%d: %v", name, version, err)
		}
		want := kmsg.ResponseForKey(key)
		want.SetVersion(version)
		if err := want.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, ports.Message(want)) {
			t.Errorf("%s v%d: got %+v, kmsg reads %+v", name, version, got, want)
		}
		if _, err := codec.Decode(req, version, append(body[:len(body):len(body)], 0)); err == nil {
			t.Errorf("%s v%d: got no error for a byte left over", name, version)
		}
		if len(body) > 0 {
			if _, err := codec.Decode(req, version, body[:rnd.IntN(len(body))]); err == nil {
				t.Errorf("%s v%d: got no error for a missing end", name, version)
			}
		}
	})
}

func TestTraits(t *testing.T) {
	for _, key := range kafkacodec.Keys() {
		req := kmsg.RequestForKey(key)
		traits, err := codec.Describe(req)
		if err != nil {
			t.Fatal(err)
		}
		// kmsg's default is acks 0
		if traits.MinVersion != 0 || traits.MaxVersion != req.MaxVersion() || traits.NoResponse != (key == 0) {
			t.Errorf("%s: %+v", kafkacodec.KeyName(key), traits)
		}
		for v := int16(0); v <= req.MaxVersion(); v++ {
			req.SetVersion(v)
			flexible := traits.FlexibleFrom >= 0 && v >= traits.FlexibleFrom
			if flexible != req.IsFlexible() {
				t.Errorf("%s v%d: flexible %v, want %v as in kmsg", kafkacodec.KeyName(key), v, flexible,
					req.IsFlexible())
			}
		}
	}
	produce := kmsg.NewPtrProduceRequest()
	for _, acks := range []int16{-1, 0, 1} {
		produce.Acks = acks
		if traits, _ := codec.Describe(produce); traits.NoResponse != (acks == 0) {
			t.Errorf("produce with acks %d: %+v", acks, traits)
		}
	}
}

// TestOneMessageOnManyConnections finds defects under the race detector only.
func TestOneMessageOnManyConnections(t *testing.T) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("t")}}
	want := make([][]byte, req.MaxVersion()+1)
	for v := range want {
		twin := *req
		twin.SetVersion(int16(v))
		want[v] = twin.AppendTo(nil)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				v := i % len(want)
				got, err := codec.AppendBody(nil, req, int16(v))
				if err != nil || !bytes.Equal(got, want[v]) {
					t.Errorf("v%d: %x, %v", v, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendBodyAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("needs a run without the race detector: with it a pool drops values at random")
	}
	req := kmsg.NewPtrMetadataRequest() // a fetch's tags cost kmsg itself two
	dst := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(1000, func() {
		if _, err := codec.Describe(req); err != nil {
			t.Fatal(err)
		}
		if _, err := codec.AppendBody(dst, req, 12); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func TestRefusals(t *testing.T) {
	raw := &ports.RawRequest{APIKey: 3}
	meta := kmsg.NewPtrMetadataRequest()
	for _, c := range []struct {
		m       ports.Message
		version int16
		names   string
	}{
		{raw, 0, "*ports.RawRequest"},
		{&ports.APIVersionsResponse{}, 0, "*ports.APIVersionsResponse"},
		{kmsg.NewPtrMetadataResponse(), 0, "*kmsg.MetadataResponse"},
		{nil, 0, "<nil>"},
		{(*kmsg.MetadataRequest)(nil), 0, "*kmsg.MetadataRequest"},
		{meta, -1, "Metadata v-1"},
		{meta, 99, "Metadata v99"},
		{kafkacodec.At((*kmsg.MetadataRequest)(nil), 3), 3, "*kmsg.MetadataRequest"},
		{kafkacodec.At(meta, 99), 99, "no v99"},
		{kafkacodec.At(meta, 3), 4, "only v3 to v3"},
		{&ports.SASLHandshakeRequest{}, 2, "SASLHandshake v2"},
	} {
		_, err := codec.AppendBody(nil, c.m, c.version)
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("AppendBody(%T v%d): %v, want an error with %q", c.m, c.version, err, c.names)
		}
	}
	if _, err := codec.Decode(meta, 99, nil); err == nil {
		t.Error("a response in an unknown version was read")
	}
}

func TestAt(t *testing.T) {
	req := kmsg.NewPtrMetadataRequest()
	pinned := kafkacodec.At(req, 4)
	traits, err := codec.Describe(pinned)
	if err != nil || traits != (ports.Traits{MinVersion: 4, MaxVersion: 4, FlexibleFrom: 9}) {
		t.Errorf("%+v, %v", traits, err)
	}
	if _, err := codec.Describe(kafkacodec.At(req, 99)); err == nil {
		t.Error("v99 was accepted")
	}
	req.Version = 4
	want := req.AppendTo(nil)
	req.Version = 0
	if got, err := codec.AppendBody(nil, pinned, 4); err != nil || !bytes.Equal(got, want) || req.Version != 0 {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
	if resp, err := codec.Decode(pinned, 4, answer(t, req, 4)); err != nil || resp.Key() != 3 {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestNames(t *testing.T) {
	for _, key := range kafkacodec.Keys() {
		req, ok := kafkacodec.RequestByName(strings.ToUpper(kafkacodec.KeyName(key)))
		if !ok || req.Key() != key {
			t.Errorf("%d: %v, %v", key, req, ok)
		}
		if v, ok := kafkacodec.MaxVersion(key); !ok || v != req.MaxVersion() {
			t.Errorf("%d: highest version %d, %v", key, v, ok)
		}
	}
	req, _ := kafkacodec.RequestByName("metadata")
	if _, ok := req.(*kmsg.MetadataRequest); !ok {
		t.Errorf("metadata is %T", req)
	}
	if _, ok := kafkacodec.RequestByName("nonsense"); ok {
		t.Error("nonsense has a request")
	}
	if _, ok := kafkacodec.MaxVersion(30000); ok {
		t.Error("API 30000 has versions")
	}
	if got := kafkacodec.KeyName(30000); got != "API key 30000" {
		t.Error(got)
	}
}
