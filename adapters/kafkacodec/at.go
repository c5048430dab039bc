package kafkacodec

import (
	"fmt"

	"brokerconn/ports"
)

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
