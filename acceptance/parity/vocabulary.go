package parity

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The common vocabulary of the traces, spoken by our side. The driver of
// kafka-python speaks the same.

var stateNames = map[broker.State]string{
	broker.Disconnected: "disconnected", broker.Connecting: "connecting", broker.Handshake: "handshake",
	broker.NegotiatingVersions: "negotiating", broker.Authenticating: "authenticating",
	broker.Connected: "connected", broker.Closed: "closed",
}

// kinds are the errors in the common vocabulary; the first that fits counts.
var kinds = []struct {
	err  error
	name string
}{
	{broker.ErrRequestTimeout, "request-timed-out"},
	{broker.ErrTooManyInFlight, "too-many-in-flight"},
	{broker.ErrNotReady, "not-ready"},
	{broker.ErrThrottled, "throttled"},
	{broker.ErrOutOfOrder, "correlation"},
	{broker.ErrFrameSize, "frame-size"},
	{broker.ErrProtocol, "protocol"},
	{broker.ErrClosed, "closed"},
	{broker.ErrConnection, "connection"},
	{broker.ErrTimeout, "timed-out"},
	{broker.ErrNoRelease, "unknown-release"},
}

// kind names what went wrong: the kind of the error itself, not of what caused it.
func kind(err error) string {
	name := fmt.Sprintf("unnamed (%v)", err)
	var e *broker.Error
	if errors.As(err, &e) {
		for _, k := range kinds {
			if errors.Is(e.Kind, k.err) {
				name = k.name
				break
			}
		}
		if e.Kind == broker.ErrConnection && errors.Is(e.Cause, errUser) {
			name = "user-error"
		}
	}
	if broker.Retriable(err) {
		name += " retriable"
	}
	return name
}

// build makes the request that the script names, pinned to its version.
func build(words []string) (ports.Message, error) {
	version, err := strconv.ParseInt(strings.TrimPrefix(words[1], "v"), 10, 16)
	if err != nil {
		return nil, err
	}
	args := words[2:]
	var r kmsg.Request
	switch words[0] {
	case "heartbeat":
		r = &kmsg.HeartbeatRequest{Group: args[0], Generation: 7, MemberID: "member"}
	case "metadata":
		m := &kmsg.MetadataRequest{Topics: []kmsg.MetadataRequestTopic{}}
		for _, topic := range args {
			m.Topics = append(m.Topics, kmsg.MetadataRequestTopic{Topic: &topic})
		}
		r = m
	case "list_groups":
		r = &kmsg.ListGroupsRequest{}
	case "produce":
		acks, _ := strconv.ParseInt(args[0], 10, 16)
		size, _ := strconv.Atoi(args[1])
		r = &kmsg.ProduceRequest{Acks: int16(acks), TimeoutMillis: 1000, Topics: []kmsg.ProduceRequestTopic{{
			Topic:      "t",
			Partitions: []kmsg.ProduceRequestTopicPartition{{Records: []byte(strings.Repeat("x", size))}},
		}}}
	case "find_coordinator":
		r = &kmsg.FindCoordinatorRequest{CoordinatorKey: args[0]}
	case "list_reassignments":
		r = &kmsg.ListPartitionReassignmentsRequest{TimeoutMillis: 1000,
			Topics: []kmsg.ListPartitionReassignmentsRequestTopic{
				{Topic: "t", Partitions: []int32{0}},
			}}
	default:
		return nil, fmt.Errorf("no such request: %q", strings.Join(words, " "))
	}
	return kafkacodec.At(r, int16(version)), nil
}

// essence is what an answer says, read from the decoded object.
func essence(m ports.Message) string {
	switch r := m.(type) {
	case nil:
		return "nothing"
	case *kmsg.HeartbeatResponse:
		return fmt.Sprintf("heartbeat error=%d", r.ErrorCode)
	case *kmsg.MetadataResponse:
		var brokers, topics []string
		for _, b := range r.Brokers {
			brokers = append(brokers, fmt.Sprintf("%d@%s:%d", b.NodeID, b.Host, b.Port))
		}
		for _, t := range r.Topics {
			topics = append(topics, fmt.Sprintf("%s error=%d", *t.Topic, t.ErrorCode))
		}
		return fmt.Sprintf("metadata brokers=%v topics=%v", brokers, topics)
	case *kmsg.ListGroupsResponse:
		var groups []string
		for _, g := range r.Groups {
			groups = append(groups, g.Group)
		}
		return fmt.Sprintf("list_groups error=%d groups=%v", r.ErrorCode, groups)
	case *kmsg.ProduceResponse:
		p := r.Topics[0].Partitions[0]
		return fmt.Sprintf("produce %s/%d error=%d offset=%d", r.Topics[0].Topic, p.Partition, p.ErrorCode,
			p.BaseOffset)
	case *kmsg.FindCoordinatorResponse:
		return fmt.Sprintf("find_coordinator error=%d node=%d@%s:%d", r.ErrorCode, r.NodeID, r.Host, r.Port)
	case *kmsg.ListPartitionReassignmentsResponse:
		return fmt.Sprintf("list_reassignments error=%d", r.ErrorCode)
	}
	return fmt.Sprintf("%T", m)
}
