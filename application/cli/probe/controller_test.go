package probe

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

// controller is a KRaft controller as Kafka 4.4 has it: no Metadata, and DescribeCluster for brokers is error 114, or,
// below v1, error 42.
func controller(t *testing.T) (address string) {
	const mismatch = "The request was sent to an endpoint of type CONTROLLER, but we wanted an endpoint of type BROKER"
	server := &otherServer{highest: 5, table: rows([3]int16{1, 4, 18}, [3]int16{17, 0, 1}, [3]int16{18, 0, 5},
		[3]int16{19, 2, 7}, [3]int16{52, 0, 2}, [3]int16{60, 0, 2}, [3]int16{62, 0, 4})}
	server.answer = func(r fakebroker.Request) []byte {
		switch r.Key {
		case 17:
			return []byte{0, 34, 0, 0, 0, 0}
		case 19:
			resp := kmsg.NewPtrCreateTopicsResponse()
			topic := kmsg.NewCreateTopicsResponseTopic()
			topic.Topic, topic.ErrorCode = "t", 36
			resp.Version, resp.Topics = r.Version, append(resp.Topics, topic)
			return append([]byte{0}, resp.AppendTo(nil)...)
		case 60:
			resp := kmsg.NewPtrDescribeClusterResponse()
			resp.Version, resp.ErrorCode, resp.ErrorMessage = r.Version, 114, kmsg.StringPtr(mismatch)
			if r.Version == 0 {
				resp.ErrorCode = 42
			}
			return append([]byte{0}, resp.AppendTo(nil)...)
		}
		return nil
	}
	return server.listen(t)
}

// A controller's port is named wherever a request is refused there, and its other answers stay what they are.
func TestControllersPortIsNamed(t *testing.T) {
	address := controller(t)
	const named = "hint: this is the port of a controller: use that of a broker"
	for _, args := range [][]string{{"request", address, "metadata"}, {"request", address, "produce"},
		{"request", address, "DescribeCluster"}, {"request", address, "DescribeCluster", "--version", "0"}} {

		probe(t, args...).failed(t, exitFailed, named)
		e := decode[errorDocument](t, probe(t, append(args, "--json")...)).Error
		if "hint: "+e.Hint != named {
			t.Errorf("%v: got the hint %q, want %q", args, e.Hint, named)
		}
	}
	o := probe(t, "request", address, "CreateTopics").failed(t, exitFailed, "TOPIC_ALREADY_EXISTS")
	if strings.Contains(o.stderr, "controller") {
		t.Errorf("got %q, want no controller: the topic exists", o.stderr)
	}
	probe(t, with([]string{"auth", address}, "security_protocol=SASL_PLAINTEXT", "sasl_mechanism=SCRAM-SHA-256",
		"sasl_plain_username=alice", "sasl_plain_password=canary-of-a-controller")...).
		failed(t, exitAuthentication, "the port wants no login", "this is the port of a controller")
	probe(t, "check-version", address).succeeded(t, "controller", named)
}

// Kafka's brokers answer 114 as well, to what is for controllers.
func TestBrokersPortIsNamed(t *testing.T) {
	broker := &otherServer{highest: 4, table: rows([3]int16{0, 3, 12}, [3]int16{18, 0, 4}, [3]int16{60, 0, 1}),
		answer: func(r fakebroker.Request) []byte {
			resp := kmsg.NewPtrDescribeClusterResponse()
			resp.Version, resp.ErrorCode = r.Version, 114
			return append([]byte{0}, resp.AppendTo(nil)...)
		}}
	address := broker.listen(t)
	probe(t, "request", address, "DescribeCluster", "--body", `{"EndpointType":2}`).
		failed(t, exitFailed, "error 114", "hint: this is the port of a broker: use that of a controller")
	probe(t, "request", address, "Vote").failed(t, exitFailed, "hint: only controllers have this API")
}
