package fakebroker

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/memory"
)

// Hand is a broker on a memory.Transport that answers when Act is called, unless Silent.
type Hand struct {
	Network *memory.Transport
	Peer    *memory.Peer
	unread  []byte // of the requests
	unsent  []byte // of the answers
	Silent  bool
}

// Act answers every request that has arrived, and reports whether any byte moved.
func (b *Hand) Act() bool {
	if peer := b.Network.Accept(); peer != nil {
		b.Peer, b.unread, b.unsent = peer, nil, nil
	}
	if b.Peer == nil || b.Silent {
		return false
	}
	chunk := make([]byte, 1024)
	received, _ := b.Peer.Recv(chunk)
	b.unread = append(b.unread, chunk[:received]...)
	for len(b.unread) >= 4 && len(b.unread) >= 4+int(binary.BigEndian.Uint32(b.unread)) {
		size := int(binary.BigEndian.Uint32(b.unread))
		request := b.unread[4 : 4+size]
		b.unread = b.unread[4+size:]
		b.answer(request)
	}
	written, _ := b.Peer.Send(b.unsent)
	b.unsent = b.unsent[written:]
	return received+written > 0
}

// answer answers ApiVersions, and every other request with the six bytes of a Heartbeat
// response: a throttle time and an error code.
func (b *Hand) answer(request []byte) {
	key, version := binary.BigEndian.Uint16(request), binary.BigEndian.Uint16(request[2:])
	body := make([]byte, 6)
	if key == 18 {
		r := kmsg.NewPtrApiVersionsResponse()
		r.Version = int16(version)
		r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 12, MaxVersion: 3}, {ApiKey: 18, MaxVersion: 4}}
		body = r.AppendTo(nil)
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	frame = append(frame, request[4:8]...) // the correlation id
	b.unsent = append(b.unsent, append(frame, body...)...)
}
