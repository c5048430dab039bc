//go:build acceptance

package acceptance

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// TestModelIsABroker holds conversations with a broker and with the model of one: both answer the
// same requests, with the same error codes, and end the connection at the same place.
func TestModelIsABroker(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Version: "4.4.0", Listeners: []Listener{Reauth}, Properties: map[string]string{
		"socket.request.max.bytes": fmt.Sprint(largestRequest),
		"listener.name.reauth.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule ` +
			`required user_` + PlainUser + `="` + PlainPassword + `" user_carol="` + carolPassword + `";`,
	}})
	login := &model.Login{Lifetime: SessionLifetime, Mechanisms: []model.Mechanism{
		model.Plain(map[string]string{PlainUser: PlainPassword, "carol": carolPassword}),
		model.SCRAM{Passwords: map[string]string{ScramUser: ScramPassword}}.Mechanism(),
	}}
	const alice, carol = PlainUser, "carol"
	for _, c := range []struct {
		listener Listener
		script   string
	}{
		{Plaintext, "versions 0, versions 3, versions 4, metadata"},
		{Plaintext, "versions 99, versions 4"},
		{Plaintext, "versions 3 as /, versions 4 as a/, versions 3 as a b/1, versions 4 as a/-1, versions 4 as a/1."},
		{Plaintext, "versions 3 as a/1, versions 4 as A-9.b/1-.-1, versions 2 as /"},
		{Plaintext, "request 999"},
		{Plaintext, "metadata 99"},
		{Plaintext, "size -1"},
		{Plaintext, "size 2000000"},
		{Plaintext, "size 3"},
		{Plaintext, "handshake PLAIN, metadata"},
		{Plaintext, "token " + alice},
		{Plaintext, "produce, metadata"},
		{Reauth, "metadata"},
		{Reauth, "versions 4, metadata"},
		{Reauth, "versions 4, versions 4, handshake PLAIN"},
		{Reauth, "versions 99, handshake PLAIN"},
		{Reauth, "token " + alice},
		{Reauth, "handshake NONE, handshake PLAIN"},
		{Reauth, "handshake PLAIN, versions 4, token " + alice},
		{Reauth, "handshake PLAIN, handshake PLAIN, token " + alice},
		{Reauth, "handshake PLAIN, metadata, token " + alice},
		{Reauth, "handshake PLAIN, metadata 12, token " + alice},
		{Reauth, "handshake PLAIN, versions 99, token " + alice},
		{Reauth, "handshake PLAIN, request 999"},
		{Reauth, "handshake PLAIN, token mallory"},
		{Reauth, "handshake PLAIN, token " + alice + ", metadata, versions 4, versions 99"},
		{Reauth, "handshake PLAIN, token " + alice + ", token " + alice},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake PLAIN, token " + alice + ", metadata"},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake PLAIN, token " + carol},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake PLAIN, token mallory"},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake PLAIN, metadata, token " + alice},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake SCRAM-SHA-256, token " + alice},
		{Reauth, "handshake PLAIN, token " + alice + ", handshake NONE"},
		{Reauth, "handshake PLAIN, token " + alice + ", sleep, metadata"},
		{Reauth, "handshake PLAIN, token " + alice + ", sleep, handshake PLAIN, token " + alice + ", metadata"},
	} {
		t.Run(fmt.Sprintf("%s %s", c.listener, c.script), func(t *testing.T) {
			t.Parallel()
			modelled := &model.Broker{MaxRequest: largestRequest, APIs: model.Table(
				model.API{Key: 0, Max: 9, FlexibleFrom: 9},
				model.API{Key: 3, Max: 12, FlexibleFrom: 9},
				model.API{Key: 18, Max: 5, FlexibleFrom: 3},
			)}
			if c.listener.sasl() {
				modelled.Login = login
			}
			conn := must(net.Dial("tcp", b.AddrOf(c.listener)))(t)
			defer conn.Close()
			want := converse(t, socket{conn}, c.script)
			if got := converse(t, newModelled(modelled), c.script); got != want {
				t.Errorf("the model:\n%s\nKafka:\n%s", got, want)
			}
		})
	}
}

// wire is a connection whose read waits.
type wire interface {
	io.ReadWriter
	sleep(time.Duration)
}

