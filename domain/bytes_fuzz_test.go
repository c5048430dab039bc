package domain

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// FuzzRequestHeader compares the header of each request with the one that kmsg's formatter writes.
func FuzzRequestHeader(f *testing.F) {
	f.Add(int16(3), int16(1), int32(7), "me", []byte("before"))
	f.Add(int16(18), int16(4), int32(1<<31-1), "", []byte{})
	f.Add(int16(7), int16(0), int32(0), "left out", []byte{0})
	f.Add(int16(7), int16(1), int32(1), strings.Repeat("c", 32767), []byte{})
	f.Fuzz(func(t *testing.T, key, version int16, id int32, client string, before []byte) {
		req := kmsg.RequestForKey(key)
		if req == nil || version < 0 || version > req.MaxVersion() || len(client) > 1<<15-1 {
			return
		}
		req.SetVersion(version)
		want := kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, id)[4:]
		if key != keyControlledShutdown || version != 0 { // there kmsg 1.15 leaves the body out
			want = want[:len(want)-len(req.AppendTo(nil))]
		}
		got := appendHeader(bytes.Clone(before), key, version, id, client, req.IsFlexible())
		got, kept := bytes.CutPrefix(got, before)
		if !kept || !bytes.Equal(got[:4], make([]byte, 4)) || !bytes.Equal(got[4:], want) {
			t.Fatalf("%d v%d: got % x, want four zeros and % x", key, version, got, want)
		}
	})
}

// FuzzReply answers a request of the core with the codec's side of a server, and reads the answer with the core's
// reader, in two pieces: each side reads what the other one wrote.
func FuzzReply(f *testing.F) {
	f.Add(int16(3), int16(12), int32(1), "me", []byte("body"), []byte("answer"), 5)
	f.Add(int16(18), int16(4), int32(-1), "", []byte{}, []byte{0, 35}, 0)
	f.Add(int16(0), int16(9), int32(9), "x", []byte{0, 0, 0}, []byte{}, 9)
	f.Add(int16(7), int16(0), int32(9), "x", []byte{0, 0, 0}, []byte{1}, 9)
	f.Fuzz(func(t *testing.T, key, version int16, id int32, client string, body, answer []byte, cut int) {
		req := kmsg.RequestForKey(key)
		if req == nil || version < 0 || version > req.MaxVersion() || len(client) > 1<<15-1 || len(answer) > 1<<19 {
			return
		}
		req.SetVersion(version)
		request := append(appendHeader(nil, key, version, id, client, req.IsFlexible()), body...)
		h, raw, err := kafkacodec.ParseRequest(request[4:])
		if err != nil {
			if key == 0 {
				return // the acks of its body are read as well
			}
			t.Fatalf("%d v%d: %v", key, version, err)
		}
		named := key != keyControlledShutdown || version > 0
		if h.CorrelationID != id || (h.ClientID != nil) != named || named && *h.ClientID != client ||
			raw.Flexible != req.IsFlexible() || !bytes.Equal(raw.Body, body) {
			t.Fatalf("%d v%d: got %+v and %v, want what was written", key, version, h, raw)
		}
		whole := h.Reply(answer)
		var r frameReader
		rules := frameRules{least: minFrame, limit: 1 << 20, trusted: true}
		piece := min(max(cut, 0), len(whole))
		var frame []byte
		for _, part := range [][]byte{whole[:piece], whole[piece:]} {
			for len(part) > 0 {
				n := copy(r.space(true), part)
				part = part[n:]
				r.advance(n)
				got, _, refused := r.next(rules)
				if refused != nil {
					t.Fatalf("%d v%d: % x: %v", key, version, whole, refused)
				}
				frame = got
			}
		}
		if len(frame) < 4 || int32(binary.BigEndian.Uint32(frame)) != id {
			t.Fatalf("%d v%d: got the frame % x, want the id %d", key, version, frame, id)
		}
		if frame = frame[4:]; req.IsFlexible() && key != 18 { // KIP-511
			if frame, err = skipTags(frame); err != nil {
				t.Fatalf("%d v%d: % x: %v", key, version, whole, err)
			}
		}
		if !bytes.Equal(frame, answer) {
			t.Fatalf("%d v%d: got the body % x, want % x", key, version, frame, answer)
		}
	})
}

