package main

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance"
	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
	"brokerconn/ports"
)

// script is what a client sends: each frame once the one before it is answered.
type script struct {
	name   string
	frames [][]byte
	table  int16 // the version of ApiVersions that is asked for; -1: none
}

func scripts() (list []script) {
	add := func(name string, frames ...[]byte) { list = append(list, script{name, frames, -1}) }
	for _, v := range []int16{0, 1, 2, 3, 4, 5, 6, 99} {
		list = append(list, script{fmt.Sprintf("ApiVersions v%d", v), [][]byte{versions(v)}, v})
	}
	unnamed := framed(kmsg.NewPtrApiVersionsRequest(), 3)
	list = append(list, script{"ApiVersions v3 without a name", [][]byte{unnamed}, 3},
		script{"ApiVersions v5 for it", [][]byte{versionsOf(5, cluster, 0)}, 5})
	add("ApiVersions v5 for another node", versionsOf(5, cluster, 1))
	add("ApiVersions v5 for another cluster", versionsOf(5, "other", 0))
	add("ApiVersions v5 for a cluster alone", versionsOf(5, cluster, -1))
	for _, name := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "NONE"} {
		add("SaslHandshake for "+name, handshake(1, name))
	}
	right := token("\x00" + acceptance.PlainUser + "\x00" + acceptance.PlainPassword)
	wrong := token("\x00" + acceptance.PlainUser + "\x00other")
	plain := handshake(1, "PLAIN")
	add("SaslHandshake v0", handshake(0, "PLAIN"))
	add("a login", plain, right)
	add("a refused login", plain, wrong)
	add("a token alone", right)
	add("a token behind a login", plain, right, right)
	add("a handshake behind a login", plain, right, plain)
	add("a renewal", plain, right, plain, right)
	add("a renewal too soon", plain, right, plain, right, plain)
	add("a refused renewal", plain, right, plain, wrong)
	add("a renewal by another mechanism", plain, right, handshake(1, "SCRAM-SHA-256"), right)
	add("a renewal by a mechanism that it lacks", plain, right, handshake(1, "NONE"))
	add("another handshake within a login", plain, plain)
	add("another mechanism behind a refusal", handshake(1, "NONE"), plain)
	list = append(list, script{"ApiVersions within a login", [][]byte{plain, versions(99)}, 99})
	add("ListGroups within a login", plain, framed(kmsg.NewPtrListGroupsRequest(), 0))
	add("ListGroups within a login by SCRAM", handshake(1, "SCRAM-SHA-256"), framed(kmsg.NewPtrListGroupsRequest(), 0))
	add("a refused token", handshake(1, "OAUTHBEARER"), token("n,,\x01auth=Bearer x\x01\x01"))
	add("ListGroups", framed(kmsg.NewPtrListGroupsRequest(), 0))
	add("an unknown API", []byte{0, 0, 0, 10, 3, 231, 0, 0, 0, 0, 0, 1, 0xff, 0xff})
	add("Metadata v99", in(framed(kmsg.NewPtrMetadataRequest(), 12), 99))
	for _, v := range []int16{3, 5, 7, 8, 9} {
		add(fmt.Sprintf("Produce v%d without acks", v), producing(v, 0))
		add(fmt.Sprintf("Produce v%d", v), producing(v, 1))
	}
	add("a negative size", []byte{0xff, 0xff, 0xff, 0xff})
	add("a size of 2 GiB", []byte{0x7f, 0xff, 0xff, 0xff, 0})
	add("a frame without an id", []byte{0, 0, 0, 3, 0, 3, 0})
	return list
}

// framed returns a request as bytes. All have one id, so that a later answer must not be taken for an earlier.
func framed(req kmsg.Request, version int16) []byte {
	req.SetVersion(version)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("odd")).AppendRequest(nil, req, 1)
}

// in changes the version of a request.
func in(frame []byte, version int16) []byte {
	binary.BigEndian.PutUint16(frame[6:], uint16(version))
	return frame
}

