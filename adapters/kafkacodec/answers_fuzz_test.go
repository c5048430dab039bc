package kafkacodec_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
)

// FuzzAPIVersionsAnswer reads tables of APIs as the message of ports: those that kmsg has written, and any bytes that
// kmsg reads as well. Both show what kmsg shows, in every version, and with every error code.
func FuzzAPIVersionsAnswer(f *testing.F) {
	f.Add(int16(0), int16(35), []byte{0, 18, 0, 0, 0, 4}, "", []byte{0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 3})
	f.Add(int16(3), int16(0), []byte{0, 3, 0, 0, 0, 13, 0, 18, 0, 0, 0, 4}, "metadata.version",
		[]byte{0, 0, 2, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	f.Add(int16(4), int16(0), []byte{0xff, 0xff, 0, 9, 0, 1}, "kraft.version", []byte{0, 35, 1, 0, 0, 0, 0, 0})
	f.Add(int16(4), int16(35), []byte{}, "x", []byte{0, 0, 0, 0, 0, 0, 1, 1, 12, 2, 2, 'f', 0, 1, 0, 2, 0})
	f.Fuzz(func(t *testing.T, version, code int16, rows []byte, feature string, body []byte) {
		if len(feature) > 1000 {
			return
		}
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.ErrorCode = code
		for ; len(rows) >= 6; rows = rows[6:] {
			key := kmsg.NewApiVersionsResponseApiKey()
			key.ApiKey, key.MinVersion = int16(binary.BigEndian.Uint16(rows)), int16(binary.BigEndian.Uint16(rows[2:]))
			key.MaxVersion = int16(binary.BigEndian.Uint16(rows[4:]))
			resp.ApiKeys = append(resp.ApiKeys, key)
		}
		resp.SupportedFeatures = []kmsg.ApiVersionsResponseSupportedFeature{{Name: feature, MinVersion: code,
			MaxVersion: version}}
		resp.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: feature, MinVersionLevel: code,
			MaxVersionLevel: version}}
		if version >= 0 && version <= resp.MaxVersion() {
			resp.Version = version
			got, err := codec.Decode(&ports.APIVersionsRequest{}, version, resp.AppendTo(nil))
			if err != nil {
				t.Fatalf("v%d of %d rows: %v", version, len(resp.ApiKeys), err)
			}
			if version < 3 {
				resp.SupportedFeatures, resp.FinalizedFeatures = nil, nil
			}
			sameTable(t, got, resp)
		}
		got, err := codec.Decode(&ports.APIVersionsRequest{}, version, body)
		if err != nil {
			return
		}
		read := kmsg.NewPtrApiVersionsResponse()
		read.Version = version
		if err := read.ReadFrom(body); err != nil {
			t.Fatalf("v%d: % x was read, and kmsg: %v", version, body, err)
		}
		sameTable(t, got, read)
	})
}

func sameTable(t *testing.T, message ports.Message, want *kmsg.ApiVersionsResponse) {
	t.Helper()
	got, ok := message.(*ports.APIVersionsResponse)
	if !ok || got.ErrorCode != want.ErrorCode || len(got.Ranges) != len(want.ApiKeys) ||
		len(got.Supported) != len(want.SupportedFeatures) || len(got.Finalized) != len(want.FinalizedFeatures) {
		t.Fatalf("got %+v, want %+v", message, want)
	}
	for i, k := range want.ApiKeys {
		if got.Ranges[i] != (ports.APIRange{Key: k.ApiKey, Min: k.MinVersion, Max: k.MaxVersion}) {
			t.Fatalf("row %d: got %v, want %v", i, got.Ranges[i], k)
		}
	}
	for i, k := range want.SupportedFeatures {
		if got.Supported[i] != (ports.Feature{Name: k.Name, Min: k.MinVersion, Max: k.MaxVersion}) {
			t.Fatalf("feature %d: got %v, want %v", i, got.Supported[i], k)
		}
	}
	for i, k := range want.FinalizedFeatures {
		if got.Finalized[i] != (ports.Feature{Name: k.Name, Min: k.MinVersionLevel, Max: k.MaxVersionLevel}) {
			t.Fatalf("finalized feature %d: got %v, want %v", i, got.Finalized[i], k)
		}
	}
}

