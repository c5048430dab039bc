package fakebroker

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

// Scripted is a broker over any net.Conn: it answers ApiVersions, and every other request
// with the body that Answer returns, or not at all if that is nil. It uses v0 headers only,
// so its table offers no flexible versions.
type Scripted struct {
	Answer func(conn net.Conn, key int16, id int32) []byte
	Conns  atomic.Int64
}

// ScriptedTable is the API versions of a Scripted.
var ScriptedTable = []kmsg.ApiVersionsResponseApiKey{
	{ApiKey: 0, MinVersion: 3, MaxVersion: 7},
	{ApiKey: 3, MinVersion: 0, MaxVersion: 8},
	{ApiKey: 12, MinVersion: 0, MaxVersion: 3},
	{ApiKey: 18, MinVersion: 0, MaxVersion: 4},
}

// HeartbeatBody answers Heartbeat v1 to v3.
func HeartbeatBody(net.Conn, int16, int32) []byte { return make([]byte, 6) }

// Serve answers the requests of one connection.
func (s *Scripted) Serve(conn net.Conn) {
	defer conn.Close()
	s.Conns.Add(1)
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
			r.ApiKeys = ScriptedTable
			body = r.AppendTo(nil)
		} else if body = s.Answer(conn, key, id); body == nil {
			continue
		}
		if _, err := conn.Write(ResponseFrame(id, body)); err != nil {
			return
		}
	}
}

// ResponseFrame returns a response with a v0 header.
func ResponseFrame(id int32, body []byte) []byte {
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(id))
	return append(frame, body...)
}

// Piped returns a Config whose connections are pipes within the process.
func (s *Scripted) Piped() broker.Config {
	return broker.Config{Transport: &netlink.Transport{
		Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go s.Serve(theirs)
			return ours, nil
		},
	}}
}

// Listening returns a Config for a listener on loopback.
func (s *Scripted) Listening(t testing.TB) broker.Config {
	t.Helper()
	return ConfigFor(t, Listen(t, s.Serve))
}

// Listen serves each connection on its own goroutine until the test ends.
func Listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
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

// Unparked hides the Parker of the links of a transport.
type Unparked struct{ ports.Transport }

func (u Unparked) Open(ep ports.Endpoint) ports.Link {
	link := u.Transport.Open(ep)
	return struct {
		ports.Link
		ports.Watcher
	}{link, link.(ports.Watcher)}
}
