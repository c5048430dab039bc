package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
	"brokerconn/ports"
)

// modelled is a server that application/sim has a model of.
type modelled struct {
	name  string // in servers.Peers
	start func(testing.TB) (address string)
	login *model.Login // nil: that of the model
	// leaves are talks whose bytes differ, or that are not held, with the reason.
	leaves map[string]string
	// unsorted means that the rows of ApiVersions have an order of their own in each process.
	unsorted bool
}

// models are the models by the name of the server in this program.
var models = map[string][]modelled{
	"kfake": {
		{name: "kfake-open", start: kfakeWith(kfake.ClusterID(cluster)), leaves: map[string]string{
			"an unknown API": panics, "a negative size": memory, "a size of 2 GiB": memory}},
		{name: "kfake", start: kfakeWith(kfake.ClusterID(cluster), kfake.EnableSASL(), kfake.Superuser("PLAIN", user, password)),
			login: &model.Login{Mechanisms: []model.Mechanism{model.Plain(map[string]string{user: password}),
				model.Scripted("SCRAM-SHA-256"), model.Scripted("SCRAM-SHA-512")}},
			leaves: map[string]string{"an unknown API": panics, "a negative size": memory, "a size of 2 GiB": memory}},
	},
	"sarama":     {{name: "sarama-mock", start: saramaByDefault}},
	"librdkafka": {{name: "librdkafka-mock", start: of(startLibrdkafka)}},
	"tansu": {
		{name: "tansu-open", start: of(startTansu), unsorted: true, leaves: map[string]string{
			"Metadata v99": "it is answered, in a layout of its own", "a size of 2 GiB": waits}},
		{name: "tansu", start: of(startTansuWithLogins), unsorted: true,
			leaves: map[string]string{"a size of 2 GiB": waits}, login: &model.Login{Lifetime: time.Minute, Mechanisms: []model.Mechanism{model.Scripted("SCRAM-SHA-256", nil, nil),
				model.Scripted("SCRAM-SHA-512"), {Name: "OAUTHBEARER", Begin: func() model.Exchange { return unknownToken }}}}},
	},
}

const (
	cluster = "odd"
	panics  = "the process panics: kmsg has no such request, which is not looked at"
	waits   = "it waits for that much"
	memory  = "it takes that much memory first"
)

// TestModelsAreTheServers holds the same conversations with a real server and with its model: both send the
// same bytes, and end the connection at the same place. ODD names the servers, as for the program; without
// it those that need Go alone are started.
func TestModelsAreTheServers(t *testing.T) {
	names := []string{"kfake", "sarama"}
	if odd, set := os.LookupEnv("ODD"); set {
		if names = strings.Fields(odd); len(names) == 0 {
			names = []string{"kfake", "sarama", "librdkafka", "tansu"}
		}
	}
	for _, name := range names {
		for _, m := range models[name] {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				address := m.start(t)
				for _, talk := range talks() {
					if _, left := m.leaves[talk.name]; left {
						continue
					}
					t.Run(talk.name, func(t *testing.T) {
						t.Parallel()
						want := m.shown(held(t, dialed(t, address), talk), talk)
						if got := m.shown(held(t, m.link(m.name), talk), talk); got != want {
							t.Errorf("the model sends\n%s\nthe server\n%s", got, want)
						}
					})
				}
			})
		}
	}
}

// TestOtherModelsDiffer: the conversations tell servers apart.
func TestOtherModelsDiffer(t *testing.T) {
	for _, pair := range [][2]string{{"kfake", "kfake-open"}, {"tansu", "tansu-open"}, {"sarama-mock", "event-hubs"},
		{"librdkafka-mock", "kroxylicious"}, {"kfake-open", "controller"}} {
		m, differ := modelled{}, 0
		for _, talk := range talks() {
			if held(t, m.link(pair[0]), talk) != held(t, m.link(pair[1]), talk) {
				differ++
			}
		}
		if differ == 0 {
			t.Errorf("no conversation tells %s from %s", pair[0], pair[1])
		}
	}
}

func unknownToken([]byte) ([]byte, string, error) { return nil, "", errors.New("") }

