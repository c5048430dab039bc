// Package kafkacodec turns Kafka's request and response bodies into bytes and
// back with the types of github.com/twmb/franz-go/pkg/kmsg.
//
// kmsg is complete and fast, and it was made for a client that owns its messages
// and trusts its brokers. Three habits of it are corrected here:
//
//   - It keeps the version to write inside the message. Writing therefore works
//     on a shallow copy, so that one message may be sent on many connections,
//     each with a version of its own, at the same time (kind.go).
//   - Its ReadFrom ignores bytes that are left over, and a few bytes of garbage
//     can make it loop or allocate without measure. Every response is therefore
//     measured before it is read (layout.go, learn.go).
//   - Its RequestFormatter writes the size at the start of the buffer that it
//     was handed. It is not used at all: frames are the core's.
package kafkacodec

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// Request and Response are kmsg's, under a name that spares users the import.
type (
	Request  = kmsg.Request
	Response = kmsg.Response
)

// Codec is a [ports.Codec] for every type of kmsg, for types of the user's that
// satisfy [Request], for what [At] returns, and for the messages of ports. The
// zero value is ready, holds nothing, and is safe for concurrent use.
//
// A user's type is expected to store its version in itself, as kmsg's do. One
// that cannot be copied (it is no pointer to a struct, or keeps its version
// behind an embedded pointer) is written in the version that it has, no other.
// Its own response types are trusted: to refuse what is left over is theirs.
type Codec struct{}

var _ ports.Codec = Codec{}

// Describe returns the versions of m: from 0 to the highest that kmsg has. An
// error names a type that is no request of Kafka's.
func (Codec) Describe(m ports.Message) (ports.Traits, error) {
	w, err := resolve(m)
	if err != nil {
		return ports.Traits{}, err
	}
	return ports.Traits{
		MinVersion:   w.min,
		MaxVersion:   w.max,
		FlexibleFrom: w.flexibleFrom(),
		NoResponse:   w.kind.noResponse(w.req),
	}, nil
}

// AppendBody appends m in the given version. m is not changed, whatever version
// it holds itself.
func (Codec) AppendBody(dst []byte, m ports.Message, version int16) ([]byte, error) {
	w, err := resolve(m)
	if err != nil {
		return dst, err
	}
	if version < w.min || version > w.max {
		return dst, fmt.Errorf("kafkacodec: cannot write %s v%d, only v%d to v%d",
			KeyName(m.Key()), version, w.min, w.max)
	}
	return w.kind.appendTo(dst, w.req, version), nil
}

// Decode reads the response to request. What it returns may share memory with
// body. Every error means that the peer broke the protocol, except the one that
// names a type this codec does not know.
func (Codec) Decode(request ports.Message, version int16, body []byte) (_ ports.Message, err error) {
	w, err := resolve(request)
	if err != nil {
		return nil, err
	}
	resp, err := w.kind.decode(w.req, version, body)
	if err != nil {
		return nil, fmt.Errorf("kafkacodec: response to %s v%d of %d bytes: %w",
			KeyName(request.Key()), version, len(body), err)
	}
	if w.control {
		return fromKmsg(resp), nil
	}
	return resp, nil
}

// writable is a message resolved to what kmsg can write.
type writable struct {
	req      Request
	kind     *kind
	min, max int16
	control  bool // a message of ports; its response becomes one again
}

func (w writable) flexibleFrom() int16 {
	switch {
	case !w.kind.fixed:
		return w.kind.flexibleFrom
	case w.req.IsFlexible():
		return w.req.GetVersion()
	}
	return -1
}

func resolve(m ports.Message) (writable, error) {
	switch m := m.(type) {
	case pinned:
		w, err := resolve(m.req)
		if err != nil {
			return writable{}, err
		}
		if m.version < w.min || m.version > w.max {
			return writable{}, fmt.Errorf("kafkacodec: %s has no v%d here, only v%d to v%d",
				KeyName(m.Key()), m.version, w.min, w.max)
		}
		w.min, w.max = m.version, m.version
		return w, nil
	case Request:
		k, err := kindOf(m)
		if err != nil {
			return writable{}, err
		}
		w := writable{req: m, kind: k, max: k.maxVersion}
		if k.fixed {
			w.min, w.max = m.GetVersion(), m.GetVersion()
		}
		return w, nil
	}
	req, highest := toKmsg(m)
	if req == nil {
		return writable{}, fmt.Errorf("kafkacodec: %T is no request that this codec knows", m)
	}
	k, err := kindOf(req)
	if err != nil {
		return writable{}, err
	}
	return writable{req: req, kind: k, max: min(highest, k.maxVersion), control: true}, nil
}