// FuzzSASLAnswers does the same for the answers of a login.
func FuzzSASLAnswers(f *testing.F) {
	f.Add(int16(1), int16(33), "GSSAPI\x00PLAIN", []byte("token"), int64(3600_000),
		[]byte{0, 33, 0, 0, 0, 1, 0, 6, 'G', 'S', 'S', 'A', 'P', 'I'})
	f.Add(int16(2), int16(58), "Invalid username or password", []byte{}, int64(-1),
		[]byte{0, 58, 3, 'n', 'o', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add(int16(0), int16(0), "", []byte{1, 2}, int64(0), []byte{0, 0, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, version, code int16, text string, bytesOfToken []byte, lifetime int64, body []byte) {
		if len(text) > 30000 || version < 0 {
			return
		}
		handshake := kmsg.NewPtrSASLHandshakeResponse()
		handshake.Version, handshake.ErrorCode = version, code
		handshake.SupportedMechanisms = []string{text, "PLAIN"}
		read := kmsg.NewPtrSASLHandshakeResponse()
		sameLogin(t, &ports.SASLHandshakeRequest{}, handshake, read, version, body, func(got ports.Message) bool {
			m, want := got.(*ports.SASLHandshakeResponse), read
			return m.ErrorCode == want.ErrorCode && slices.Equal(m.Mechanisms, want.SupportedMechanisms)
		})
		authenticate := kmsg.NewPtrSASLAuthenticateResponse()
		authenticate.Version, authenticate.ErrorCode, authenticate.ErrorMessage = version, code, &text
		authenticate.SASLAuthBytes, authenticate.SessionLifetimeMillis = bytesOfToken, lifetime
		answer := kmsg.NewPtrSASLAuthenticateResponse()
		token := &ports.SASLAuthenticateRequest{}
		sameLogin(t, token, authenticate, answer, version, body, func(got ports.Message) bool {
			m, message := got.(*ports.SASLAuthenticateResponse), ""
			if answer.ErrorMessage != nil {
				message = *answer.ErrorMessage
			}
			return m.ErrorCode == answer.ErrorCode && m.ErrorMessage == message &&
				bytes.Equal(m.Token, answer.SASLAuthBytes) && m.SessionLifetimeMillis == answer.SessionLifetimeMillis
		})
	})
}

// sameLogin decodes what kmsg writes of written, and then body; same compares with what read, of the same type, has
// read of it.
func sameLogin(t *testing.T, req ports.Message, written, read kmsg.Response, version int16, body []byte,
	same func(ports.Message) bool) {
	t.Helper()
	if version > written.MaxVersion() {
		return
	}
	for i, each := range [][]byte{written.AppendTo(nil), body} {
		got, err := codec.Decode(req, version, each)
		if err != nil && i == 1 {
			continue
		}
		reflect.ValueOf(read).Elem().SetZero()
		read.SetVersion(version)
		if theirs := read.ReadFrom(each); err != nil || theirs != nil || !same(got) {
			t.Fatalf("v%d of % x: got %v, %v; kmsg reads %+v, %v", version, each, got, err, read, theirs)
		}
	}
}

// FuzzEncode encodes any request of kmsg in any version behind other bytes, as kmsg itself encodes it alone; the
// message and the other bytes stay as they are, and kmsg reads the same request again.
func FuzzEncode(f *testing.F) {
	for _, key := range kafkacodec.Keys() {
		f.Add(key, kmsg.RequestForKey(key).MaxVersion(), uint64(key), []byte("before"))
		f.Add(key, int16(0), uint64(key), []byte{})
	}
	f.Fuzz(func(t *testing.T, key, version int16, seed uint64, before []byte) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			return
		}
		held := (req.MaxVersion() + 1) / 2
		filled(rand.New(rand.NewPCG(seed, 1)), req, held)
		same := kmsg.RequestForKey(key)
		filled(rand.New(rand.NewPCG(seed, 1)), same, version)
		got, err := codec.AppendBody(bytes.Clone(before), req, version)
		if version < 0 || version > req.MaxVersion() {
			if err == nil {
				t.Fatalf("%d v%d: got no error", key, version)
			}
			return
		}
		want := same.AppendTo(nil)
		body, kept := bytes.CutPrefix(got, before)
		if err != nil || !kept || !bytes.Equal(body, want) {
			t.Fatalf("%d v%d: got % x (%v), want % x", key, version, got, err, want)
		}
		if same.SetVersion(held); req.GetVersion() != held || !reflect.DeepEqual(req, same) {
			t.Fatalf("%d v%d: the message is changed", key, version)
		}
		read := kmsg.RequestForKey(key)
		read.SetVersion(version)
		if err := read.ReadFrom(body); err != nil || !bytes.Equal(read.AppendTo(nil), body) {
			t.Fatalf("%d v%d: read again: %v", key, version, err)
		}
	})
}

