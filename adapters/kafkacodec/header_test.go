package kafkacodec_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// TestParseRequest reads every request of kmsg in every version, as franz-go's client writes it.
func TestParseRequest(t *testing.T) {
	for key := range int16(kmsg.MaxKey + 1) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			continue
		}
		for version := range req.MaxVersion() + 1 {
			req.SetVersion(version)
			frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("me")).AppendRequest(nil, req, 77)
			if key == 7 && version == 0 { // kmsg 1.15 leaves the body out
				frame = req.AppendTo(frame)
			}
			h, raw, err := kafkacodec.ParseRequest(frame[4:])
			if err != nil {
				t.Errorf("%s v%d: %v", kmsg.NameForKey(key), version, err)
				continue
			}
			if h.Key != key || h.Version != version || h.CorrelationID != 77 || (h.Tags != nil) != req.IsFlexible() ||
				raw.APIKey != key || raw.APIVersion != version || raw.Flexible != req.IsFlexible() {
				t.Errorf("%s v%d: got %+v, %+v", kmsg.NameForKey(key), version, h, raw)
			}
			if old := key == 7 && version == 0; old != (h.ClientID == nil) || !old && *h.ClientID != "me" {
				t.Errorf("%s v%d: got client id %v", kmsg.NameForKey(key), version, h.ClientID)
			}
			if want := req.AppendTo(nil); !bytes.Equal(raw.Body, want) {
				t.Errorf("%s v%d: got a body of %d bytes, want %d",
					kmsg.NameForKey(key), version, len(raw.Body), len(want))
			}
			checkCuts(t, kmsg.NameForKey(key), frame[4:], len(raw.Body))
		}
	}
}

// checkCuts requires that a header that is cut anywhere is an error.
func checkCuts(t *testing.T, name string, frame []byte, body int) {
	t.Helper()
	for n := range len(frame) - body {
		if _, _, err := kafkacodec.ParseRequest(frame[:n]); err == nil {
			t.Errorf("%s: the first %d bytes of %d are taken for a header", name, n, len(frame)-body)
		}
	}
}

func TestParseRequestOfProduce(t *testing.T) {
	id := "a transaction"
	for version := range kmsg.NewPtrProduceRequest().MaxVersion() + 1 {
		for _, acks := range []int16{-1, 0, 1} {
			req := kmsg.NewPtrProduceRequest()
			req.Version, req.Acks = version, acks
			if version >= 3 && acks != 1 {
				req.TransactionID = &id
			}
			frame := kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
			h, raw, err := kafkacodec.ParseRequest(frame[4:])
			if err != nil || raw.NoResponse != (acks == 0) || h.ClientID != nil {
				t.Errorf("v%d, acks %d: got %+v, %+v, %v", version, acks, h, raw, err)
			}
		}
	}
}

func TestParseRequestKeepsTags(t *testing.T) {
	frame := []byte{0, 3, 0, 12, 0, 0, 0, 5, 0xff, 0xff, 1, 9, 2, 'a', 'b', 42}
	h, raw, err := kafkacodec.ParseRequest(frame)
	if err != nil || !bytes.Equal(h.Tags, frame[10:15]) || !bytes.Equal(raw.Body, []byte{42}) || h.ClientID != nil {
		t.Errorf("got %+v, %+v, %v", h, raw, err)
	}
	binary.BigEndian.PutUint16(frame, 999) // an API of the future
	if h, raw, err := kafkacodec.ParseRequest(frame); err != nil || !raw.Flexible || len(h.Tags) != 5 {
		t.Errorf("API 999: got %+v, %+v, %v", h, raw, err)
	}
	for _, bad := range [][]byte{
		{0, 3, 0, 12, 0, 0, 0, 5, 0xff, 0xff, 1, 9, 200, 1, 'a'},                  // a field longer than the frame
		{0, 3, 0, 12, 0, 0, 0, 5, 0x7f, 0xff, 'a'},                                // so is the client id
		{0, 3, 0, 12, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, // and the count
		{0, 0, 0, 3, 0, 0, 0, 5, 0xff, 0xff, 0x7f, 0xff, 'a'},                     // and a transaction
	} {
		if h, raw, err := kafkacodec.ParseRequest(bad); err == nil {
			t.Errorf("% x: got %+v, %+v", bad, h, raw)
		}
	}
}

// TestReply serves franz-go's client, which reads the headers of the responses in its own way.
func TestReply(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serveMetadata(conn, l.Addr().(*net.TCPAddr))
		}
	}()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.Addr().String()), kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(context.Background(), client)
	if err != nil || len(resp.Brokers) != 1 || resp.ClusterID == nil || *resp.ClusterID != "ours" {
		t.Errorf("got %+v, %v", resp, err)
	}
	client.Close()
	l.Close()
	<-served
}

func serveMetadata(conn net.Conn, addr *net.TCPAddr) {
	defer conn.Close()
	for {
		size := make([]byte, 4)
		if _, err := io.ReadFull(conn, size); err != nil {
			return
		}
		frame := make([]byte, binary.BigEndian.Uint32(size))
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		h, raw, err := kafkacodec.ParseRequest(frame)
		if err != nil {
			panic(err)
		}
		var body []byte
		switch h.Key {
		case 18:
			resp := kmsg.NewPtrApiVersionsResponse()
			resp.Version = raw.APIVersion
			resp.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 3, MaxVersion: 12}, {ApiKey: 18, MaxVersion: 4}}
			body = resp.AppendTo(nil)
		case 3:
			resp := kmsg.NewPtrMetadataResponse()
			resp.Version = raw.APIVersion
			resp.ClusterID = kmsg.StringPtr("ours")
			resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: int32(addr.Port)}}
			body = resp.AppendTo(nil)
		}
		if _, err := conn.Write(h.Reply(body)); err != nil {
			return
		}
	}
}
