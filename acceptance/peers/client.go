package main

import (
	"context"
	"encoding/binary"
	"fmt"
)

// A client is connected to the canned broker. What else it can do is one of the interfaces below.
type client interface{ close() }

// caller sends a small request and waits for its answer. Many goroutines may call it, but for the floor.
type caller interface {
	heartbeat(ctx context.Context) error
}

// poller sends a Fetch that the broker answers after a time.
type poller interface {
	poll(ctx context.Context, millis uint32) error
}

// pipeliner sends n requests of a kind from one goroutine with a window of them in flight.
type pipeliner interface {
	pipeline(ctx context.Context, what kind, window, n int) error
}

// kind is a request, and what is done with its answer.
type kind int

const (
	small   kind = iota
	produce      // of payload bytes
	fetch        // of payload bytes, which the program keeps
	borrow       // the same, where it only looks at them
)

// payload is the size of a large record.
const payload = 1 << 20

// dial connects a client. It returns once requests can be sent.
func dial(name string, link linkKind, at addresses, inFlight int) (client, error) {
	address := at.of(link)
	switch name {
	case "floor":
		return dialFloor(address, link, at.authority)
	case "conn", "typed":
		return dialConn(address, link, at.authority, inFlight, name == "typed")
	case "borrower":
		return dialBorrower(address, link, at.authority, inFlight)
	case "polled":
		return dialPolled(address, inFlight)
	case "franz":
		return dialFranz(address, link, at.authority)
	case "sarama":
		return dialSarama(address, inFlight)
	case "kafka-go":
		return dialKafkaGo(address)
	}
	return nil, fmt.Errorf("no client %q", name)
}

// linkKind is how the broker is reached.
type linkKind int

const (
	plain linkKind = iota
	secure
	relayed
)

func (a addresses) of(link linkKind) string {
	return [...]string{plain: a.plain, secure: a.secure, relayed: a.relayed}[link]
}

// fetchBody is Fetch v4 without topics. It asks for so many bytes, or, if millis is not 0, for none after that time.
func fetchBody(millis uint32, bytes int) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0xffffffff)
	b = binary.BigEndian.AppendUint32(b, millis)
	b = append(b, 0, 0, 0, 1)
	b = binary.BigEndian.AppendUint32(b, uint32(bytes))
	return append(b, 0, 0, 0, 0, 0)
}

// produceRequestBody is Produce v3 with one batch of payload bytes, which no broker could read.
func produceRequestBody() []byte {
	b := []byte{0xff, 0xff, 0, 1, 0, 0, 0x75, 0x30} // no transaction, acks 1, 30 s
	b = append(b, 0, 0, 0, 1, 0, 1, 't', 0, 0, 0, 1, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, payload)
	return append(b, make([]byte, payload)...)
}