func versions(version int16) []byte {
	return in(versionsOf(min(version, 5), "", -1), version)
}

func versionsOf(version int16, cluster string, node int32) []byte {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "odd", "1"
	if req.NodeID = node; cluster != "" {
		req.ClusterID = &cluster
	}
	return framed(req, version)
}

func handshake(version int16, name string) []byte {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Mechanism = name
	return framed(req, version)
}

func token(text string) []byte {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.SASLAuthBytes = []byte(text)
	return framed(req, 1)
}

func producing(version, acks int16) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Acks = acks
	return framed(req, version)
}

// last is a request that each server answers, if it still answers: what comes before is all there is.
func last() []byte {
	frame := framed(kmsg.NewPtrApiVersionsRequest(), 0)
	copy(frame[8:], lastID)
	return frame
}

const lastID = "\x7f\x7f\x7f\x7f"

// link is one connection of a conversation.
type link interface {
	send([]byte)
	// receive returns what has come when no more is expected, or when enough says so.
	receive(enough func([]byte) bool) []byte
	ended() bool
}

// held holds a conversation and returns what came, in hexadecimal, and how the connection was left.
func held(t testing.TB, l link, script script) string {
	t.Helper()
	var got []byte
	for _, frame := range script.frames {
		l.send(frame)
		got = append(got, l.receive(whole)...)
	}
	left := " closed"
	if !l.ended() {
		l.send(last())
		got = append(got, l.receive(func(b []byte) bool { return strings.Contains(string(b), lastID) })...)
		left = " silent"
	}
	before, _, open := strings.Cut(string(got), lastID)
	switch {
	case open:
		before, left = before[:len(before)-4], " open"
	case l.ended():
		left = " closed"
	}
	return hex.EncodeToString([]byte(before)) + left
}

func whole(b []byte) bool { return len(b) >= 4 && len(b)-4 >= int(int32(binary.BigEndian.Uint32(b))) }

// socket is a link to a real server.
type socket struct {
	net.Conn
	end bool
}

func dialed(t testing.TB, address string) *socket {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &socket{Conn: c}
}

func (s *socket) send(p []byte) { _, _ = s.Write(p) } // a failure shows in what is received

// receive waits for an answer half a second, as there may be none, and for the last one long.
func (s *socket) receive(enough func([]byte) bool) (got []byte) {
	limit := 500 * time.Millisecond
	if !enough(make([]byte, 4)) {
		limit = answerLimit
	}
	_ = s.SetReadDeadline(time.Now().Add(limit))
	chunk := make([]byte, 4096)
	for !s.end && !enough(got) {
		n, err := s.Read(chunk)
		got = append(got, chunk[:n]...)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return got
		}
		s.end = err != nil
	}
	return got
}

func (s *socket) ended() bool { return s.end }

// simulated is a link to a model.
type simulated struct {
	w *simulation.World
	ports.Link
	end bool
}

func (m modelled) link() *simulated {
	b := &model.Broker{World: simulation.NewWorld(1), ClusterID: cluster}
	if m.become != nil {
		m.become(b)
	} else {
		servers.Become(m.name, b)
	}
	if m.login != nil {
		b.Login = m.login
	}
	n := simulation.NewNetwork(b.World)
	n.SetSite("broker:9092", simulation.Site{Accept: b.Accept})
	s := &simulated{w: b.World, Link: n.Open(ports.Endpoint{Address: "broker:9092"})}
	s.w.Advance(0)
	return s
}

func (s *simulated) send(p []byte) { _, _ = s.Send(p) }

func (s *simulated) receive(func([]byte) bool) (got []byte) {
	s.w.Advance(time.Millisecond) // about what a real one takes
	chunk := make([]byte, 4096)
	for !s.end {
		n, err := s.Recv(chunk)
		got = append(got, chunk[:n]...)
		if errors.Is(err, ports.ErrWouldBlock) {
			return got
		}
		s.end = err != nil
	}
	return got
}

func (s *simulated) ended() bool { return s.end }
