package domain_test

import (
	"encoding/binary"
	"testing"
	"time"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/domain"
	"brokerconn/ports"
)

// FuzzVersionsAnswers answers ApiVersions with any bodies, in pieces of any size: a question that is repeated asks for
// a lower version each time, so a peer cannot keep the client asking; a table that the codec reads connects, and what
// is neither a table nor a lower version ends the connection.
func FuzzVersionsAnswers(f *testing.F) {
	table := []byte{0, 0, 3, 0, 3, 0, 0, 0, 13, 0, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0}
	lower := []byte{0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 3}
	old := []byte{0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 2}
	f.Add(table, []byte{}, []byte{}, uint8(255))
	f.Add(lower, table, []byte{}, uint8(0))
	f.Add(lower, lower, old, uint8(3))
	f.Add([]byte{0, 35, 0, 0, 0, 0}, old, []byte{}, uint8(5))
	f.Add([]byte{0, 35}, []byte{0, 35}, []byte{0, 35}, uint8(5))
	higher := []byte{0, 35, 2, 0, 18, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0} // in the version that was asked
	f.Add(higher, table, old, uint8(1))
	f.Add([]byte{0xff, 0xff, 1, 0, 0, 0, 0, 0}, []byte{}, []byte{}, uint8(9))
	f.Fuzz(func(t *testing.T, first, second, third []byte, piece uint8) {
		if len(first)+len(second)+len(third) > 1<<18 {
			return
		}
		p := newLoginPeer(domain.Config{})
		asked := int16(5)
		for _, body := range [][]byte{first, second, third} {
			if p.m.State() != domain.NegotiatingVersions {
				break
			}
			key, version := int16(binary.BigEndian.Uint16(p.sent[4:])), int16(binary.BigEndian.Uint16(p.sent[6:]))
			size, id := int(binary.BigEndian.Uint32(p.sent)), int32(binary.BigEndian.Uint32(p.sent[8:]))
			if key != ports.KeyAPIVersions || version < 0 || version >= asked || size != len(p.sent)-4 {
				t.Fatalf("got the request % x, want one ApiVersions below v%d", p.sent, asked)
			}
			asked, p.sent = version, nil
			p.feed(frame(id, body), 1+int(piece))
			got, err := kafkacodec.Codec{}.Decode(&ports.APIVersionsRequest{}, version, body)
			if err != nil {
				continue
			}
			if answer := got.(*ports.APIVersionsResponse); answer.ErrorCode == 0 {
				if _, err := domain.NewVersions(answer, version); err == nil && p.m.State() != domain.Connected {
					t.Fatalf("v%d of % x: got %v (%v), want %v", version, body, p.m.State(), p.m.LastError(),
						domain.Connected)
				}
			}
		}
		if p.m.State() == domain.NegotiatingVersions {
			p.m.HandleTimeout(p.now.Add(time.Minute))
			p.drain()
		}
		if s := p.m.State(); s != domain.Connected && (s != domain.Disconnected || p.m.LastError() == nil) {
			t.Fatalf("got %v (%v), want it ready, or down with a reason", s, p.m.LastError())
		}
	})
}

// feed reads a whole frame in pieces, while the connection is in setup.
func (p *loginPeer) feed(whole []byte, piece int) {
	for len(whole) > 0 && p.m.State().SettingUp() {
		n := copy(p.m.Space(), whole[:min(piece, len(whole))])
		p.m.HandleRead(p.now, p.m.Epoch(), n)
		whole = whole[n:]
		p.drain()
	}
}