type socket struct{ net.Conn }

func (socket) sleep(d time.Duration) { time.Sleep(d) }

type modelled struct {
	w    *simulation.World
	link ports.Link
}

func newModelled(b *model.Broker) modelled {
	b.World = simulation.NewWorld(1)
	n := simulation.NewNetwork(b.World)
	n.SetSite("broker:9092", simulation.Site{Accept: b.Accept})
	m := modelled{b.World, n.Open(ports.Endpoint{Address: "broker:9092"})}
	m.sleep(0)
	return m
}

func (m modelled) Write(p []byte) (int, error) { return m.link.Send(p) }

func (m modelled) Read(p []byte) (int, error) {
	for {
		n, err := m.link.Recv(p)
		if err != ports.ErrWouldBlock {
			return n, err
		}
		if !m.w.Step() {
			return 0, fmt.Errorf("nothing comes any more")
		}
	}
}

func (m modelled) sleep(d time.Duration) { m.w.Advance(d) }

// converse returns the outcome of each step, up to the end of the connection.
func converse(t *testing.T, c wire, script string) string {
	var b strings.Builder
	for i, step := range strings.Split(script, ", ") {
		verb, arg, _ := strings.Cut(step, " ")
		outcome := "sent"
		switch verb {
		case "sleep":
			c.sleep(SessionLifetime + 2*time.Second)
		case "size":
			var size int32
			fmt.Sscan(arg, &size)
			outcome = exchanged(c, append(binary.BigEndian.AppendUint32(nil, uint32(size)), "abc"...), false)
		case "produce":
			req := kmsg.NewPtrProduceRequest()
			req.Version = 7
			must(c.Write(framed(req, i)))(t)
		case "request":
			outcome = exchanged(c, []byte{0, 0, 0, 10, 3, 231, 0, 0, 0, 0, 0, 1, 0xff, 0xff}, false)
		default:
			req, coded := requestOf(verb, arg)
			outcome = exchanged(c, framed(req, i), coded)
		}
		fmt.Fprintf(&b, "%s: %s\n", step, outcome)
		if outcome == "closed" {
			break
		}
	}
	return b.String()
}

// requestOf returns the request of a step, and whether its response begins with an error code.
func requestOf(verb, arg string) (req kmsg.Request, coded bool) {
	switch verb {
	case "versions":
		version, name, named := strings.Cut(arg, " as ")
		if arg = version; !named {
			name = "a-test/1.0"
		}
		r := kmsg.NewPtrApiVersionsRequest()
		r.ClientSoftwareName, r.ClientSoftwareVersion, _ = strings.Cut(name, "/")
		req, coded = r, true
	case "handshake":
		r := kmsg.NewPtrSASLHandshakeRequest()
		r.Version, r.Mechanism = 1, arg
		return r, true
	case "token":
		r := kmsg.NewPtrSASLAuthenticateRequest()
		r.Version, r.SASLAuthBytes = 1, []byte("\x00"+arg+"\x00"+passwordOf(arg))
		return r, true
	default:
		req, arg = kmsg.NewPtrMetadataRequest(), arg+" 4"
	}
	var version int16
	fmt.Sscan(arg, &version)
	req.SetVersion(version)
	return req, coded
}

const carolPassword = "carol-canary"

// passwordOf returns the password that a user of the conversations sends. Names of subtests have
// the users, not the passwords.
func passwordOf(user string) string {
	switch user {
	case PlainUser:
		return PlainPassword
	case "carol":
		return carolPassword
	}
	return "wrong"
}

func framed(req kmsg.Request, id int) []byte {
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(id))
}

// exchanged sends bytes and describes what comes back.
func exchanged(c wire, p []byte, coded bool) string {
	if _, err := c.Write(p); err != nil {
		return "closed"
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		return "closed"
	}
	rest := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(c, rest); err != nil {
		return "closed within a response"
	}
	if !coded {
		return fmt.Sprintf("answer %d", binary.BigEndian.Uint32(head[4:]))
	}
	return fmt.Sprintf("answer %d, error %d", binary.BigEndian.Uint32(head[4:]), int16(binary.BigEndian.Uint16(rest)))
}