// FuzzParseRequest takes any frame apart, and puts the parts together: no byte is lost or comes from elsewhere. The
// second half of it is a Produce of kmsg, whose acks decide whether there is an answer.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte{0, 3, 0, 12, 0, 0, 0, 5, 0xff, 0xff, 1, 9, 2, 'a', 'b', 42}, int16(9), int16(0), "me", "txn")
	f.Add([]byte{0, 7, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1}, int16(0), int16(-1), "", "")
	f.Add([]byte{0, 0, 0, 3, 0, 0, 0, 5, 0, 1, 'a', 0xff, 0xff, 0, 0}, int16(3), int16(0), "me", "")
	f.Add([]byte{3, 0xe7, 0, 0, 0, 0, 0, 5, 0x80, 0, 0}, int16(13), int16(1), "é", "t")
	f.Fuzz(func(t *testing.T, frame []byte, version, acks int16, client, transaction string) {
		if h, raw, err := kafkacodec.ParseRequest(frame); err == nil {
			again := binary.BigEndian.AppendUint16(nil, uint16(h.Key))
			again = binary.BigEndian.AppendUint16(again, uint16(h.Version))
			again = binary.BigEndian.AppendUint32(again, uint32(h.CorrelationID))
			switch {
			case h.ClientID != nil:
				again = append(binary.BigEndian.AppendUint16(again, uint16(len(*h.ClientID))), *h.ClientID...)
			case h.Key != 7 || h.Version != 0:
				again = append(again, frame[8:10]...) // null is any negative length
				if frame[8] < 0x80 {
					t.Fatalf("% x: got no client id", frame)
				}
			}
			if again = append(append(again, h.Tags...), raw.Body...); !bytes.Equal(again, frame) {
				t.Fatalf("got % x, want % x", again, frame)
			}
		}
		req := kmsg.NewPtrProduceRequest()
		if version < 0 || version > req.MaxVersion() || len(client) > 1<<15-1 || len(transaction) > 1<<15-1 {
			return
		}
		req.Version, req.Acks = version, acks
		if transaction != "" {
			req.TransactionID = &transaction
		}
		frame = kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, 1)[4:]
		h, raw, err := kafkacodec.ParseRequest(frame)
		if err != nil || raw.NoResponse != (acks == 0) || *h.ClientID != client ||
			!bytes.Equal(raw.Body, req.AppendTo(nil)) {
			t.Fatalf("v%d, acks %d: got %+v, %+v, %v", version, acks, h, raw, err)
		}
	})
}
