package broker_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// scripted is a broker of a few lines over any net.Conn: it answers ApiVersions
// and hands every other frame to answer, which returns the body to answer with,
// or nil to stay silent. It speaks v0 headers only, so its table offers versions
// that are not flexible.
type scripted struct {
	answer func(conn net.Conn, key int16, id int32) []byte
	conns  atomic.Int64
}

var scriptedTable = []kmsg.ApiVersionsResponseApiKey{
	{ApiKey: 0, MinVersion: 3, MaxVersion: 7},
	{ApiKey: 3, MinVersion: 0, MaxVersion: 8},
	{ApiKey: 12, MinVersion: 0, MaxVersion: 3},
	{ApiKey: 18, MinVersion: 0, MaxVersion: 4},
}

// heartbeatBody answers Heartbeat v1 to v3.
func heartbeatBody(net.Conn, int16, int32) []byte { return make([]byte, 6) }

func (s *scripted) serve(conn net.Conn) {
	defer conn.Close()
	s.conns.Add(1)
	for {
		var head [12]byte // size, key, version, id
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		rest := make([]byte, binary.BigEndian.Uint32(head[:])-8)
		if _, err := io.ReadFull(conn, rest); err != nil {
			return
		}
		key, id := int16(binary.BigEndian.Uint16(head[4:])), int32(binary.BigEndian.Uint32(head[8:]))
		var body []byte
		if key == 18 {
			r := kmsg.NewPtrApiVersionsResponse()
			r.Version = int16(binary.BigEndian.Uint16(head[6:]))
			r.ApiKeys = scriptedTable
			body = r.AppendTo(nil)
		} else if body = s.answer(conn, key, id); body == nil {
			continue
		}
		if _, err := conn.Write(responseFrame(id, body)); err != nil {
			return
		}
	}
}

func responseFrame(id int32, body []byte) []byte {
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(id))
	return append(frame, body...)
}

// piped is a Config whose connections are pipes within the process.
func (s *scripted) piped() broker.Config {
	return broker.Config{Transport: &netlink.Transport{
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go s.serve(theirs)
			return ours, nil
		},
	}}
}

// listening is a Config for a listener on loopback.
func (s *scripted) listening(t testing.TB) broker.Config {
	t.Helper()
	return configFor(t, listen(t, s.serve))
}

// listen serves each connection on a goroutine of its own.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// unparked hides that one can park in a transport's links.
type unparked struct{ ports.Transport }

func (u unparked) Open(ep ports.Endpoint) ports.Link {
	link := u.Transport.Open(ep)
	return struct {
		ports.Link
		ports.Watcher
	}{link, link.(ports.Watcher)}
}
