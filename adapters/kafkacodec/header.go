package kafkacodec

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// The server's side of a request: what proxies and scripted brokers need. A connection does not
// use it.

// Header is the header of a request, as a server reads it.
type Header struct {
	Key, Version  int16
	CorrelationID int32
	// ClientID is nil if it is null, and in ControlledShutdown v0, which has none.
	ClientID *string
	// Tags are the tagged fields (KIP-482), their count first, as they were received; nil if the
	// version is not flexible.
	Tags []byte
}

const (
	keyControlledShutdown    = 7
	firstWithTransactionalID = 3 // of Produce
)

// ParseRequest reads a request frame, without its size field: the header, and the rest as a
// request that a connection can send on. Its Flexible and NoResponse are filled in. An API that
// kmsg does not know is taken as flexible, as every one is that was added since Kafka 2.4.
//
// The results share memory with frame. Errors are of the peer: the header, or the acks of a
// Produce, is cut short.
func ParseRequest(frame []byte) (h Header, req ports.RawRequest, err error) {
	r := reader{rest: frame}
	fixed := r.take(8)
	if r.bad {
		return Header{}, ports.RawRequest{}, fmt.Errorf("kafkacodec: a request of %d bytes has no header", len(frame))
	}
	h.Key, h.Version = int16(binary.BigEndian.Uint16(fixed)), int16(binary.BigEndian.Uint16(fixed[2:]))
	h.CorrelationID = int32(binary.BigEndian.Uint32(fixed[4:]))
	req = ports.RawRequest{APIKey: h.Key, APIVersion: h.Version, Flexible: flexible(h.Key, h.Version)}
	if h.Key != keyControlledShutdown || h.Version != 0 {
		h.ClientID = r.nullable()
	}
	if req.Flexible {
		before := r.rest
		r.tags(&step{})
		h.Tags = before[:len(before)-len(r.rest)]
	}
	req.Body = r.rest
	if h.Key == keyProduce && !r.bad {
		r.flexible = req.Flexible
		if h.Version >= firstWithTransactionalID {
			r.take(r.length(2))
		}
		acks := r.take(2)
		req.NoResponse = !r.bad && binary.BigEndian.Uint16(acks) == 0
	}
	if r.bad {
		return Header{}, ports.RawRequest{}, fmt.Errorf("kafkacodec: the header of %s v%d is cut short: %d bytes",
			KeyName(h.Key), h.Version, len(frame))
	}
	return h, req, nil
}

// Reply returns the response frame, size field included, that answers the request with body. Its
// header has no tagged fields, and none are possible in that of ApiVersions (KIP-511).
func (h Header) Reply(body []byte) []byte {
	tagged := h.Tags != nil && h.Key != ports.KeyAPIVersions
	size := 4 + len(body)
	if tagged {
		size++
	}
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+size), uint32(size))
	frame = binary.BigEndian.AppendUint32(frame, uint32(h.CorrelationID))
	if tagged {
		frame = append(frame, 0)
	}
	return append(frame, body...)
}

func flexible(key, version int16) bool {
	req := kmsg.RequestForKey(key)
	if req == nil {
		return true
	}
	req.SetVersion(version)
	return req.IsFlexible()
}

// nullable reads a string with a length of two bytes.
func (r *reader) nullable() *string {
	n := r.take(2)
	if r.bad || int16(binary.BigEndian.Uint16(n)) < 0 {
		return nil
	}
	s := string(r.take(int(binary.BigEndian.Uint16(n))))
	return &s
}
