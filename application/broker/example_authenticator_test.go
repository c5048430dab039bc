package broker_test

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// askName is an authenticator of one's own: the broker asks for a name, and gets
// one. The core sends SaslHandshake with its mechanism, hands it the broker's
// challenges, and sends what it responds.
type askName struct{ name string }

var _ ports.Authenticator = askName{}

func (a askName) Mechanism() string { return "X-ASK-NAME" }

func (a askName) Begin(ports.Endpoint) ports.Exchange { return &askNameExchange{name: a.name} }

type askNameExchange struct {
	name     string
	response []byte
	done     bool
}

// Next answers at once; a mechanism with slow work would start it here and let
// Result say ports.ErrWouldBlock until it is done.
func (e *askNameExchange) Next(challenge []byte) {
	if challenge == nil { // the start: the broker has said nothing yet
		e.response = []byte("hello")
		return
	}
	fmt.Printf("the broker asks: %s\n", challenge)
	e.response, e.done = []byte(e.name), true
}

func (e *askNameExchange) Result() ([]byte, bool, error) { return e.response, e.done, nil }
func (e *askNameExchange) Close()                        {}

// An authenticator of one's own, driven by the core against a broker of a few
// lines: the login's own calls are seen on the broker's side.
func ExampleConfig_authenticator() {
	network := memory.New()
	conn, err := broker.NewPolled(broker.Config{
		Host:           "broker",
		Transport:      network,
		Clock:          fake.New(time.Time{}),
		Authenticators: []ports.Authenticator{askName{name: "alice"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	conn.Connect()
	peer := network.Accept()
	for range 4 { // ApiVersions, SaslHandshake, two times SaslAuthenticate
		fmt.Println(conn.State())
		answerLogin(peer)
		conn.Recv()
	}
	fmt.Println(conn.State())
	// Output:
	// NegotiatingVersions
	// Authenticating
	// the broker hears of mechanism X-ASK-NAME
	// Authenticating
	// the broker hears: hello
	// the broker asks: your name?
	// Authenticating
	// the broker hears: alice
	// Connected
}

// answerLogin reads one request and answers it. Version 1 of the login's calls
// has headers without tagged fields, behind a client id.
func answerLogin(peer *memory.Peer) {
	frame := make([]byte, 1024)
	n, _ := peer.Recv(frame)
	frame = frame[4:n]
	key, version := binary.BigEndian.Uint16(frame), binary.BigEndian.Uint16(frame[2:])
	body := frame[10+binary.BigEndian.Uint16(frame[8:]):]
	var answer kmsg.Response
	switch key {
	case 18:
		r := kmsg.NewPtrApiVersionsResponse()
		r.ApiKeys = []kmsg.ApiVersionsResponseApiKey{
			{ApiKey: 17, MaxVersion: 1}, {ApiKey: 18, MaxVersion: 4}, {ApiKey: 36, MaxVersion: 1},
		}
		answer = r
	case 17:
		r := kmsg.NewPtrSASLHandshakeRequest()
		r.Version = int16(version)
		r.ReadFrom(body)
		fmt.Println("the broker hears of mechanism", r.Mechanism)
		answer = kmsg.NewPtrSASLHandshakeResponse()
	case 36:
		r := kmsg.NewPtrSASLAuthenticateRequest()
		r.Version = int16(version)
		r.ReadFrom(body)
		fmt.Printf("the broker hears: %s\n", r.SASLAuthBytes)
		a := kmsg.NewPtrSASLAuthenticateResponse()
		if string(r.SASLAuthBytes) == "hello" {
			a.SASLAuthBytes = []byte("your name?")
		}
		answer = a
	}
	answer.SetVersion(int16(version))
	out := answer.AppendTo(nil)
	peer.Send(append(append(binary.BigEndian.AppendUint32(nil, uint32(4+len(out))), frame[4:8]...), out...))
}
