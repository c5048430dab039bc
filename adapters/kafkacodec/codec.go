// Package kafkacodec encodes and decodes Kafka's request and response bodies with the
// types of github.com/twmb/franz-go/pkg/kmsg.
//
// kmsg is complete and fast. It was written for a client that owns its messages and
// trusts its brokers, so three properties of it are corrected here:
//
//   - A message holds the version to encode. Encoding works on a shallow copy, so that
//     one message can be sent on many connections at the same time, each in a version
//     of its own (kind.go).
//   - ReadFrom ignores bytes that are left over, and a few invalid bytes can make it
//     loop or allocate without bound. Every response is therefore validated before it
//     is decoded (layout.go, learn.go).
//   - RequestFormatter writes the size at the start of the buffer that it appends to.
//     It is not used: frames belong to the core.
package kafkacodec

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/ports"
)

// Request and Response are kmsg's types.
type (
	Request  = kmsg.Request
	Response = kmsg.Response
)

// Codec is a [ports.Codec] for every type of kmsg, for other types that implement
// [Request], for the result of [At], and for the messages of ports. The zero value is
// ready to use, has no state, and is safe for concurrent use.
//
// A user's type must store its version in itself, as kmsg's types do. A type that
// cannot be copied (it is not a pointer to a struct, or keeps its version behind an
// embedded pointer) is encoded in the version that it holds only. Response types of
// the user are trusted: they must reject bytes that are left over.
type Codec struct{}

var _ ports.Codec = Codec{}

// Describe returns the traits of m; its versions are 0 to the highest that kmsg
// supports. The error names a type that is not a Kafka request.
func (Codec) Describe(m ports.Message) (ports.Traits, error) {
	w, err := resolve(m)
	if err != nil {
		return ports.Traits{}, err
	}
	return ports.Traits{MinVersion: w.min, MaxVersion: w.max, FlexibleFrom: w.flexibleFrom(),
		NoResponse: w.kind.noResponse(w.req)}, nil
}

// AppendBody appends m, encoded in the given version. It does not change m.
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

// Decode decodes the response to request. The result may share memory with body. Every
// error is a protocol error of the peer, except one that names a type that this codec
// does not support.
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

// writable is a message that kmsg can encode.
type writable struct {
	req      Request
	kind     *kind
	min, max int16
	control  bool // a message of ports; its response is converted back
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

// At returns req pinned to one version: it is sent in that version, or refused if the
// broker does not support it. A version that kmsg does not support is an error when the
// message is sent. req must not be nil.
func At(req Request, version int16) ports.Message {
	if req == nil {
		panic("kafkacodec: At needs a request")
	}
	return pinned{req: req, version: version}
}

type pinned struct {
	req     Request
	version int16
}

// Key returns the API key of the request.
func (p pinned) Key() int16 { return p.req.Key() }

// String names the request without its fields, which may hold secrets.
func (p pinned) String() string {
	return fmt.Sprintf("%s request pinned to v%d", KeyName(p.Key()), p.version)
}

// Format keeps the fields out of %+v as well.
func (p pinned) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.String()) }

// Keys returns the API keys that kmsg supports, ascending.
func Keys() []int16 {
	var keys []int16
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if kmsg.RequestForKey(key) != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// KeyName returns Kafka's name of an API, for example "Metadata" for 3, and
// "API key 1000" for a key that kmsg does not support.
func KeyName(key int16) string {
	if kmsg.RequestForKey(key) == nil {
		return fmt.Sprintf("API key %d", key)
	}
	return kmsg.NameForKey(key)
}

// APIName is [KeyName], for the texts of errors.
func (Codec) APIName(key int16) string { return KeyName(key) }

// MaxVersion returns the highest version of an API that kmsg can encode, and false for
// an API that it does not support. The lowest is always 0.
func MaxVersion(key int16) (int16, bool) {
	req := kmsg.RequestForKey(key)
	if req == nil {
		return 0, false
	}
	return req.MaxVersion(), true
}

// RequestByName returns a new request with kmsg's defaults, by Kafka's name of
// the API in any case: "metadata" yields a *kmsg.MetadataRequest.
func RequestByName(name string) (Request, bool) {
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if req := kmsg.RequestForKey(key); req != nil && strings.EqualFold(name, kmsg.NameForKey(key)) {
			return req, true
		}
	}
	return nil, false
}
