package model_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// FuzzBroker sends a broker any bytes, whole and in pieces: what it answers is the same, in the order of the requests,
// and no more than one for each. A broker that closes the connection drops what is not sent yet.
func FuzzBroker(f *testing.F) {
	request := func(key, version, id byte, body string) string {
		head := []byte{0, 0, 0, byte(10 + len(body)), 0, key, 0, version, 0, 0, 0, id, 0xff, 0xff}
		return string(append(head, body...))
	}
	versions := request(18, 4, 1, "\x00\x02a\x02b\x00")
	plain := request(17, 1, 2, "\x00\x05PLAIN") + request(36, 0, 3, "\x00\x00\x00\x04\x00a\x00b")
	metadata := request(3, 0, 4, "\x00\x00\x00\x00")
	for kind := range uint8(6) {
		f.Add([]byte(versions+plain+metadata), uint8(7), kind)
		f.Add([]byte(versions+metadata+plain+request(0, 3, 9, "\xff\xff\x00\x00")), uint8(1), kind)
		f.Add([]byte(request(17, 1, 2, "\x00\x0bOAUTHBEARER")+
			request(36, 2, 3, "\x00\x20n,,\x01auth=Bearer x\x01\x01\x00")+
			request(36, 0, 4, "\x00\x00\x00\x01\x01")), uint8(200), kind)
		f.Add([]byte(request(17, 0, 2, "\x00\x05PLAIN")+"\x00\x00\x00\x04\x00a\x00b"+metadata), uint8(3), kind)
		f.Add([]byte(request(18, 99, 1, "")+"\xff\xff\xff\xff"), uint8(2), kind)
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece, kind uint8) {
		if len(stream) > 4<<10 {
			return
		}
		whole, wholeEnded := converse(t, stream, len(stream)+1, kind)
		pieces, piecesEnded := converse(t, stream, 1+int(piece), kind)
		same := bytes.Equal(whole, pieces) ||
			wholeEnded && (bytes.HasPrefix(pieces, whole) || bytes.HasPrefix(whole, pieces))
		if wholeEnded != piecesEnded || !same {
			t.Fatalf("% x:\ngot  % x in pieces of %d,\nwant % x", stream, pieces, 1+int(piece), whole)
		}
		if bytes.Contains(stream, []byte{0, 17, 0, 0}) {
			return // a login of 0.9, whose tokens have no ids
		}
		ids := sizedIDs(stream, 8)
		for _, id := range sizedIDs(whole, 4) {
			for len(ids) > 0 && ids[0] != id {
				ids = ids[1:]
			}
			if len(ids) == 0 {
				t.Fatalf("% x: got an answer with the id %d in % x, want those of the requests", stream, id, whole)
			}
			ids = ids[1:]
		}
	})
}

// converse returns what a broker of some kind answers to a stream in pieces, and whether the connection has ended.
func converse(t *testing.T, stream []byte, piece int, kind uint8) (answers []byte, ended bool) {
	users := map[string]string{"a": "b"}
	b := &model.Broker{Dialect: model.Dialect(kind % 3), Login: &model.Login{Open: kind%2 == 1,
		Mechanisms: []model.Mechanism{model.Plain(users), model.SCRAM{Passwords: users}.Mechanism(),
			model.Bearer(func(token string) (string, string) { return "", "invalid_token" }),
			model.Scripted("GSSAPI", []byte("challenge"), nil)}}}
	if kind >= 3 {
		b.Login, b.LeavesUnknown = nil, kind%2 == 0
	}
	b.World = simulation.NewWorld(1)
	b.APIs = table()
	n := simulation.NewNetwork(b.World)
	n.SetSite(address, simulation.Site{Accept: b.Accept, Path: simulation.Path{Latency: time.Millisecond}})
	link := n.Open(ports.Endpoint{Address: address})
	b.World.Advance(10 * time.Millisecond)
	buffer := make([]byte, 1024)
	read := func() {
		for {
			got, err := link.Recv(buffer)
			answers = append(answers, buffer[:got]...)
			if err != nil {
				ended = err != ports.ErrWouldBlock
				return
			}
		}
	}
	for len(stream) > 0 && !ended {
		sent, err := link.Send(stream[:min(piece, len(stream))])
		if err != nil && err != ports.ErrWouldBlock {
			t.Fatalf("got %v of a link that has not ended", err)
		}
		stream = stream[sent:]
		b.World.Advance(10 * time.Millisecond)
		read()
	}
	b.World.Advance(time.Minute)
	read()
	return answers, ended
}

// sizedIDs returns the number of four bytes that ends at a place in each frame of a stream.
func sizedIDs(stream []byte, end int) (ids []uint32) {
	for len(stream) >= 4 {
		size := int64(int32(binary.BigEndian.Uint32(stream)))
		if size < int64(end) || size > int64(len(stream)-4) {
			return ids
		}
		ids = append(ids, binary.BigEndian.Uint32(stream[end:]))
		stream = stream[4+size:]
	}
	return ids
}
