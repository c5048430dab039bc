package parity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// The answers of the broker, as kmsg's types, in the version of the request.

const unsupportedVersion = 35

// answer makes the frame that answers f: "heartbeat 27" and so on.
func answer(f frame, id int32, words []string) ([]byte, error) {
	number := func(i int) int64 {
		if i >= len(words) {
			return 0
		}
		n, err := strconv.ParseInt(words[i], 10, 64)
		if err != nil {
			panic("parity: " + err.Error())
		}
		return n
	}
	var r kmsg.Response
	flexible := false
	switch words[0] {
	case "hex":
		body, err := hex.DecodeString(strings.Join(words[1:], ""))
		return response(id, false, body), err
	case "heartbeat":
		r = &kmsg.HeartbeatResponse{ErrorCode: int16(number(1)), ThrottleMillis: int32(number(3))} // 27 throttle 300
	case "list_groups":
		groups := kmsg.NewPtrListGroupsResponse()
		for _, name := range words[1:] {
			groups.Groups = append(groups.Groups, kmsg.ListGroupsResponseGroup{Group: name, ProtocolType: "consumer"})
		}
		r = groups
	case "metadata": // 1@host:9092 topic...
		metadata := kmsg.NewPtrMetadataResponse()
		for _, word := range words[1:] {
			node, rest, isBroker := strings.Cut(word, "@")
			if !isBroker {
				metadata.Topics = append(metadata.Topics, kmsg.MetadataResponseTopic{Topic: &word})
				continue
			}
			host, port, _ := strings.Cut(rest, ":")
			n, _ := strconv.Atoi(node)
			p, _ := strconv.Atoi(port)
			metadata.Brokers = append(metadata.Brokers,
				kmsg.MetadataResponseBroker{NodeID: int32(n), Host: host, Port: int32(p)})
		}
		r = metadata
	case "produce": // offset
		r = &kmsg.ProduceResponse{Topics: []kmsg.ProduceResponseTopic{{
			Topic:      "t",
			Partitions: []kmsg.ProduceResponseTopicPartition{{BaseOffset: number(1), LogAppendTime: -1}},
		}}}
	case "find_coordinator": // node host port
		r = &kmsg.FindCoordinatorResponse{NodeID: int32(number(1)), Host: words[2], Port: int32(number(3))}
	case "list_reassignments":
		r, flexible = &kmsg.ListPartitionReassignmentsResponse{ErrorCode: int16(number(1))}, true
	case "versions":
		ranges, err := parseRanges(words[1:])
		if err != nil {
			return nil, err
		}
		return versionsAnswer(f, id, ranges), nil
	default:
		return nil, fmt.Errorf("no such answer: %q", strings.Join(words, " "))
	}
	r.SetVersion(f.version())
	return response(id, flexible, r.AppendTo(nil)), nil
}

// versionsAnswer answers ApiVersions as brokers do from 2.4 on: a version that
// they do not have is answered at v0, with the range of ApiVersions (KIP-511).
func versionsAnswer(f frame, id int32, ranges []kmsg.ApiVersionsResponseApiKey) []byte {
	r := &kmsg.ApiVersionsResponse{Version: f.version(), ApiKeys: ranges}
	for _, a := range ranges {
		if a.ApiKey == f.key() && f.version() > a.MaxVersion {
			r = &kmsg.ApiVersionsResponse{ErrorCode: unsupportedVersion, ApiKeys: []kmsg.ApiVersionsResponseApiKey{a}}
		}
	}
	return response(id, false, r.AppendTo(nil))
}

// parseRanges reads 0:0-8 18:0-3.
func parseRanges(words []string) (ranges []kmsg.ApiVersionsResponseApiKey, err error) {
	for _, word := range words {
		var a kmsg.ApiVersionsResponseApiKey
		if _, err := fmt.Sscanf(word, "%d:%d-%d", &a.ApiKey, &a.MinVersion, &a.MaxVersion); err != nil {
			return nil, fmt.Errorf("%q is not a range of versions, as 3:0-8 is: %w", word, err)
		}
		ranges = append(ranges, a)
	}
	return ranges, nil
}

// response puts the header before a body.
func response(id int32, flexible bool, body []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(id))
	if flexible {
		head = append(head, 0)
	}
	framed := binary.BigEndian.AppendUint32(nil, uint32(len(head)+len(body)))
	return append(append(framed, head...), body...)
}

// maxHex is the length up to which a frame is printed in full.
const maxHex = 400

// String returns a frame as it is in the trace: API, version, id and every byte.
func (f frame) String() string {
	bytes := hex.EncodeToString(f)
	if len(f) > maxHex {
		bytes = fmt.Sprintf("%d bytes, sha256 %x", len(f), sha256.Sum256(f))
	}
	return fmt.Sprintf("%s v%d id=%d: %s", kafkacodec.KeyName(f.key()), f.version(), f.id(), bytes)
}
