package kafkacodec_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// BenchmarkAppendBody sets the pooled copy beside what kmsg takes when the
// message may be changed, and beside a copy that is not pooled.
func BenchmarkAppendBody(b *testing.B) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("topic")}}
	dst := make([]byte, 0, 1024)
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.AppendBody(dst, req, 9); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kmsg, changing the message", func(b *testing.B) {
		b.ReportAllocs()
		var r kafkacodec.Request = req
		for b.Loop() {
			r.SetVersion(9)
			r.AppendTo(dst)
		}
	})
	b.Run("kmsg, fresh copy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			duplicate := *req
			var r kafkacodec.Request = &duplicate
			r.SetVersion(9)
			r.AppendTo(dst)
		}
	})
}

// BenchmarkDecode shows what measuring adds to reading.
func BenchmarkDecode(b *testing.B) {
	meta := kmsg.NewPtrMetadataResponse()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		meta.Topics = append(meta.Topics, filled(rnd, kmsg.NewPtrMetadataResponse(), 9).Topics...)
	}
	fetch := kmsg.NewPtrFetchResponse()
	fetch.Topics = []kmsg.FetchResponseTopic{{
		Partitions: []kmsg.FetchResponseTopicPartition{{RecordBatches: make([]byte, 1<<20)}},
	}}
	for _, c := range []struct {
		name    string
		resp    kafkacodec.Response
		version int16
	}{{"metadata", meta, 9}, {"fetch", fetch, 12}} {
		c.resp.SetVersion(c.version)
		body, req := c.resp.AppendTo(nil), c.resp.RequestKind()
		b.Run(c.name+"/codec", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codec.Decode(req, c.version, body); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/kmsg", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resp := req.ResponseKind()
				resp.SetVersion(c.version)
				if err := resp.ReadFrom(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