// FuzzTagsLikeKmsg compares the end of the tagged fields with where kmsg sees it, and requires that nothing is
// refused that kmsg reads. kmsg reads numbers of 32 bits only, as Kafka does.
func FuzzTagsLikeKmsg(f *testing.F) {
	for _, seed := range []string{"00", "0105026869", "020000010368690a", "ff", "0101ffffffffffffffffff01", "01ff",
		"01808080801000", "8000", "0180800000"} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if count, n := binary.Uvarint(b); n > 0 && count > uint64(len(b)) {
			if _, err := skipTags(b); err == nil {
				t.Fatalf("%d fields in %d bytes were taken", count, len(b))
			}
			return // kmsg counts through them all
		}
		// ApiVersions v3: no error, an API whose tagged fields are b, a throttle time.
		theirs := func(tags []byte) (int32, error) {
			resp := kmsg.NewPtrApiVersionsResponse()
			resp.Version = 3
			err := resp.ReadFrom(append(append([]byte{0, 0, 2, 0, 3, 0, 0, 0, 1}, tags...), 1, 2, 3, 4, 0))
			return resp.ThrottleMillis, err
		}
		rest, err := skipTags(b)
		if longNumber(b[:len(b)-len(rest)]) || err != nil && len(b) > 0 && b[len(b)-1] >= 0x80 {
			return // of which kmsg makes another number, perhaps a large one
		}
		if err != nil {
			if ms, err := theirs(b); err == nil && ms == 0x01020304 {
				t.Fatalf("% x: refused, and kmsg reads it", b)
			}
			return
		}
		section := b[:len(b)-len(rest)]
		if ms, err := theirs(section); err != nil || ms != 0x01020304 {
			t.Fatalf("% x: it ends here, and kmsg reads %#x, %v behind it", section, ms, err)
		}
	})
}

// longNumber reports whether there may be a number of more than 32 bits.
func longNumber(b []byte) bool {
	for i := range b {
		if n, size := binary.Uvarint(b[i:]); size < 0 || size > 5 || n > 1<<31-1 {
			return true
		}
	}
	return false
}

// FuzzBackoff compares each pause with the rule of KIP-144, in whole numbers without a limit.
func FuzzBackoff(f *testing.F) {
	f.Add(int64(50*time.Millisecond), int64(time.Second), 0, uint64(0))
	f.Add(int64(1), int64(100*365*24*time.Hour), 62, uint64(1<<64-1))
	f.Add(int64(3), int64(10), 1<<31-2, uint64(1<<63))
	f.Add(int64(7), int64(7), 1, uint64(12345))
	f.Fuzz(func(t *testing.T, base, upper int64, failures int, random uint64) {
		const century = int64(100 * 365 * 24 * time.Hour) // what settings are bounded by
		if base < 1 || upper < base || upper > century || failures < 0 || failures > 1<<31-2 {
			return
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		b := backoff{failures: failures}
		b.pauses = pauses{base: time.Duration(base), max: time.Duration(upper), rand: func() uint64 { return random }}
		b.fail(now)
		want := new(big.Int).Lsh(big.NewInt(base), uint(min(failures, 64)))
		if want.Cmp(big.NewInt(upper)) > 0 {
			want.SetInt64(upper)
		}
		part := new(big.Int).Div(want, big.NewInt(5))
		offset := new(big.Int).Mul(part, big.NewInt(2))
		offset.Add(offset, big.NewInt(1))
		offset.Mul(offset, new(big.Int).SetUint64(random)).Rsh(offset, 64)
		jittered := new(big.Int).Sub(want, part)
		jittered.Add(jittered, offset)
		got := b.remaining(now)
		if big.NewInt(int64(got)).Cmp(jittered) != 0 || got > b.longest(failures+1) {
			t.Fatalf("after %d failures: got %v, at most %v, want %v ns", failures+1, got, b.longest(failures+1),
				jittered)
		}
		b.failProbe(now, 1)
		if got := b.remaining(now); got > b.longest(1) || b.failures != failures+2 {
			t.Fatalf("after a probe: got %v, want at most %v", got, b.longest(1))
		}
	})
}
