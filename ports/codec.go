package ports

import "fmt"

// Message is a request or a response body. Sending never changes it, so one
// message may be sent on many connections at once. Every request and response
// of kmsg is a Message, and so is [RawRequest].
type Message interface {
	// Key is the API key of Kafka's protocol: 3 for Metadata.
	Key() int16
}

// Traits is what the core must know of a request before it encodes one.
type Traits struct {
	// MinVersion and MaxVersion are the versions that the codec can write for
	// this message. The core sends the highest that the broker has as well.
	MinVersion, MaxVersion int16
	// FlexibleFrom is the first version whose headers carry tagged fields
	// (KIP-482); negative when none does.
	FlexibleFrom int16
	// NoResponse says that the broker will not answer: Produce with acks 0.
	NoResponse bool
}

// Codec turns bodies into bytes and back. The size field, the headers and the
// correlation id are the core's. A Codec keeps no state between calls and is
// safe for concurrent use. It knows the messages of control.go; raw requests do
// not reach it.
type Codec interface {
	// Describe returns what the core must know of m, or an error for a message
	// that this codec does not speak.
	Describe(m Message) (Traits, error)
	// AppendBody appends m, written in the given version, to dst. dst is shared
	// with other requests: what is in it already must not be touched.
	AppendBody(dst []byte, m Message, version int16) ([]byte, error)
	// Decode reads the response to a request. It may keep parts of body, which
	// is not written to again. Too short a body is an error, and so are bytes
	// left over at the end.
	Decode(request Message, version int16, body []byte) (Message, error)
	// Throttle says for how many milliseconds the broker throttled this client,
	// as the response to a request tells it. 0: not at all, the version has no
	// such field, or body is no such response (which is for Decode to tell); never
	// negative. wait: the broker has not delayed the answer itself, as it did
	// before Kafka 2.0 (KIP-219), so the client must send nothing more for that
	// long; false where ms is 0. version is the one that body is written in, as
	// for Decode.
	//
	// It is called for each response, before the next request is sent: it reads
	// only what it must, allocates nothing, keeps nothing of body and never fails.
	Throttle(request Message, version int16, body []byte) (ms int32, wait bool)
}

// RawRequest is a request whose body is already encoded: what proxies and test
// rigs send. It goes out as it stands, whatever versions the broker advertises.
type RawRequest struct {
	APIKey     int16
	APIVersion int16
	// Body follows the request header. It is read while the request is sent and
	// must not change meanwhile.
	Body []byte
	// Flexible says that the headers of this version carry tagged fields.
	Flexible bool
	// NoResponse says that the broker will not answer.
	NoResponse bool
}

// Key returns the API key.
func (r *RawRequest) Key() int16 { return r.APIKey }

// RawResponse is the answer to a RawRequest: the body behind the header.
type RawResponse struct {
	APIKey     int16
	APIVersion int16
	Body       []byte
}

// Key returns the API key.
func (r *RawResponse) Key() int16 { return r.APIKey }

// Format names the response without its body, which may hold secrets.
func (r RawResponse) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "raw response %d v%d, %d bytes", r.APIKey, r.APIVersion, len(r.Body))
}

// Format names the request without its body, which may hold secrets.
func (r RawRequest) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "raw request %d v%d, %d bytes", r.APIKey, r.APIVersion, len(r.Body))
}
