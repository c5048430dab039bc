package ports

import (
	"fmt"
	"time"
)

// Message is a request or a response body. Sending never changes it, so one
// message may be sent on many connections at once. Every request and response
// of kmsg is a Message, and so is [RawRequest].
type Message interface {
	// Key is the API key of Kafka's protocol: 3 for Metadata.
	Key() int16
}

// Traits describes a request to the core before it is encoded.
type Traits struct {
	// MinVersion and MaxVersion are the versions that the codec can write for
	// this message. The core sends the highest one that the broker supports too.
	MinVersion, MaxVersion int16
	// FlexibleFrom is the first version whose headers carry tagged fields
	// (KIP-482). It is negative if no version does.
	FlexibleFrom int16
	// NoResponse reports that the broker sends no answer: Produce with acks 0.
	NoResponse bool
}

// Codec encodes request bodies and decodes response bodies. The size field, the
// headers and the correlation id belong to the core. A Codec keeps no state between
// calls and is safe for concurrent use. It supports the messages of control.go; raw
// requests do not reach it.
type Codec interface {
	// Describe returns the traits of m, or an error for a message that this codec
	// does not support.
	Describe(m Message) (Traits, error)
	// AppendBody appends m, encoded in the given version, to dst. dst holds other
	// requests: its present contents must not be changed.
	AppendBody(dst []byte, m Message, version int16) ([]byte, error)
	// Decode decodes the response to a request. It may keep parts of body, which
	// is not written to again. A body that is too short is an error, and so are
	// bytes left over at the end.
	Decode(request Message, version int16, body []byte) (Message, error)
	// Throttle returns the throttle time of a response in milliseconds, never
	// negative. It is 0 if the broker did not throttle, if the version has no such
	// field, or if body is not a valid response (Decode reports that). wait reports
	// whether the client must send nothing for that long: since Kafka 2.0 the broker
	// answers at once and expects the pause from the client (KIP-219); before, it
	// delayed the answer itself. wait is false if ms is 0. version is the version
	// that body is encoded in, as for Decode.
	//
	// It is called for each response, before the next request is sent: it reads no
	// more than the field, allocates nothing, keeps nothing of body and never fails.
	Throttle(request Message, version int16, body []byte) (ms int32, wait bool)
}

// HoldingCodec is a [Codec] that knows how long a broker may hold a request before it answers.
// The core adds that time to the timeout of the request and of those behind it, since a broker
// answers the requests of a connection in order. A Codec need not implement it.
type HoldingCodec interface {
	Codec
	// Hold returns for how long a broker may hold the request m by a field of m, such as the
	// MaxWaitMillis of Fetch, if m is sent in the given version. It is 0 if there is no such
	// field, and never negative. It is called for each request: it allocates nothing and never
	// fails.
	Hold(m Message, version int16) time.Duration
}

// Namer is optional on a [Codec]. APIName returns Kafka's name of an API, for example
// "Metadata" for 3, for texts.
type Namer interface{ APIName(key int16) string }

// RawRequest is a request whose body is already encoded, for proxies and test
// harnesses. It is sent unchanged, whatever versions the broker advertises.
type RawRequest struct {
	APIKey     int16
	APIVersion int16
	// Body follows the request header, which the connection writes, with a client id
	// and a correlation id of its own. It is read while the request is sent and must not
	// change until then.
	Body []byte
	// Flexible reports that the headers of this version carry tagged fields: IsFlexible
	// of kmsg's request. The response header of ApiVersions never does, which is handled.
	Flexible bool
	// NoResponse reports that the broker sends no answer: Produce with acks 0.
	NoResponse bool
}

// Key returns the API key.
func (r *RawRequest) Key() int16 { return r.APIKey }

// RawResponse is the answer to a RawRequest: the body after the response header.
type RawResponse struct {
	APIKey     int16
	APIVersion int16
	Body       []byte
}

// Key returns the API key.
func (r *RawResponse) Key() int16 { return r.APIKey }

// Format prints the response without its body, which may hold secrets.
func (r RawResponse) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "raw response %d v%d, %d bytes", r.APIKey, r.APIVersion, len(r.Body))
}

// Format prints the request without its body, which may hold secrets.
func (r RawRequest) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "raw request %d v%d, %d bytes", r.APIKey, r.APIVersion, len(r.Body))
}
