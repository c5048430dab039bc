package broker_test

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"

	"brokerconn/adapters/tcp"
	"brokerconn/ports"
)

// throttledOnce is a broker whose first answer throttles for so many milliseconds.
// It answers Heartbeat v1 to v3.
func throttledOnce(ms uint32) func(net.Conn, int16, int32) []byte {
	var told atomic.Bool
	return func(net.Conn, int16, int32) []byte {
		body := make([]byte, 6)
		if !told.Swap(true) {
			binary.BigEndian.PutUint32(body, ms)
		}
		return body
	}
}

// dialsAfter refuses the first n dials, and counts them.
func dialsAfter(t ports.Transport, n int64, refused *atomic.Int64) ports.Transport {
	return refusesFirst{t, n, refused}
}

type refusesFirst struct {
	ports.Transport
	n       int64
	refused *atomic.Int64
}

func (r refusesFirst) Open(ep ports.Endpoint) ports.Link {
	if r.refused.Add(1) <= r.n {
		return refusedNow{}
	}
	r.refused.Add(-1)
	return r.Transport.Open(ep)
}

// refusedNow is a link that could not be had.
type refusedNow struct{ pendingLink }

func (refusedNow) Stage() (ports.Stage, error) { return ports.StageDialing, errors.New("refused") }

func tcpTransport() ports.Transport { return tcp.New(tcp.Options{}) }

func unparkedTCP() ports.Transport { return unparked{tcpTransport()} }