// talk is what a client sends: each frame once the one before it is answered.
type talk struct {
	name   string
	frames [][]byte
	table  int16 // the version of ApiVersions that is asked for; -1: none
}

func talks() (list []talk) {
	add := func(name string, frames ...[]byte) { list = append(list, talk{name, frames, -1}) }
	for _, v := range []int16{0, 1, 2, 3, 4, 5, 6, 99} {
		list = append(list, talk{fmt.Sprintf("ApiVersions v%d", v), [][]byte{versions(v)}, v})
	}
	list = append(list, talk{"ApiVersions v3 without a name", [][]byte{framed(kmsg.NewPtrApiVersionsRequest(), 3)}, 3},
		talk{"ApiVersions v5 for it", [][]byte{versionsOf(5, cluster, 0)}, 5})
	add("ApiVersions v5 for another node", versionsOf(5, cluster, 1))
	add("ApiVersions v5 for another cluster", versionsOf(5, "other", 0))
	add("ApiVersions v5 for a cluster alone", versionsOf(5, cluster, -1))
	for _, name := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "NONE"} {
		add("SaslHandshake for "+name, handshake(1, name))
	}
	right, wrong := token("\x00"+user+"\x00"+password), token("\x00"+user+"\x00other")
	plain := handshake(1, "PLAIN")
	add("SaslHandshake v0", handshake(0, "PLAIN"))
	add("a login", plain, right)
	add("a refused login", plain, wrong)
	add("a token alone", right)
	add("a token behind a login", plain, right, right)
	add("a handshake behind a login", plain, right, plain)
	add("another handshake within a login", plain, plain)
	add("another mechanism behind a refusal", handshake(1, "NONE"), plain)
	list = append(list, talk{"ApiVersions within a login", [][]byte{plain, versions(99)}, 99})
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
func held(t testing.TB, l link, talk talk) string {
	t.Helper()
	var got []byte
	for _, frame := range talk.frames {
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

func (m modelled) link(name string) *simulated {
	b := &model.Broker{World: simulation.NewWorld(1), ClusterID: cluster}
	servers.Become(name, b)
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
	s.w.Advance(time.Second)
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

// shown is what is compared: all bytes, but for the order of rows that have none.
func (m modelled) shown(text string, talk talk) string {
	if !m.unsorted || talk.table < 0 {
		return text
	}
	end := strings.LastIndexByte(text, ' ')
	p, err := hex.DecodeString(text[:end])
	if err != nil {
		return text
	}
	for left := p; whole(left); {
		size := 4 + int(binary.BigEndian.Uint32(left))
		sortRows(left[:size], talk.table)
		left = left[size:]
	}
	return hex.EncodeToString(p) + text[end:]
}

// sortRows sorts the rows of an answer to ApiVersions, which no other answer is as long as.
func sortRows(frame []byte, version int16) {
	if len(frame) < 200 {
		return
	}
	at, size, count := 14, 6, int(binary.BigEndian.Uint32(frame[10:]))
	if version >= 3 {
		at, size, count = 11, 7, int(frame[10])-1
	}
	if rows := frame[at:]; len(rows) >= count*size {
		rows = rows[:count*size]
		copy(rows, slices.Concat(slices.SortedFunc(slices.Chunk(slices.Clone(rows), size), slices.Compare)...))
	}
}

// of returns the address of a peer of this program.
func of(start func(context.Context) (*peer, error)) func(testing.TB) string {
	return func(t testing.TB) string {
		p, err := start(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.stop)
		return p.address
	}
}

func kfakeWith(opts ...kfake.Opt) func(testing.TB) string {
	return func(t testing.TB) string {
		c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c.ListenAddrs()[0]
	}
}

// saramaByDefault has the table that a MockBroker has by itself, and answers two APIs. It reports each
// frame that it cannot read as a failure of its test, which is none here.
func saramaByDefault(t testing.TB) string {
	r := &reporter{}
	mock := sarama.NewMockBrokerAddr(r, 1, "127.0.0.1:0")
	t.Cleanup(mock.Close)
	mock.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(r),
		"ProduceRequest":     sarama.NewMockProduceResponse(r),
	})
	return mock.Addr()
}
